//! Hostile input: captures and texts cut at every byte, with flipped bytes, and built to break. The
//! program never panics, never stays silent, and ends.

use std::path::PathBuf;

use whycert::analyze::{self, Gathered};

use crate::samples::{captures, samples};
use crate::support::{capture_builder as build, root};

fn gather(paths: &[PathBuf]) -> Gathered {
    analyze::gather(paths, &analyze::Options::default())
}

/// Reads bytes as a file of that name, and judges what they give.
fn read(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> Gathered {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let gathered = gather(&[path]);
    let _ = analyze::diagnose(&gathered.evidence, &[]);
    gathered
}

/// A small generator of numbers that is the same everywhere (xorshift).
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[test]
fn captures_cut_anywhere_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = root().join("samples/stage_url_capture/customer.pcapng");
    let bytes = std::fs::read(path).unwrap();
    // A file that ends where a block ends is whole as far as anybody can tell.
    let mut ends = std::collections::BTreeSet::new();
    let mut at = 0;
    while at < bytes.len() {
        at += u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        ends.insert(at);
    }
    for cut in 0..bytes.len() {
        let gathered = read(&folder, "cut.pcapng", &bytes[..cut]);
        let is_silent = gathered.evidence.gaps.is_empty();
        assert!(!is_silent || ends.contains(&cut), "cut at {cut}: a gap says what is missing");
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut next = numbers(0x5eed);
    let texts = samples()
        .into_iter()
        .flat_map(|sample| sample.inputs.iter().map(|name| sample.folder.join(name)).collect::<Vec<_>>());
    for path in captures().into_iter().chain(texts) {
        let good = std::fs::read(root().join(&path)).unwrap();
        for _ in 0..20 {
            let mut bytes = good.clone();
            for _ in 0..=(next() % 8) {
                let at = (next() % bytes.len() as u64) as usize;
                bytes[at] = next() as u8;
            }
            read(&folder, "flipped", &bytes);
        }
    }
}

#[test]
fn odd_files_are_named_and_never_silent() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, words) in [
        ("empty.pcap", &b""[..], "the file is empty"),
        ("prose.pcap", b"this is a text file", "not recognised"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not recognised"),
        ("zeros.bin", &[0_u8; 4096], "not recognised"),
    ] {
        let gathered = read(&folder, name, bytes);
        let reasons: Vec<String> = gathered.evidence.gaps.iter().map(|gap| gap.reason.to_string()).collect();
        assert!(reasons.iter().any(|reason| reason.contains(words)), "{name}: {reasons:?}");
    }
}

#[test]
fn headers_alone_hold_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let gathered = read(&folder, "header.pcap", &build::Pcap::plain(1).bytes);
    let reasons: Vec<String> = gathered.evidence.gaps.iter().map(|gap| gap.reason.to_string()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("no DNS answer")), "{reasons:?}");
}
