//! Exports of capturing and logging tools, read record by record: [`Export`], a file each.
//!
//! A file that is one export streams through in bounded memory, whatever its size ([`read`]); the
//! same export within a transcript, behind a prompt or in UTF-16, is read by the same reader
//! ([`Reading`]). Records say on which lines they stand; a line is quoted only when it is short, since
//! a long one holds whatever else the tool logged.

mod ascii;
pub mod flows;
pub mod har;
pub mod lines;
pub mod netlog;
pub mod node;
pub mod splitter;
pub mod suricata;
pub mod tcpdump;
pub mod tshark;
pub mod zeek;

use crate::evidence::{Fact, Reading as Evidence, Source};
use crate::input::{self, Window};
use crate::limits::{LINE_CHARS_MAX, WINDOW_BYTES};
use crate::provenance::{Gap, GapReason, Place, SourceId};
use crate::saved::{Line, Sink};
use splitter::{Descend, Part, Record, Splitter};

/// A format of records.
pub struct Export {
    /// Its id.
    pub id: &'static str,
    /// The tool and its options, for people.
    pub made_by: &'static str,
    /// Whether a text that begins so is one.
    pub opens: fn(&str) -> bool,
    /// How it is cut into records.
    pub cut: Cut,
    /// Its reader, at the begin.
    pub reader: fn() -> Box<dyn Records>,
}

/// How an export is cut into records.
#[derive(Clone, Copy)]
pub enum Cut {
    /// JSON.
    Json(Descend),
    /// A record a line.
    Lines,
}

/// Reads the records of one export, in order.
pub trait Records {
    /// Takes the next record.
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink);
    /// The export is over.
    fn finish(&mut self, sink: &mut Sink);
}

/// A line that a fact stands on, with its text where it can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cite {
    /// The line.
    pub line: u32,
    /// Its text.
    pub quote: Option<String>,
}

impl Sink {
    /// Adds a fact with the lines that say it.
    pub fn observe_cited(&mut self, fact: Fact, cites: impl IntoIterator<Item = Cite>) {
        let mut lines = Vec::new();
        for cite in cites {
            lines.push(cite.line);
            if let Some(quote) = cite.quote {
                self.quotes.entry(cite.line).or_insert(quote);
            }
        }
        self.observe(fact, lines);
    }
}

/// All exports; of several that fit the first counts.
pub static EXPORTS: &[&Export] = &[
    &tshark::JSON,
    &tshark::EK,
    &tshark::pdml::EXPORT,
    &tshark::verbose::EXPORT,
    &netlog::EXPORT,
    &har::EXPORT,
    &suricata::EXPORT,
    &zeek::JSON,
    &zeek::TSV,
    &tcpdump::EXPORT,
];

/// The export that a file begins with; only text in UTF-8 streams.
pub fn detect(head: &[u8]) -> Option<&'static Export> {
    let head = head.get(..HEAD_BYTES_MAX).unwrap_or(head);
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
    };
    let text = text.trim_start();
    EXPORTS.iter().copied().find(|export| (export.opens)(text))
}

/// Reads an export that goes on: the records of a stream, or of the lines of a run.
pub struct Reading {
    records: Box<dyn Records>,
    cut: Cutter,
    too_long: Vec<u32>,
    count: u64,
}

enum Cutter {
    Json(Splitter),
    Lines { rest: Vec<u8>, number: u32, is_over: bool },
}

impl Reading {
    /// A reading at the begin of an export.
    pub fn of(export: &Export) -> Self {
        let cut = match export.cut {
            Cut::Json(descend) => Cutter::Json(Splitter::new(descend)),
            Cut::Lines => Cutter::Lines { rest: Vec::new(), number: 1, is_over: false },
        };
        Self { records: (export.reader)(), cut, too_long: Vec::new(), count: 0 }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut Sink) {
        let Self { records, cut, too_long, count } = self;
        match cut {
            Cutter::Json(splitter) => splitter.feed(bytes, &mut |part| match part {
                Part::Record(record) => {
                    *count = count.saturating_add(1);
                    records.record(&record, sink);
                }
                Part::TooLong(line) => too_long.push(line),
            }),
            Cutter::Lines { rest, number, is_over } => {
                let mut pieces = bytes.split(|byte| *byte == b'\n');
                let last = pieces.next_back().unwrap_or_default();
                for piece in pieces {
                    rest.extend_from_slice(piece);
                    if std::mem::take(is_over) {
                        too_long.push(*number);
                    } else {
                        *count = count.saturating_add(1);
                        one_line(rest, *number, records.as_mut(), sink);
                    }
                    rest.clear();
                    *number = number.saturating_add(1);
                }
                rest.extend_from_slice(last);
                if rest.len() > LINE_CHARS_MAX {
                    *is_over = true;
                    rest.clear();
                }
            }
        }
    }

    /// Takes a line of a decoded text.
    pub fn feed_line(&mut self, number: u32, text: &str, sink: &mut Sink) {
        match &mut self.cut {
            Cutter::Json(splitter) => splitter.at_line(number),
            Cutter::Lines { number: at, .. } => *at = number,
        }
        self.feed(text.as_bytes(), sink);
        self.feed(b"\n", sink);
    }

    /// The export is over.
    pub fn finish(mut self, sink: &mut Sink) {
        let Self { records, cut, too_long, count } = &mut self;
        match cut {
            Cutter::Json(splitter) => {
                let is_cut = splitter.finish(&mut |part| {
                    if let Part::Record(record) = part {
                        records.record(&record, sink);
                    }
                });
                if is_cut {
                    let why = format!("it ends in the middle; the {count} records before are read");
                    sink.gap(splitter.line(), GapReason::Undecoded { what: "JSON".to_owned(), why });
                }
            }
            Cutter::Lines { rest, number, .. } => {
                let rest = std::mem::take(rest);
                one_line(&rest, *number, records.as_mut(), sink);
            }
        }
        if let Some(first) = too_long.first() {
            let what = format!("{} records that are too long, passed over", too_long.len());
            let limit = u64::try_from(crate::limits::RECORD_BYTES_MAX).unwrap_or(u64::MAX);
            sink.gap(*first, GapReason::Limit { what, limit });
        }
        records.finish(sink);
    }

    /// The last line that was read.
    fn lines(&self) -> u32 {
        match &self.cut {
            Cutter::Json(splitter) => splitter.line(),
            Cutter::Lines { number, .. } => *number,
        }
    }
}

fn one_line(bytes: &[u8], number: u32, records: &mut dyn Records, sink: &mut Sink) {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    records.record(&Record::line(text.trim_end_matches('\r'), &[(0, number)]), sink);
}

/// Reads the lines of a run as one export.
pub fn read_lines(export: &Export, lines: &[Line], sink: &mut Sink) {
    let mut reading = Reading::of(export);
    for line in lines {
        reading.feed_line(line.number, &line.text, sink);
    }
    reading.finish(sink);
}

/// Reads a file that is one export; one that breaks off keeps what came before.
pub fn read(path: &str, export: &Export, window: &mut Window, progress: &dyn Fn(u64)) -> Evidence {
    let mut sink = Sink { path: path.to_owned(), ..Sink::default() };
    let mut reading = Reading::of(export);
    let broken = stream(&mut reading, window, &mut sink, progress).err();
    let lines = reading.lines();
    reading.finish(&mut sink);
    let mut evidence = Evidence::of(Source::named(path, "text", window.position()));
    evidence.source.lines = Some(u64::from(lines));
    evidence.observations = sink.observations;
    evidence.gaps = sink.gaps;
    evidence.quotes = sink.quotes;
    let whole = |reason| Gap::new(Place::Whole { source: SourceId(0) }, reason);
    evidence.gaps.extend(broken.map(|error| whole(GapReason::Unreadable(input::reason(&error)))));
    if !evidence.holds_evidence() {
        evidence.gaps.push(whole(GapReason::NoEvidence));
    }
    evidence
}

fn stream(reading: &mut Reading, window: &mut Window, sink: &mut Sink, progress: &dyn Fn(u64)) -> std::io::Result<()> {
    if window.fill(BYTE_ORDER_MARK.len())?.starts_with(BYTE_ORDER_MARK) {
        window.consume(BYTE_ORDER_MARK.len());
    }
    while !window.is_stopped() {
        let bytes = window.fill(WINDOW_BYTES)?;
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        reading.feed(bytes, sink);
        window.consume(length);
        progress(u64::try_from(length).unwrap_or(u64::MAX));
    }
    Ok(())
}

/// What tells an export stands in its first bytes.
const HEAD_BYTES_MAX: usize = 4096;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
