//! The capture engine: every order of segments, contradictions, ports used again, ring buffers, many
//! connections, bounded memory. Captures are a real one whose frames are put in another order or
//! another file, or built in code.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde_json::Value;
use whycert::analyze::{self, Gathered, Options};
use whycert::capture::{Batch, Reader, detect};
use whycert::evidence::{Evidence, Fact};
use whycert::input::{Digest, Source};

use crate::support::capture_builder::{Link, Pcap, TCP, flags, ip, tcp};
use crate::support::{printed, root, whycert};

/// The frames of a real capture: DNS and one TLS 1.2 handshake with its certificates.
pub fn frames() -> Vec<Vec<u8>> {
    let bytes = std::fs::read(root().join("samples/stage_url_capture/customer.pcapng")).unwrap();
    let kind = detect(&bytes).unwrap();
    let mut reader = Reader::new(Source::stream(Box::new(std::io::Cursor::new(bytes))).window(Digest::None), kind);
    let (mut batch, mut frames) = (Batch::default(), Vec::new());
    while reader.next_batch(&mut batch) {
        frames.extend(batch.frames().map(|(_, bytes)| bytes.to_vec()));
    }
    frames
}

fn pcap<'f>(frames: impl IntoIterator<Item = &'f Vec<u8>>, first_second: u32) -> Vec<u8> {
    let mut file = Pcap::plain(1);
    for (second, frame) in (first_second..).zip(frames) {
        file.packet(second, 0, frame);
    }
    file.bytes
}

fn read_files(files: &[(&str, Vec<u8>)], options: &Options<'_>) -> Gathered {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (name, bytes) in files {
        paths.push(folder.path().join(name));
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    analyze::gather(&paths, options)
}

fn read(bytes: Vec<u8>) -> std::sync::Arc<Evidence> {
    read_files(&[("it.pcap", bytes)], &Options::default()).evidence
}

/// What was seen, without places and times.
fn seen(evidence: &Evidence) -> Vec<String> {
    let mut all: Vec<String> = evidence
        .observations
        .iter()
        .map(|it| match &*it.fact {
            Fact::DnsAnswer(it) => format!("dns {:?} {:?}", it.question, it.records),
            Fact::TlsHandshake(it) => format!("tls {:?} {:?} {:?}", it.sni, it.version, it.chain),
            Fact::Certificate(it) => format!("certificate {:?}", it.sha256),
            other => other.kind().to_owned(),
        })
        .collect();
    all.sort();
    all
}

fn reasons(evidence: &Evidence) -> Vec<String> {
    evidence.gaps.iter().map(|gap| gap.reason.to_string()).collect()
}

/// A small generator of numbers that is the same everywhere (xorshift).
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

/// Where the TCP header of an Ethernet frame with IPv4 stands.
fn tcp_at(frame: &[u8]) -> Option<usize> {
    (frame.get(12..14)? == [8, 0] && *frame.get(23)? == TCP).then(|| 14 + usize::from(frame[14] & 15) * 4)
}

fn shift(frame: &mut [u8], at: usize, by: u32) {
    let number = u32::from_be_bytes(frame[at..at + 4].try_into().unwrap()).wrapping_add(by);
    frame[at..at + 4].copy_from_slice(&number.to_be_bytes());
}

#[test]
fn every_order_of_frames_gives_the_same_facts() {
    let frames = frames();
    let expected = seen(&read(pcap(&frames, 0)));
    assert!(expected.iter().any(|it| it.starts_with("tls Some(\"www.example.com\")")), "{expected:?}");
    let port = |frame: &Vec<u8>| tcp_at(frame).map(|at| u16::from_be_bytes([frame[at], frame[at + 1]]));
    let mut orders: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
    orders.push(("reversed".to_owned(), frames.iter().rev().cloned().collect()));
    for first in [443, 0] {
        let mut order = frames.clone();
        order.sort_by_key(|frame| (port(frame) == Some(443)) != (first == 443));
        orders.push((format!("server first: {}", first == 443), order.clone()));
        order.reverse();
        orders.push((format!("server last, reversed: {}", first == 443), order));
    }
    orders.push(("twice".to_owned(), frames.iter().flat_map(|it| [it.clone(), it.clone()]).collect()));
    let mut number = numbers(0x0bad_5eed);
    for nth in 0..40 {
        let mut order = frames.clone();
        for at in (1..order.len()).rev() {
            order.swap(at, number(at + 1));
        }
        orders.push((format!("shuffled {nth}"), order));
    }
    for (name, order) in orders {
        let found = read(pcap(&order, 0));
        let mut found_once = seen(&found);
        if name == "twice" {
            found_once.dedup();
        }
        let mut expected = expected.clone();
        expected.dedup();
        assert_eq!(found_once, expected, "{name}: {:?}", reasons(&found));
    }
}

#[test]
fn segments_of_seven_bytes_are_put_together() {
    let mut small = Vec::new();
    for frame in frames() {
        let Some(at) = tcp_at(&frame) else {
            small.push(frame);
            continue;
        };
        let payload = at + usize::from(frame[at + 12] >> 4) * 4;
        let end = 14 + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
        if end <= payload {
            small.push(frame);
            continue;
        }
        for (nth, piece) in frame[payload..end].chunks(7).enumerate() {
            let mut segment = frame[..payload].to_vec();
            segment.extend_from_slice(piece);
            let total = (segment.len() - 14) as u16;
            segment[16..18].copy_from_slice(&total.to_be_bytes());
            shift(&mut segment, at + 4, nth as u32 * 7);
            small.push(segment);
        }
    }
    assert!(small.len() > 300);
    let expected = seen(&read(pcap(&frames(), 0)));
    assert_eq!(seen(&read(pcap(&small, 0))), expected);
    small.reverse();
    assert_eq!(seen(&read(pcap(&small, 0))), expected, "reversed");
}

#[test]
fn contradicting_segments_are_a_gap_and_the_first_win() {
    let frames = frames();
    let longest = (0..frames.len()).filter(|at| tcp_at(&frames[*at]).is_some()).max_by_key(|at| frames[*at].len());
    let longest = longest.unwrap();
    let mut other = frames[longest].clone();
    let last = other.len() - 1;
    other[last] ^= 0xff;
    let mut order = frames.clone();
    order.insert(longest + 1, other);
    let evidence = read(pcap(&order, 0));
    assert_eq!(seen(&evidence), seen(&read(pcap(&frames, 0))));
    let gaps = reasons(&evidence);
    assert!(gaps.iter().any(|reason| reason.contains("overlap with different bytes")), "{gaps:?}");
}

#[test]
fn ports_used_again_are_another_connection() {
    let frames = frames();
    let mut order = frames.clone();
    for mut frame in frames.clone() {
        if let Some(at) = tcp_at(&frame) {
            shift(&mut frame, at + 4, 1_000_000_007);
            shift(&mut frame, at + 8, 1_000_000_007);
            order.push(frame);
        }
    }
    let handshakes = |evidence: &Evidence| {
        let all = evidence.observations.iter();
        all.filter(|it| matches!(*it.fact, Fact::TlsHandshake(_))).count()
    };
    let (once, twice) = (read(pcap(&frames, 0)), read(pcap(&order, 0)));
    assert_eq!(handshakes(&twice), 2 * handshakes(&once), "{:?}", reasons(&twice));
}

#[test]
fn ports_used_again_long_after_are_another_connection() {
    let frames = frames();
    let filler = [[2; 12].as_slice(), &[8, 6], &[0; 1400]].concat();
    let handshakes = |order: &[Vec<u8>]| {
        let evidence = read(pcap(order, 0));
        evidence.observations.iter().filter(|it| matches!(*it.fact, Fact::TlsHandshake(_))).count()
    };
    let once = handshakes(&frames);
    // The frames of the second connection lie about the seam of two pieces in each of these places.
    for before in (1100..1300).step_by(7) {
        let mut order = frames.clone();
        order.extend(std::iter::repeat_n(filler.clone(), before));
        for (nth, mut frame) in frames.clone().into_iter().enumerate() {
            if let Some(at) = tcp_at(&frame) {
                shift(&mut frame, at + 4, 1_000_000_007);
                shift(&mut frame, at + 8, 1_000_000_007);
                order.push(frame);
                order.extend(std::iter::repeat_n(filler.clone(), if nth % 3 == 0 { 90 } else { 0 }));
            }
        }
        assert_eq!(handshakes(&order), 2 * once, "{before} frames between");
    }
}

#[test]
fn files_of_a_ring_are_one_stream() {
    let frames = frames();
    let whole = seen(&read(pcap(&frames, 0)));
    for cut in 1..frames.len() {
        let (first, second) = frames.split_at(cut);
        let files = [
            ("ring_00002_20261122071501.pcap", pcap(second, cut as u32)),
            ("ring_00001_20261122071425.pcap", pcap(first, 0)),
        ];
        let evidence = read_files(&files, &Options::default()).evidence;
        assert_eq!(seen(&evidence), whole, "cut at {cut}: {:?}", reasons(&evidence));
        assert!(evidence.sources.iter().all(|it| it.capture.as_deref() == Some(files[1].0)), "{:?}", evidence.sources);
        // Every frame of every fact is in the file that its place names.
        for place in evidence.observations.iter().flat_map(|it| &it.at) {
            let whycert::provenance::Place::Frames { source, frames: at } = place else {
                panic!("{place:?}");
            };
            let length = if source.0 == 0 { first.len() } else { second.len() };
            assert!(at.iter().all(|frame| frame.0 >= 1 && frame.0 <= length as u64), "cut at {cut}: {place:?}");
        }
        let places: BTreeSet<u32> =
            evidence.observations.iter().flat_map(|it| &it.at).map(|place| place.source().0).collect();
        if cut > 14 && cut < 18 {
            assert_eq!(places.len(), 2, "cut at {cut}");
        }
    }
}

#[test]
fn two_vantage_points_are_never_put_together() {
    let frames = frames();
    let (first, second) = frames.split_at(frames.len() / 2);
    let whole = read(pcap(&frames, 0)).observations.len();
    for (name, files) in [
        ("other names", [("client.pcap", pcap(first, 0)), ("server.pcap", pcap(second, 3000))]),
        ("the same time", [("it_1.pcap", pcap(&frames, 0)), ("it_2.pcap", pcap(&frames, 0))]),
        (
            "another link type",
            [
                ("it_1.pcap", pcap(first, 0)),
                ("it_2.pcap", {
                    let mut file = Pcap::plain(113);
                    file.packet(9000, 0, &second[0]);
                    file.bytes
                }),
            ],
        ),
    ] {
        let evidence = read_files(&files, &Options::default()).evidence;
        let captures: BTreeSet<_> = evidence.sources.iter().map(|it| it.capture.clone()).collect();
        assert_eq!(captures.len(), 2, "{name}");
        if name == "the same time" {
            assert_eq!(evidence.observations.len(), 2 * whole, "{name}");
        }
    }
}

/// Many connections of as many clients, with the frames of the real one, interleaved.
fn many(connections: usize) -> Vec<u8> {
    let frames = frames();
    let to_server = |it: &&Vec<u8>| tcp_at(it).is_some_and(|at| it[at + 2..at + 4] == 443_u16.to_be_bytes());
    let client = frames.iter().find(to_server).unwrap()[26..30].to_vec();
    let mut file = Pcap::plain(1);
    for (at, group) in (0..connections).collect::<Vec<_>>().chunks(50).enumerate() {
        for frame in &frames {
            for nth in group {
                let mut frame = frame.clone();
                // The client's address, whichever side it stands on.
                for place in [26, 30] {
                    if frame.get(12..14) == Some(&[8, 0]) && frame[place..place + 4] == client[..] {
                        frame[place..place + 4].copy_from_slice(&(0x0b00_0000 + *nth as u32).to_be_bytes());
                    }
                }
                file.packet(at as u32, 0, &frame);
            }
        }
    }
    file.bytes
}

#[test]
fn a_large_capture_is_written_while_it_is_read_and_threads_never_show() {
    const CONNECTIONS: usize = 2500;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    std::fs::write(&path, many(CONNECTIONS)).unwrap();
    let facts = |threads: &str| {
        let output = whycert(["facts", "--digest", "sha256", "--threads", threads, path.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let once = facts("1");
    let kinds = |kind: &str| once.lines().filter(|line| line.starts_with(&format!("{{\"kind\":\"{kind}\""))).count();
    assert_eq!(kinds("tls.handshake"), CONNECTIONS);
    assert_eq!(
        kinds("certificate"),
        read(pcap(&frames(), 0)).observations.iter().filter(|it| matches!(*it.fact, Fact::Certificate(_))).count()
    );
    assert!(once.lines().next().is_some_and(|line| !line.contains("\"kind\":\"source\"")), "written while it is read");
    for threads in ["2", "16"] {
        assert!(facts(threads) == once, "{threads} threads");
    }
    // Packed, under the same name, the lines are the same; a stretch that is unpacked may end elsewhere, so that
    // their order is another.
    let packed = folder.path().join("packed/many.pcap");
    std::fs::create_dir(packed.parent().unwrap()).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &std::fs::read(&path).unwrap()).unwrap();
    std::fs::write(&packed, encoder.finish().unwrap()).unwrap();
    let unpacked = printed(&whycert(["facts", "--digest", "sha256", packed.to_str().unwrap()]));
    let sorted = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    assert!(sorted(&unpacked) == sorted(&once), "unpacked while it is read");
    assert!(unpacked.lines().next().is_some_and(|line| !line.contains("\"kind\":\"source\"")), "not held");
    // Read back, the facts are those of the capture itself.
    let written = folder.path().join("facts.ndjson");
    std::fs::write(&written, &once).unwrap();
    let report = |path: &PathBuf| {
        let output = whycert(["diagnose", "--format", "json", path.to_str().unwrap()]);
        let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report.as_object_mut().unwrap().remove("sources");
        report
    };
    assert!(report(&path) == report(&written), "the diagnosis of the facts is that of the capture");
}

#[test]
fn half_open_connections_are_bounded_and_said() {
    let mut file = Pcap::plain(1);
    let server = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    for nth in 0..60_000_u32 {
        let client = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + nth));
        let segment = tcp((40_000, 443), nth, flags::SYN, b"");
        file.packet(0, 0, &Link::Ethernet.wrap(&ip((client, server), TCP, &segment)));
    }
    for frame in frames() {
        file.packet(1, 0, &frame);
    }
    let options = Options { memory_bytes: 2 << 20, ..Options::default() };
    let evidence = read_files(&[("flood.pcap", file.bytes)], &options).evidence;
    let gaps = reasons(&evidence);
    assert!(gaps.iter().any(|reason| reason.contains("given up for lack of memory")), "{gaps:?}");
    assert_eq!(seen(&evidence), seen(&read(pcap(&frames(), 0))), "what comes behind a flood is read all the same");
}
