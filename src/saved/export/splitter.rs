//! A stream of JSON cut into [`Record`]s: the elements of the lists that a format keeps its data in,
//! one at a time, each with its lines.
//!
//! Nothing but the current element is held, so that a file of any size passes through. Which
//! containers are walked into and which are elements is the format's choice ([`Descend`]); a cut file
//! gives all elements that are whole.

use std::ops::RangeInclusive;

use crate::limits::RECORD_BYTES_MAX;

/// Whether the container at this path is walked into; its values are elements otherwise. The items
/// of a list have the path component `[]`.
pub type Descend = fn(&[String]) -> bool;

/// One element.
pub struct Record<'t> {
    /// Where it stands: the keys from the root.
    pub path: &'t [String],
    /// Its text.
    pub text: &'t str,
    /// Where each of its lines begins in the text, and the line's number.
    lines: &'t [(usize, u32)],
}

impl<'t> Record<'t> {
    /// A record that is one line.
    pub fn line(text: &'t str, lines: &'t [(usize, u32)]) -> Self {
        Self { path: &[], text, lines }
    }

    /// The number of the line that holds an offset.
    pub fn line_at(&self, offset: usize) -> u32 {
        let after = self.lines.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).and_then(|at| self.lines.get(at)).map_or(1, |(_, number)| *number)
    }

    /// The first line.
    pub fn first_line(&self) -> u32 {
        self.line_at(0)
    }

    /// All its lines.
    pub fn all_lines(&self) -> RangeInclusive<u32> {
        self.first_line()..=self.line_at(self.text.len())
    }

    /// The offset of a part of the text.
    pub fn offset_of(&self, part: &str) -> usize {
        part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr()).min(self.text.len())
    }

    /// The text of the line that holds an offset, when it is short enough to be shown.
    pub fn quote_at(&self, offset: usize) -> Option<String> {
        let start = self.text.get(..offset)?.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text.get(start..)?.split('\n').next()?;
        (line.len() <= QUOTE_BYTES_MAX).then(|| line.trim_end_matches('\r').to_owned())
    }
}

/// What a splitter hands out.
pub enum Part<'t> {
    /// An element.
    Record(Record<'t>),
    /// An element, at this line, that is longer than is held.
    TooLong(u32),
}

/// Cuts a stream.
pub struct Splitter {
    descend: Descend,
    path: Vec<String>,
    open: Vec<Container>,
    place: Place,
    key: Vec<u8>,
    element: Vec<u8>,
    lines: Vec<(usize, u32)>,
    line: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    List,
}

#[derive(Clone, Copy)]
enum Place {
    /// Between values of the walked containers.
    Between,
    /// In a key; whether the last byte was a backslash.
    Key(bool),
    /// In an element: how deep, whether in a string, whether the last byte was a backslash.
    Value { depth: usize, in_string: bool, escaped: bool },
    /// In a number or a literal.
    Word,
}

impl Splitter {
    /// A splitter at the begin of a stream.
    pub fn new(descend: Descend) -> Self {
        Self {
            descend,
            path: Vec::new(),
            open: Vec::new(),
            place: Place::Between,
            key: Vec::new(),
            element: Vec::new(),
            lines: Vec::new(),
            line: 1,
        }
    }

    /// The number of the line that comes next, where lines are not counted from 1.
    pub fn at_line(&mut self, number: u32) {
        self.line = number;
    }

    /// Takes the next bytes and hands out the elements that end in them.
    pub fn feed(&mut self, bytes: &[u8], give: &mut dyn FnMut(Part<'_>)) {
        let mut rest = bytes;
        while let Some((byte, tail)) = rest.split_first() {
            match self.place {
                Place::Between => {
                    self.between(*byte);
                    rest = tail;
                }
                Place::Key(escaped) => {
                    self.in_key(*byte, escaped);
                    rest = tail;
                }
                Place::Word if matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') => self.end(give),
                Place::Word => {
                    self.element.push(*byte);
                    rest = tail;
                }
                Place::Value { .. } => {
                    let taken = self.in_value(rest);
                    rest = rest.get(taken..).unwrap_or_default();
                    if matches!(self.place, Place::Value { depth: 0, in_string: false, .. }) {
                        self.end(give);
                    }
                }
            }
        }
    }

    /// The stream is over: whether it ended within a container or an element.
    pub fn finish(&mut self, give: &mut dyn FnMut(Part<'_>)) -> bool {
        if matches!(self.place, Place::Word) && self.open.is_empty() {
            self.end(give);
        }
        !self.open.is_empty() || !matches!(self.place, Place::Between)
    }

    /// The line that is being read.
    pub fn line(&self) -> u32 {
        self.line
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'\n' => self.line = self.line.saturating_add(1),
            b' ' | b'\t' | b'\r' | b',' | b':' => {}
            b'}' | b']' => {
                self.open.pop();
                self.path.truncate(self.open.len().saturating_sub(1));
            }
            b'"' if self.expects_key() => {
                self.key.clear();
                self.place = Place::Key(false);
            }
            _ => self.begin(byte),
        }
    }

    /// Whether a string is a key here: in an object whose current key has had its value.
    fn expects_key(&self) -> bool {
        self.open.last() == Some(&Container::Object) && self.path.len() < self.open.len()
    }

    fn in_key(&mut self, byte: u8, escaped: bool) {
        match byte {
            b'"' if !escaped => {
                self.path.push(String::from_utf8_lossy(&self.key).into_owned());
                self.place = Place::Between;
                return;
            }
            b'\n' => self.line = self.line.saturating_add(1),
            _ => {}
        }
        if self.key.len() < KEY_BYTES_MAX {
            self.key.push(byte);
        }
        self.place = Place::Key(byte == b'\\' && !escaped);
    }

    fn begin(&mut self, byte: u8) {
        if self.open.last() == Some(&Container::List) && self.path.len() < self.open.len() {
            self.path.push("[]".to_owned());
        }
        let container = match byte {
            b'{' => Some(Container::Object),
            b'[' => Some(Container::List),
            _ => None,
        };
        if let Some(container) = container.filter(|_| self.open.len() < DEPTH_MAX && (self.descend)(&self.path)) {
            self.open.push(container);
            return;
        }
        self.element.clear();
        self.lines.clear();
        self.lines.push((0, self.line));
        self.element.push(byte);
        self.place = match byte {
            b'{' | b'[' => Place::Value { depth: 1, in_string: false, escaped: false },
            b'"' => Place::Value { depth: 0, in_string: true, escaped: false },
            _ => Place::Word,
        };
    }

    /// Reads on in an element: how many bytes belong to it.
    fn in_value(&mut self, bytes: &[u8]) -> usize {
        let Place::Value { mut depth, mut in_string, mut escaped } = self.place else { return 0 };
        let mut taken = 0_usize;
        let before = self.element.len();
        for byte in bytes {
            taken = taken.saturating_add(1);
            match byte {
                b'\n' => {
                    self.line = self.line.saturating_add(1);
                    self.lines.push((before.saturating_add(taken), self.line));
                    escaped = false;
                }
                _ if in_string && escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth = depth.saturating_add(1),
                b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && !in_string {
                break;
            }
        }
        if self.element.len() <= RECORD_BYTES_MAX {
            self.element.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        } else {
            self.lines.truncate(1);
        }
        self.place = Place::Value { depth, in_string, escaped };
        taken
    }

    fn end(&mut self, give: &mut dyn FnMut(Part<'_>)) {
        self.place = Place::Between;
        let first = self.lines.first().map_or(1, |(_, line)| *line);
        if self.element.len() > RECORD_BYTES_MAX {
            give(Part::TooLong(first));
            self.element = Vec::new();
        } else {
            let text = String::from_utf8_lossy(&self.element);
            give(Part::Record(Record { path: &self.path, text: &text, lines: &self.lines }));
        }
        if !self.path.is_empty() && self.path.len() >= self.open.len() {
            self.path.pop();
        }
    }
}

/// Containers that a format walks into lie near the root.
const DEPTH_MAX: usize = 8;
/// A key of those containers.
const KEY_BYTES_MAX: usize = 1024;
/// A line that is longer is drawn from its fact and never quoted: it can hold anything.
const QUOTE_BYTES_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, descend: Descend, step: usize) -> (Vec<(String, String, u32)>, bool) {
        let mut splitter = Splitter::new(descend);
        let mut found = Vec::new();
        let mut give = |part: Part<'_>| {
            if let Part::Record(it) = part {
                found.push((it.path.join("/"), it.text.to_owned(), it.first_line()));
            }
        };
        for chunk in text.as_bytes().chunks(step) {
            splitter.feed(chunk, &mut give);
        }
        let is_cut = splitter.finish(&mut give);
        (found, is_cut)
    }

    #[test]
    fn elements_come_one_by_one_whatever_the_chunks() {
        let netlog: Descend = |path| path.is_empty() || path == ["events"];
        let list: Descend = |path| path.is_empty();
        let lines: Descend = |_| false;
        for (text, descend, expected, is_cut) in [
            (
                "{\"constants\":{\"a\":[1]},\n\"events\": [\n{\"x\":\"}]\\\"\"},\n{\"y\":2}],\"z\":7}",
                netlog,
                "constants={\"a\":[1]}@1 events/[]={\"x\":\"}]\\\"\"}@3 events/[]={\"y\":2}@4 z=7@4",
                false,
            ),
            ("[\n {\"a\":1},\n {\"b\":\n2}\n]", list, "[]={\"a\":1}@2 []={\"b\":\n2}@3", false),
            ("[{\"a\":1},{\"b\":", list, "[]={\"a\":1}@1", true),
            ("{\"a\":1}\n{\"b\":2}\n", lines, "={\"a\":1}@1 ={\"b\":2}@2", false),
            ("[]", list, "", false),
            ("]]}{\"a\":{}}", lines, "={\"a\":{}}@1", false),
        ] {
            for step in [1, 2, 3, 7, 1000] {
                let (found, cut) = split(text, descend, step);
                let found: Vec<String> =
                    found.into_iter().map(|(path, text, line)| format!("{path}={text}@{line}")).collect();
                assert_eq!((found.join(" ").as_str(), cut), (expected, is_cut), "{text} in steps of {step}");
            }
        }
    }
}
