//! JSON strings that a terminal or a mail program has cut over lines, whole again.
//!
//! A string of JSON holds no line end (RFC 8259 section 7), so one that is open at the end of a line was cut there. It
//! is put together only where it then closes as a string does, before a comma, a colon or a bracket; a document that
//! was cut off stays as it stands. Between strings, lines as wide as a window are put together as well.

use std::collections::BTreeMap;

use super::wrap::{WIDTHS, columns};
use crate::saved::Line;

/// The lines with cut strings made whole; what they were made of goes to the parts.
pub fn rejoin(lines: Vec<Line>, parts: &mut BTreeMap<u32, String>) -> Vec<Line> {
    let mut state = State::default();
    let widest = lines.iter().map(|line| columns(&line.text)).max().unwrap_or(0);
    let mut whole: Vec<Line> = Vec::with_capacity(lines.len());
    let mut rest = lines.into_iter().peekable();
    while let Some(mut line) = rest.next() {
        if !state.is_within && !begins(&line.text) {
            whole.push(line);
            continue;
        }
        state.is_within = true;
        let mut end = state;
        end.read(&line.text);
        let mut joined = 1;
        let mut tail = columns(&line.text);
        while let Some(next) = rest.next_if(|next| {
            joined < JOINED_LINES_MAX && if end.in_string { end.is_cut(&next.text) } else { end.is_full(tail, widest) }
        }) {
            let is_glued = (tail == widest && tail >= STRING_COLUMNS_MIN)
                || (WIDTHS.contains(&tail) && !next.text.starts_with(' '));
            if joined == 1 {
                parts.entry(line.number).or_insert_with(|| line.text.clone());
            }
            parts.insert(next.number, next.text.clone());
            if !is_glued {
                line.text.push(' ');
                end.read(" ");
            }
            tail = columns(&next.text);
            line.text.push_str(&next.text);
            line.last = next.last;
            end.read(&next.text);
            joined += 1;
        }
        // What is open still was cut off, and the text behind it is another.
        state = if end.in_string || end.depth == 0 { State::default() } else { end };
        whole.push(line);
    }
    whole
}

/// Whether a line begins a document.
fn begins(text: &str) -> bool {
    let text = text.trim();
    let rest = text.trim_start_matches(['{', '[']).trim_start();
    rest.len() < text.len() && (rest.is_empty() || (rest.starts_with('"') && rest.contains(':')))
}

/// Where within a document the text stands.
#[derive(Clone, Copy, Default)]
struct State {
    is_within: bool,
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl State {
    fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_string => self.is_escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth = self.depth.saturating_add(1),
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// Whether a line within a document was cut at the width of a window: blanks between tokens mean nothing.
    fn is_full(self, tail: usize, widest: usize) -> bool {
        self.depth > 0 && tail == widest && WIDTHS.contains(&tail)
    }

    /// Whether the string that is open goes on in the next line.
    fn is_cut(self, next: &str) -> bool {
        let mut is_escaped = self.is_escaped;
        let close = next.bytes().position(|byte| match byte {
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            b'\\' => {
                is_escaped = true;
                false
            }
            byte => byte == b'"',
        });
        let Some(close) = close else {
            // A string over many lines fills all of them.
            return !next.trim().is_empty() && columns(next) >= STRING_COLUMNS_MIN;
        };
        let behind = next.get(close.saturating_add(1)..).unwrap_or_default().trim_start();
        behind.is_empty() || behind.starts_with([',', ':', '}', ']'])
    }
}

/// A string that goes on for longer is no certificate but a log.
const JOINED_LINES_MAX: usize = 1024;
/// Shorter lines are not full.
const STRING_COLUMNS_MIN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Vec<String> {
        let lines = (1..).zip(text.lines()).map(|(number, line)| Line::new(number, line.to_owned())).collect();
        rejoin(lines, &mut BTreeMap::new()).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_string_that_closes_on_the_next_line_is_whole() {
        let long = format!("    \"Value\": \"{}.example.com\",", "a".repeat(60));
        let (head, tail) = long.split_at(72);
        let words = "    \"Comment\": \"the alias of the shop\",";
        for (text, expected) in [
            (format!("{{\n{head}\n{tail}\n}}"), vec!["{", &long, "}"]),
            (format!("{{\n{}\n}}", words.replace("of the", "of\nthe")), vec!["{", words, "}"]),
            (format!("{{\n{head}\n$ dig \"x\" A\n}}"), vec!["{", head, "$ dig \"x\" A", "}"]),
            (format!("{{\n{head}\n{words}\n}}"), vec!["{", head, words, "}"]),
            ("* it said \"no\nand \"yes\"".to_owned(), vec!["* it said \"no", "and \"yes\""]),
        ] {
            assert_eq!(joined(&text), expected, "{text}");
        }
    }
}
