//! The server name in the ClientHello that `-msg`, `-debug` and `-trace` print: what was sent, whatever
//! the command line and the version would say.

use crate::evidence::ServerName;
use crate::saved::Line;
use crate::tls::handshake::{self, Message};

/// What the bytes of the first ClientHello say, and the lines they stand on.
pub(super) fn server_name(lines: &[Line]) -> Option<(ServerName, Vec<u32>)> {
    lines.iter().enumerate().find_map(|(at, line)| {
        let rest = lines.get(at + 1..)?;
        let text = line.text.trim_start();
        if text.starts_with(">>> ") && text.contains("ClientHello") {
            return hello(&bytes(rest, message_row));
        }
        if text.starts_with("write to 0x") {
            let (record, numbers) = bytes(rest, dump_row);
            let body = record.get(RECORD_HEADER_BYTES..).unwrap_or_default().to_vec();
            return hello(&(body, numbers));
        }
        if text.starts_with("extension_type=server_name(0)") {
            return extension(&bytes(rest, dump_row));
        }
        None
    })
}

/// The bytes of the rows that follow, and their lines.
fn bytes(lines: &[Line], row: fn(&str) -> Option<Vec<u8>>) -> (Vec<u8>, Vec<u32>) {
    let mut found = (Vec::new(), Vec::new());
    for line in lines.iter().take(ROWS_MAX) {
        let Some(bytes) = row(&line.text) else { break };
        found.0.extend(bytes);
        found.1.push(line.number);
    }
    found
}

/// `    01 00 01 38 03 03 30 45`, as `-msg` prints.
fn message_row(text: &str) -> Option<Vec<u8>> {
    let words: Option<Vec<u8>> = text.split_whitespace().map(octet).collect();
    words.filter(|bytes| !bytes.is_empty() && text.starts_with(' '))
}

/// `0010 - e4 ef b1 71 a0 32 5d 70-08 ca   ...q.2]p..`, as `-debug` and `-trace` print.
fn dump_row(text: &str) -> Option<Vec<u8>> {
    let (offset, rest) = text.trim_start().split_once(" - ")?;
    usize::from_str_radix(offset, 16).ok()?;
    let digits = rest.split("  ").next().unwrap_or_default();
    let bytes: Vec<u8> = digits.split([' ', '-']).map_while(octet).collect();
    (!bytes.is_empty()).then_some(bytes)
}

fn octet(word: &str) -> Option<u8> {
    (word.len() == 2).then(|| u8::from_str_radix(word, 16).ok())?
}

fn hello((bytes, lines): &(Vec<u8>, Vec<u32>)) -> Option<(ServerName, Vec<u32>)> {
    let (1, length) = handshake::header(bytes)? else { return None };
    let whole = bytes.get(..length.checked_add(4)?)?;
    let Message::ClientHello(hello) = handshake::read(1, whole) else { return None };
    Some((hello.sni.map_or(ServerName::No, ServerName::Yes), lines.clone()))
}

/// The body of the extension (RFC 6066 section 3); a server's own is empty.
fn extension((bytes, lines): &(Vec<u8>, Vec<u32>)) -> Option<(ServerName, Vec<u32>)> {
    let [_, _, 0, high, low, name @ ..] = bytes.as_slice() else { return None };
    let name = name.get(..usize::from(u16::from_be_bytes([*high, *low])))?;
    let name = std::str::from_utf8(name).ok().and_then(crate::name::Name::parse)?;
    Some((ServerName::Yes(name.to_string()), lines.clone()))
}

const RECORD_HEADER_BYTES: usize = 5;
/// The rows of the longest ClientHello that s_client sends, and some.
const ROWS_MAX: usize = 1024;
