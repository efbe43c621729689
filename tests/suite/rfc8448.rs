//! The traces of RFC 8448, whole and of one direction only: what keys show of a full handshake, a
//! resumed one with early data, a HelloRetryRequest, client authentication and compatibility mode.

use std::path::Path;

use serde_json::Value;

use crate::support::capture_builder::{self as build, Link, Pcap, TCP, flags};
use crate::support::{printed, text_of, whycert_fed, whycert_in};

/// What one section of the RFC prints.
struct Trace {
    records: Vec<(bool, Vec<u8>)>,
    key_log: String,
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn trace(section: u32) -> Trace {
    let text = text_of(Path::new("tests/suite/rfc8448.txt"));
    let part = text.split("# section ").find(|part| part.starts_with(&format!("{section}: "))).expect("the section");
    let mut it = Trace { records: Vec::new(), key_log: String::new() };
    let mut random = String::new();
    for (word, bytes) in part.lines().skip(1).filter_map(|line| line.split_once(' ')) {
        match word {
            "client" | "server" => {
                if random.is_empty() {
                    bytes[22..86].clone_into(&mut random);
                }
                it.records.push((word == "client", hex(bytes)));
            }
            label => it.key_log.push_str(format!("{label} {random} {bytes}\n").as_str()),
        }
    }
    it
}

/// Which directions the capture holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Both,
    Client,
    Server,
}

/// A capture with a record a packet; the first is frame 1.
fn capture(trace: &Trace, held: Held) -> Vec<u8> {
    let ends = ([192, 0, 2, 10].into(), [198, 51, 100, 7].into());
    let mut file = Pcap::plain(u32::from(Link::Ethernet.number()));
    let mut next = [1_u32, 1];
    for (second, (is_client, bytes)) in (1..).zip(&trace.records) {
        let (addresses, ports, side) =
            if *is_client { (ends, (50_000, 443), 0) } else { ((ends.1, ends.0), (443, 50_000), 1) };
        if held == Held::Both || (held == Held::Client) == *is_client {
            let segment = build::tcp(ports, next[side], flags::ACK, bytes);
            file.packet(second, 0, &Link::Ethernet.wrap(&build::ip(addresses, TCP, &segment)));
        }
        next[side] += u32::try_from(bytes.len()).unwrap();
    }
    file.bytes
}

/// The facts of a capture beside a key log.
fn facts(capture: &[u8], key_log: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trace.pcap"), capture).unwrap();
    std::fs::write(folder.path().join("keys.log"), key_log).unwrap();
    lines(&printed(&whycert_in(folder.path(), ["facts", "."])))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `kind what` of every fact that is no source, in order.
fn said(facts: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut said = Vec::new();
    for it in facts {
        match text(&it["kind"]).as_str() {
            "tls.handshake" => {
                let mut words = vec!["handshake".to_owned(), text(&it["sni"]), text(&it["chain_state"])];
                let lists = [("chain", "chain"), ("client_chain", "client chain")];
                for (field, name) in lists {
                    if let Some(list) = it[field].as_array().filter(|list| !list.is_empty()) {
                        words.push(format!("{name} of {}", list.len()));
                    }
                }
                for field in ["resumed", "hrr", "certificate_requested"] {
                    if it[field] == true {
                        words.push(field.to_owned());
                    }
                }
                if let Some(early) = it["early_data"].as_str() {
                    words.push(format!("early data {early}"));
                }
                said.push(words.join(" "));
            }
            "certificate" => said.push(format!("certificate {}", text(&it["subject"]))),
            "tls.alert" => said.push(format!("alert {} {}", text(&it["from"]), text(&it["description"]))),
            "gap" => said.push(format!("gap {}", text(&it["reason"]))),
            _ => {}
        }
    }
    said
}

#[test]
fn keys_show_what_the_traces_of_rfc_8448_hold() {
    let closed = ["alert client close_notify", "alert server close_notify"];
    for (section, handshake, certificates) in [
        (3, "handshake server seen chain of 1", &["certificate CN=rsa"][..]),
        (4, "handshake server resumed resumed early data accepted", &[]),
        (5, "handshake server seen chain of 1 hrr", &["certificate CN=rsa"]),
        (
            6,
            "handshake server seen chain of 1 client chain of 1 certificate_requested",
            &["certificate CN=ecdsa256", "certificate CN=client"],
        ),
        (7, "handshake server seen chain of 1", &["certificate CN=rsa"]),
    ] {
        let trace = trace(section);
        let found = facts(&capture(&trace, Held::Both), &trace.key_log);
        let expected = [&[handshake], certificates, &closed].concat();
        assert_eq!(said(&found), expected, "section {section}");
        let without = said(&facts(&capture(&trace, Held::Both), "# no key\n"));
        assert_eq!(without.iter().any(|it| it.contains("no key")), section != 4, "section {section}: {without:?}");
    }
}

#[test]
fn keys_open_one_direction_alone_as_far_as_they_go() {
    let missing = |side: &str| {
        format!(
            "gap only one direction of the connection is in the capture: the {side}'s side is missing; capture \
             where both directions pass"
        )
    };
    for (section, server, client) in [
        (3, &["handshake - seen chain of 1", "certificate CN=rsa"][..], &["handshake server missing"][..]),
        (4, &["handshake - resumed resumed"], &["handshake server missing early data offered"]),
        (5, &["handshake - seen chain of 1 hrr", "certificate CN=rsa"], &["handshake server missing"]),
        (
            6,
            &["handshake - seen chain of 1 certificate_requested", "certificate CN=ecdsa256"],
            &["handshake server missing client chain of 1", "certificate CN=client"],
        ),
        (7, &["handshake - seen chain of 1", "certificate CN=rsa"], &["handshake server missing"]),
    ] {
        let trace = trace(section);
        for (held, facts_of, own, other) in
            [(Held::Server, server, "server", "client"), (Held::Client, client, "client", "server")]
        {
            let mut expected: Vec<String> = facts_of.iter().map(|it| (*it).to_owned()).collect();
            expected.extend([format!("alert {own} close_notify"), missing(other)]);
            let capture = capture(&trace, held);
            assert_eq!(said(&facts(&capture, &trace.key_log)), expected, "section {section} {held:?}");
            // A key log that turns up behind the capture, on standard input, opens it all the same.
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("trace.pcap");
            std::fs::write(&path, &capture).unwrap();
            let late = printed(&whycert_fed(&["facts", path.to_str().unwrap(), "-"], trace.key_log.as_bytes()));
            assert_eq!(said(&lines(&late)), expected, "section {section} {held:?}, late keys");
        }
    }
}

#[test]
fn keys_of_another_connection_open_no_single_direction() {
    let (own, other) = (trace(3), trace(7));
    for held in [Held::Server, Held::Client] {
        let found = said(&facts(&capture(&own, held), &other.key_log));
        let is_open = |it: &String| it.starts_with("certificate") || it.starts_with("alert");
        assert!(!found.iter().any(is_open), "{held:?}: {found:?}");
        assert!(found.iter().any(|it| it.contains("1 of 1 connections")), "{held:?}: {found:?}");
        let lines: Vec<String> = own.key_log.lines().map(|line| format!("{}ff\n", &line[..line.len() - 2])).collect();
        let spoiled = lines.concat();
        let found = said(&facts(&capture(&own, held), &spoiled));
        assert!(!found.iter().any(is_open), "{held:?}: {found:?}");
        assert!(found.iter().any(|it| it.starts_with("gap")), "{held:?}: {found:?}");
    }
}
