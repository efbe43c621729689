//! HTTP and header compression on hostile bytes: nothing panics, everything ends, nothing secret is kept.

use whycert::flow::{Origin, StreamReader};
use whycert::http::fields::Fields;
use whycert::http::h3::{self, Stream};
use whycert::http::hpack::Decoder;
use whycert::http::inner::Inner;
use whycert::http::qpack::Table;
use whycert::http::{h1, h2, huffman};
use whycert::provenance::FrameNumber;

/// A small generator of numbers that is the same everywhere (xorshift).
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

fn feed(reader: &mut impl StreamReader, bytes: &[u8], step: usize) {
    for (number, part) in (1..).zip(bytes.chunks(step.max(1))) {
        reader.feed(part, Origin { frame: FrameNumber(number), time: None });
    }
    reader.hole(7);
}

const STARTS: &[&[u8]] = &[
    b"",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\0\0\x06\x04\0\0\0\0\0\0\x01\0\0\0\0\0\0\x30\x01\x04\0\0\0\x01",
    b"\x01\x30\0\0",
    b"\x02\x3f\xbd\x01",
];

#[test]
fn random_bytes_never_panic() {
    let mut next = numbers(0x0b5e_55ed);
    for round in 0..20_000_u64 {
        let length = (next() % 90) as usize;
        let mut bytes = STARTS[(next() % STARTS.len() as u64) as usize].to_vec();
        bytes.extend((0..length).map(|_| next() as u8));
        let step = 1 + (round % 17) as usize;
        feed(&mut h1::Reader::default(), &bytes, step);
        feed(&mut h2::Reader::default(), &bytes, step);
        feed(&mut Inner::default(), &bytes, step);
        let mut streams: Vec<(u64, Stream)> = (0..4).map(|id| (id, Stream::new(id))).collect();
        for (_, stream) in &mut streams {
            feed(stream, &bytes, step);
        }
        let _ = h3::heads(&streams);
        let _ = Decoder::default().decode(&bytes, |_, _| {});
        if let Ok(table) = Table::from_encoder_stream(&bytes) {
            let _ = table.decode(&bytes, |_, _| {});
        }
        let _ = huffman::decode(&bytes);
    }
}

#[test]
fn no_credential_no_cookie_and_no_path_is_kept() {
    let mut fields = Fields::default();
    for (name, value) in [
        (":path", "/secret?token=1"),
        ("cookie", "secret"),
        ("set-cookie", "secret"),
        ("authorization", "Bearer secret"),
        ("proxy-authorization", "Basic secret"),
        ("x-api-key", "secret"),
        ("referer", "https://a.example/secret"),
        ("location", "https://user:secret@b.example/secret?token=secret"),
        ("x-amzn-requestid", "not a key"),
    ] {
        fields.take(name.as_bytes(), value.as_bytes());
    }
    let kept = format!("{fields:?}");
    assert!(!kept.contains("secret"), "{kept}");
    assert!(kept.contains("https://b.example/") && kept.contains("not a key"), "{kept}");
}
