//! Incidents whose cause is known give that cause, or honestly none: each row of `incidents.tsv` names a
//! text or a folder below `tests/incidents` (public ones, rebuilt in our own words) or `tests/trials`
//! (invented ones and healthy look-alikes), the host, the outcome, what heads the case, and why.
//!
//! What heads a case is the strength and the rules of the first finding and of those tied with it; `-`
//! where none is more than a note: then no cause may be claimed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::{files_below, printed, text_of, whycert_in};

/// One row of the table.
struct Row {
    input: String,
    host: String,
    outcome: String,
    heads: String,
}

fn rows() -> Vec<Row> {
    let table = text_of(Path::new("tests/suite/incidents.tsv"));
    table.lines().map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split('\t').collect();
    let [input, host, outcome, heads, why] = cells.as_slice() else { panic!("five cells: {line}") };
    assert!(!why.is_empty(), "a row says why: {line}");
    let own = |cell: &str| cell.to_owned();
    Row { input: own(input), host: own(host), outcome: own(outcome), heads: own(heads) }
}

/// The folder or the file of the inputs, below `tests`.
fn input_of(path: &Path) -> String {
    let parts: Vec<&str> = path.iter().skip(1).map(|part| part.to_str().unwrap()).collect();
    parts[..2].join("/")
}

fn judged(input: &str) -> Vec<Row> {
    let folder = crate::support::root().join("tests");
    let run = printed(&whycert_in(&folder, ["diagnose", "--format", "json", input]));
    let report: serde_json::Value = serde_json::from_str(&run).unwrap_or_else(|error| panic!("{input}: {error}"));
    let cases = report["cases"].as_array().unwrap();
    let rows = cases.iter().map(|case| Row {
        input: input.to_owned(),
        host: case["host"].as_str().unwrap_or("-").to_owned(),
        outcome: case["outcome"].as_str().unwrap().to_owned(),
        heads: heads(case),
    });
    rows.collect()
}

fn heads(case: &serde_json::Value) -> String {
    let word = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = case["findings"].as_array().unwrap();
    let Some(first) = findings.first().filter(|it| it["severity"] != "note") else { return "-".to_owned() };
    let is_tied = |it: &&serde_json::Value| {
        first["strength"] == "consistent" && it["severity"] == first["severity"] && it["strength"] == first["strength"]
    };
    let tied = findings.iter().skip(1).take_while(is_tied);
    let rules: BTreeSet<String> = std::iter::once(first).chain(tied).map(|it| word(it, "rule")).collect();
    let rules: Vec<String> = rules.into_iter().collect();
    format!("{} {}", word(first, "strength"), rules.join(" "))
}

#[test]
fn incidents_give_their_known_cause_or_none() {
    let mut expected: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows() {
        expected.entry(row.input.clone()).or_default().push(row);
    }
    let mut wrong = Vec::new();
    for (input, rows) in &expected {
        let found = judged(input);
        let hosts = |rows: &[Row]| rows.iter().map(|it| it.host.clone()).collect::<BTreeSet<String>>();
        if hosts(rows) != hosts(&found) {
            wrong.push(format!("{input}: hosts {:?} instead of {:?}", hosts(&found), hosts(rows)));
        }
        for (row, it) in rows.iter().flat_map(|row| found.iter().map(move |it| (row, it))) {
            if row.host == it.host && (&row.outcome, &row.heads) != (&it.outcome, &it.heads) {
                let (host, want) = (&row.host, format!("{} {}", row.outcome, row.heads));
                wrong.push(format!("{input} {host}: {} {} instead of {want}", it.outcome, it.heads));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_incident_has_its_row() {
    let files = files_below("tests/incidents").into_iter().chain(files_below("tests/trials"));
    let inputs: BTreeSet<String> = files.map(|path| input_of(&path)).collect();
    let named: BTreeSet<String> = rows().into_iter().map(|row| row.input).collect();
    assert_eq!(inputs, named);
}
