//! From frames to facts: tunnels, fragments, damaged captures and DNS in all its places, each capture
//! built in code.

use std::net::IpAddr;

use serde_json::Value;

use crate::support::capture_builder::{self as build, Link, Order, Pcap, Pcapng, UDP};
use crate::support::{printed, whycert_fed};

/// A DNS message with one question and one A record; with no host, neither.
fn message(id: u8, flags: u16, host: Option<&str>, answers: u8) -> Vec<u8> {
    let questions = u8::from(host.is_some());
    let [high, low] = flags.to_be_bytes();
    let mut bytes = vec![0, id, high, low, 0, questions, 0, answers, 0, 0, 0, 0];
    for label in host.iter().flat_map(|host| host.split('.')) {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    if host.is_some() {
        bytes.extend_from_slice(&[0, 0, 1, 0, 1]);
    }
    for answer in 0..answers {
        let owner: &[u8] = if host.is_some() { &[0xc0, 12] } else { &[1, b'm', 5, b'l', b'o', b'c', b'a', b'l', 0] };
        bytes.extend_from_slice(owner);
        bytes.extend_from_slice(&[0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, answer]);
    }
    bytes
}

const QUERY: u16 = 0x0100;
const RESPONSE: u16 = 0x8180;

fn client() -> IpAddr {
    [192, 0, 2, 10].into()
}

fn server() -> IpAddr {
    [192, 0, 2, 53].into()
}

/// A datagram from the server to the client.
fn answer(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    build::ip((server(), client()), UDP, &build::udp(ports, payload))
}

fn facts(bytes: &[u8]) -> Vec<Value> {
    let text = printed(&whycert_fed(&["facts", "-"], bytes));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'f>(facts: &'f [Value], kind: &str) -> Vec<&'f Value> {
    facts.iter().filter(|fact| fact["kind"] == kind).collect()
}

fn frames(fact: &Value) -> Vec<u64> {
    let all = fact["at"][0]["frames"].as_array();
    all.map_or_else(Vec::new, |all| all.iter().map(|it| it.as_u64().unwrap()).collect())
}

fn ethernet(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Pcap::plain(1);
    for (second, packet) in (1..).zip(packets) {
        file.packet(second, 0, &Link::Ethernet.wrap(packet));
    }
    file.bytes
}

#[test]
fn dns_in_its_places_and_nowhere_else() {
    let host = Some("www.example.com");
    let response = message(7, RESPONSE, host, 1);
    let six = ("fe80::1".parse().unwrap(), "ff02::fb".parse().unwrap());
    let multicast = |group: [u8; 4], ports, payload: &[u8]| {
        build::ip((server(), IpAddr::from(group)), UDP, &build::udp(ports, payload))
    };
    let bare = message(0, 0x8400, None, 2);
    for (name, packet, expected) in [
        ("its port", answer((53, 40_000), &response), Some(("udp", 1))),
        ("any port", answer((9999, 40_000), &response), Some(("udp", 1))),
        ("mDNS", multicast([224, 0, 0, 251], (5353, 5353), &bare), Some(("mdns", 2))),
        ("mDNS over IPv6", build::ip(six, UDP, &build::udp((5353, 5353), &bare)), Some(("mdns", 2))),
        ("mDNS to one", answer((5353, 50_000), &response), Some(("mdns", 1))),
        ("a client that uses the port of mDNS", answer((53, 5353), &response), Some(("udp", 1))),
        ("LLMNR", answer((5355, 50_000), &message(7, 0x8000, Some("printer"), 1)), Some(("llmnr", 1))),
        ("an empty refusal", answer((53, 40_000), &message(7, 0x8181, None, 0)), Some(("udp", 0))),
        ("a query", answer((53, 40_000), &message(7, QUERY, host, 0)), None),
        ("NetBIOS", answer((137, 137), &response), None),
        ("no question on any port", answer((9999, 40_000), &bare), None),
        ("bytes", answer((9999, 40_000), &[0x81; 60]), None),
    ] {
        let facts = facts(&ethernet(&[packet]));
        let found: Vec<(&str, usize)> = of_kind(&facts, "dns.answer")
            .iter()
            .map(|fact| (fact["transport"].as_str().unwrap(), fact["records"].as_array().unwrap().len()))
            .collect();
        assert_eq!(found.first().copied(), expected, "{name}: {facts:?}");
    }
}

#[test]
fn damaged_answers_give_what_they_hold() {
    let whole = message(7, RESPONSE, Some("www.example.com"), 3);
    let mut odd = whole.clone();
    let second = whole.len() - 2 * 16;
    odd[second + 11] = 3;
    odd.remove(second + 12);
    for (name, payload, records) in [
        ("cut in the third record", &whole[..whole.len() - 3], 2),
        ("cut behind the question", &whole[..33], 0),
        ("an address of three bytes", &odd, 3),
    ] {
        let facts = facts(&ethernet(&[answer((53, 40_000), payload)]));
        let found = of_kind(&facts, "dns.answer");
        assert_eq!(found.len(), 1, "{name}: {facts:?}");
        assert_eq!(found[0]["records"].as_array().unwrap().len(), records, "{name}");
        let gaps = of_kind(&facts, "gap");
        assert!(gaps.iter().any(|gap| gap["reason"].as_str().unwrap().contains("DNS message")), "{name}");
    }
    let facts = facts(&ethernet(&[answer((53, 40_000), &[1, 2, 3])]));
    let gaps = of_kind(&facts, "gap");
    assert!(gaps.iter().any(|gap| gap["reason"].as_str().unwrap().contains("shorter than a header")), "{gaps:?}");
}

#[test]
fn an_answer_without_its_question_takes_that_of_its_query() {
    let ask = |port, id, host| {
        let query = message(id, QUERY, Some(host), 0);
        build::ip((client(), server()), UDP, &build::udp((port, 53), &query))
    };
    let refusal = |port, id| answer((53, port), &message(id, 0x8181, None, 0));
    let packets = [
        ask(40_000, 7, "www.example.com"),
        ask(40_000, 8, "other.example.com"),
        ask(40_001, 7, "third.example.com"),
        refusal(40_000, 7),
        refusal(40_002, 7),
    ];
    let facts = facts(&ethernet(&packets));
    let found: Vec<(&Value, Vec<u64>)> =
        of_kind(&facts, "dns.answer").into_iter().map(|fact| (&fact["question"]["name"], frames(fact))).collect();
    assert_eq!(found, [(&Value::from("www.example.com"), vec![1, 4]), (&Value::Null, vec![5])]);
}

#[test]
fn fragments_cite_every_frame_and_lose_nothing() {
    let whole = message(7, RESPONSE, Some("www.example.com"), 40);
    let parts = build::fragments((server(), client()), UDP, 9, &build::udp((53, 40_000), &whole), 200);
    assert!(parts.len() > 3);
    let mut order: Vec<usize> = (0..parts.len()).collect();
    for _ in 0..parts.len() {
        order.rotate_left(1);
        let packets: Vec<Vec<u8>> = order.iter().map(|part| parts[*part].clone()).collect();
        let facts = facts(&ethernet(&packets));
        let found = of_kind(&facts, "dns.answer");
        assert_eq!(found[0]["records"].as_array().unwrap().len(), 40, "{order:?}");
        assert_eq!(frames(found[0]).len(), parts.len(), "{order:?}");
    }
    let facts = facts(&ethernet(&parts[..1]));
    assert_eq!(of_kind(&facts, "dns.answer")[0]["records"].as_array().unwrap().len(), 9);
    let gaps = of_kind(&facts, "gap");
    assert!(gaps.iter().any(|gap| gap["reason"].as_str().unwrap().contains("fragments")), "{gaps:?}");
}

#[test]
fn handshakes_of_dtls_are_named_once_where_they_begin() {
    let record = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16];
    let hello = [&record[..], &[1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 7, 7]].concat();
    let dns = answer((53, 40_000), &message(7, RESPONSE, Some("www.example.com"), 1));
    let facts = facts(&ethernet(&[dns, answer((5684, 40_001), &hello), answer((5684, 40_001), &hello)]));
    let gaps = of_kind(&facts, "gap");
    let named: Vec<Vec<u64>> =
        gaps.iter().filter(|gap| gap["reason"].as_str().unwrap().contains("DTLS")).map(|gap| frames(gap)).collect();
    assert_eq!(named, [[2]], "{gaps:?}");
}

#[test]
fn an_unknown_link_type_is_named_and_costs_its_interface_only() {
    let dns = Link::Ethernet.wrap(&answer((53, 40_000), &message(7, RESPONSE, Some("www.example.com"), 1)));
    let mut file = Pcapng::new(Order::Little);
    file.interface(147, 0, &[]).interface(1, 0, &[]).packet(0, 1, &[0; 60]).packet(1, 2, &dns).packet(0, 3, &[0; 9]);
    let facts = facts(&file.bytes);
    assert_eq!(frames(of_kind(&facts, "dns.answer")[0]), [2]);
    let gaps = of_kind(&facts, "gap");
    let gap = gaps.iter().find(|gap| gap["reason"].as_str().unwrap().contains("link type 147")).unwrap();
    assert_eq!(frames(gap), [1, 3]);
}

#[test]
fn a_wrong_block_length_costs_its_block_only() {
    let dns = |id| Link::Ethernet.wrap(&answer((53, 40_000), &message(id, RESPONSE, Some("www.example.com"), 1)));
    let body = [&[0_u8; 12], dns(2).len().to_le_bytes()[..4].repeat(2).as_slice(), &dns(2)].concat();
    for lengths in [[0, 0], [8, 8], [13, 13], [60, 64], [0xffff_fff0, 0xffff_fff0], [4096, 4096], [1 << 25, 1 << 25]] {
        for order in Order::BOTH {
            let mut file = Pcapng::new(order);
            file.interface(1, 0, &[]).packet(0, 1, &dns(1));
            let place = file.bytes.len();
            file.damaged_block(6, lengths, &body).packet(0, 3, &dns(3)).packet(0, 4, &dns(4));
            let facts = facts(&file.bytes);
            let ids: Vec<u64> = of_kind(&facts, "dns.answer").iter().map(|it| it["id"].as_u64().unwrap()).collect();
            assert_eq!(ids, [1, 3, 4], "{lengths:?} {order:?}: {facts:?}");
            let gaps = of_kind(&facts, "gap");
            let words = format!("at byte {place}");
            assert!(gaps.iter().any(|gap| gap["reason"].as_str().unwrap().contains(&words)), "{lengths:?} {gaps:?}");
        }
    }
}
