//! The packages that the program and its tests are built from: their licences, and every one that
//! is there in two versions, with the reason. Read from `cargo metadata`, offline.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::support::root;

/// The licences that may be used.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "CDLA-Permissive-2.0",
    // The terms of bzip2 itself: BSD in other words.
    "bzip2-1.0.6",
];

/// The packages in several versions, each with its reason.
const SEVERAL: &[(&str, &str)] = &[
    ("block-buffer", "follows sha2"),
    ("crypto-common", "follows sha2"),
    ("digest", "follows sha2"),
    ("sha2", "lzma-rust2 checks xz with the newer one, ours is the one of the other ciphers"),
    ("bit-vec", "bit-set of the schema checker and of the property tests"),
    ("cpufeatures", "sha2 0.10 and a random number generator of the property tests"),
    ("getrandom", "ring, the property tests and temporary files each ask the system in their own version"),
    ("nom", "tls-parser and x509-parser stay at 7; our grammars and pcap-parser are at 8"),
    ("rand", "the property tests and tls-parser's build"),
    ("rand_core", "follows rand"),
    ("rusticata-macros", "tls-parser and x509-parser with nom 7, pcap-parser with nom 8"),
    ("syn", "derive macros of different ages; build time only"),
    ("synstructure", "derive macros of different ages; build time only"),
    ("r-efi", "follows getrandom, on other platforms"),
    ("windows-sys", "ring and the terminal crates, on other platforms"),
];

#[expect(clippy::disallowed_methods, reason = "the tests ask cargo; the program starts nothing")]
fn packages() -> Vec<Value> {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8(rustc.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let used: BTreeSet<&str> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    let all = metadata["packages"].as_array().unwrap().iter();
    all.filter(|package| used.contains(package["id"].as_str().unwrap())).cloned().collect()
}

/// Whether an SPDX expression can be met with the licences above; `AND` binds closer than `OR`.
fn is_allowed(expression: &str) -> bool {
    let flat = expression.replace('/', " OR ");
    if let (Some(open), Some(close)) = (flat.find('('), flat.rfind(')')) {
        let inner = if is_allowed(&flat[open + 1..close]) { "MIT" } else { "none" };
        return is_allowed(&format!("{}{inner}{}", &flat[..open], &flat[close + 1..]));
    }
    flat.split(" OR ").any(|choice| choice.split(" AND ").all(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn licences_are_on_the_list() {
    assert!(is_allowed("(MIT OR GPL-3.0) AND Unicode-3.0") && !is_allowed("MIT AND GPL-3.0"));
    let wrong: Vec<String> = packages()
        .iter()
        .filter(|package| !is_allowed(package["license"].as_str().unwrap_or("none")))
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_duplicate_has_its_reason() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let text = |field: &str| package[field].as_str().unwrap().to_owned();
        versions.entry(text("name")).or_default().insert(text("version"));
    }
    let several: BTreeSet<&str> =
        versions.iter().filter(|(_, known)| known.len() > 1).map(|(name, _)| name.as_str()).collect();
    let listed: BTreeSet<&str> = SEVERAL.iter().map(|(name, _)| *name).collect();
    let unlisted: Vec<&&str> = several.difference(&listed).collect();
    assert!(unlisted.is_empty(), "in several versions without a reason: {unlisted:?}");
    for (name, _) in SEVERAL {
        assert!(versions.contains_key(*name) || cfg!(not(windows)), "{name} is listed and not used");
    }
}
