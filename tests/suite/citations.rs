//! Citations are followed: every name and address that a reason states stands in the facts it cites, and, of a
//! text, in the lines themselves.

use std::path::{Path, PathBuf};

use serde_json::Value;
use whycert::analyze;

use crate::samples::samples;
use crate::support::{files_below, root};

/// What a reason may state without citing it in these letters: a name that a rule derives from what it cites.
const DERIVED: &[(&str, &str)] = &[
    // The owner of a PTR record spells the address backwards.
    ("dns.recycled_cloud_ip", "the reverse name of "),
    // A wildcard stands for the name.
    ("dns.wildcard_record", " is answered with"),
    ("h2.connection_coalescing", "its certificate covers "),
    // The ech parameter holds the public name as bytes.
    ("ech.outer_name", "has the public name "),
];

/// Inputs whose lines hold bytes, as base64 or in hexadecimal, where people would read a name.
const ENCODED: &[&str] = &["stage_url_exports/"];

#[test]
fn what_a_reason_states_stands_where_it_points_to() {
    let mut followed = 0;
    let mut astray = Vec::new();
    for sample in samples() {
        let folder = root().join(&sample.folder);
        let report: Value = serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
        let is_encoded = ENCODED.iter().any(|part| folder.to_str().unwrap().contains(part));
        follow(&report, &folder, !is_encoded, &mut followed, &mut astray);
    }
    for path in files_below("tests/incidents").into_iter().chain(files_below("tests/trials")) {
        let path = root().join(path);
        let gathered = analyze::gather(std::slice::from_ref(&path), &analyze::Options::default());
        let report = serde_json::to_value(analyze::diagnose(&gathered.evidence, &[])).unwrap();
        follow(&report, path.parent().unwrap(), true, &mut followed, &mut astray);
    }
    assert!(astray.is_empty(), "{} of {followed}:\n{}", astray.len(), astray.join("\n"));
    assert!(followed > 1_300, "{followed} names and addresses were followed");
}

/// What a sentence shows where something unknown was put into it.
const HOLES: &[&str] = &[" ;", " ,", "()", " to ,"];

fn follow(report: &Value, folder: &Path, reads_lines: bool, followed: &mut usize, astray: &mut Vec<String>) {
    let array = |it: &Value| it.as_array().cloned().unwrap_or_default();
    for finding in array(&report["cases"]).into_iter().flat_map(|case| array(&case["findings"])) {
        let reasons = array(&finding["reasons"]).into_iter().map(|reason| reason["text"].clone());
        for text in [finding["cause"].clone(), finding["remedy"].clone()].into_iter().chain(reasons) {
            let text = text.as_str().unwrap_or_default();
            if HOLES.iter().any(|hole| text.contains(hole)) {
                astray.push(format!("{}: {}: a hole: {text}", folder.display(), finding["rule"]));
            }
        }
    }
    let findings = array(&report["cases"]).into_iter().flat_map(|case| array(&case["findings"]));
    for (rule, reason) in
        findings.flat_map(|it| array(&it["reasons"]).into_iter().map(move |reason| (it["rule"].clone(), reason)))
    {
        let text = reason["text"].as_str().unwrap();
        let is_derived = DERIVED.iter().any(|(of, words)| *of == rule && text.contains(words));
        let cited: Vec<&Value> =
            array(&reason["cites"]).iter().map(|id| &report["observations"][id.as_u64().unwrap() as usize]).collect();
        let facts = cited.iter().map(|it| it["fact"].to_string()).collect::<String>().to_lowercase();
        let lines = lines(report, &cited, folder).filter(|_| reads_lines);
        let is_source = |name: &String| report["sources"].as_array().unwrap().iter().any(|it| it["path"] == **name);
        for name in names(text).into_iter().filter(|name| !is_derived && !is_source(name)) {
            *followed += 1;
            let is_quoted = lines.as_ref().is_none_or(|lines| lines.contains(&name) || lines.contains("-----begin "));
            if !facts.contains(&name) || !is_quoted {
                astray.push(format!("{}: {rule}: {name}: {text}", folder.display()));
            }
        }
    }
}

/// The lines that the observations stand on, joined as where a window wrapped them; `None` where one of them is
/// of a capture, of facts, or of a text that is not UTF-8.
fn lines(report: &Value, cited: &[&Value], folder: &Path) -> Option<String> {
    let mut all = String::new();
    for place in cited.iter().flat_map(|it| it["at"].as_array().unwrap()) {
        let [first, last] = [0, 1].map(|at| place["lines"][at].as_u64());
        let source = report["sources"][place["source"].as_u64().unwrap() as usize]["path"].as_str().unwrap();
        let path: PathBuf = folder.join(Path::new(source).file_name().unwrap());
        let text = std::fs::read_to_string(path).ok()?.to_lowercase();
        let range = (first? as usize).checked_sub(1)?..last? as usize;
        for line in text.lines().collect::<Vec<_>>().get(range)? {
            all.push_str(line);
        }
    }
    Some(all)
}

/// The host names and addresses of a sentence, in lower case.
fn names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "._*-".contains(c)));
    let names = words.map(|word| word.trim_matches(['.', '-', '_']).to_lowercase()).filter(|word| {
        let is_number = word.chars().all(|c| c.is_ascii_digit() || c == '.');
        let labels = word.split('.').count();
        labels > 1 && if is_number { labels == 4 } else { !word.ends_with(|c: char| c.is_ascii_digit()) }
    });
    names.collect()
}
