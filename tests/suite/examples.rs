//! Outputs of real tools beside the checkout (`../shared/formats`): each gives the facts that
//! `examples.tsv` lists, whatever pasting has done to it. Without the folder this is skipped, and says
//! so. `UPDATE=1` writes the table anew; read the difference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use whycert::evidence::{Fact, Reading};
use whycert::saved;

use crate::paste;
use crate::support::{printed, root, whycert_in};

/// The folders of examples that the table covers.
const FOLDERS: &[&str] = &[
    "delv",
    "dig",
    "doh",
    "drill",
    "getent",
    "gnutls-cli",
    "host",
    "kdig",
    "libressl",
    "libressl-3.3.6",
    "misc",
    "nmap",
    "nslookup",
    "openssl-1.0.2",
    "openssl-1.1.1",
    "openssl-3.0",
    "openssl-3.5",
    "openssl-4.0",
    "resolvectl",
    "sslscan",
    "sslyze",
    "testssl",
    "unbound-host",
];
/// Single examples of folders that hold other tools as well.
const SINGLE: &[&str] = &[
    "busybox/nslookup.txt",
    "busybox/nslookup_nx.txt",
    "busybox/nslookup_server.txt",
    "busybox/nslookup_type.txt",
    "java/keytool_printcert_file.txt",
    "java/keytool_printcert_rfc.txt",
    "java/keytool_printcert_sslserver.txt",
    "macos/dscacheutil.txt",
    "macos/scutil_dns_excerpt.txt",
    "windows/Resolve-DnsName.txt",
    "windows/Resolve-DnsName_aonly.txt",
    "windows/Resolve-DnsName_nxdomain.txt",
    "windows/Resolve-DnsName_utf16le_bom.txt",
    "windows/Resolve-DnsName_wrapped_name.txt",
    "windows/certutil_dump_excerpt.txt",
    "windows/ipconfig_displaydns.txt",
    "windows/nslookup.txt",
    "windows/nslookup_de_cp1252.txt",
    "windows/nslookup_debug_excerpt.txt",
    "windows/nslookup_nxdomain.txt",
    "windows/nslookup_prompt.txt",
    "windows/nslookup_timeout.txt",
    "windows/nslookup_two_aliases.txt",
    "windows/nslookup_type_cname.txt",
    "windows/nslookup_zh_gbk.txt",
];
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

fn covered(folder: &Path) -> Vec<String> {
    let index = std::fs::read_to_string(folder.join("examples/INDEX.tsv")).unwrap();
    let paths = index.lines().skip(1).map(|row| row.split('\t').next().unwrap().to_owned());
    let mut covered: Vec<String> = paths
        .filter(|path| SINGLE.contains(&path.as_str()) || FOLDERS.contains(&path.split('/').next().unwrap()))
        .collect();
    covered.sort();
    covered
}

/// One line that tells the facts of a reading.
fn summary(reading: &Reading) -> String {
    let told: Vec<String> = reading.observations.iter().map(|it| told(&it.fact)).collect();
    if told.is_empty() { "-".to_owned() } else { told.join(" | ") }
}

fn told(fact: &Fact) -> String {
    match fact {
        Fact::DnsAnswer(it) => {
            let question = it.question.as_ref().map_or("-".to_owned(), |it| format!("{}/{}", it.name, it.kind));
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            let mut chain = Vec::new();
            for record in &it.records {
                match record.kind.as_str() {
                    "CNAME" => chain.push(format!("{}>{}", record.owner, record.data)),
                    kind => *counts.entry(kind).or_default() += 1,
                }
            }
            chain.extend(counts.into_iter().map(|(kind, count)| format!("{kind}*{count}")));
            let server = it.server.map_or("-".to_owned(), |server| server.to_string());
            format!("dns {question} {} {server} {}", it.rcode.as_deref().unwrap_or("-"), chain.join(" "))
        }
        Fact::TlsHandshake(it) => {
            let sni = it.sni.clone().unwrap_or_else(|| format!("{:?}", it.sni_state).to_lowercase());
            let server = it.server.map_or("-".to_owned(), |server| server.to_string());
            format!("tls {sni} {server} {} chain*{}", it.version.as_deref().unwrap_or("-"), it.chain.len())
        }
        Fact::TlsAlert(it) => format!("alert {}", it.description.as_deref().unwrap_or("-")),
        Fact::Certificate(it) => {
            let names = it.san.as_ref().map_or("?".to_owned(), |san| san.dns.join(","));
            let kind = if it.der.is_some() { "der" } else { "text" };
            let until = it.not_after.map_or("-".to_owned(), |time| time.to_string());
            format!("cert {kind} {} san={names} until={until}", it.common_name().unwrap_or("-"))
        }
        Fact::HttpExchange(it) => format!("http {:?}", it.status),
        Fact::Override(it) => {
            let host = it.host.as_ref().map_or("-".to_owned(), ToString::to_string);
            format!("override {:?} {host} {}", it.by, it.to.as_deref().unwrap_or("-")).to_lowercase()
        }
        Fact::ClientVerdict(it) => format!("verdict {} {:?}", it.client, it.says),
        Fact::CloudMapping(_) => "cloud".to_owned(),
        Fact::Run(it) => format!("run {}", it.tool),
    }
}

#[test]
fn examples_give_their_facts() {
    let Some(folder) = formats("examples") else { return };
    let table = root().join("tests/suite/examples.tsv");
    let rows: Vec<String> = covered(&folder)
        .iter()
        .map(|path| {
            let bytes = std::fs::read(folder.join("examples").join(path)).unwrap();
            format!("{path}\t{}\n", summary(&saved::read(path, &bytes)))
        })
        .collect();
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
    let mut wrong = Vec::new();
    for path in covered(&folder) {
        let bytes = std::fs::read(folder.join("examples").join(&path)).unwrap();
        wrong.extend(paste::differences(&path, &bytes));
    }
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
