//! What stands before TLS on a connection: [`Search`] finds where TLS begins in one direction, and a
//! [`Preamble`] says what led to it: STARTTLS and its kin, or a proxy and the host it was asked for.
//!
//! A record is looked for where one can begin: at the start of a segment, behind a line or a tag, and
//! anywhere behind the binary dialogues that are known (SOCKS, PROXY protocol, PostgreSQL, MySQL,
//! LDAP, RDP). It must be a hello with consistent lengths, so that payload is not taken for one. Each
//! direction is searched alone, and only its first bytes.

use crate::limits::PREAMBLE_BYTES_MAX;

/// Looks for the first TLS record of one direction.
#[derive(Debug, Default)]
pub struct Search {
    bytes: Vec<u8>,
    /// Where segments begin.
    starts: Vec<usize>,
    /// No record begins before this.
    checked: usize,
}

/// What a search knows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// TLS begins at this offset of all bytes that were given.
    Tls(usize),
    /// More bytes can tell.
    Unknown,
    /// It is no TLS, or not soon enough.
    Nothing,
}

/// What led to TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preamble {
    /// The protocol whose STARTTLS it was, as `openssl s_client -starttls` names it.
    pub starttls: Option<&'static str>,
    /// The host that a proxy was asked for.
    pub proxy_host: Option<String>,
}

impl Search {
    /// Takes the bytes of the next segment.
    pub fn feed(&mut self, bytes: &[u8]) -> Found {
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(bytes);
        if NEVER.iter().any(|start| self.bytes.starts_with(start)) {
            return Found::Nothing;
        }
        let is_known = is_binary_dialogue(&self.bytes);
        for at in self.checked..self.bytes.len() {
            let is_start = self.starts.binary_search(&at).is_ok();
            if at > 0 && !is_start && !is_known && !self.is_behind_text(at) {
                continue;
            }
            match is_hello(self.bytes.get(at..).unwrap_or_default(), is_start && is_dialogue(&self.bytes)) {
                Some(true) => return Found::Tls(at),
                Some(false) => {}
                None => {
                    self.checked = at;
                    return self.bounded();
                }
            }
        }
        self.checked = self.bytes.len();
        self.bounded()
    }

    /// What stands before TLS at `end`.
    pub fn preamble(&self, end: usize) -> Preamble {
        Preamble::of(self.bytes.get(..end).unwrap_or_default())
    }

    /// Whether it begins with an HTTP response, which a proxy gives before TLS too.
    pub fn is_response(&self) -> bool {
        self.bytes.starts_with(RESPONSE)
    }

    /// Whether it is HTTP alone: a response with a body, or one that refuses, and no challenge of a
    /// proxy that is answered on the same connection.
    pub fn is_http(&self) -> bool {
        let Some(end) = self.bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return self.is_response() && self.bytes.len() > PREAMBLE_BYTES_MAX;
        };
        let has_body = self.bytes.get(end.saturating_add(4)).is_some_and(|byte| !matches!(byte, 21 | 22));
        let is_challenge = self.bytes.get(8..12).is_some_and(|status| status == b" 407");
        self.is_response() && has_body && (!is_challenge || self.bytes.len() > PREAMBLE_BYTES_MAX)
    }

    /// How many bytes it holds.
    pub fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// A line feed, or the end of a tag of XML, stands before.
    fn is_behind_text(&self, at: usize) -> bool {
        matches!(at.checked_sub(1).and_then(|before| self.bytes.get(before)), Some(b'\n' | b'>'))
    }

    fn bounded(&self) -> Found {
        if self.bytes.len() > PREAMBLE_BYTES_MAX { Found::Nothing } else { Found::Unknown }
    }
}

/// Whether a ClientHello or ServerHello record begins here; behind a known dialogue also an alert or
/// a hello that is cut over records. `None` when too few bytes are here to tell.
fn is_hello(bytes: &[u8], is_expected: bool) -> Option<bool> {
    let fits = |at: usize, test: fn(u8) -> bool| bytes.get(at).is_none_or(|byte| test(*byte));
    let is_record = fits(1, |b| b == 3) && fits(2, |b| b <= 4);
    if is_expected && is_record && fits(0, |b| b == 21) && fits(3, |b| b == 0) && fits(4, |b| b == 2) {
        return bytes.get(5).map(|level| matches!(level, 1 | 2));
    }
    if !is_record || !fits(0, |b| b == 22) || !fits(5, |b| matches!(b, 1 | 2)) {
        return Some(false);
    }
    let length = u16::from_be_bytes(<[u8; 2]>::try_from(bytes.get(3..5)?).ok()?);
    if is_expected && length < HELLO_BYTES_MIN {
        return bytes.get(5).map(|_| true);
    }
    if !fits(6, |b| b == 0) || !fits(9, |b| b == 3) || !fits(10, |b| b <= 4) {
        return Some(false);
    }
    let [_, _, _, _, _, kind, _, high, low, _, _] = <[u8; 11]>::try_from(bytes.get(..11)?).ok()?;
    let message = u32::from(u16::from_be_bytes([high, low])).saturating_add(4);
    let is_whole = message <= u32::from(length);
    Some(length >= HELLO_BYTES_MIN && message >= u32::from(HELLO_BYTES_MIN) && (is_whole || kind == 1))
}

/// Whether a stream begins like a dialogue that can lead to TLS.
fn is_dialogue(bytes: &[u8]) -> bool {
    is_binary_dialogue(bytes) || TEXT_DIALOGUES.iter().any(|start| starts_with_word(bytes, start))
}

fn is_binary_dialogue(bytes: &[u8]) -> bool {
    let is_postgres_server =
        matches!(bytes, [b'S' | b'N'] | [b'S', 21 | 22] | [b'S', 21 | 22, 3, ..] | [b'N', b'S', ..]);
    let is_socks = matches!(bytes, [4, 1, ..] | [5, 0..=9, ..] | [0, 90..=93, ..]);
    let is_ldap = matches!(bytes, [0x30, 5..=0x7f, 2, 1, ..] | [0x30, 0x84, 0, 0, ..]);
    let is_mysql = matches!(bytes, [_, _, 0, 0, 10, ..] | [32, 0, 0, 1, ..]);
    let is_rdp = matches!(bytes, [3, 0, 0, _, _, 0xe0 | 0xd0, ..]);
    is_postgres_server || is_socks || is_ldap || is_mysql || is_rdp || is_postgres(bytes) || bytes.starts_with(PROXY_V2)
}

fn is_postgres(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 0, 8, 4, 210, 22, 47 | 48, ..])
}

fn starts_with_word(bytes: &[u8], word: &str) -> bool {
    bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

impl Preamble {
    /// What bytes before TLS say, of either side.
    fn of(bytes: &[u8]) -> Self {
        let (proxy_host, rest) = proxy(bytes);
        Self { starttls: starttls(rest), proxy_host }
    }

    /// What both sides say together; the client asks, so it counts first.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { starttls: self.starttls.or(other.starttls), proxy_host: self.proxy_host.or(other.proxy_host) }
    }
}

/// The host that proxies were asked for, the last one where several stand in a row, and what follows.
fn proxy(bytes: &[u8]) -> (Option<String>, &[u8]) {
    let (mut host, mut rest) = (None, bytes);
    for _ in 0..PROXIES_MAX {
        let found = connect(rest).or_else(|| socks5(rest)).or_else(|| socks4(rest)).or_else(|| proxy_header(rest));
        let Some((asked, behind)) = found else {
            break;
        };
        host = asked.or(host);
        rest = behind;
    }
    (host, rest)
}

/// `CONNECT host:port HTTP/1.1` and its header lines.
fn connect(bytes: &[u8]) -> Option<(Option<String>, &[u8])> {
    let rest = bytes.strip_prefix(b"CONNECT ")?;
    let target: Vec<u8> = rest.iter().take_while(|byte| **byte > b' ').copied().collect();
    let target = std::str::from_utf8(&target).ok()?;
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    let end = rest.windows(4).position(|four| four == b"\r\n\r\n");
    let behind = end.and_then(|end| rest.get(end.saturating_add(4)..)).unwrap_or_default();
    Some((host_of(host.as_bytes()), behind))
}

/// RFC 1928, with RFC 1929's user name and password.
fn socks5(bytes: &[u8]) -> Option<(Option<String>, &[u8])> {
    let (5, rest) = bytes.split_first()? else {
        return None;
    };
    let (methods, rest) = rest.split_first()?;
    let mut rest = rest.get(usize::from(*methods)..)?;
    if let Some((1, after)) = rest.split_first() {
        let (user, after) = after.split_first()?;
        let (password, after) = after.get(usize::from(*user)..)?.split_first()?;
        rest = after.get(usize::from(*password)..)?;
    }
    let (kind, rest) = rest.strip_prefix(&[5, 1, 0])?.split_first()?;
    let (address, rest) = match kind {
        1 => rest.split_at_checked(4).map(|(it, rest)| (ip(it), rest))?,
        4 => rest.split_at_checked(16).map(|(it, rest)| (ip(it), rest))?,
        3 => {
            let (length, rest) = rest.split_first()?;
            rest.split_at_checked(usize::from(*length)).map(|(it, rest)| (host_of(it), rest))?
        }
        _ => return None,
    };
    Some((address, rest.get(2..)?))
}

/// SOCKS 4, and 4a with a name.
fn socks4(bytes: &[u8]) -> Option<(Option<String>, &[u8])> {
    let (address, rest) = bytes.strip_prefix(&[4, 1])?.get(2..)?.split_at_checked(4)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let rest = rest.get(end.saturating_add(1)..)?;
    if !matches!(address, [0, 0, 0, 1..=255]) {
        return Some((ip(address), rest));
    }
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (name, rest) = rest.split_at_checked(end)?;
    Some((host_of(name), rest.get(1..)?))
}

/// The PROXY protocol names addresses of the connection, no host.
fn proxy_header(bytes: &[u8]) -> Option<(Option<String>, &[u8])> {
    if bytes.starts_with(b"PROXY ") {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        return Some((None, bytes.get(end.saturating_add(1)..)?));
    }
    let rest = bytes.strip_prefix(PROXY_V2)?.get(2..)?;
    let (length, rest) = rest.split_at_checked(2)?;
    let length = u16::from_be_bytes(<[u8; 2]>::try_from(length).ok()?);
    Some((None, rest.get(usize::from(length)..)?))
}

fn ip(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(sixteen).to_string())
}

fn host_of(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(b"[").and_then(|it| it.strip_suffix(b"]")).unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
    (!bytes.is_empty()).then(|| super::extension::escape(bytes))
}

/// The protocol whose words these are.
fn starttls(bytes: &[u8]) -> Option<&'static str> {
    if is_postgres(bytes) || matches!(bytes, [b'S'] | [b'N' | b'G', b'S']) {
        return Some("postgres");
    }
    if matches!(bytes, [_, _, 0, 0, 10, ..] | [32, 0, 0, 1, ..]) {
        return Some("mysql");
    }
    if matches!(bytes, [3, 0, 0, _, _, 0xe0 | 0xd0, ..]) {
        return Some("rdp");
    }
    if matches!(bytes, [0x30, ..]) {
        return Some("ldap");
    }
    let upper = bytes.to_ascii_uppercase();
    let has = |words: &str| upper.windows(words.len()).any(|part| part == words.as_bytes());
    let starts = |words: &[&str]| words.iter().any(|word| upper.starts_with(word.as_bytes()));
    if starts(&["<?XML", "<STREAM"]) && (has("<STARTTLS") || has("<PROCEED")) {
        return Some(if has("JABBER:SERVER") { "xmpp-server" } else { "xmpp" });
    }
    if starts(&["+OK"]) || has("STLS\r\n") || has("STLS\n") {
        return Some("pop3");
    }
    if has("AUTH TLS") || has("AUTH SSL") {
        return Some("ftp");
    }
    if starts(&["* OK", "* PREAUTH"])
        || (has(" STARTTLS\r\n") && !has("EHLO") && !has("LHLO") && !starts(&["220", "250"]))
    {
        return Some("imap");
    }
    if starts(&["LHLO"]) {
        return Some("lmtp");
    }
    if starts(&["EHLO", "HELO", "STARTTLS"]) || (starts(&["220"]) && (has("250") || has("SMTP"))) {
        return Some("smtp");
    }
    starts(&["220", "234"]).then_some("ftp")
}

/// How a response of HTTP/1 begins.
pub const RESPONSE: &[u8] = b"HTTP/1.";
const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Dialogues in which TLS never follows.
const NEVER: &[&[u8]] = &[b"GET ", b"POST ", b"HEAD ", b"PUT ", b"SSH-", b"RTSP/", b"\x13BitTorrent"];
const TEXT_DIALOGUES: &[&str] = &[
    "CONNECT ",
    "HTTP/1.",
    "PROXY ",
    "EHLO ",
    "HELO ",
    "LHLO ",
    "220",
    "+OK",
    "CAPA",
    "STLS",
    "* OK",
    "* PREAUTH",
    "AUTH ",
    "FEAT",
    "USER ",
    "<?xml",
    "<stream",
    "a ",
    "a1 ",
    "a001 ",
    ". ",
    "1 ",
    "STARTTLS",
];
/// Proxies behind proxies, and a CONNECT that is asked again with a password.
const PROXIES_MAX: usize = 8;
/// A hello with nothing in it.
const HELLO_BYTES_MIN: u16 = 42;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::builder::{client_hello, record, server_hello};

    type Row = (&'static str, &'static [u8], &'static [u8], Option<&'static str>, Option<&'static str>);

    /// What both sides say before TLS, and what comes of it.
    const DIALOGUES: &[Row] = &[
        ("smtp", b"EHLO a\r\nSTARTTLS\r\n", b"220 m ESMTP\r\n250-m\r\n250 STARTTLS\r\n220 go\r\n", Some("smtp"), None),
        ("lmtp", b"LHLO a\r\nSTARTTLS\r\n", b"220 m LMTP\r\n250 STARTTLS\r\n220 go\r\n", Some("lmtp"), None),
        ("imap", b"a1 STARTTLS\r\n", b"* OK ready\r\na1 OK begin\r\n", Some("imap"), None),
        ("pop3", b"CAPA\r\nSTLS\r\n", b"+OK ready\r\n+OK\r\nSTLS\r\n.\r\n+OK\r\n", Some("pop3"), None),
        ("ftp", b"AUTH TLS\r\n", b"220 ftp\r\n234 AUTH TLS ok\r\n", Some("ftp"), None),
        (
            "xmpp",
            b"<?xml version='1.0'?><stream:stream to='x'><starttls/>",
            b"<?xml version='1.0'?><stream:stream><proceed/>",
            Some("xmpp"),
            None,
        ),
        ("postgres", b"\0\0\0\x08\x04\xd2\x16\x2f", b"S", Some("postgres"), None),
        ("postgres after GSS", b"\0\0\0\x08\x04\xd2\x16\x30\0\0\0\x08\x04\xd2\x16\x2f", b"NS", Some("postgres"), None),
        (
            "mysql",
            b"\x20\0\0\x01\x85\xae\xff\x00\0\0\0\x01\x21aaaaaaaaaaaaaaaaaaaaaaa",
            b"\x4a\0\0\0\x0a8.0.36\0aaaaaaaaaa",
            Some("mysql"),
            None,
        ),
        (
            "ldap",
            b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0",
            Some("ldap"),
            None,
        ),
        (
            "rdp",
            b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
            b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\0\x08\0\x01\0\0\0",
            Some("rdp"),
            None,
        ),
        (
            "connect",
            b"CONNECT www.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            None,
            Some("www.example.com"),
        ),
        (
            "connect twice",
            b"CONNECT a.example:443 HTTP/1.1\r\n\r\nCONNECT A.example:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n",
            b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            None,
            Some("a.example"),
        ),
        (
            "connect to an address",
            b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n",
            b"HTTP/1.0 200 ok\r\n\r\n",
            None,
            Some("2001:db8::1"),
        ),
        (
            "connect and starttls",
            b"CONNECT m.example:25 HTTP/1.1\r\n\r\nEHLO a\r\nSTARTTLS\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n220 m ESMTP\r\n250 STARTTLS\r\n220 go\r\n",
            Some("smtp"),
            Some("m.example"),
        ),
        ("socks4", b"\x04\x01\x01\xbb\xc6\x33\x64\x07me\0", b"\0\x5a\0\0\0\0\0\0", None, Some("198.51.100.7")),
        (
            "socks4a",
            b"\x04\x01\x01\xbb\0\0\0\x01\0www.example.com\0",
            b"\0\x5a\0\0\0\0\0\0",
            None,
            Some("www.example.com"),
        ),
        (
            "socks5 name",
            b"\x05\x01\0\x05\x01\0\x03\x0fwww.example.com\x01\xbb",
            b"\x05\0\x05\0\0\x01\0\0\0\0\0\0",
            None,
            Some("www.example.com"),
        ),
        (
            "socks5 address",
            b"\x05\x01\0\x05\x01\0\x01\xc6\x33\x64\x07\x01\xbb",
            b"\x05\0\x05\0\0\x01\0\0\0\0\0\0",
            None,
            Some("198.51.100.7"),
        ),
        (
            "socks5 password",
            b"\x05\x02\0\x02\x01\x02me\x03pwd\x05\x01\0\x03\x01x\x01\xbb",
            b"\x05\x02\x01\0\x05\0\0\x01\0\0\0\0\0\0",
            None,
            Some("x"),
        ),
        ("proxy v1", b"PROXY TCP4 192.0.2.1 192.0.2.2 5 443\r\n", b"", None, None),
        ("proxy v2", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x05\x01\xbb", b"", None, None),
    ];

    fn found(parts: &[&[u8]]) -> (Found, Preamble) {
        let mut search = Search::default();
        for part in parts.iter().filter(|part| !part.is_empty()) {
            if let Found::Tls(at) = search.feed(part) {
                return (Found::Tls(at), search.preamble(at));
            }
        }
        (Found::Unknown, Preamble::default())
    }

    #[test]
    fn every_split_of_every_dialogue_leads_to_tls() {
        let hello = record(22, &client_hello("www.example.com", 7, &[]));
        let answer = record(22, &server_hello(0x0303, &[9; 32], &[]));
        for (name, client, server, starttls, proxy_host) in DIALOGUES {
            for (lead, tls) in [(client, &hello), (server, &answer)] {
                let all = [lead, tls.as_slice()].concat();
                for at in 0..all.len() {
                    let (first, second) = all.split_at(at);
                    assert_eq!(found(&[first, second]).0, Found::Tls(lead.len()), "{name} split at {at}");
                }
                let bytes: Vec<&[u8]> = all.chunks(1).collect();
                assert_eq!(found(&bytes).0, Found::Tls(lead.len()), "{name} byte by byte");
            }
            let ask = found(&[client, &hello]).1;
            let both = ask.clone().and(found(&[server, &answer]).1);
            let expected = Preamble { starttls: *starttls, proxy_host: proxy_host.map(str::to_owned) };
            assert_eq!(both, expected, "{name}");
        }
    }

    #[test]
    fn payload_is_no_hello() {
        let hello = record(22, &client_hello("www.example.com", 7, &[]));
        let inside = [b"some payload ".as_slice(), &hello].concat();
        assert_eq!(found(&[&inside]).0, Found::Unknown, "in the middle of a segment of an unknown protocol");
        for at in [0, 5, 9] {
            let mut damaged = hello.clone();
            damaged[at] ^= 0x40;
            assert_eq!(found(&[b"220 m\r\n", &damaged]).0, Found::Unknown, "byte {at}");
        }
        let mut search = Search::default();
        assert_eq!(search.feed(b"GET / HTTP/1.1\r\n"), Found::Nothing);
        let mut search = Search::default();
        let mut last = Found::Unknown;
        for _ in 0..100 {
            last = search.feed(&[0; 1000]);
            if last == Found::Nothing {
                break;
            }
        }
        assert_eq!(last, Found::Nothing, "the search is bounded");
    }

    #[test]
    fn flipped_bytes_never_panic() {
        let hello = record(22, &client_hello("www.example.com", 7, &[]));
        for (_, client, server, ..) in DIALOGUES {
            for lead in [client, server] {
                for at in 0..lead.len() {
                    for bit in [1, 0x80, 0xff] {
                        let mut damaged = [lead, hello.as_slice()].concat();
                        damaged[at] ^= bit;
                        drop(found(&[&damaged]));
                        drop(Preamble::of(&damaged));
                        drop(Preamble::of(&damaged[..at]));
                    }
                }
            }
        }
    }
}
