//! The facts of 548 captures that nobody here made, against truth from independent tools.
//!
//! The captures lie beside the checkout (`../shared/corpus`) and are never a part of it: without
//! them this test is skipped, and says so. `compare` there says what differs; here stands how much
//! may differ today, and which differences stay because the truth is wrong or asks for less.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::root;

/// How many differences of each class have no reason in [`KNOWN`] yet. A change that mends some
/// lowers its number to what the test prints; none is ever raised.
const UNEXPLAINED_MAX: &[(&str, usize)] = &[
    ("dns", 0),
    ("sni", 0),
    ("chain", 0),
    ("alert", 0),
    ("version", 0),
    ("resumed", 0),
    ("quic", 0),
    ("extra dns", 0),
    ("extra sni", 2),
    ("extra chain", 0),
    ("other", 0),
];

/// A difference that stays: the end of the capture's path, the class, words of the difference, why.
type Known = (&'static str, &'static str, &'static str, &'static str);

const KNOWN: &[Known] = &[
    (
        "/quic-crypto-packets.pcap",
        "extra sni",
        "173.38.117.86:50342",
        "the same Initial in front of an address translation and behind it; the truth has the first",
    ),
    (
        "/quic-crypto-packets.pcap",
        "extra sni",
        "173.38.117.83:35778",
        "the same Initial in front of an address translation and behind it; the truth has the first",
    ),
    (
        "/quic-crypto-packets.pcap",
        "extra sni",
        "10.150.34.25:57359",
        "mvfst: frame 568 holds the ClientHello whole; the truth lacks it",
    ),
    (
        "arkime_synthetic.pcap",
        "dns",
        "rcode 0 is BADVERS",
        "the code is extended by an OPT record (RFC 6891 section 6.1.3); the truth has its four low bits",
    ),
    (
        "dns-badvers.pcap",
        "dns",
        "rcode 0 is BADVERS",
        "the code is extended by an OPT record (RFC 6891 section 6.1.3); the truth has its four low bits",
    ),
    ("badpackets.pcap", "dns", "answers lack [(", "the packet ends within an RRSIG, which is told as cut"),
    (
        "fuzz-2006-06-26-2594.pcap",
        "dns",
        "unknownextendedlabel",
        "no name can begin with this byte; its bytes are told (RFC 3597), the truth has words of its tool",
    ),
    (
        "/tls_DER-incomplete-header.pcap",
        "chain",
        "got 1 ['a8b66060986b']",
        "the message holds 9 bytes for the certificate; the truth has the 7 that its damaged length covers",
    ),
    (
        "/tls_DER-incomplete-content.pcap",
        "chain",
        "got 1 ['93fa70c05df3']",
        "the message holds 9 bytes for the certificate; the truth has the 8 that its damaged length covers",
    ),
    (
        "/KakaoTalk_chat.pcap",
        "extra chain",
        "frames [44]",
        "the server's bytes do not follow the number of its SYN; they are in the file, the truth lacks them",
    ),
    (
        "/KakaoTalk_chat.pcap",
        "extra chain",
        "frames [72]",
        "the server's bytes do not follow the number of its SYN; they are in the file, the truth lacks them",
    ),
    ("/openvpn.pcap", "sni", "10.251.71.30:1194", "TLS inside OpenVPN packets: not asked"),
    ("/openvpn.pcap", "version", "10.251.71.30:1194", "TLS inside OpenVPN packets: not asked"),
    ("/openvpn.pcap", "resumed", "10.251.71.30:1194", "TLS inside OpenVPN packets: not asked"),
    ("/openvpn.pcap", "chain", "10.251.71.30:1194", "TLS inside OpenVPN packets: not asked"),
    (
        "/arkime_synthetic.pcap",
        "version",
        "want 0x002c",
        "the ServerHello says TLS 1.2; its extensions are filler from which the truth took a number",
    ),
    ("/corner-cases.pcap", "version", "want 0x0000", "the bytes of frame 3 are filled with chance; no hello is there"),
];

/// One line of what `compare` found.
struct Difference {
    path: String,
    class: String,
    words: String,
}

impl Difference {
    fn parse(line: &str) -> Self {
        let (path, words) = line.split_once('\t').unwrap_or(("", line));
        let class = words.split(':').next().unwrap();
        let is_known = UNEXPLAINED_MAX.iter().any(|(known, _)| *known == class);
        Self {
            path: path.to_owned(),
            class: if is_known { class } else { "other" }.to_owned(),
            words: words.to_owned(),
        }
    }

    fn is(&self, (path, class, words, _): &Known) -> bool {
        self.path.ends_with(path) && self.class == *class && self.words.contains(words)
    }
}

#[test]
fn captures_of_others_give_what_their_truth_says() {
    let Some(corpus) = corpus() else {
        return;
    };
    let Some(differences) = compare(&corpus) else {
        return;
    };
    let mut wrong = Vec::new();
    for known in KNOWN {
        if !differences.iter().any(|it| it.is(known)) {
            wrong.push(format!("no longer a difference, remove it: {known:?}"));
        }
    }
    let mut unexplained: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for it in differences.iter().filter(|it| !KNOWN.iter().any(|known| it.is(known))) {
        unexplained.entry(&it.class).or_default().push(it);
    }
    for (class, most) in UNEXPLAINED_MAX {
        let found = unexplained.get(class).map_or(&[][..], Vec::as_slice);
        if found.len() > *most {
            wrong.push(format!("{class}: {} differences, {most} before; among them:", found.len()));
            wrong.extend(found.iter().take(40).map(|it| format!("    {}: {}", it.path, it.words)));
        } else if found.len() < *most {
            say(&format!("corpus: {class} has {} differences now; lower UNEXPLAINED_MAX from {most}", found.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folder, when it is there and whole.
pub fn corpus() -> Option<PathBuf> {
    let folder = root().join("../shared/corpus");
    if !folder.exists() {
        say("corpus: SKIPPED, ../shared/corpus is not here");
        return None;
    }
    let index = std::fs::read_to_string(folder.join("INDEX.tsv")).unwrap_or_default();
    let paths = index.lines().skip(1).filter_map(|line| line.split('\t').next());
    let here = paths.filter(|path| folder.join("captures").join(path).is_file()).count();
    if here < CAPTURES_MIN {
        assert!(std::env::var_os("CI").is_none(), "../shared/corpus is short: {here} of {CAPTURES_MIN} captures");
        say(&format!("corpus: SKIPPED, ../shared/corpus is short: {here} of {CAPTURES_MIN} captures"));
        return None;
    }
    Some(folder)
}

/// What `compare` says of every capture; nothing where there is no Python.
#[expect(clippy::disallowed_methods, reason = "the tests start the comparison; the program starts nothing")]
fn compare(corpus: &Path) -> Option<Vec<Difference>> {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("differences");
    let run = Command::new("python3")
        .arg(corpus.join("compare"))
        .env("WHYCERT_BIN", env!("CARGO_BIN_EXE_whycert"))
        .env("DIFFS", &list)
        .env("CORPUS", corpus)
        .env("LIMIT_S", "120")
        .env_remove("ONLY")
        .output();
    let Ok(output) = run else {
        say("corpus: SKIPPED, python3 is not here");
        return None;
    };
    let Ok(text) = std::fs::read_to_string(&list) else {
        panic!("compare ended early: {}", String::from_utf8_lossy(&output.stderr));
    };
    say(String::from_utf8_lossy(&output.stdout).trim_end().rsplit('\n').next().unwrap());
    Some(text.lines().map(Difference::parse).collect())
}

/// Says something past the capture of the test harness.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// How many captures the folder holds.
const CAPTURES_MIN: usize = 548;
