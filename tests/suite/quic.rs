//! QUIC between two ports: what the packets of the RFCs show, in any order, cut, damaged, hostile.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;

use whycert::flow::{FlowKey, Origin, Way};
use whycert::provenance::FrameNumber;
use whycert::quic::protect::PacketKeys;
use whycert::quic::{Datagram, Flow, Opening, Shown, Version};
use whycert::tls::Transport;
use whycert::tls::keylog::Keys;
use whycert::tls::suite::{Cipher, Hash, Suite};

use crate::support::quic_builder::{Peer, client_hello, close, crypto, server_hello};
use crate::support::{printed, root, whycert};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The client is the greater end.
fn key() -> FlowKey {
    let end = |text: &str| text.parse::<SocketAddr>().unwrap();
    FlowKey::of(end("192.0.2.9:50000"), end("192.0.2.1:443")).0
}

fn opening(keys: &Keys) -> Opening<'_> {
    Opening { keys, stream: |id| Box::new(whycert::http::h3::Stream::new(id)) }
}

fn shown<'b>(datagrams: impl IntoIterator<Item = (bool, &'b [u8])>) -> Shown {
    let (mut flow, keys) = (Flow::default(), Keys::default());
    for (number, (is_client, bytes)) in (1..).zip(datagrams) {
        let way = if is_client { Way::FromHigh } else { Way::FromLow };
        let origin = Origin { frame: FrameNumber(number), time: None };
        flow.take(Datagram { way, bytes, origin }, opening(&keys));
    }
    flow.finish(key(), opening(&keys))
}

/// `sni version [frames]` of each handshake, `alert` of each alert, `gap` of each gap.
fn said(shown: &Shown) -> Vec<String> {
    let mut said = Vec::new();
    for joined in &shown.connections {
        for (it, frames) in &joined.handshakes {
            assert_eq!(it.transport, Transport::Quic);
            assert_eq!(it.client.unwrap().port(), 50000, "the client is the client");
            let frames: Vec<u64> = frames.iter().map(|frame| frame.0).collect();
            let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
            said.push(format!("{} {} {frames:?}", or_none(&it.sni), or_none(&it.version)));
        }
        said.extend(
            joined.alerts.iter().map(|(it, _)| format!("alert {:?} {}", it.from, it.description.clone().unwrap())),
        );
    }
    let gaps = shown.connections.iter().flat_map(|joined| &joined.gaps).chain(&shown.gaps);
    said.extend(gaps.map(|(reason, _)| format!("gap {reason}")).filter(|gap| !gap.contains("no key")));
    said
}

const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

fn client(version: Version) -> Peer {
    Peer { version, keys_of: ID.to_vec(), is_client: true, destination_id: ID.to_vec(), source_id: vec![7; 5] }
}

fn server(version: Version) -> Peer {
    Peer { is_client: false, destination_id: vec![7; 5], source_id: vec![8; 9], ..client(version) }
}

fn padded(frames: &[u8]) -> Vec<u8> {
    let mut payload = frames.to_vec();
    payload.resize(payload.len().max(1162), 0);
    payload
}

/// RFC 9001 appendix A.2, A.3 and A.4.
#[test]
fn packets_of_rfc_9001() {
    let hello = hex("060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
        04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00
        080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fba
        baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806
        002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
        75300901100f088394c8f03e51570806048000ffff");
    let peer = Peer { source_id: Vec::new(), ..client(Version::ONE) };
    let first = peer.initial(2, &[], &padded(&hello));
    assert_eq!(
        first[..50],
        hex("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11
        d242b123dc9bd8bab936b47d92ec356c0bab")[..]
    );
    assert_eq!(first[first.len() - 16..], hex("e221af44860018ab0856972e194cd934")[..]);
    let answer = hex("cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a
        5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9
        c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4
        2158407dd074ee");
    let retry = hex("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba");
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1]] {
        let all = [(true, first.as_slice()), (false, &answer), (false, &retry)];
        let it = shown(order.map(|at| all[at]));
        assert_eq!(it.connections[0].handshakes[0].0.cipher.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
        assert_eq!(it.connections[0].handshakes[0].0.sni.as_deref(), Some("example.com"), "{order:?}");
        assert_eq!(said(&it).len(), 1, "{order:?} {:?}", said(&it));
    }
}

/// RFC 9369 appendix A.3, and the packet numbers and keys of both appendices A.5.
#[test]
fn packets_of_rfc_9369() {
    let first = Peer { source_id: Vec::new(), ..client(Version::TWO) }.initial(
        2,
        &[],
        &padded(&crypto(0, &client_hello("example.com", 1))),
    );
    assert_eq!(first[0] & 0xf0, 0xd0);
    let answer = hex("dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698ba
        eea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa
        52382dd16a393e42757507698075b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84b
        ed8521e2e140");
    assert_eq!(said(&shown([(true, first.as_slice()), (false, &answer)])), ["example.com TLS 1.3 [1, 2]"]);
    let secret = hex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
    let suite = Suite { cipher: Cipher::ChaCha20Poly1305, hash: Hash::Sha256 };
    for (version, packet) in [
        (Version::ONE, "4cfe4189655e5cd55c41f69080575d7999c25a5bfb"),
        (Version::TWO, "5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba"),
    ] {
        let keys = PacketKeys::new(version, suite, &secret).unwrap();
        let opened = keys.open(&hex(packet), 1, 654_360_560).unwrap();
        assert_eq!((opened.number, opened.payload.as_slice()), (654_360_564, &[1][..]));
        assert!(keys.open(&hex(packet), 1, 0).is_none(), "the number is part of the nonce");
    }
}

/// A ClientHello in many frames and packets, in every order, with overlaps and repeats.
#[test]
fn a_hello_in_pieces() {
    let hello = client_hello("www.example.com", 1);
    let (one, two, three) = (crypto(0, &hello[..30]), crypto(20, &hello[20..60]), crypto(60, &hello[60..]));
    let answer = server(Version::ONE).initial(0, &[], &crypto(0, &server_hello()));
    let peer = client(Version::ONE);
    let later = Peer { destination_id: vec![8; 9], ..peer.clone() };
    let packets = [
        peer.initial(0, &[], &padded(&[two.clone(), three.clone()].concat())),
        peer.initial(1, &[], &padded(&[one.clone(), one].concat())),
        later.initial(2, &[], &padded(&two)),
        answer,
    ];
    for a in 0..4 {
        for b in 0..4 {
            for c in 0..4 {
                let d = 6_usize.wrapping_sub(a + b + c);
                if a == b || b == c || a == c || d > 3 {
                    continue;
                }
                let order = [a, b, c, d];
                let it = shown(order.map(|at| (at != 3, packets[at].as_slice())));
                let said = said(&it);
                assert_eq!(said.len(), 1, "{order:?} {said:?}");
                assert!(said[0].starts_with("www.example.com TLS 1.3"), "{order:?} {said:?}");
            }
        }
    }
    let coalesced = packets[..3].concat();
    assert_eq!(said(&shown([(true, &coalesced[..]), (false, &packets[3])])), ["www.example.com TLS 1.3 [1, 2]"]);
}

#[test]
fn what_peers_do() {
    let hello = |peer: &Peer, token: &[u8]| peer.initial(0, token, &padded(&crypto(0, &client_hello("a.example", 1))));
    let (v1, v2) = (client(Version::ONE), client(Version::TWO));
    let first = hello(&v1, &[]);
    let answer = |version| server(version).initial(0, &[], &crypto(0, &server_hello()));
    let retried = Peer { keys_of: vec![5; 8], destination_id: vec![5; 8], ..v1.clone() };
    let retried_answer = Peer { keys_of: vec![5; 8], ..server(Version::ONE) };
    let other_version = server(Version::TWO).initial(0, &[], &crypto(0, &server_hello()));
    let other = Peer { keys_of: vec![6; 8], destination_id: vec![6; 8], ..v1.clone() };
    let other_hello = other.initial(0, &[], &padded(&crypto(0, &client_hello("b.example", 2))));
    let negotiation = [&[0x80, 0, 0, 0, 0, 5][..], &[7; 5], &[8], &ID, &[0, 0, 0, 1, 0x1a, 0x2a, 0x3a, 0x4a]].concat();
    let refused = [(true, hello(&v2, &[])), (false, negotiation)];
    let one_direction = "gap only one direction of the connection is in the capture: the server's side is missing; capture where both directions pass";
    for (what, datagrams, expected) in [
        ("both hellos", vec![(true, first.clone()), (false, answer(Version::ONE))], vec!["a.example TLS 1.3 [1, 2]"]),
        (
            "a Retry: the same hello again, with a token",
            vec![
                (true, first.clone()),
                (false, hex("f0000000010507070707070805050505050505050000000000000000000000000000000000")),
                (true, hello(&retried, b"token")),
                (false, retried_answer.initial(0, &[], &crypto(0, &server_hello()))),
            ],
            vec!["a.example TLS 1.3 [3, 4]"],
        ),
        (
            "the server goes on in version 2",
            vec![(true, first.clone()), (false, other_version)],
            vec!["a.example TLS 1.3 [1, 2]"],
        ),
        (
            "two connections between the same ports",
            vec![(true, first.clone()), (true, other_hello), (false, answer(Version::ONE))],
            vec!["a.example TLS 1.3 [1, 3]", "b.example none [2]", one_direction],
        ),
        (
            "a version that the server does not speak",
            refused.to_vec(),
            vec![
                "a.example none [1]",
                one_direction,
                "gap QUIC connection not decoded: the server speaks other versions: 1",
            ],
        ),
        (
            "an alert of the server",
            vec![(true, first.clone()), (false, server(Version::ONE).initial(0, &[], &padded(&close(0x170))))],
            vec!["a.example none [1]", "alert Server unrecognized_name"],
        ),
        (
            "a refusal of the transport",
            vec![(true, first.clone()), (false, server(Version::ONE).initial(0, &[], &padded(&close(2))))],
            vec![
                "a.example none [1]",
                one_direction,
                "gap QUIC connection not decoded: the server closes it with CONNECTION_REFUSED (0x2)",
            ],
        ),
        (
            "the client's first packet was cut",
            vec![(true, first[..200].to_vec()), (false, answer(Version::ONE))],
            vec![
                "none TLS 1.3 [2]",
                "gap only one direction of the connection is in the capture: the client's side is missing; capture where both directions pass",
                "gap QUIC packet not decoded: cut when it was captured",
            ],
        ),
        (
            "only the server was captured",
            vec![(false, answer(Version::ONE))],
            vec![
                "gap QUIC packet not decoded: the client's first Initial packet is not in the capture, or it is damaged",
            ],
        ),
    ] {
        let it = shown(datagrams.iter().map(|(is_client, bytes)| (*is_client, bytes.as_slice())));
        assert_eq!(said(&it), expected, "{what}");
    }
}

#[test]
fn hostile_offsets_and_holes_are_gaps() {
    let peer = client(Version::ONE);
    let hello = client_hello("www.example.com", 1);
    for (frames, expected) in [
        (crypto(1 << 40, b"far"), "beyond the limit"),
        (crypto((1 << 62) - 1, b"far"), "beyond the limit"),
        (crypto(1_200_000, b"far"), "beyond the limit"),
        (crypto(10, &hello[10..]), "10 bytes of its CRYPTO frames are not in the capture"),
        (
            [crypto(0, &hello[..20]), crypto(25, &hello[25..])].concat(),
            "5 bytes of its CRYPTO frames are not in the capture",
        ),
        (crypto(0, &hello[..20]), "its last handshake message is not whole"),
        (crypto(0, b"\x01\xff\xff\xff"), "a handshake message of 16777215 bytes"),
        ([crypto(0, &hello[..20]), vec![0x3f]].concat(), "a frame of unknown type or length"),
    ] {
        let packet = peer.initial(0, &[], &frames);
        let said = said(&shown([(true, packet.as_slice())]));
        assert!(said.iter().any(|it| it.contains(expected)), "{expected}: {said:?}");
    }
}

#[test]
fn ten_thousand_connection_ids_are_bounded() {
    let hello = crypto(0, &client_hello("www.example.com", 1));
    let packets: Vec<Vec<u8>> = (0..10_000_u32)
        .map(|number| {
            let id = [&number.to_be_bytes()[..], &[1; 4]].concat();
            Peer { keys_of: id.clone(), destination_id: id, ..client(Version::ONE) }.initial(0, &[], &hello)
        })
        .collect();
    let it = shown(packets.iter().map(|packet| (true, packet.as_slice())));
    let said = said(&it);
    assert!(said.iter().any(|it| it.contains("stopped at the limit of")), "{:?}", said.last());
    let strangers = Peer { keys_of: vec![1; 8], ..server(Version::ONE) };
    let packets: Vec<Vec<u8>> = (0..10_000_u32).map(|number| strangers.initial(number, &[], &[0; 40])).collect();
    let it = shown(packets.iter().map(|packet| (false, packet.as_slice())));
    assert_eq!((it.connections.len(), it.gaps.len()), (0, 1));
}

#[test]
fn damaged_packets_never_panic_and_never_show_a_guess() {
    let first = client(Version::ONE).initial(0, &[], &crypto(0, &client_hello("www.example.com", 1)));
    let answer = server(Version::ONE).initial(0, &[], &crypto(0, &server_hello()));
    let whole = said(&shown([(true, first.as_slice()), (false, &answer)]));
    for at in 0..first.len() {
        let cut = shown([(true, &first[..at]), (false, &answer)]);
        assert!(cut.connections.iter().flat_map(|it| &it.handshakes).all(|(it, _)| it.sni.is_none()), "cut at {at}");
        let mut flipped = first.clone();
        flipped[at] ^= 0x40;
        let it = shown([(true, flipped.as_slice()), (false, &answer)]);
        assert!(said(&it) != whole || at == 0, "byte {at} is authenticated");
    }
}

/// A capture in which the client's port is another one from a frame on, as behind a NAT that forgot it.
fn moved(capture: &[u8], from_frame: u64, port: u16) -> Vec<u8> {
    let (mut bytes, mut at) = (capture.to_vec(), 24);
    let mut frame = 0;
    while at + 16 <= bytes.len() {
        frame += 1;
        let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        let ports = at + 16 + 14 + 20;
        at += 16 + length;
        let is_udp = bytes[ports - 20 + 9] == 17;
        for (own, other) in [(ports, ports + 2), (ports + 2, ports)] {
            if is_udp && frame >= from_frame && bytes[other..other + 2] == 443_u16.to_be_bytes() {
                bytes[own..own + 2].copy_from_slice(&port.to_be_bytes());
            }
        }
    }
    bytes
}

#[test]
fn what_is_said_after_a_move_to_other_ports_is_read() {
    let sample = root().join("samples/http3_forbidden_capture");
    let capture = std::fs::read(sample.join("customer.pcap")).unwrap();
    let keys = sample.join("keys.log");
    let exchanges = |bytes: &[u8], key_log: Option<&Path>| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("customer.pcap");
        std::fs::write(&path, bytes).unwrap();
        let inputs = [Some(path.as_path()), key_log].into_iter().flatten().map(Path::as_os_str);
        let text = printed(&whycert([OsStr::new("facts")].into_iter().chain(inputs)));
        text.lines().filter(|line| line.contains(r#""http.exchange""#)).map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = exchanges(&capture, Some(&keys));
    assert_eq!(expected.len(), 1, "the sample holds one exchange");
    // Frame 16 still ends the handshake, which is no place to move; 17 holds the request, 19 the answer.
    for from_frame in [14, 16, 17, 18, 19] {
        for port in [1024, 40_001, 40_002, 60_000] {
            let bytes = moved(&capture, from_frame, port);
            assert_ne!(bytes, capture);
            assert_eq!(exchanges(&bytes, Some(&keys)), expected, "port {port} from frame {from_frame}");
        }
    }
    assert!(exchanges(&moved(&capture, 17, 40_001), None).is_empty(), "without keys nothing is read");
}
