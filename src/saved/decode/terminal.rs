//! What a terminal would have shown: escape sequences (ECMA-48 sections 5.4 and 5.6) obeyed or
//! dropped, backspaces and carriage returns applied, odd blanks and quotes made plain.

use std::iter::Peekable;
use std::str::Chars;

use crate::limits::LINE_CHARS_MAX;
use crate::saved::Line;

/// The lines of a text. A progress meter overwrites its line again and again: each state is a line
/// of the same number.
pub fn lines(text: &str) -> Vec<Line> {
    let is_old_mac = !text.contains('\n') && text.contains('\r');
    let end = if is_old_mac { '\r' } else { '\n' };
    let mut lines = Vec::new();
    for (number, raw) in (1..).zip(text.split(end)) {
        let raw = raw.trim_end_matches('\r');
        if is_plain(raw) {
            lines.push(Line::new(number, raw.to_owned()));
        } else {
            lines.extend(shown(raw).into_iter().map(|text| Line::new(number, text)));
        }
    }
    lines
}

/// Most lines need no work.
fn is_plain(raw: &str) -> bool {
    raw.len() <= LINE_CHARS_MAX && raw.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte))
}

/// The row that a cursor writes.
#[derive(Default)]
struct Row {
    cells: Vec<char>,
    at: usize,
}

impl Row {
    fn put(&mut self, c: char) {
        match self.cells.get_mut(self.at) {
            Some(cell) => *cell = c,
            None => self.cells.push(c),
        }
        self.at = self.at.saturating_add(1).min(self.cells.len());
    }

    fn text(&self) -> String {
        self.cells.iter().collect()
    }
}

/// A raw line as the rows that it showed one after the other, the last one at least.
fn shown(raw: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let mut row = Row::default();
    let mut chars = raw.chars().peekable();
    let mut left = LINE_CHARS_MAX;
    while let Some(c) = chars.next() {
        left = left.saturating_sub(1);
        if left == 0 {
            break;
        }
        match c {
            '\u{1b}' => escape(&mut chars, &mut row),
            '\u{8}' => row.at = row.at.saturating_sub(1),
            '\r' => carriage_return(&mut rows, &mut row, chars.peek().copied()),
            '\u{a0}' | '\u{202f}' | '\u{2007}' | '\u{c}' | '\u{b}' | '\u{2028}' => row.put(' '),
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{7}' | '\u{0}' | '\u{ad}' => {}
            // Word processors keep a name on one line with it; in a name it would be another letter.
            '\u{2010}' | '\u{2011}' => row.put('-'),
            '\u{2018}' | '\u{2019}' => row.put('\''),
            '\u{201c}' | '\u{201d}' => row.put('"'),
            c => row.put(c),
        }
    }
    push(&mut rows, row.text());
    if rows.iter().any(|row| !row.trim().is_empty()) {
        rows.retain(|row| !row.trim().is_empty());
    } else {
        rows.truncate(1);
    }
    rows
}

/// Readline wraps a long command with a blank and a carriage return: the line goes on. Otherwise
/// the row begins anew.
fn carriage_return(rows: &mut Vec<String>, row: &mut Row, next: Option<char>) {
    let is_wrap = row.cells.len() > WRAP_CHARS_MIN
        && row.at == row.cells.len()
        && row.cells.last() == Some(&' ')
        && next.is_some_and(|c| !c.is_whitespace() && c != '\u{1b}')
        && !is_meter(row);
    if is_wrap {
        row.cells.pop();
        row.at = row.cells.len();
        return;
    }
    push(rows, row.text());
    *row = Row::default();
}

/// Adds a row; one that begins as the row before redraws it.
fn push(rows: &mut Vec<String>, text: String) {
    let starts_alike = |last: &String| last.chars().take(4).eq(text.chars().take(4));
    if rows.last().is_some_and(starts_alike) {
        rows.pop();
    }
    rows.push(text);
}

/// The numbers of curl's progress meter.
fn is_meter(row: &Row) -> bool {
    row.cells.iter().all(|c| c.is_ascii_digit() || " -:.kMGT%#".contains(*c))
}

fn escape(chars: &mut Peekable<Chars<'_>>, row: &mut Row) {
    match chars.next() {
        Some('[') => control_sequence(chars, row),
        Some(']' | 'P' | '_' | '^') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    break;
                }
                if c == '\u{1b}' {
                    chars.next();
                    break;
                }
            }
        }
        Some('(' | ')') => {
            chars.next();
        }
        _ => {}
    }
}

/// Cursor movements and erasures within the line; colours and the rest say nothing.
fn control_sequence(chars: &mut Peekable<Chars<'_>>, row: &mut Row) {
    let mut number: Option<usize> = None;
    for c in chars.by_ref() {
        if let Some(digit) = c.to_digit(10).and_then(|digit| usize::try_from(digit).ok()) {
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit).min(LINE_CHARS_MAX));
        } else if ('\u{40}'..='\u{7e}').contains(&c) {
            apply(c, number, row);
            break;
        }
    }
}

fn apply(function: char, number: Option<usize>, row: &mut Row) {
    let count = number.unwrap_or(1).max(1);
    match function {
        'K' if number.unwrap_or(0) == 0 => row.cells.truncate(row.at),
        'K' => *row = Row::default(),
        'D' => row.at = row.at.saturating_sub(count),
        'C' => row.at = row.at.saturating_add(count).min(row.cells.len()),
        'P' => {
            let end = row.at.saturating_add(count).min(row.cells.len());
            row.cells.drain(row.at.min(end)..end);
        }
        _ => {}
    }
}

/// Shorter commands are not wrapped by any terminal.
const WRAP_CHARS_MIN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_leave_no_trace() {
        for (line, expected) in [
            ("\u{1b}[1mserver\u{1b}[0m: x", &["server: x"][..]),
            ("ax\u{8}b", &["ab"]),
            ("10%\r20%\r* Trying", &["10%", "20%", "* Trying"]),
            ("\u{1b}]0;title\u{7}$ dig", &["$ dig"]),
            ("\u{1b}[?2004h$ dig x\u{1b}[?2004l", &["$ dig x"]),
            ("opennssl\u{8}\u{1b}[K\u{8}\u{1b}[K\u{8}\u{1b}[K\u{8}\u{1b}[Kssl x", &["openssl x"]),
            ("$ openssl s_client -connect h -serve \rrname h", &["$ openssl s_client -connect h -servername h"]),
            ("$ di\r$ dig x", &["$ dig x"]),
            ("", &[""]),
            ("a\u{a0}\u{2018}b\u{2019}", &["a 'b'"]),
            ("execute\u{2011}api", &["execute-api"]),
        ] {
            assert_eq!(shown(line), expected, "{line:?}");
        }
    }
}
