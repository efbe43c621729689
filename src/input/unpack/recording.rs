//! What a terminal showed, from a recording of asciinema (versions 1 to 3): one text, as a member.
//!
//! A recording is events, of which one can hold many lines and one line can take many; the text has the lines that the
//! person saw. What was typed is shown by the terminal itself, and other events are left out.

use std::io::{self, Read};

use serde::Deserialize;

use super::{Depth, Unpacker, in_memory};
use crate::provenance::GapReason;

/// The whole of version 1.
#[derive(Deserialize)]
struct First {
    stdout: Vec<(f64, String)>,
}

impl Unpacker {
    /// The text of a recording.
    pub(super) fn recording(&mut self, name: &str, reader: &mut dyn Read, depth: Depth) {
        let bytes = match in_memory(reader, "bytes of a recording") {
            Ok(bytes) => bytes,
            Err(reason) => return self.tell(name, reason),
        };
        match shown(&bytes) {
            Some(text) => self.walk(&format!("{name}!terminal.txt"), &mut io::Cursor::new(text), depth),
            None => self.tell(name, GapReason::Unreadable("the recording holds no output".to_owned())),
        }
    }
}

/// All output, in order; an event that is cut ends it.
fn shown(bytes: &[u8]) -> Option<Vec<u8>> {
    if let Ok(First { stdout }) = serde_json::from_slice(bytes) {
        return Some(stdout.into_iter().map(|(_, text)| text).collect::<String>().into_bytes());
    }
    let mut text = String::new();
    for line in bytes.split(|byte| *byte == b'\n').skip(1).filter(|line| line.starts_with(b"[")) {
        let Ok((_, kind, data)) = serde_json::from_slice::<(f64, String, String)>(line) else { break };
        if kind == "o" {
            text.push_str(&data);
        }
    }
    (!text.is_empty()).then(|| text.into_bytes())
}

/// Whether a file begins with the header of a recording.
pub(super) fn is_recording(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let line = text.lines().next().unwrap_or_default();
    let Some(rest) = line.trim_start().strip_prefix('{') else { return false };
    let bare: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
    let is_version = ["\"version\":1,", "\"version\":2,", "\"version\":3,"].iter().any(|it| bare.starts_with(it));
    is_version && (bare.contains("\"width\":") || bare.contains("\"term\":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_gives_what_was_shown() {
        let second = "{\"version\": 2, \"width\": 80, \"height\": 24}\n[0.1, \"o\", \"$ dig \"]\n[0.2, \"i\", \"x\"]\n\
                      [0.3, \"o\", \"x\\r\\n\\u001b[0m\"]\n[0.4, \"o";
        let third = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n# a comment\n[0.1,\"o\",\"$ dig x\\r\\n\"]\n[1,\"x\",\"0\"]\n";
        let first =
            "{\"version\": 1, \"width\": 80, \"height\": 24, \"stdout\": [[0.1, \"$ dig\"], [0.2, \" x\\r\\n\"]]}";
        for (recording, expected) in [(second, "$ dig x\r\n\u{1b}[0m"), (third, "$ dig x\r\n"), (first, "$ dig x\r\n")]
        {
            assert!(is_recording(recording.as_bytes()), "{recording}");
            assert_eq!(shown(recording.as_bytes()).as_deref(), Some(expected.as_bytes()), "{recording}");
        }
        assert!(!is_recording(b"{\"version\": \"1.2\", \"log\": {}}"));
        assert!(!is_recording(b"{\"log\": {\"version\": 2, \"width\": 3}}"));
    }
}
