//! What `tcpdump -A` leaves of a ClientHello ([`Ascii`]): the server name, and no other byte that could be relied on.
//!
//! `-A` prints a dot for each byte that is no letter, so that lengths and numbers are gone. The name is taken only
//! where all nine bytes before it print as those of its extension do (RFC 6066 section 3), each of the three lengths
//! among them as its own character where it has one; where the next extension's number could be read as more of the
//! name, none is.

use super::tcpdump::{Ends, end};
use crate::evidence::Fact;
use crate::name::Name;
use crate::provenance::{GapReason, Time};
use crate::saved::Sink;
use crate::tls::{Handshake, SniState, Transport};

/// The text that `-A` prints of the packet that is being read.
#[derive(Default)]
pub(super) struct Ascii {
    ends: Ends,
    is_tcp: bool,
    text: String,
    /// The line of the packet, and the first and the last one of its text.
    at: Option<(u32, u32, u32)>,
    head: u32,
    /// The first text of all.
    first: Option<u32>,
}

impl Ascii {
    /// A packet begins; its line says from where to where it went.
    pub(super) fn begin(&mut self, head: &str, line: u32) {
        let sides = head.split_once(" > ").and_then(|(source, rest)| Some((source, rest.split_once(": ")?)));
        self.is_tcp = sides.is_some_and(|(_, (_, rest))| rest.starts_with("Flags ["));
        self.ends = sides.map(|(source, (destination, _))| (end(source), end(destination))).unwrap_or_default();
        self.head = line;
    }

    /// Takes a line; the first one begins with the header of an IP packet.
    pub(super) fn take(&mut self, text: &str, line: u32) {
        let is_begun = self.at.is_some() || text.starts_with(['E', '`', 'F']);
        if !self.is_tcp || !is_begun || self.text.len() > TEXT_BYTES_MAX {
            return;
        }
        self.first = self.first.or(Some(line));
        let first = self.at.map_or(line, |(_, first, _)| first);
        self.at = Some((self.head, first, line));
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    /// The packet is over: the ClientHello that it shows.
    pub(super) fn end(&mut self, time: Option<Time>, sink: &mut Sink) {
        let text = std::mem::take(&mut self.text);
        let Some((head, first, last)) = self.at.take() else { return };
        let Some(name) = server_name(&text).and_then(Name::parse) else { return };
        let it = Handshake {
            time,
            client: self.ends.0,
            server: self.ends.1,
            sni: Some(name.to_string()),
            sni_state: SniState::Sent,
            ..Handshake::over(Transport::Tcp)
        };
        sink.observe(Fact::TlsHandshake(it), std::iter::once(head).chain(first..=last));
    }

    /// The dump is over.
    pub(super) fn finish(&self, sink: &mut Sink) {
        let Some(line) = self.first else { return };
        let why = "-A prints no byte that is no letter; ask for -X, or for the capture itself (tcpdump -s 0 -w)";
        sink.gap(line, GapReason::Undecoded { what: "TLS stream".to_owned(), why: why.to_owned() });
    }
}

/// The server name in the text of one packet's bytes.
fn server_name(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let starts = (HEAD_BYTES..bytes.len()).filter(|at| bytes.get(*at).is_some_and(u8::is_ascii_alphanumeric));
    starts.take(STARTS_MAX).find_map(|at| name_at(text, at))
}

/// The name that begins here, with the head of its extension before it.
fn name_at(text: &str, at: usize) -> Option<&str> {
    let head = text.as_bytes().get(at.checked_sub(HEAD_BYTES)?..at)?;
    if !head.starts_with(b"...") {
        return None;
    }
    let rest = text.get(at..)?;
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
    let run = rest.get(..end)?;
    let run = run.get(..run.find("..").unwrap_or(run.len()))?;
    if let Some(length) = told_length(head) {
        let follows = rest.get(length..)?;
        let is_end = follows.is_empty() || [NEXT, RESERVED].concat().iter().any(|number| follows.starts_with(number));
        return run.get(..length).filter(|name| is_end && is_headed(head, length) && has_top(name));
    }
    let follows = rest.get(run.len()..)?;
    // The next extension's number begins with a byte that is no letter, but for these: ALPS, and those that are
    // reserved to be ignored (RFC 8701).
    let is_end = run.ends_with('.') || follows.is_empty() || NEXT.iter().any(|number| follows.starts_with(number));
    let is_reserved = RESERVED.iter().any(|number| run.ends_with(number));
    if !is_end || is_reserved {
        return None;
    }
    let mut name = run.trim_end_matches(['.', '-']);
    while !(is_headed(head, name.len()) && has_top(name)) {
        name = name.rsplit_once('.')?.0;
    }
    Some(name)
}

/// Whether the last label of several is one that a top-level domain can have.
fn has_top(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, top)| top.len() > 1 && top.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// The length of the name, where one of the three lengths before it prints as itself.
fn told_length(head: &[u8]) -> Option<usize> {
    let at = |place: usize, more: u8| head.get(place).filter(|byte| **byte != b'.')?.checked_sub(more);
    at(8, 0).or_else(|| at(5, 3)).or_else(|| at(3, 5)).map(usize::from)
}

/// Whether these characters are those of the extension's type, the three lengths and the kind of name.
fn is_headed(head: &[u8], length: usize) -> bool {
    let Ok(length) = u8::try_from(length) else { return false };
    let Some(extension) = length.checked_add(5) else { return false };
    let list = extension.saturating_sub(2);
    let expected = [0, 0, 0, extension, 0, list, 0, 0, length].map(printed);
    head == expected
}

/// The character that tcpdump prints for a byte.
fn printed(byte: u8) -> u8 {
    if byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\n') { byte } else { b'.' }
}

/// The extension's type and length, the list's length, the kind and the length of the name.
const HEAD_BYTES: usize = 9;
/// How the number of the extension behind the name prints.
const NEXT: &[&str] = &[".", "\n", "**", "::", "Di", "D.", "JJ", "ZZ"];
/// Numbers that are reserved to be ignored (RFC 8701), and that print as more of a name.
const RESERVED: &[&str] = &["jj", "zz"];
/// The text of a packet that is kept.
const TEXT_BYTES_MAX: usize = 1 << 17;
/// Places of a packet's text that are tried.
const STARTS_MAX: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a server name extension and of what follows it.
    fn dumped(name: &str, next: &[u8]) -> String {
        let length = u8::try_from(name.len()).unwrap();
        let head = [0x13, 0x02, 1, 0, 0, 0, 0, 0, length + 5, 0, length + 3, 0, 0, length];
        [&head, name.as_bytes(), next].concat().into_iter().map(printed).map(char::from).collect()
    }

    #[test]
    fn a_name_is_taken_only_where_all_before_it_fits() {
        for (name, next, expected) in [
            ("www.example.com", &[0, 0x17, 0, 0][..], Some("www.example.com")),
            ("www.example.com", &[0, 0x33, 0, 0x26], Some("www.example.com")),
            ("www.example.com", &[0, 0x2d, 0, 2, 1], Some("www.example.com")),
            ("www.example.com", &[0x44, 0x69, 0, 5], Some("www.example.com")),
            ("www.example.com", b"Quux", None),
            ("www.example.com", b"zz\0\x01\0", None),
            ("a-long-name-of-a-customer.example.com", b"zz\0\x01\0", Some("a-long-name-of-a-customer.example.com")),
            ("abcdefghijklmnopqr.example.com", b"zz\0\x01\0", Some("abcdefghijklmnopqr.example.com")),
            ("abcdefgh.example.company.net", &[0xff, 1, 0, 1, 0], Some("abcdefgh.example.company.net")),
            ("a.ample.io", &[0, 0x0b, 0, 2], Some("a.ample.io")),
            ("h2.http", b"/1.1", None),
        ] {
            let text = dumped(name, next);
            assert_eq!(server_name(&text), expected, "{text:?}");
        }
        for text in
            ["", "GET / HTTP/1.1\nHost: www.example.com\n", "................www.example.com", "...h2.http/1.1..."]
        {
            let expected = text.ends_with("example.com").then_some("www.example.com");
            assert_eq!(server_name(text), expected, "{text:?}");
        }
    }
}
