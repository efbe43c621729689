//! From encrypted captures to facts: key logs from every source, half ones, wrong ones, and what
//! stands before TLS. The captures of the samples are the ground; what is broken is made in code.

use serde_json::Value;

use crate::support::capture_builder::{self as build, Link, Pcap, TCP, flags};
use crate::support::{printed, root, whycert_fed, whycert_in};

const SAMPLE: &str = "samples/tls13_keylog_capture";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn key_log() -> String {
    std::fs::read_to_string(root().join(SAMPLE).join("keys.log")).unwrap()
}

/// The facts of the sample's capture with these files beside it.
fn facts_with(files: &[(&str, &str)]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(root().join(SAMPLE).join("customer.pcap"), folder.path().join("customer.pcap")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    lines(&printed(&whycert_in(folder.path(), ["facts", "."])))
}

fn handshake(facts: &[Value]) -> &Value {
    facts.iter().find(|fact| fact["kind"] == "tls.handshake").expect("a handshake")
}

fn gaps(facts: &[Value]) -> Vec<String> {
    let gaps = facts.iter().filter(|fact| fact["kind"] == "gap");
    gaps.map(|gap| gap["reason"].as_str().unwrap().to_owned()).collect()
}

/// The log without the lines of these labels.
fn without(labels: &[&str]) -> String {
    let kept = |line: &&str| !labels.iter().any(|label| line.starts_with(label));
    let log = key_log();
    let lines: Vec<&str> = log.lines().filter(kept).collect();
    lines.join("\n") + "\n"
}

/// The log with the secret of this label changed.
fn spoiled(label: &str) -> String {
    let spoil = |line: &str| {
        let mut line = line.to_owned();
        if line.starts_with(label) {
            let last = if line.pop() == Some('0') { '1' } else { '0' };
            line.push(last);
        }
        line + "\n"
    };
    key_log().lines().map(spoil).collect()
}

#[test]
fn keys_open_the_handshake_wherever_they_come_from() {
    let found = facts_with(&[("keys.log", &key_log())]);
    assert_eq!((&handshake(&found)["chain_state"], &handshake(&found)["keys"]), (&"seen".into(), &"keys.log".into()));
    assert!(gaps(&found).is_empty(), "{:?}", gaps(&found));
    let folder = root().join(SAMPLE);
    let run = |arguments: &[&str]| printed(&whycert_in(&folder, arguments));
    let both = run(&["facts", "customer.pcap", "keys.log"]);
    assert_eq!(both, run(&["facts", "keys.log", "customer.pcap"]), "any order");
    assert_eq!(both, run(&["facts", "customer.pcap", "--keylog", "keys.log"]));
    assert_eq!(both, run(&["facts", "customer.pcap", "keys.log", "--keylog", "keys.log"]), "named twice");
    let capture = folder.join("customer.pcap");
    let piped = whycert_fed(&["facts", capture.to_str().unwrap(), "-"], key_log().as_bytes());
    let piped = lines(&printed(&piped));
    assert_eq!(handshake(&piped)["keys"], "-", "a key log that turns up late opens a capture that was read before");
    assert_eq!(handshake(&piped)["chain"], handshake(&found)["chain"]);
}

#[test]
fn keys_in_an_archive_open_the_capture_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = tar::Builder::new(std::fs::File::create(folder.path().join("case.tar")).unwrap());
    for name in ["customer.pcap", "keys.log"] {
        archive.append_path_with_name(root().join(SAMPLE).join(name), name).unwrap();
    }
    archive.into_inner().unwrap();
    let found = lines(&printed(&whycert_in(folder.path(), ["facts", "case.tar"])));
    assert_eq!(handshake(&found)["chain_state"], "seen");
    assert_eq!(handshake(&found)["keys"], "case.tar!keys.log");
}

#[test]
fn half_a_key_log_opens_what_it_can_and_says_what_is_missing() {
    let server = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    for (missing, state, gap) in [
        (vec![], "seen", None),
        (vec!["EXPORTER_SECRET"], "seen", None),
        (vec!["SERVER_TRAFFIC_SECRET_0", "CLIENT_"], "seen", Some("CLIENT_HANDSHAKE_TRAFFIC_SECRET")),
        (vec![server], "encrypted", Some(server)),
        (vec![server, "SERVER_TRAFFIC_SECRET_0", "CLIENT_"], "encrypted", Some(server)),
    ] {
        let found = facts_with(&[("keys.log", &without(&missing))]);
        assert_eq!(handshake(&found)["chain_state"], state, "without {missing:?}");
        let gaps = gaps(&found);
        match gap {
            None => assert!(gaps.is_empty(), "without {missing:?}: {gaps:?}"),
            Some(gap) => assert!(gaps.iter().any(|it| it.contains(gap)), "without {missing:?}: {gaps:?}"),
        }
    }
}

#[test]
fn wrong_keys_are_a_gap_with_the_frame_and_never_a_guess() {
    let wrong = spoiled("SERVER_HANDSHAKE_TRAFFIC_SECRET");
    let found = facts_with(&[("keys.log", &wrong)]);
    assert_eq!(handshake(&found)["chain_state"], "encrypted");
    let gap = found.iter().find(|fact| fact["reason"].as_str().is_some_and(|it| it.contains("authentication fails")));
    let gap = gap.expect("a gap");
    assert!(!gap["at"][0]["frames"].as_array().unwrap().is_empty());
    let found = facts_with(&[("a.log", &wrong), ("b.log", &key_log())]);
    assert_eq!(handshake(&found)["chain_state"], "seen", "of two logs that disagree the right one opens");
    assert_eq!(handshake(&found)["keys"], "b.log", "and it is the one that is named");
}

#[test]
fn keys_of_other_connections_and_bad_lines_are_said() {
    let other = format!("CLIENT_RANDOM {} {}\nno key at all\n", "ab".repeat(32), "cd".repeat(48));
    let found = facts_with(&[("keys.log", &other)]);
    let gaps = gaps(&found);
    assert!(gaps.iter().any(|gap| gap.contains("1 of 1 connections")), "{gaps:?}");
    assert!(gaps.iter().any(|gap| gap.contains("line of a key log")), "{gaps:?}");
    assert_eq!(handshake(&found)["chain_state"], "encrypted");
}

#[test]
fn no_output_holds_a_secret() {
    let folder = root().join(SAMPLE);
    let secrets: Vec<String> =
        key_log().lines().map(|line| line.rsplit(' ').next().unwrap()[..16].to_owned()).collect();
    assert!(secrets.len() >= 4);
    for arguments in [
        vec!["facts", "."],
        vec!["diagnose", "."],
        vec!["diagnose", ".", "--format", "json"],
        vec!["diagnose", ".", "--format", "html"],
    ] {
        let text = printed(&whycert_in(&folder, &arguments));
        assert!(!text.is_empty());
        for secret in &secrets {
            assert!(!text.contains(secret), "{arguments:?}");
        }
    }
}

#[test]
fn a_key_log_argument_must_be_a_file() {
    for path in ["nothing.log", "."] {
        let output = whycert_in(&root().join(SAMPLE), ["facts", "customer.pcap", "--keylog", path]);
        assert_eq!(output.status.code(), Some(2), "{path}");
    }
}

/// The number in the ClientHello tells the configuration that an HTTPS record announces from a random one.
#[test]
fn the_number_of_a_configuration_tells_a_real_encrypted_hello_from_a_random_one() {
    let capture = root().join("samples/outer_name_capture/customer.pcap");
    let facts = printed(&whycert_in(root(), ["facts", "--digest", "sha256", capture.to_str().unwrap()]));
    assert!(facts.contains(r#""ech_config":42"#) && facts.contains(r#""ech_config":229"#), "{facts}");
    let told = |number: &str| {
        let folder = tempfile::tempdir().unwrap();
        let changed = facts.replace(r#""ech_config":42"#, &format!(r#""ech_config":{number}"#));
        std::fs::write(folder.path().join("facts.ndjson"), changed).unwrap();
        let report = printed(&whycert_in(folder.path(), ["diagnose", "--format", "json", "facts.ndjson"]));
        let report: Value = serde_json::from_str(&report).unwrap();
        let findings = report["cases"].as_array().unwrap().iter().flat_map(|case| case["findings"].as_array().unwrap());
        let found = findings.filter(|it| it["rule"] == "ech.outer_name");
        found.map(|it| it["strength"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told("42"), ["proven"], "announced");
    assert_eq!(told("43"), ["strong"], "another number: only the provider's well-known name is left");
}

/// A capture of one connection: who says what, in order.
fn dialogue(parts: &[(bool, &[u8])]) -> Vec<u8> {
    let ends = ([192, 0, 2, 10].into(), [198, 51, 100, 7].into());
    let mut file = Pcap::plain(u32::from(Link::Ethernet.number()));
    let mut next = [1_u32, 1];
    for (second, (is_client, bytes)) in (1..).zip(parts) {
        let (addresses, numbers, side) =
            if *is_client { (ends, (50_000, 2525), 0) } else { ((ends.1, ends.0), (2525, 50_000), 1) };
        let segment = build::tcp(numbers, next[side], flags::ACK, bytes);
        file.packet(second, 0, &Link::Ethernet.wrap(&build::ip(addresses, TCP, &segment)));
        next[side] += u32::try_from(bytes.len()).unwrap();
    }
    file.bytes
}

/// The first records of both sides of a sample's handshake in TLS 1.2.
fn hello() -> Vec<u8> {
    let body = [
        [3, 3].as_slice(),
        &[7; 32],
        &[0, 0, 2, 0xc0, 0x2f, 1, 0, 0, 20, 0, 0, 0, 16, 0, 14, 0, 0, 11],
        b"www.example",
    ]
    .concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length], body.as_slice()].concat()
}

#[test]
fn starttls_and_proxies_show_in_the_facts() {
    let alert = [21, 3, 1, 0, 2, 2, 40];
    for (client, server, starttls, proxy_host) in [
        (&b"EHLO a\r\nSTARTTLS\r\n"[..], &b"220 m ESMTP\r\n250 STARTTLS\r\n220 go\r\n"[..], Some("smtp"), None),
        (b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", None, Some("a.example")),
        (b"\x05\x01\0\x05\x01\0\x03\x01x\x01\xbb", b"\x05\0\x05\0\0\x01\0\0\0\0\0\0", None, Some("x")),
        (b"\0\0\0\x08\x04\xd2\x16\x2f", b"S", Some("postgres"), None),
    ] {
        for is_joined in [false, true] {
            let hello = hello();
            let together = [client, hello.as_slice()].concat();
            let answers = [server, alert.as_slice()].concat();
            let apart: &[(bool, &[u8])] = &[(true, client), (false, server), (true, &hello), (false, &alert)];
            let joined: &[(bool, &[u8])] = &[(true, &together), (false, server), (false, &alert)];
            let found =
                lines(&printed(&whycert_fed(&["facts", "-"], &dialogue(if is_joined { joined } else { apart }))));
            let it = handshake(&found);
            assert_eq!(it["sni"], "www.example");
            assert_eq!(it["starttls"], starttls.map_or(Value::Null, Value::from), "{client:?}");
            assert_eq!(it["proxy_host"], proxy_host.map_or(Value::Null, Value::from), "{client:?}");
            let alerts = found.iter().filter(|fact| fact["kind"] == "tls.alert").count();
            assert_eq!(alerts, 1, "{client:?} {} {}", is_joined, answers.len());
        }
    }
}
