//! The registry of rules and its documentation, and the matrix of samples over it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use whycert::rules::RULES;

use crate::support::{files_below, printed, text_of, whycert};

#[test]
fn ids_are_the_files() {
    let files: BTreeSet<String> = files_below("src/rules")
        .iter()
        .filter(|path| text_of(path).contains("declare_rule! {\n    ///"))
        .map(|path| {
            let parts: Vec<&str> = path.iter().skip(2).map(|part| part.to_str().unwrap()).collect();
            parts.join(".").trim_end_matches(".rs").to_owned()
        })
        .collect();
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(files, ids, "a rule's id is its folder and file, and every rule is registered");
    let order: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert!(order.is_sorted(), "rules are registered by id: {order:?}");
}

#[test]
fn every_rule_has_its_page() {
    for rule in RULES {
        let headings: Vec<&str> = rule.docs.lines().filter_map(|line| line.trim().strip_prefix("# ")).collect();
        assert_eq!(
            headings,
            ["What it finds", "Why it matters", "What it needs", "What to do", "References"],
            "{}",
            rule.id
        );
        assert!((0.5..=1.0).contains(&rule.cap), "{}", rule.id);
        let page = printed(&whycert(["explain", rule.id]));
        assert!(page.contains(rule.summary) && page.contains("What to do"), "{page}");
    }
}

/// The table of rules in README.md is the registry: `UPDATE=1` writes it.
#[test]
fn the_readme_lists_every_rule() {
    let readme = text_of(Path::new("README.md"));
    let rows: Vec<String> = RULES.iter().map(|rule| format!("| `{}` | {} |\n", rule.id, rule.summary)).collect();
    let rows = rows.concat();
    let head = "| rule | finds |\n|---|---|\n";
    let (before, table) = readme.split_once(head).expect("README.md has the table of rules");
    let found: String = table.split_inclusive('\n').take_while(|line| line.starts_with('|')).collect();
    if found != rows && std::env::var_os("UPDATE").is_some() {
        let after = table.strip_prefix(found.as_str()).unwrap();
        std::fs::write(crate::support::root().join("README.md"), format!("{before}{head}{rows}{after}")).unwrap();
        return;
    }
    assert!(found == rows, "README.md has another table than the rules give; UPDATE=1 writes\n{rows}");
}

/// The cells of the matrix that no sample can reach, each with its reason.
const UNREACHED: &[(&str, &str, &str)] = &[
    ("h2.connection_coalescing", "unknown", "a response is read only together with the handshake of its connection"),
    ("cert.expired", "unknown", "dates are either in the evidence or the rule does not apply"),
    ("cert.not_yet_valid", "unknown", "dates are either in the evidence or the rule does not apply"),
];

#[test]
fn every_rule_is_found_clear_and_unknown_in_some_sample() {
    let mut cells: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files_below("samples") {
        if path.file_name().is_some_and(|name| name == "expected.verdicts") {
            for line in text_of(&path).lines() {
                let mut words = line.split_whitespace();
                let (Some(_host), Some(rule), Some(verdict)) = (words.next(), words.next(), words.next()) else {
                    panic!("{}: {line}", path.display());
                };
                cells.entry(rule.to_owned()).or_default().insert(verdict.to_owned());
            }
        }
    }
    let mut missing = Vec::new();
    for rule in RULES {
        let is_outcome = rule.id.starts_with("none.") || rule.id.starts_with("insufficient.");
        let wanted: &[&str] = match (is_outcome, rule.id.starts_with("none.")) {
            (true, true) => &[],
            (true, false) => &["unknown"],
            (false, _) => &["found", "clear", "unknown"],
        };
        for verdict in wanted {
            let reached = cells.get(rule.id).is_some_and(|known| known.contains(*verdict));
            let excused = UNREACHED.iter().any(|(id, cell, _)| id == &rule.id && cell == verdict);
            if !reached && !excused {
                missing.push(format!("{} is {verdict} in no sample", rule.id));
            }
            assert!(!(reached && excused), "{} {verdict} is reached: take it off the list", rule.id);
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
