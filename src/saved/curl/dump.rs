//! The bytes that `curl --trace` prints in hexadecimal: header lines made whole again, and the handshake
//! messages among them ([`Messages`]): what was sent as server name, and the certificates as they came.
//!
//! curl prints a message before its library encrypts it and behind its decryption, the Certificate of TLS 1.3
//! included. `--trace-ascii` prints no bytes, only their text.

use super::lines::{Block, dump_of};
use crate::evidence::ServerName;
use crate::saved::Line;
use crate::tls::handshake::{self, Message};

/// One dump: its bytes and, for each row, its line and how many bytes stand before it.
struct Dump {
    block: Block,
    bytes: Vec<u8>,
    rows: Vec<(usize, u32)>,
}

impl Dump {
    /// The line that a byte stands on.
    fn line_of(&self, at: usize) -> u32 {
        let row = self.rows.partition_point(|(begins, _)| *begins <= at);
        row.checked_sub(1).and_then(|row| self.rows.get(row)).map_or(0, |(_, line)| *line)
    }

    fn lines(&self) -> impl Iterator<Item = u32> + '_ {
        self.rows.iter().map(|(_, line)| *line)
    }
}

/// The lines with each dumped header line on one, as `--trace-ascii` prints it: it stands on all the rows that
/// hold its bytes. `None` when there is no dump of a header in hexadecimal.
pub(super) fn unfolded(lines: &[Line]) -> Option<Vec<Line>> {
    let mut unfolded = Vec::new();
    let mut found = false;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        unfolded.push(line.clone());
        let Some(dump) = dump(line, lines.get(at..).unwrap_or_default()) else { continue };
        if matches!(dump.block, Block::Other) {
            continue;
        }
        found = true;
        at += dump.rows.len();
        let mut begins = 0;
        for piece in dump.bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = begins + piece.len();
            unfolded.push(Line {
                number: dump.line_of(begins),
                last: dump.line_of(ends.saturating_sub(1)),
                text: format!("0000: {}", String::from_utf8_lossy(piece).trim_end()),
            });
            begins = ends;
        }
    }
    found.then_some(unfolded)
}

/// What the handshake messages of a trace say.
#[derive(Default)]
pub(super) struct Messages {
    /// The server name that the last ClientHello holds, with its lines.
    pub(super) server_name: Option<(ServerName, Vec<u32>)>,
    /// The certificates that the server sent, the leaf first, with their lines.
    pub(super) chain: Vec<(Vec<u8>, Vec<u32>)>,
}

impl Messages {
    /// Reads the dumps of handshake messages.
    pub(super) fn of(lines: &[Line]) -> Self {
        let mut messages = Self::default();
        for (at, line) in lines.iter().enumerate() {
            let Some(dump) = dump(line, lines.get(at + 1..).unwrap_or_default()) else { continue };
            if matches!(dump.block, Block::Other) {
                messages.take(&dump, line.text.contains("=> Send SSL data"));
            }
        }
        messages
    }

    fn take(&mut self, dump: &Dump, is_sent: bool) {
        let Some((kind, length)) = handshake::header(&dump.bytes) else { return };
        let whole = length.checked_add(handshake::HEADER_BYTES).and_then(|length| dump.bytes.get(..length));
        let Some(whole) = whole else { return };
        match handshake::read(kind, whole) {
            Message::ClientHello(hello) if is_sent => {
                let name = hello.sni.map_or(ServerName::No, ServerName::Yes);
                self.server_name = Some((name, dump.lines().collect()));
                self.chain.clear();
            }
            Message::Certificates(chain) if !is_sent && !chain.is_empty() => {
                let at = |der: Vec<u8>| (lines_of(dump, &der), der);
                self.chain = chain.into_iter().map(at).map(|(lines, der)| (der, lines)).collect();
            }
            _ => {}
        }
    }
}

/// The rows that hold these bytes of a dump; all of them where the bytes came compressed.
fn lines_of(dump: &Dump, part: &[u8]) -> Vec<u32> {
    let at = dump.bytes.windows(part.len().max(1)).position(|window| window == part);
    match at {
        Some(at) => {
            let (first, last) = (dump.line_of(at), dump.line_of(at + part.len().saturating_sub(1)));
            dump.lines().filter(|line| (first..=last).contains(line)).collect()
        }
        None => dump.lines().collect(),
    }
}

/// The dump that a line opens, as far as its rows go on without a gap.
fn dump(line: &Line, rest: &[Line]) -> Option<Dump> {
    let block = dump_of(&line.text)?;
    let (_, size) = line.text.rsplit_once(" bytes (0x")?;
    let size = usize::from_str_radix(size.split(')').next()?, 16).ok()?;
    let mut dump = Dump { block, bytes: Vec::new(), rows: Vec::new() };
    for row in rest {
        let left = size.saturating_sub(dump.bytes.len());
        let Some((offset, octets)) = octets(&row.text, left.min(ROW_BYTES)) else { break };
        if left == 0 || offset != dump.bytes.len() {
            break;
        }
        dump.rows.push((offset, row.number));
        dump.bytes.extend(octets);
    }
    (!dump.bytes.is_empty()).then_some(dump)
}

/// `0010: 08 8a 09 d3 …  ........`: its offset and so many bytes.
fn octets(row: &str, count: usize) -> Option<(usize, Vec<u8>)> {
    let (offset, rest) = row.trim_start().split_once(": ")?;
    let offset = usize::from_str_radix(offset, 16).ok()?;
    let words = rest.split(' ').take(count);
    let octets: Option<Vec<u8>> =
        words.map(|word| (word.len() == 2).then(|| u8::from_str_radix(word, 16).ok())?).collect();
    octets.filter(|octets| octets.len() == count).map(|octets| (offset, octets))
}

/// The bytes of a row.
const ROW_BYTES: usize = 16;
