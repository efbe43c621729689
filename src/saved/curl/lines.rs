//! The lines of curl's own telling: what it says (`* `), what it sent (`> `), what it received (`< `),
//! whatever `--trace`, `--trace-time` or the progress meter puts around them.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::combinator::opt;
use nom::sequence::{delimited, terminated};

use crate::saved::Line;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// curl says it.
    Info(&'t str),
    /// A line of the request.
    Sent(&'t str),
    /// A line of the response's header.
    Received(&'t str),
    /// `curl: (60) …`: its exit code and words.
    Error(&'t str, &'t str),
}

/// A line with what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told<'t> {
    /// Its number.
    pub(super) number: u32,
    /// What it is.
    pub(super) kind: Kind<'t>,
}

/// The header that a dump or an unmarked block shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// Neither.
    None,
    /// The request's header.
    Sent,
    /// The response's header.
    Received,
    /// A body, or bytes of TLS.
    Other,
}

/// The telling lines of an output. `has_bare_headers`: `-i` or `-I` print the response's header
/// without marks.
pub(super) fn told(lines: &[Line], has_bare_headers: bool) -> Vec<Told<'_>> {
    let mut told = Vec::new();
    let mut block = Block::None;
    for line in lines {
        let text = line.text.as_str();
        let kind = match marked(text) {
            Some(kind) => {
                block = if matches!(kind, Kind::Sent(_)) { Block::Sent } else { Block::None };
                Some(kind)
            }
            None => match dump_of(text) {
                Some(opened) => {
                    block = opened;
                    None
                }
                None => in_block(text, &mut block, has_bare_headers),
            },
        };
        told.extend(kind.map(|kind| Told { number: line.number, kind }));
    }
    told
}

fn in_block<'t>(text: &'t str, block: &mut Block, has_bare_headers: bool) -> Option<Kind<'t>> {
    let content = dumped(text);
    match *block {
        Block::Received => Some(Kind::Received(content.unwrap_or(text).trim_end())),
        Block::Sent if text.trim().is_empty() => {
            *block = Block::None;
            None
        }
        Block::Sent => Some(Kind::Sent(content.unwrap_or(text).trim_end())),
        Block::None if has_bare_headers && text.starts_with("HTTP/") => {
            *block = Block::Received;
            Some(Kind::Received(text.trim_end()))
        }
        Block::None | Block::Other => None,
    }
}

/// `=> Send header, 80 bytes (0x50)` opens a dump.
pub(super) fn dump_of(text: &str) -> Option<Block> {
    let body = unstamped(text);
    let is_dump = (body.starts_with("=> ") || body.starts_with("<= ")) && body.contains(" bytes (0x");
    is_dump.then(|| match body {
        _ if body.starts_with("=> Send header") => Block::Sent,
        _ if body.starts_with("<= Recv header") => Block::Received,
        _ => Block::Other,
    })
}

/// `0000: GET / HTTP/1.1` of `--trace-ascii`; of `--trace`, the text behind the bytes in hexadecimal.
fn dumped(text: &str) -> Option<&str> {
    let (offset, rest) = text.split_once(": ").or_else(|| text.split_once(':'))?;
    let is_offset = offset.len() >= 4 && offset.chars().all(|c| c.is_ascii_hexdigit());
    let is_hexadecimal = |rest: &str| {
        let bytes = rest.get(..HEXADECIMAL_COLUMNS).unwrap_or(rest);
        let mut words = bytes.split(' ').filter(|word| !word.is_empty()).peekable();
        words.peek().is_some() && words.all(|word| word.len() == 2 && word.chars().all(|c| c.is_ascii_hexdigit()))
    };
    let text_behind = rest.get(HEXADECIMAL_COLUMNS..).filter(|_| is_hexadecimal(rest));
    is_offset.then(|| text_behind.unwrap_or(rest))
}

fn marked(text: &str) -> Option<Kind<'_>> {
    if let Some((code, _)) = text.trim_start().strip_prefix("curl: (").and_then(|rest| rest.split_once(')')) {
        return code.parse::<u8>().is_ok().then_some(Kind::Error(code, text.trim()));
    }
    if let Some(code) = exit_code(text) {
        return Some(Kind::Error(code, text.trim()));
    }
    let body = unstamped(text);
    if let Some(info) = body.strip_prefix("* ").or_else(|| body.strip_prefix("== Info: ")) {
        return Some(Kind::Info(info.trim()));
    }
    if let Some(sent) = body.strip_prefix("> ") {
        return Some(Kind::Sent(sent.trim_end()));
    }
    if let Some(received) = body.strip_prefix("< ") {
        return Some(Kind::Received(received.trim_end()));
    }
    ["* ", "== Info: "].iter().find_map(|mark| {
        let (before, info) = text.split_once(mark)?;
        let is_meter = before.chars().all(|c| c.is_ascii_digit() || " :-.kMGT\t".contains(c));
        (is_meter && before.len() > METER_CHARS_MIN).then(|| Kind::Info(info.trim()))
    })
}

/// What another program says of a curl that it ran: `The process '/usr/bin/curl' failed with exit code 60`. Only the
/// codes of TLS are told apart.
fn exit_code(text: &str) -> Option<&str> {
    let (before, rest) = EXITS.iter().find_map(|words| text.split_once(words))?;
    let code = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    (before.contains("curl") && TLS_CODES.contains(&code)).then_some(code)
}

const EXITS: &[&str] = &["exit code ", "exit code: ", "exit status ", "exited with code "];
/// CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION of old and of today.
const TLS_CODES: &[&str] = &["35", "51", "60"];

/// A line without `07:01:23.864790 ` of `--trace-time` and `[0-0] ` of `--trace-ids`.
fn unstamped(text: &str) -> &str {
    let digits = |text| take_while_m_n::<_, _, nom::error::Error<&str>>(2, 2, |c: char| c.is_ascii_digit()).parse(text);
    let fraction = take_while1(|c: char| c.is_ascii_digit());
    let clock = (digits, tag(":"), digits, tag(":"), digits, tag("."), fraction, tag(" "));
    let ids = take_while1(|c: char| c.is_ascii_digit() || "-x".contains(c));
    let ids = terminated(delimited(tag("["), ids, tag("]")), alt((tag(" "), tag(""))));
    match (opt(clock), opt(ids)).parse(text) {
        Ok((rest, _)) => rest,
        Err(_) => text,
    }
}

/// Sixteen bytes in hexadecimal and the blanks between them.
const HEXADECIMAL_COLUMNS: usize = 48;
/// A progress meter before a mark is longer than an indent.
const METER_CHARS_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_whatever_stands_before_them() {
        for (line, expected) in [
            ("*   Trying 192.0.2.1:443...", Some(Kind::Info("Trying 192.0.2.1:443..."))),
            ("07:01:23.864790 * Connected", Some(Kind::Info("Connected"))),
            ("07:21:49.587349 [0-0] * Host x:443 was resolved.", Some(Kind::Info("Host x:443 was resolved."))),
            ("07:01:23.830085 == Info: Connected", Some(Kind::Info("Connected"))),
            ("  0   0 --:--:-- --:--:--     0*   Trying 192.0.2.1...", Some(Kind::Info("Trying 192.0.2.1..."))),
            ("* \t subject: CN=x", Some(Kind::Info("subject: CN=x"))),
            ("> Host: x", Some(Kind::Sent("Host: x"))),
            ("curl: (60) SSL: x", Some(Kind::Error("60", "curl: (60) SSL: x"))),
            ("/usr/bin/curl: exit code 60", Some(Kind::Error("60", "/usr/bin/curl: exit code 60"))),
            ("curl: exit code 6", None),
            ("a list: * item", None),
        ] {
            assert_eq!(marked(line), expected, "{line}");
        }
    }

    #[test]
    fn dumps_give_their_text() {
        for (line, expected) in [
            ("0000: GET / HTTP/1.1", Some("GET / HTTP/1.1")),
            ("0000: 47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a GET / HTTP/1.1..", Some("GET / HTTP/1.1..")),
            ("no dump: at all", None),
        ] {
            assert_eq!(dumped(line), expected, "{line}");
        }
    }
}
