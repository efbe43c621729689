//! Rows of text: wrapping, folding, and the ASCII twins of all glyphs.

use unicode_width::UnicodeWidthStr;

/// Prose in rows of so many columns; a word longer than a row is folded before a dot.
pub(super) fn wrap(prose: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(16);
    let mut rows: Vec<String> = Vec::new();
    for word in prose.split(' ').flat_map(|word| fold(word, columns)) {
        match rows.last_mut() {
            Some(row) if row.width() + 1 + word.width() <= columns && !row.is_empty() => {
                row.push(' ');
                row.push_str(&word);
            }
            _ => rows.push(word),
        }
    }
    if rows.is_empty() { vec![String::new()] } else { rows }
}

/// A line in pieces of so many columns: at a blank, else before a dot, else anywhere.
pub(super) fn fold(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.width() > columns {
        let limit = rest.char_indices().nth(columns).map_or(rest.len(), |(at, _)| at);
        let head = rest.get(..limit).unwrap_or(rest);
        let blank = head.trim_start().find(' ').and_then(|_| head.rfind(' ')).filter(|at| *at > columns / 4);
        let at = blank.map(|at| at + 1).or_else(|| head.rfind('.').filter(|at| *at > columns / 3)).unwrap_or(limit);
        let (piece, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        pieces.push(piece.to_owned());
        rest = tail;
    }
    pieces.push(rest.to_owned());
    pieces
}

/// The text with ASCII only.
pub(super) fn to_ascii(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut ascii, c| {
        match c {
            '│' => ascii.push('|'),
            '└' => ascii.push('`'),
            '┌' | '─' => ascii.push('-'),
            '→' => ascii.push_str("->"),
            '✗' => ascii.push('x'),
            '✓' => ascii.push('v'),
            '↳' => ascii.push('\\'),
            '·' => ascii.push(','),
            '…' => ascii.push_str("..."),
            c if c.is_ascii() => ascii.push(c),
            c => ascii.push_str(format!("\\u{{{:x}}}", u32::from(c)).as_str()),
        }
        ascii
    })
}
