//! JSON documents in a text: where each begins and ends, a cut one mended, and objects whose values
//! know their lines.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::value::RawValue;

use crate::name::Name;
use crate::provenance::Time;
use crate::saved::Line;
use crate::saved::grammar::address;

/// The text of a run, one string, that knows where its lines begin.
pub struct Text {
    whole: String,
    starts: Vec<(usize, u32)>,
}

impl Text {
    /// Joins lines.
    pub fn of(lines: &[Line]) -> Self {
        let mut whole = String::new();
        let mut starts = Vec::new();
        for line in lines {
            starts.push((whole.len(), line.number));
            whole.push_str(&line.text);
            whole.push('\n');
        }
        Self { whole, starts }
    }

    /// The documents in it: from a line that begins with a bracket to where that closes.
    pub fn documents(&self) -> Vec<Document<'_>> {
        let mut documents = Vec::new();
        let mut at = 0;
        while let Some(begin) = self.next_bracket(at) {
            let rest = self.whole.get(begin..).unwrap_or_default();
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
            match stream.next() {
                Some(Ok(_)) => {
                    let end = begin + stream.byte_offset();
                    let text = self.whole.get(begin..end).unwrap_or_default().to_owned();
                    documents.push(Document { text, begin, is_cut: false, of: self });
                    at = end.max(begin + 1);
                }
                Some(Err(error)) if error.is_eof() => {
                    documents.extend(mended(rest).map(|text| Document { text, begin, is_cut: true, of: self }));
                    break;
                }
                _ => at = begin + 1,
            }
        }
        documents
    }

    fn next_bracket(&self, from: usize) -> Option<usize> {
        let lines = self.starts.iter().map(|(start, _)| *start).skip_while(|start| *start < from);
        std::iter::once(from).chain(lines).find(|start| {
            let line = self.whole.get(*start..).unwrap_or_default();
            line.starts_with(['{', '['])
        })
    }

    /// The number of the line that holds an offset.
    fn line_at(&self, offset: usize) -> u32 {
        let after = self.starts.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).and_then(|at| self.starts.get(at)).map_or(1, |(_, number)| *number)
    }
}

/// What is whole of a document that ends in the middle, its brackets closed.
fn mended(text: &str) -> Option<String> {
    let mut open: Vec<char> = Vec::new();
    let mut whole: Option<(usize, Vec<char>)> = None;
    let (mut in_string, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        if in_string {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => in_string = true,
            '{' => open.push('}'),
            '[' => open.push(']'),
            '}' | ']' => {
                open.pop();
                whole = Some((at + 1, open.clone()));
            }
            ',' => whole = Some((at, open.clone())),
            _ => {}
        }
        if open.len() > DEPTH_MAX {
            return None;
        }
    }
    let (end, open) = whole?;
    let closing: String = open.into_iter().rev().collect();
    Some(format!("{}{closing}", text.get(..end)?))
}

/// One JSON document.
pub struct Document<'t> {
    text: String,
    begin: usize,
    /// It ended in the middle; what is here is what came before.
    pub is_cut: bool,
    of: &'t Text,
}

impl Document<'_> {
    /// The lines of a part of this document.
    pub fn lines_of(&self, part: &RawValue) -> RangeInclusive<u32> {
        let offset = part.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let begin = self.begin + offset.min(self.text.len());
        let end = begin + part.get().len().saturating_sub(1);
        self.of.line_at(begin)..=self.of.line_at(end)
    }

    /// The first line of the document.
    pub fn first_line(&self) -> u32 {
        self.of.line_at(self.begin)
    }

    /// The lines of it, each with its number.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        let mut offset = self.begin;
        self.text.split('\n').map(move |line| {
            let number = self.of.line_at(offset);
            offset = offset.saturating_add(line.len()).saturating_add(1);
            (number, line)
        })
    }

    /// The whole value.
    pub fn root(&self) -> Option<&RawValue> {
        serde_json::from_str(&self.text).ok()
    }

    /// The text of it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A JSON object whose values are read when they are asked for; one of another type is none.
pub struct Object<'d>(BTreeMap<String, &'d RawValue>);

impl<'d> Object<'d> {
    /// Reads an object.
    pub fn of(value: &'d RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok().map(Self)
    }

    /// Whether all these keys are there.
    pub fn has(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.0.contains_key(*key))
    }

    /// A value as it stands.
    pub fn value(&self, key: &str) -> Option<&'d RawValue> {
        self.0.get(key).copied()
    }

    /// The values with their keys.
    pub fn values(&self) -> impl Iterator<Item = &'d RawValue> {
        self.0.values().copied()
    }

    /// A string, not empty.
    pub fn text(&self, key: &str) -> Option<String> {
        let text: String = serde_json::from_str(self.0.get(key)?.get()).ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// A host name. Route 53 writes `*` as `\052`.
    pub fn name(&self, key: &str) -> Option<Name> {
        address::host(&self.text(key)?.replace("\\052", "*"))
    }

    /// A boolean.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        serde_json::from_str(self.0.get(key)?.get()).ok()
    }

    /// A number.
    pub fn number<T: serde::de::DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.0.get(key)?.get()).ok()
    }

    /// An object.
    pub fn object(&self, key: &str) -> Option<Object<'d>> {
        Object::of(self.0.get(key)?)
    }

    /// The elements of an array; none where there is no array.
    pub fn list(&self, key: &str) -> Vec<&'d RawValue> {
        self.0.get(key).map(|value| elements(value)).unwrap_or_default()
    }

    /// The strings of an array.
    pub fn texts(&self, key: &str) -> Vec<String> {
        self.list(key).into_iter().filter_map(|value| serde_json::from_str(value.get()).ok()).collect()
    }

    /// A time: seconds since 1970 as version 1 of the AWS CLI prints them, or ISO 8601.
    pub fn time(&self, key: &str) -> Option<Time> {
        let value = self.0.get(key)?;
        if let Ok(seconds) = serde_json::from_str::<f64>(value.get()) {
            let whole: i64 = format!("{:.0}", seconds.floor()).parse().ok()?;
            return Some(Time::stated(whole, 0));
        }
        let text: String = serde_json::from_str(value.get()).ok()?;
        let instant: jiff::Timestamp = text.parse().ok()?;
        Some(Time::stated(instant.as_second(), 0))
    }
}

/// The elements of an array.
pub fn elements(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

const DEPTH_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(whole: &str) -> Text {
        let lines: Vec<Line> =
            (1..).zip(whole.lines()).map(|(number, line)| Line::new(number, line.to_owned())).collect();
        Text::of(&lines)
    }

    #[test]
    fn documents_are_found_among_other_lines() {
        let text = text("$ aws x\n{\n \"a\": 1\n}\nprose {no\n[1,\n2]\n{\"b\":\"}\"}{\"c\":2}\n");
        let found: Vec<(u32, String)> =
            text.documents().iter().map(|it| (it.first_line(), it.text().replace(['\n', ' '], ""))).collect();
        let expected =
            [(2, "{\"a\":1}"), (6, "[1,2]"), (8, "{\"b\":\"}\"}"), (8, "{\"c\":2}")].map(|(n, t)| (n, t.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn what_stands_before_a_cut_is_kept() {
        for (cut, expected) in [
            ("{\"items\":[{\"a\":1},{\"a\":2},{\"a", Some("{\"items\":[{\"a\":1},{\"a\":2}]}")),
            ("{\"a\":\"x\",\"b\":\"y", Some("{\"a\":\"x\"}")),
            ("{\"a\":{\"b\":[1,2", Some("{\"a\":{\"b\":[1]}}")),
            ("{\"a", None),
        ] {
            assert_eq!(mended(cut).as_deref(), expected, "{cut}");
        }
    }

    #[test]
    fn parts_know_their_lines() {
        let text = text("{\n \"a\": [\n  {\"b\": 1},\n  {\n   \"b\": 2}\n ]\n}\n");
        let documents = text.documents();
        let document = documents.first().unwrap();
        let root = Object::of(document.root().unwrap()).unwrap();
        let lines: Vec<_> = root.list("a").into_iter().map(|it| document.lines_of(it)).collect();
        assert_eq!(lines, [3..=3, 4..=5]);
    }
}
