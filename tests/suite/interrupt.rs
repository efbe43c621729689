//! Ctrl-C: what had been read is told, and every output says that it is a part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use whycert::analyze::{self, Options};
use whycert::evidence::Evidence;
use whycert::input::{Digest, Stop};
use whycert::limits::ROUND_BYTES;
use whycert::report::{RENDERERS, Style};

use crate::support::capture_builder::{Link, Pcap, TCP, flags, ip, tcp};
use crate::support::{printed, root};

/// The packets of a real capture, then packets without meaning, so many rounds in all.
fn long_capture(rounds: usize) -> Vec<u8> {
    let mut file = Pcap::plain(1);
    for frame in crate::engine::frames() {
        file.packet(1_795_519_415, 0, &frame);
    }
    let (client, server) = ("192.0.2.7".parse().unwrap(), "198.51.100.9".parse().unwrap());
    let filler = Link::Ethernet.wrap(&ip((client, server), TCP, &tcp((9, 9), 1, flags::ACK, &[0; 1400])));
    while file.bytes.len() < rounds * ROUND_BYTES {
        file.packet(1_795_519_416, 0, &filler);
    }
    file.bytes
}

/// How many bytes of a capture progress is told of in all.
fn bytes_told(capture: &[u8]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it.pcap");
    std::fs::write(&path, capture).unwrap();
    let told = std::sync::atomic::AtomicU64::new(0);
    let progress = |more: u64| {
        told.fetch_add(more, std::sync::atomic::Ordering::Relaxed);
    };
    analyze::gather(&[path], &Options { progress: &progress, ..Options::default() });
    told.into_inner()
}

/// Reads files and asks to stop when so many bytes were read.
fn stopped_after(files: &[(&str, &[u8])], bytes: u64) -> Arc<Evidence> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.path().join(name)).collect();
    for (path, (_, bytes)) in paths.iter().zip(files) {
        std::fs::write(path, bytes).unwrap();
    }
    let stop = Stop::default();
    let read = std::sync::atomic::AtomicU64::new(0);
    let progress = |more: u64| {
        if read.fetch_add(more, std::sync::atomic::Ordering::Relaxed) + more >= bytes {
            stop.ask();
        }
    };
    let options = Options { digest: Digest::Sha256, progress: &progress, stop: stop.clone(), ..Options::default() };
    let evidence = analyze::gather(&paths, &options).evidence;
    assert!(stop.is_asked() || bytes == u64::MAX, "so many bytes are never read");
    evidence
}

fn reasons(evidence: &Evidence) -> Vec<String> {
    evidence.gaps.iter().map(|gap| gap.reason.to_string()).collect()
}

#[test]
fn a_capture_ends_between_two_rounds() {
    let whole = long_capture(6);
    let evidence = stopped_after(&[("long.pcap", &whole)], 1);
    assert_eq!(reasons(&evidence), ["the reading was ended before its time; what follows is not in the evidence"]);
    let source = &evidence.sources[0];
    assert!(source.bytes < u64::try_from(whole.len()).unwrap() && source.sha256.is_none(), "{source:?}");
    assert!(
        evidence.observations.iter().any(|it| it.fact.kind() == "certificate"),
        "what stood in the first round is told"
    );
    assert_eq!(reasons(&stopped_after(&[("long.pcap", &whole)], u64::MAX)), [""; 0]);
}

#[test]
fn what_was_read_to_its_end_is_whole() {
    let short = long_capture(0);
    let evidence = stopped_after(&[("short.pcap", &short)], bytes_told(&short));
    assert_eq!(reasons(&evidence), [""; 0]);
    assert!(evidence.sources[0].sha256.is_some());
}

#[test]
fn files_behind_it_are_named_and_not_read() {
    let (whole, text) = (long_capture(9), b"$ dig +short www.example.com\n192.0.2.1\n");
    let evidence = stopped_after(&[("a.pcap", &whole), ("b.pcap", &whole), ("c.txt", text)], 1);
    let names: Vec<&str> = evidence.sources.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(names, ["a.pcap", "b.pcap", "c.txt"]);
    assert_eq!(reasons(&evidence).len(), 3, "{:?}", reasons(&evidence));
}

#[test]
fn every_format_says_that_it_is_a_part() {
    let evidence = stopped_after(&[("long.pcap", &long_capture(6))], 1);
    let report = analyze::diagnose(&evidence, &[]);
    assert_eq!(report.partial, Some(true));
    let style = Style { width: 80, colour: false, ascii: false };
    for renderer in RENDERERS {
        let text = (renderer.render)(&report, &style);
        if renderer.id == "csv" {
            let rows: Vec<BTreeMap<String, String>> =
                csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect();
            assert!(!rows.is_empty() && rows.iter().all(|row| row["partial"] == "yes"), "{text}");
            continue;
        }
        let words = match renderer.id {
            "json" => "\"partial\": true",
            "sarif" => "\"executionSuccessful\": false",
            "html" => "Partial report.",
            "markdown" => "**Partial** The reading was ended before its time",
            _ => "partial    The reading was ended before its time",
        };
        assert!(text.contains(words), "{}: {text}", renderer.id);
    }
    // Facts that were written early stay a part when they are read back.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.ndjson");
    std::fs::write(&path, whycert::evidence::facts::write(&evidence)).unwrap();
    let again = analyze::gather(&[path], &Options::default()).evidence;
    assert_eq!(analyze::diagnose(&again, &[]), report);
}

/// A real signal to the real program, which waits for more of a capture on its standard input.
#[cfg(unix)]
mod signals {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Child, ChildStdin, Command, Stdio};

    use super::{Path, ROUND_BYTES, long_capture, root};

    struct Running {
        child: Child,
        stdin: Option<ChildStdin>,
        said: BufReader<std::process::ChildStderr>,
    }

    #[expect(clippy::disallowed_methods, reason = "the tests start the program; the program starts nothing")]
    fn start(arguments: &[&str], output: &Path) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_whycert"))
            .args(arguments)
            .args(["--output".as_ref(), output.as_os_str(), "-".as_ref()])
            .current_dir(root())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A pipe holds 64 KiB or, at most, 1 MiB: when this is written, the program is reading.
        stdin.write_all(&long_capture(4)).unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Running { child, stdin: Some(stdin), said }
    }

    impl Running {
        #[expect(clippy::disallowed_methods, reason = "the tests send the signal; the program starts nothing")]
        fn interrupt(&mut self) {
            let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
            assert!(sent.success());
        }

        fn said(&mut self) -> String {
            let mut line = String::new();
            self.said.read_line(&mut line).unwrap();
            line
        }
    }

    #[test]
    fn the_first_gives_the_partial_report() {
        let folder = tempfile::tempdir().unwrap();
        for (command, words) in [("diagnose", "apigw.cname_to_stage_url"), ("facts", "\"kind\":\"certificate\"")] {
            let output = folder.path().join(command);
            let mut it = start(&[command], &output);
            it.interrupt();
            assert_eq!(it.said(), "whycert: ending early with what has been read; again to end at once\n");
            // It may wait for bytes; with some more it sees that it is to end, long before the pipe does.
            let mut stdin = it.stdin.take().unwrap();
            let more = vec![0; ROUND_BYTES];
            while stdin.write_all(&more).is_ok() {}
            assert_eq!(it.child.wait().unwrap().code(), Some(3), "{command}");
            let text = std::fs::read_to_string(output).unwrap();
            assert!(text.contains(words), "{command}: {text}");
            assert!(text.contains("ended before its"), "{command}: {text}");
        }
    }

    #[test]
    fn the_second_ends_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("report");
        let mut it = start(&["diagnose"], &output);
        it.interrupt();
        assert!(it.said().contains("again to end at once"));
        it.interrupt();
        let status = it.child.wait().unwrap();
        let mut rest = String::new();
        it.said.read_to_string(&mut rest).unwrap();
        assert_eq!((status.code(), rest.as_str(), output.exists()), (Some(130), "", false));
    }
}

#[test]
fn the_help_says_what_ctrl_c_does() {
    assert!(printed(&crate::support::whycert(["diagnose", "--help"])).contains("Ctrl-C"));
}
