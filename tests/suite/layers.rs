//! One direction: a module uses what `src/lib.rs` lists above it and nothing below, and each wire
//! crate stays in its layer. The list in `src/lib.rs` is the rule; there is no second one.

use std::path::Path;

use crate::support::{files_below, text_of};

/// The modules of `src/lib.rs`, in order.
fn map() -> Vec<String> {
    let text = text_of(Path::new("src/lib.rs"));
    text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned)).collect()
}

/// The table in the documentation of `src/lib.rs`.
fn table() -> Vec<String> {
    let text = text_of(Path::new("src/lib.rs"));
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | [`"));
    rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
}

/// The layer that a source file belongs to.
fn layer_of(path: &Path) -> String {
    let second = path.components().nth(1).unwrap().as_os_str().to_str().unwrap();
    second.strip_suffix(".rs").unwrap_or(second).to_owned()
}

/// The layers that a line of code names.
fn layers_named(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap();
    let mut named = Vec::new();
    for start in ["crate::", "whycert::"] {
        for rest in code.split(start).skip(1) {
            if let Some(group) = rest.strip_prefix('{') {
                let parts = group.split(['{', '}', ',']).map(str::trim);
                named.extend(parts.map(|part| part.split("::").next().unwrap().to_owned()));
            } else {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                named.push(rest[..end].to_owned());
            }
        }
    }
    named
}

#[test]
fn the_table_is_the_list_of_modules() {
    assert_eq!(table(), map(), "the table in src/lib.rs and its `pub mod` lines differ");
}

#[test]
fn a_module_uses_only_what_stands_above_it() {
    let map = map();
    let rank = |layer: &str| map.iter().position(|known| known == layer);
    let mut wrong = Vec::new();
    for path in files_below("src") {
        let layer = layer_of(&path);
        if path.extension().is_none_or(|it| it != "rs") || ["lib", "main"].contains(&layer.as_str()) {
            continue;
        }
        let own = rank(&layer).unwrap_or_else(|| panic!("{} is in no layer of src/lib.rs", path.display()));
        for (number, line) in (1..).zip(text_of(&path).lines()) {
            for other in layers_named(line) {
                if rank(&other).is_some_and(|other| other > own) {
                    wrong.push(format!("{}:{number}: {layer} uses {other}, which stands below it", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each crate that reads a wire format, or starts threads, and the layers that may use it.
const CRATES: &[(&str, &[&str])] = &[
    ("pcap_parser", &["capture"]),
    ("etherparse", &["packet"]),
    ("tls_parser", &["tls"]),
    ("ring", &["tls", "quic"]),
    ("ccm", &["tls"]),
    ("aes", &["tls"]),
    ("cbc", &["tls"]),
    ("des", &["tls"]),
    ("hmac", &["tls"]),
    ("md5", &["tls"]),
    ("brotli_decompressor", &["tls"]),
    ("x509_parser", &["x509"]),
    ("hickory_proto", &["dns"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("toml", &["provider", "cli"]),
    ("indicatif", &["cli"]),
    ("ctrlc", &["cli"]),
    ("rayon", &["analyze"]),
    ("encoding_rs", &["saved"]),
    ("mail_parser", &["input"]),
    ("aho_corasick", &["saved"]),
    ("shlex", &["saved"]),
    ("psl", &["provider"]),
    ("flate2", &["input", "tls"]),
    ("ruzstd", &["input", "tls"]),
    ("lz4_flex", &["input"]),
    ("lzma_rust2", &["input"]),
    ("bzip2", &["input"]),
    ("tar", &["input"]),
    ("zip", &["input"]),
    ("sha2", &["input", "x509", "report"]),
    ("maud", &["report"]),
    ("csv", &["report", "saved"]),
];

#[test]
fn each_crate_stays_in_its_layer() {
    let mut wrong = Vec::new();
    let mut used = std::collections::BTreeSet::new();
    for path in files_below("src") {
        let layer = layer_of(&path);
        for (number, line) in (1..).zip(text_of(&path).lines()) {
            let code = line.split("//").next().unwrap();
            for (name, layers) in CRATES {
                let is_word = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                if code.match_indices(&format!("{name}::")).any(|(at, _)| is_word(at)) {
                    used.insert(*name);
                    if !layers.contains(&layer.as_str()) {
                        wrong.push(format!("{}:{number}: {name} belongs to {layers:?}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (name, _) in CRATES {
        assert!(used.contains(name), "{name} stands in the list and is used nowhere");
    }
}
