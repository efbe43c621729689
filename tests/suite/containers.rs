//! Compressed files and archives: what is in them is read as if it lay there bare, and what cannot be
//! unpacked is told. All containers are made in code.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use whycert::analyze::{self, Gathered};
use whycert::input::Digest;

use crate::support::{printed, root, whycert, whycert_fed};

fn capture() -> Vec<u8> {
    std::fs::read(root().join("samples/stage_url_capture/customer.pcapng")).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar whose names may be anything.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let method = zip::CompressionMethod::Deflated;
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A mail with one file attached, as mail programs encode it.
fn mail(name: &str, bytes: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    let rows: Vec<&str> = encoded.as_bytes().chunks(76).map(|row| std::str::from_utf8(row).unwrap()).collect();
    format!(
        "Received: from mx.example.net by mail.example.com; Wed, 25 Nov 2026 11:00:00 +0000\r\nFrom: jo@example.com\r\n\
         To: support@example.net\r\nSubject: wrong certificate\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\nContent-Type: application/octet-stream\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n{}\r\n--=_b--\r\n",
        rows.join("\r\n")
    )
    .into_bytes()
}

fn gather(paths: &[PathBuf]) -> Gathered {
    analyze::gather(paths, &analyze::Options { digest: Digest::Sha256, ..analyze::Options::default() })
}

/// What a file of this name gives: the names of its sources with how many observations each has, and
/// the words of its gaps.
fn read(name: &str, bytes: &[u8]) -> (Vec<(String, usize)>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let evidence = gather(&[path]).evidence;
    let count = |id: usize| {
        let is_here = |place: &whycert::provenance::Place| place.source().0 as usize == id;
        evidence.observations.iter().filter(|it| it.at.iter().any(is_here)).count()
    };
    let sources = evidence.sources.iter().enumerate().map(|(id, source)| (source.path.clone(), count(id))).collect();
    (sources, evidence.gaps.iter().map(|gap| gap.reason.to_string()).collect())
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

fn every_container() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let it = capture();
    vec![
        ("gzip", "", gzip(&it)),
        ("zstd", "", zstd(&it)),
        ("lz4", "", lz4(&it)),
        ("xz", "", xz(&it)),
        ("bzip2", "", bzip2(&it)),
        ("tar", "!in/it.pcapng", tar(&[("in/it.pcapng", &it)])),
        ("zip", "!in/it.pcapng", zip(&[("in/it.pcapng", &it)])),
        ("tar.gz", "!it", gzip(&tar(&[("it", &it)]))),
        ("tar.zst", "!it", zstd(&tar(&[("it", &it)]))),
        ("zip with gzip", "!it.gz", zip(&[("it.gz", &gzip(&it))])),
        ("zip with tar.xz", "!a.txz!it", zip(&[("a.txz", &xz(&tar(&[("it", &it)])))])),
        ("tar with zip", "!a.zip!it", tar(&[("a.zip", &zip(&[("it", &it)]))])),
        ("mail", "!it.pcapng", mail("it.pcapng", &it)),
        ("mail with zip", "!a.zip!it", mail("a.zip", &zip(&[("it", &it)]))),
        ("zip with mail", "!m.eml!it", zip(&[("m.eml", &mail("it", &it))])),
    ]
}

#[test]
fn what_lies_in_containers_is_read_as_if_it_lay_bare() {
    let (bare, gaps) = read("customer", &capture());
    assert!(bare[0].1 > 3 && gaps.is_empty(), "{bare:?} {gaps:?}");
    let folder = tempfile::tempdir().unwrap();
    let digest_of = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        gather(&[path]).evidence.sources[0].sha256.clone().unwrap()
    };
    let digest = digest_of("bare", &capture());
    for (format, member, bytes) in every_container() {
        // The name says something else than the bytes, and nobody listens to it.
        let (sources, gaps) = read("notes.txt", &bytes);
        assert_eq!(sources, [(format!("notes.txt{member}"), bare[0].1)], "{format}");
        assert!(gaps.is_empty(), "{format}: {gaps:?}");
        assert_eq!(digest_of("packed", &bytes), digest, "{format}: the digest is of the bytes that were read");
        let piped = printed(&whycert_fed(&["facts", "-"], &bytes));
        assert!(piped.contains(&format!("\"path\":\"-{member}\"")), "{format}: {piped}");
    }
}

/// The keys lie behind the capture that they open.
#[test]
fn keys_at_the_end_of_an_archive_open_what_stands_before_them() {
    let sample = |name: &str| std::fs::read(root().join("samples/tls13_keylog_capture").join(name)).unwrap();
    let (capture, keys) = (sample("customer.pcap"), sample("keys.log"));
    let folder = tempfile::tempdir().unwrap();
    let facts = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        printed(&whycert(["facts", path.to_str().unwrap()]))
    };
    let members: [(&str, &[u8]); 2] = [("a.pcap", &capture), ("z.log", &keys)];
    for (name, bytes) in [("it.tar", tar(&members)), ("it.zip", zip(&members)), ("it.tgz", gzip(&tar(&members)))] {
        let facts = facts(name, &bytes);
        assert_eq!(facts.matches("\"kind\":\"certificate\"").count(), 3, "{name}: {facts}");
        assert_eq!(facts.matches(&format!("\"path\":\"{name}!a.pcap\"")).count(), 1, "{name}: {facts}");
    }
}

#[test]
fn streams_of_several_frames_are_one() {
    let it = capture();
    let (first, second) = it.split_at(2000);
    let skipped = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let (bare, _) = read("bare", &it);
    for (name, bytes, gap) in [
        ("gzip", [gzip(first), gzip(second)].concat(), None),
        ("gzip on a tape", [gzip(&it), vec![0; 700]].concat(), None),
        ("gzip and more", [gzip(&it), b"more".to_vec()].concat(), Some("other bytes stand behind its end")),
        ("zstd", [zstd(first), skipped.to_vec(), zstd(second)].concat(), None),
        ("zstd behind a skipped frame", [skipped.to_vec(), zstd(&it)].concat(), None),
        ("lz4", [lz4(first), lz4(second)].concat(), None),
        ("xz", [xz(first), xz(second)].concat(), None),
        ("bzip2", [bzip2(first), bzip2(second)].concat(), None),
    ] {
        let (sources, gaps) = read("bare", &bytes);
        assert_eq!(sources, bare, "{name}: {gaps:?}");
        assert_eq!(gaps.is_empty(), gap.is_none(), "{name}: {gaps:?}");
        assert!(gap.is_none_or(|gap| gaps.iter().any(|it| it.contains(gap))), "{name}: {gaps:?}");
    }
}

#[test]
fn names_in_archives_are_text_and_no_paths() {
    let it = capture();
    let members: [(&str, &[u8]); 8] = [
        ("../../etc/it.pcap", &it),
        ("/abs/it.pcap", &it),
        ("./it.pcap", &it),
        ("it.pcap", &it),
        (".hidden", &it),
        ("__MACOSX/._it.pcap", &it),
        ("empty", b""),
        ("dig.txt", b"$ dig www.example.com\n"),
    ];
    let expected = ["a!abs/it.pcap", "a!dig.txt", "a!empty", "a!etc/it.pcap", "a!it.pcap", "a!it.pcap (2)"];
    let (sources, gaps) = read("a", &tar(&members));
    let names: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, expected);
    assert!(gaps.iter().any(|gap| gap.contains("the file is empty")), "{gaps:?}");
    let (sources, _) = read("a", &zip(&[("..\\..\\windows\\it.pcap", &it)]));
    assert_eq!(sources[0].0, "a!windows/it.pcap");
}

#[test]
fn what_cannot_be_unpacked_is_told() {
    let it = capture();
    let deep = zip(&[("b.zip", &zip(&[("c.zip", &zip(&[("it", &it)]))]))]);
    let layers = (0..9).fold(it.clone(), |inner, _| gzip(&inner));
    let mut encrypted = zip(&[("it", &it)]);
    let directory = encrypted.windows(4).position(|at| at == b"PK\x01\x02").unwrap();
    encrypted[6] |= 1;
    encrypted[directory + 8] |= 1;
    let document = zip(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")]);
    let half = tar(&[("one", &it), ("two", &it)]);
    for (name, bytes, expected) in [
        ("archives in archives", deep, "archives within archives: stopped at the limit of 2"),
        ("layers", layers, "layers of compression and archives: stopped at the limit of 5"),
        ("a password", encrypted, "password"),
        ("a document", document, "an office document; send the text instead"),
        ("an empty archive", zip(&[]), "an archive that holds no file"),
        ("half a tar", half[..half.len() * 2 / 3].to_vec(), "the archive ends in the middle of it"),
        ("7-Zip", b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), "an archive; send the files in it"),
        (
            "mails in mails",
            "From: a\nTo: b\nContent-Type: message/rfc822\n\n".repeat(2000).into_bytes(),
            "limit of 100",
        ),
        ("a header alone", gzip(b"")[..10].to_vec(), "the gzip stream ends in the middle"),
        ("no directory", zip(&[("it", &it)])[..900].to_vec(), "zip: "),
    ] {
        let (_, gaps) = read("it", &bytes);
        assert!(gaps.iter().any(|gap| gap.contains(expected)), "{name}: {gaps:?}");
    }
}

#[test]
fn bombs_end_with_a_gap() {
    // Zeros behind a capture, a thousandth of them packed, in an archive that looks harmless.
    let zeros = gzip(&vec![0; 1 << 20]);
    let bomb = zip(&[("bomb", &[gzip(&capture()), zeros.repeat(20)].concat())]);
    let (sources, gaps) = read("it", &bomb);
    assert!(gaps.iter().any(|gap| gap.contains("more than 250 times its compressed size")), "{gaps:?}");
    assert!(sources[0].1 > 3, "what comes before is read: {sources:?}");
}

#[test]
fn containers_cut_anywhere_say_so() {
    for (format, _, bytes) in every_container() {
        let step = bytes.len() / 40 + 1;
        for cut in (1..bytes.len()).step_by(step) {
            let (sources, gaps) = read("cut", &bytes[..cut]);
            // A tar ends with a kilobyte of zeros at least, which nothing is lost with.
            let is_tail = ["tar", "tar with zip"].contains(&format) && cut + 1024 >= bytes.len()
                || format == "mail" && cut + 80 >= bytes.len();
            assert!(is_tail || !gaps.is_empty(), "{format} cut at {cut}: {sources:?}");
        }
    }
}

#[test]
fn containers_with_flipped_bytes_never_panic() {
    let mut next = numbers(0x00c0_ffee);
    for (_, _, good) in every_container() {
        for _ in 0..25 {
            let mut bytes = good.clone();
            for _ in 0..=(next() % 6) {
                let at = (next() % bytes.len() as u64) as usize;
                bytes[at] = next() as u8;
            }
            let (_, gaps) = read("flipped", &bytes);
            assert!(!gaps.iter().any(|gap| gap.contains("it cannot be unpacked")), "a decoder panicked");
        }
    }
}
