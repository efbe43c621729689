//! Facts as CSV (RFC 4180): [`Rows`], a place to write the lines of a facts file to, gives a row for each,
//! while they come.
//!
//! The first columns are what most kinds have in common, the last one holds the whole fact as JSON. Cells
//! are as harmless as those of the report.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::csv::cell;

/// Writes the lines of a facts file as rows.
pub struct Rows<W: Write> {
    writer: ::csv::Writer<W>,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
}

impl<W: Write> Rows<W> {
    /// Begins a table.
    pub fn begin(to: W) -> io::Result<Self> {
        let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(to);
        writer.write_record(COLUMNS).map_err(io_error)?;
        Ok(Self { writer, line: Vec::new() })
    }

    fn row(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        if let Ok(mut fact) = serde_json::from_slice::<Map<String, Value>>(&line) {
            let kind = text(fact.remove("kind").as_ref());
            let (source, place) = place(fact.remove("at").as_ref());
            fact.remove("der");
            let source = if kind == "source" { text(fact.get("path")) } else { source };
            let mut cells: Vec<String> = vec![kind, source, place, text(fact.get("time").and_then(|it| it.get("utc")))];
            cells.extend(["client", "server"].map(|name| text(fact.get(name))));
            cells.push(name(&fact));
            cells.push(says(&fact));
            let mut whole = Vec::new();
            crate::escape::json_line(&mut whole, &fact)?;
            let mut cells: Vec<String> = cells.iter().map(|it| cell(it)).collect();
            cells.push(String::from_utf8(whole).unwrap_or_default());
            self.writer.write_record(&cells).map_err(io_error)?;
        }
        self.line = line;
        self.line.clear();
        Ok(())
    }
}

impl<W: Write> Write for Rows<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.row()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The error of the place behind the table, which has its own kind.
fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A value as a cell: texts as they are, lists with blanks between.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) => all.iter().map(|it| text(Some(it))).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
}

/// The name of the source of the first place, and the places in it: `3 8`, `4-9`.
fn place(at: Option<&Value>) -> (String, String) {
    let all = at.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let source = all.first().map_or_else(String::new, |it| text(it.get("source")));
    let mut numbers: Vec<String> = Vec::new();
    for place in all.iter().filter(|it| text(it.get("source")) == source) {
        let number = |value: &Value| value.as_u64().map(|it| it.to_string());
        let frames = place.get("frames").and_then(Value::as_array).into_iter().flatten();
        numbers.extend(frames.filter_map(number));
        if let Some([first, last]) = place.get("lines").and_then(Value::as_array).map(Vec::as_slice) {
            numbers.push(if first == last {
                text(Some(first))
            } else {
                format!("{}-{}", text(Some(first)), text(Some(last)))
            });
        }
    }
    let more = numbers.len().saturating_sub(PLACES_MAX);
    numbers.truncate(PLACES_MAX);
    if more > 0 {
        numbers.push(format!("and {more} more"));
    }
    (source, numbers.join(" "))
}

/// The name that a fact is about.
fn name(fact: &Map<String, Value>) -> String {
    let asked = fact.get("question").and_then(|it| it.get("name"));
    let presented =
        fact.get("san").and_then(|it| it.get("dns")).filter(|it| it.as_array().is_some_and(|it| !it.is_empty()));
    let own = ["sni", "host", "subject", "owner", "tool"].into_iter().filter_map(|name| fact.get(name));
    text(asked.into_iter().chain(presented).chain(own).find(|it| !it.is_null()))
}

/// What a fact says of it.
fn says(fact: &Map<String, Value>) -> String {
    let records = fact.get("records").and_then(Value::as_array).into_iter().flatten();
    let records: Vec<String> = records
        .filter(|it| it.get("section").and_then(Value::as_str) == Some("answer"))
        .map(|it| format!("{} {}", text(it.get("type")), text(it.get("data"))))
        .collect();
    let field = |name: &str| text(fact.get(name).map(|it| it.get("utc").unwrap_or(it)));
    let own = SAID.iter().map(|name| field(name)).filter(|it| !it.is_empty());
    own.chain((!records.is_empty()).then(|| records.join("; "))).collect::<Vec<_>>().join(" ")
}

/// What is put together in `says`, as far as a kind has it.
const SAID: &[&str] = &[
    "rcode",
    "version",
    "sni_state",
    "chain_state",
    "from",
    "level",
    "description",
    "issuer",
    "not_before",
    "not_after",
    "status",
    "command",
    "by",
    "to",
    "says",
    "words",
    "what",
    "values",
    "alias_target",
    "reason",
    "sha256",
];
const COLUMNS: [&str; 9] = ["kind", "source", "place", "time", "client", "server", "name", "says", "fact"];
/// More places help nobody who reads a table.
const PLACES_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_rows_however_they_are_cut() {
        let lines = concat!(
            r#"{"kind":"source","at":[],"path":"=a.pcap","type":"pcap","bytes":24}"#,
            "\n",
            r#"{"kind":"dns.answer","at":[{"source":"=a.pcap","frames":[3,4]}],"time":{"utc":"2026-11-25T01:43:18Z","zone":"stated"},"rcode":"NOERROR","question":{"name":"+x\u202e.example"},"records":[{"section":"answer","type":"A","data":"192.0.2.1"}]}"#,
            "\n",
        );
        let rows = |step: usize| {
            let mut rows = Rows::begin(Vec::new()).unwrap();
            for part in lines.as_bytes().chunks(step) {
                rows.write_all(part).unwrap();
            }
            rows.flush().unwrap();
            String::from_utf8(rows.writer.into_inner().unwrap()).unwrap()
        };
        let whole = rows(lines.len());
        assert!(
            whole.contains("dns.answer,'=a.pcap,3 4,2026-11-25T01:43:18Z,,,'+x\\u{202e}.example,NOERROR A 192.0.2.1,"),
            "{whole}"
        );
        assert!(whole.contains("source,'=a.pcap,"), "{whole}");
        assert!(!whole.contains('\u{202e}'), "{whole}");
        for step in [1, 7, 100] {
            assert_eq!(rows(step), whole, "{step}");
        }
    }
}
