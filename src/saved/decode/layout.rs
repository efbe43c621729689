//! What mail programs, forms and terminals do to the layout of a whole text: a blank line behind every line, an indent
//! before all of them, blanks up to the width of the window.
//!
//! It is undone only where all lines of the text show it; a line keeps its number.

use super::prefix;
use crate::saved::Line;

/// Undoes what was done to all lines.
pub fn restore(lines: &mut Vec<Line>) {
    trim_ends(lines);
    trim_indent(lines);
    drop_blank_lines_between(lines);
}

/// Windows' console pads a copied line with blanks, and some forms end each with a few.
fn trim_ends(lines: &mut [Line]) {
    let full = || lines.iter().filter(|line| !line.text.is_empty());
    let padded = full().filter(|line| line.text.ends_with(' ')).count();
    if padded < PADDED_MIN || padded.saturating_mul(5) < full().count().saturating_mul(4) {
        return;
    }
    for line in lines {
        line.text.truncate(line.text.trim_end().len());
    }
}

/// Blanks or a tab that stand before every line: more than a code block has is an output's own.
fn trim_indent(lines: &mut [Line]) {
    let begins = |at: usize, line: &Line| !prefix::goes_on(lines, at) && !line.text.trim().is_empty();
    let mut full = lines.iter().enumerate().filter(|(at, line)| begins(*at, line)).map(|(_, line)| line.text.as_str());
    let Some(first) = full.next() else { return };
    let blanks = first.len().saturating_sub(first.trim_start_matches([' ', '\t']).len());
    let mut indent = first.get(..blanks).unwrap_or_default();
    for text in full {
        let common = indent.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
        indent = indent.get(..common).unwrap_or_default();
        if indent.is_empty() {
            return;
        }
    }
    let width = if indent.starts_with('\t') { 1 } else { indent.len() };
    if width > INDENT_MAX {
        return;
    }
    let indent = indent.get(..width).unwrap_or_default().to_owned();
    for line in lines {
        if let Some(text) = line.text.strip_prefix(&indent) {
            line.text = text.to_owned();
        } else if line.text.trim().is_empty() {
            line.text.clear();
        }
    }
}

/// A blank line behind every line: of three blank lines one was there before, of a single one none.
fn drop_blank_lines_between(lines: &mut Vec<Line>) {
    let is_blank = |line: &Line| line.text.trim().is_empty();
    let full = lines.iter().filter(|line| !is_blank(line)).count();
    let touching = lines.windows(2).filter(|pair| matches!(pair, [a, b] if !is_blank(a) && !is_blank(b))).count();
    if full < APART_MIN || touching.saturating_mul(20) > full {
        return;
    }
    let mut blanks = 0_usize;
    lines.retain(|line| {
        if !is_blank(line) {
            blanks = 0;
            return true;
        }
        blanks = blanks.saturating_add(1);
        blanks.is_multiple_of(2)
    });
}

/// The blanks before the lines of a code block.
const INDENT_MAX: usize = 4;
/// Fewer lines end with a blank by chance.
const PADDED_MIN: usize = 4;
/// Fewer lines stand apart because they are paragraphs.
const APART_MIN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(text: &str) -> Vec<(u32, String)> {
        let mut lines: Vec<Line> = (1..).zip(text.lines()).map(|(n, line)| Line::new(n, line.to_owned())).collect();
        restore(&mut lines);
        lines.into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn what_all_lines_show_is_undone() {
        let plain = "a\nb\n c\n\nd\ne\nf\ng\nh";
        for damaged in [
            plain.replace('\n', "\n\n"),
            format!("    {}", plain.replace('\n', "\n    ")),
            format!("\t{}", plain.replace('\n', "\n\t")),
            plain.lines().map(|line| format!("{line:<20}")).collect::<Vec<_>>().join("\n"),
        ] {
            let texts: Vec<String> = restored(&damaged).into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts, plain.lines().collect::<Vec<_>>(), "{damaged:?}");
        }
        let numbers: Vec<u32> = restored(&plain.replace('\n', "\n\n")).into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [1, 3, 5, 7, 9, 11, 13, 15, 17], "lines keep their numbers");
    }

    #[test]
    fn what_only_some_show_is_the_texts_own() {
        for own in ["$ dig x\n\n  a\n  b\n", "$ \n> \n* x\n* y\n* z", "a\n\nb\n\nc\n\nd"] {
            let texts: Vec<String> = restored(own).into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts, own.lines().collect::<Vec<_>>(), "{own:?}");
        }
    }
}
