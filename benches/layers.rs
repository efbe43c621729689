//! Each layer on its own: what one packet, one message, one certificate, one fact and one host cost.
//!
//! `cargo bench --bench layers` takes the frames, messages and facts of a sample, and says how long
//! each layer needs for one of them. Whole runs, and ratios to the floor of the machine, are in `whole`.

#![expect(clippy::unwrap_used, reason = "a bench ends at the first fault")]

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use whycert::analyze;
use whycert::capture::{Batch, LinkType, Reader, detect};
use whycert::evidence::{Evidence, Fact, facts};
use whycert::flow::{Assembler, FlowKey, Origin};
use whycert::input::{Digest, Source};
use whycert::name::{self, Name};
use whycert::packet::{self, Decoded, Packet, Transport};
use whycert::provenance::FrameNumber;
use whycert::tls::record;
use whycert::x509::known::Nobody;
use whycert::{dns, saved, tls, x509};

fn main() {
    divan::main();
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)).unwrap()
}

/// Frames as a capture gives them.
fn frames_of(bytes: Vec<u8>) -> Vec<(LinkType, Vec<u8>)> {
    let kind = detect(&bytes).unwrap();
    let mut reader = Reader::new(Source::stream(Box::new(Cursor::new(bytes))).window(Digest::None), kind);
    let mut batch = Batch::default();
    let mut all = Vec::new();
    while reader.next_batch(&mut batch) {
        all.extend(batch.frames().map(|(frame, bytes)| (frame.link_type, bytes.to_vec())));
    }
    all
}

fn frames() -> Vec<(LinkType, Vec<u8>)> {
    frames_of(sample(CAPTURE))
}

fn decoded((link_type, bytes): &(LinkType, Vec<u8>)) -> Option<Packet<'_>> {
    let wire_bytes = u32::try_from(bytes.len()).unwrap();
    match packet::decode(*link_type, bytes, wire_bytes) {
        Ok(Decoded::Packet(packet)) => Some(packet),
        _ => None,
    }
}

fn evidence() -> Arc<Evidence> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(CAPTURE);
    analyze::gather(&[path], &analyze::Options::default()).evidence
}

/// Records of a capture, one after another, with care.
#[divan::bench]
fn capture_frames(bencher: Bencher<'_, '_>) {
    let bytes = sample(CAPTURE);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .with_inputs(|| bytes.clone())
        .bench_values(|bytes| frames_of(bytes).len());
}

/// Link, network and transport of every frame.
#[divan::bench]
fn packets(bencher: Bencher<'_, '_>) {
    let frames = frames();
    bencher
        .counter(ItemsCount::new(frames.len()))
        .bench_local(|| frames.iter().filter_map(decoded).filter(|it| black_box(it).source.is_ipv4()).count());
}

/// Both directions of one connection: put in order, cut into records and messages, joined.
#[divan::bench]
fn one_connection(bencher: Bencher<'_, '_>) {
    let frames = frames();
    bencher.bench_local(|| {
        let mut sides: Vec<(std::net::SocketAddr, Assembler, record::Reader)> = Vec::new();
        for (number, packet) in (1..).zip(frames.iter().filter_map(decoded)) {
            let Transport::Tcp(segment) = packet.transport else { continue };
            let ends = (packet.source, segment.source_port, packet.destination, segment.destination_port);
            black_box(FlowKey::between((ends.0, ends.1), (ends.2, ends.3)));
            let from = (ends.0, ends.1).into();
            let at = sides.iter().position(|(end, ..)| *end == from).unwrap_or_else(|| {
                sides.push((from, Assembler::default(), record::Reader::default()));
                sides.len() - 1
            });
            let (_, assembler, reader) = sides.get_mut(at).unwrap();
            let origin = Origin { frame: FrameNumber(number), time: None };
            if segment.syn {
                assembler.syn(segment.sequence);
            }
            assembler.segment(segment.sequence, segment.payload, origin, reader);
        }
        let mut ends = sides.into_iter().map(|(end, _, reader)| (end, Some(reader)));
        let joined = tls::join::join(ends.next().unwrap(), ends.next().unwrap(), &Nobody);
        assert_eq!(joined.certificates.len(), 3);
        joined
    });
}

/// A DNS answer with an alias and two addresses.
#[divan::bench]
fn dns_answer(bencher: Bencher<'_, '_>) {
    let frames = frames();
    let payloads: Vec<&[u8]> = frames
        .iter()
        .filter_map(decoded)
        .filter_map(|packet| match packet.transport {
            Transport::Udp { source_port: 53, payload, .. } => Some(payload),
            _ => None,
        })
        .collect();
    let first = *payloads.first().unwrap();
    bencher.bench_local(|| dns::wire::decode(black_box(first)).unwrap());
}

/// A certificate from its DER form, with its digest.
#[divan::bench]
fn certificate(bencher: Bencher<'_, '_>) {
    let evidence = evidence();
    let der = evidence.observations.iter().find_map(|it| match &*it.fact {
        Fact::Certificate(certificate) => certificate.der(),
        _ => None,
    });
    let der = der.unwrap();
    bencher.counter(BytesCount::new(der.len())).bench_local(|| x509::der::read(black_box(&der)));
}

/// One line of a facts file, of each kind that a capture of this sort gives.
#[divan::bench(args = ["dns.answer", "tls.handshake", "certificate"])]
fn line_of_facts(bencher: Bencher<'_, '_>, kind: &str) {
    let evidence = evidence();
    let paths = vec!["customer.pcapng".to_owned()];
    let it = evidence.observations.iter().find(|it| it.fact.kind() == kind).unwrap();
    let mut text = Vec::new();
    bencher.bench_local(|| {
        text.clear();
        facts::write_fact(&mut text, &it.fact, &it.at, &paths);
        text.len()
    });
}

/// A host against what a certificate presents.
#[divan::bench]
fn name_check(bencher: Bencher<'_, '_>) {
    let host = Name::parse("www.example.com").unwrap();
    let presented = ["example.com", "*.example.net", "*.execute-api.us-east-1.amazonaws.com", "*.example.com"];
    bencher.bench_local(|| name::check(black_box(&host), presented, []).matches());
}

/// A pasted transcript.
#[divan::bench(args = ["stage_url_transcript/ticket.txt", "chains_transcript/ticket.txt"])]
fn transcript(bencher: Bencher<'_, '_>, name: &str) {
    let text = sample(name);
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| saved::read("pasted.txt", black_box(&text)).observations.len());
}

/// All rules on the one host of the sample, and its report.
#[divan::bench]
fn one_host(bencher: Bencher<'_, '_>) {
    let evidence = evidence();
    bencher.bench_local(|| analyze::diagnose(black_box(&evidence), &[]).cases.len());
}

/// The heart of the matter: the alias leads to the stage URL.
const CAPTURE: &str = "stage_url_capture/customer.pcapng";
