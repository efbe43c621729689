//! Facts written as NDJSON and read back: the same evidence, whoever wrote it.
//!
//! One object a line, with `kind` and `at`; a place names its source by path, so that the facts of
//! many runs can be put together. A source's line comes before its observations, its gaps last.
//! `diagnose` of facts written with a digest equals `diagnose` of the inputs they came from.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Counts, Evidence, Fact, Observation, Reading, Source};
use crate::escape;
use crate::provenance::{FrameNumber, Gap, GapReason, Place, SourceId};

/// A place as a facts file writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
pub struct PlaceLine {
    /// The path of the source.
    pub source: String,
    /// The frames, for a capture.
    #[serde(default)]
    pub frames: Option<Vec<u64>>,
    /// First and last line, for a text.
    #[serde(default)]
    pub lines: Option<[u32; 2]>,
    /// First and last column, where known.
    #[serde(default)]
    pub columns: Option<[u32; 2]>,
}

/// What begins every line.
#[derive(Serialize)]
struct LineStart<'a> {
    kind: &'static str,
    at: Places<'a>,
}

#[derive(Serialize, Deserialize)]
struct SourceLine {
    #[serde(flatten)]
    source: Source,
    #[serde(default, skip_serializing_if = "is_zero")]
    counts: Counts,
}

#[derive(Serialize, Deserialize)]
struct GapLine {
    reason: String,
}

fn is_zero(counts: &Counts) -> bool {
    *counts == Counts::default()
}

/// Whether a file begins as a facts file does.
pub fn is_facts(head: &[u8]) -> bool {
    head.starts_with(b"{\"kind\":\"")
}

/// Writes all evidence, one line per fact.
pub fn write(evidence: &Evidence) -> Vec<u8> {
    let mut text = Vec::new();
    let paths: Vec<String> = evidence.sources.iter().map(|source| source.path.clone()).collect();
    for (at, source) in evidence.sources.iter().enumerate() {
        let id = SourceId(u32::try_from(at).unwrap_or(u32::MAX));
        let counts = evidence.counts.get(at).copied().unwrap_or_default();
        line(&mut text, "source", &[], &paths, &SourceLine { source: source.clone(), counts });
        for observation in evidence.observations_of(id) {
            write_fact(&mut text, &observation.fact, &observation.at, &paths);
        }
        for gap in evidence.gaps_of(id) {
            line(&mut text, "gap", &gap.at, &paths, &GapLine { reason: gap.reason.to_string() });
        }
    }
    text
}

/// Writes one fact as a line; `paths` are the names of the sources.
pub fn write_fact(text: &mut Vec<u8>, fact: &Fact, at: &[Place], paths: &[String]) {
    match fact {
        Fact::DnsAnswer(it) => line(text, fact.kind(), at, paths, it),
        Fact::TlsHandshake(it) => line(text, fact.kind(), at, paths, it),
        Fact::TlsAlert(it) => line(text, fact.kind(), at, paths, it),
        Fact::Certificate(it) => line(text, fact.kind(), at, paths, it),
        Fact::HttpExchange(it) => line(text, fact.kind(), at, paths, it),
        Fact::Run(it) => line(text, fact.kind(), at, paths, it),
        Fact::Override(it) => line(text, fact.kind(), at, paths, it),
        Fact::ClientVerdict(it) => line(text, fact.kind(), at, paths, it),
        Fact::CloudMapping(it) => line(text, fact.kind(), at, paths, it),
    }
}

/// One object of two, the start of a line and the fact, joined as text: cheaper than a serializer that
/// flattens one into the other.
fn line<T: Serialize>(text: &mut Vec<u8>, kind: &'static str, at: &[Place], paths: &[String], fact: &T) {
    let start = text.len();
    let is_begun = escape::json_line(text, &LineStart { kind, at: Places { at, paths } }).is_ok();
    text.pop();
    let joint = text.len();
    let is_written = is_begun && escape::json_line(text, fact).is_ok();
    match text.get_mut(joint) {
        Some(brace @ b'{') if is_written => *brace = b',',
        _ => return text.truncate(start),
    }
    text.push(b'\n');
}

/// Places with the names of their sources.
struct Places<'a> {
    at: &'a [Place],
    paths: &'a [String],
}

impl Serialize for Places<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.at.iter().map(|place| PlaceOut { place, paths: self.paths }))
    }
}

struct PlaceOut<'a> {
    place: &'a Place,
    paths: &'a [String],
}

impl Serialize for PlaceOut<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = usize::try_from(self.place.source().0).ok().and_then(|at| self.paths.get(at));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("source", source.map_or("", String::as_str))?;
        match self.place {
            Place::Frames { frames, .. } => map.serialize_entry("frames", frames)?,
            Place::Lines { first, last, columns, .. } => {
                map.serialize_entry("lines", &[first, last])?;
                if let Some((from, to)) = columns {
                    map.serialize_entry("columns", &[from, to])?;
                }
            }
            Place::Whole { .. } => {}
        }
        map.end()
    }
}

/// Reads a facts file back, one reading per source that it speaks of. Lines that are no facts are
/// gaps of a source named `name`, the file itself, which otherwise is no source of its own.
pub fn read(name: &str, bytes: &[u8]) -> Vec<Reading> {
    let mut readings: BTreeMap<String, Reading> = BTreeMap::new();
    let mut bad: Vec<Gap> = Vec::new();
    for (number, line) in (1_u32..).zip(bytes.split(|byte| *byte == b'\n')) {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Err(why) = read_line(line, &mut readings) {
            let reason = GapReason::Undecoded { what: "line of facts".to_owned(), why };
            bad.push(Gap::new(Place::on_line(SourceId(0), number), reason));
        }
    }
    let mut all: Vec<Reading> = readings.into_values().collect();
    if !bad.is_empty() {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut own = Reading::of(Source::named(name, "facts", length));
        own.gaps = bad;
        all.push(own);
    }
    all
}

fn read_line(line: &[u8], readings: &mut BTreeMap<String, Reading>) -> Result<(), String> {
    let mut map: Map<String, Value> = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let Some(Value::String(kind)) = map.remove("kind") else { return Err("no kind".to_owned()) };
    let at: Vec<PlaceLine> = decode(map.remove("at").ok_or("no place")?)?;
    if kind == "source" {
        let it: SourceLine = decode(Value::Object(map))?;
        let path = it.source.path.clone();
        let reading = readings.entry(path).or_insert_with(|| Reading::of(it.source.clone()));
        reading.source = it.source;
        reading.counts = it.counts;
        return Ok(());
    }
    let path = at.first().map(|place| place.source.clone()).ok_or("no place")?;
    let reading = readings.entry(path.clone()).or_insert_with(|| Reading::of(Source::named(&path, "unknown", 0)));
    let at = at.into_iter().map(|place| off_paper(place, reading)).collect();
    if kind == "gap" {
        let it: GapLine = decode(Value::Object(map))?;
        reading.gaps.push(Gap { at, reason: GapReason::Recorded(it.reason) });
        return Ok(());
    }
    let fact = read_fact(&kind, Value::Object(map))?;
    reading.observations.push(Observation { at, fact: Box::new(fact) });
    Ok(())
}

fn read_fact(kind: &str, value: Value) -> Result<Fact, String> {
    Ok(match kind {
        "dns.answer" => Fact::DnsAnswer(decode(value)?),
        "tls.handshake" => Fact::TlsHandshake(decode(value)?),
        "tls.alert" => Fact::TlsAlert(decode(value)?),
        "certificate" => Fact::Certificate(decode(value)?),
        "http.exchange" => Fact::HttpExchange(decode(value)?),
        "run" => Fact::Run(decode(value)?),
        "override" => Fact::Override(decode(value)?),
        "client.verdict" => Fact::ClientVerdict(decode(value)?),
        "cloud.mapping" => Fact::CloudMapping(decode(value)?),
        other => return Err(format!("unknown kind {other}")),
    })
}

fn decode<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|e| e.to_string())
}

fn off_paper(place: PlaceLine, reading: &mut Reading) -> Place {
    let source = if place.source == reading.source.path {
        SourceId(0)
    } else {
        let known = reading.others.iter().position(|other| *other == place.source);
        let at = known.unwrap_or_else(|| {
            reading.others.push(place.source);
            reading.others.len().saturating_sub(1)
        });
        SourceId(u32::try_from(at.saturating_add(1)).unwrap_or(0))
    };
    match (place.frames, place.lines) {
        (Some(frames), _) => Place::in_frames(source, frames.into_iter().map(FrameNumber)),
        (None, Some([first, last])) => {
            Place::Lines { source, first, last, columns: place.columns.map(|[from, to]| (from, to)) }
        }
        (None, None) => Place::Whole { source },
    }
}

/// The JSON Schema of one line of a facts file.
pub fn schema() -> Value {
    let mut generator = schemars::SchemaGenerator::default();
    let place = generator.subschema_for::<Vec<PlaceLine>>().to_value();
    let kinds = [
        ("source", generator.subschema_for::<Source>().to_value()),
        ("gap", serde_json::json!({"type":"object","properties":{"reason":{"type":"string"}},"required":["reason"]})),
        ("dns.answer", generator.subschema_for::<crate::dns::Answer>().to_value()),
        ("tls.handshake", generator.subschema_for::<crate::tls::Handshake>().to_value()),
        ("tls.alert", generator.subschema_for::<crate::tls::Alert>().to_value()),
        ("certificate", generator.subschema_for::<crate::x509::Certificate>().to_value()),
        ("http.exchange", generator.subschema_for::<super::HttpExchange>().to_value()),
        ("run", generator.subschema_for::<super::Run>().to_value()),
        ("override", generator.subschema_for::<super::Override>().to_value()),
        ("client.verdict", generator.subschema_for::<super::ClientVerdict>().to_value()),
        ("cloud.mapping", generator.subschema_for::<super::CloudMapping>().to_value()),
    ];
    let one_of: Vec<Value> = kinds
        .into_iter()
        .map(|(kind, fact)| {
            serde_json::json!({
                "type": "object",
                "properties": {"kind": {"const": kind}, "at": place},
                "required": ["kind", "at"],
                "allOf": [fact],
            })
        })
        .collect();
    let definitions = generator.take_definitions(true);
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of whycert facts",
        "oneOf": one_of,
        "$defs": definitions,
    })
}
