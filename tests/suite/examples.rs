//! Outputs of real tools beside the checkout (`../shared/formats`): each gives the facts that
//! `examples.tsv` lists, whatever pasting has done to it. Without the folder this is skipped, and says
//! so. `UPDATE=1` writes the table anew; read the difference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use whycert::analyze;

use crate::paste;
use crate::support::{printed, root, whycert_in};
use crate::told;

/// Fewer files than this are no folder of examples.
const EXAMPLES_MIN: usize = 600;

/// `../shared/formats`, where it is there and whole.
fn formats(what: &str) -> Option<PathBuf> {
    let folder = root().join("../shared/formats");
    let index = std::fs::read_to_string(folder.join("examples/INDEX.tsv")).unwrap_or_default();
    let here =
        index.lines().skip(1).filter(|row| folder.join("examples").join(row.split('\t').next().unwrap()).is_file());
    let here = here.count();
    if here >= EXAMPLES_MIN {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none() || !folder.is_dir(),
        "../shared/formats is short: {here} of {EXAMPLES_MIN} examples"
    );
    say(&format!("{what}: SKIPPED, ../shared/formats is not here or short ({here} examples)"));
    None
}

/// Says something past the test harness, which keeps what a passing test prints.
fn say(words: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// Every example, by its path below the folder.
fn examples(folder: &Path) -> Vec<String> {
    let index = std::fs::read_to_string(folder.join("examples/INDEX.tsv")).unwrap();
    let mut paths: Vec<String> = index.lines().skip(1).map(|row| row.split('\t').next().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

/// What a file says, and what is made of it: each host with its outcome.
fn row(file: PathBuf) -> String {
    let evidence = analyze::gather(&[file], &analyze::Options::default()).evidence;
    let report = analyze::diagnose(&evidence, &[]);
    let cases = report.cases.iter().map(|case| {
        let host = case.host.as_ref().map_or("?".to_owned(), ToString::to_string);
        format!("{host} {}", serde_json::to_value(case.outcome).unwrap().as_str().unwrap())
    });
    format!("{}\t{}", told::told(&evidence), cases.collect::<Vec<_>>().join(", "))
}

#[test]
fn examples_give_their_facts() {
    let Some(folder) = formats("examples") else { return };
    let table = root().join("tests/suite/examples.tsv");
    let rows: Vec<String> =
        examples(&folder).iter().map(|path| format!("{path}\t{}\n", row(folder.join("examples").join(path)))).collect();
    let found = rows.concat();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&table, &found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&table).unwrap_or_default();
    let known: BTreeMap<&str, &str> = expected.lines().filter_map(|row| row.split_once('\t')).collect();
    let wrong: Vec<String> = found
        .lines()
        .filter_map(|row| row.split_once('\t'))
        .filter(|(path, facts)| known.get(path) != Some(facts))
        .map(|(path, facts)| {
            format!("{path}\n  expected {}\n  found    {facts}", known.get(path).unwrap_or(&"nothing"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples_survive_pasting() {
    let Some(folder) = formats("examples, pasted") else { return };
    let examples = examples(&folder);
    let pasted = examples.par_iter().enumerate().flat_map_iter(|(nth, path)| {
        let bytes = std::fs::read(folder.join("examples").join(path)).unwrap();
        paste::differences(path, &bytes, paste::share(nth))
    });
    let wrong = paste::without_lost(pasted.collect(), paste::LOST_OF_EXAMPLES);
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn transcripts_of_cases_give_their_cause() {
    let Some(folder) = formats("cases") else { return };
    for (name, causes, outcome) in [
        ("01_cname_stage_url.txt", &["apigw.cname_to_stage_url"][..], "wrong-certificate"),
        ("04_no_sni.txt", &["sni.absent", "tool.no_servername"], "wrong-certificate"),
        ("05_expired.txt", &["cert.expired"], "invalid-certificate"),
        ("09_no_fault.txt", &[], "ok"),
    ] {
        let text = printed(&whycert_in(&folder.join("cases"), ["diagnose", "--format", "json", name]));
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let case = &report["cases"][0];
        assert_eq!(case["outcome"], outcome, "{name}");
        match case["findings"][0]["rule"].as_str() {
            Some(rule) => assert!(causes.contains(&rule), "{name}: {rule}"),
            None => assert!(causes.is_empty(), "{name}: no finding"),
        }
    }
}
