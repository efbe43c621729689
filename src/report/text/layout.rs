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
        let blank = head.trim_start().find(' ').and_then(|_| head.rfind(' ')).filter(|at| {
            let next = rest.get(at + 1..).and_then(|next| next.split(' ').next()).unwrap_or_default();
            *at > columns / 4 || next.width() <= columns
        });
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

/// A command in rows of so many columns, continued with a backslash where the shell lets it: between
/// words, outside of quotes. A word longer than a row stays whole. What is no command is prose.
pub(super) fn command(text: &str, columns: usize) -> Vec<String> {
    if text.width() <= columns {
        return vec![text.to_owned()];
    }
    let mut rows: Vec<String> = Vec::new();
    let mut quote: Option<char> = None;
    for word in text.split(' ') {
        let is_within = quote.is_some();
        for c in word.chars().filter(|c| matches!(c, '\'' | '"')) {
            quote = match quote {
                None => Some(c),
                Some(open) if open == c => None,
                other => other,
            };
        }
        match rows.last_mut() {
            Some(row) if is_within || row.width() + 1 + word.width() + 2 <= columns => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    if quote.is_some() {
        return wrap(text, columns);
    }
    let last = rows.len().saturating_sub(1);
    for row in rows.iter_mut().take(last) {
        row.push_str(" \\");
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{command, fold};

    #[test]
    fn a_command_in_rows_is_the_same_command() {
        let text = "openssl s_client -connect www.example.com:443 -servername www.example.com </dev/null";
        let rows = command(text, 40);
        assert_eq!(rows.join("\n").replace(" \\\n", " "), text);
        assert!(rows.len() > 2 && rows.iter().all(|row| row.len() <= 40), "{rows:?}");
        assert_eq!(
            command("curl -skI https://h/ | grep -i '^date: or so it goes'", 30).last().unwrap(),
            "-i '^date: or so it goes'"
        );
        assert!(command("the client's own log, or what else there is of it", 30).iter().all(|row| !row.contains('\\')));
    }

    #[test]
    fn a_name_that_fits_in_a_row_is_not_cut() {
        let text = "       CNAME  abc123def4.execute-api.us-east-1.amazonaws.com  TTL 297";
        assert_eq!(fold(text, 57), ["       CNAME  ", "abc123def4.execute-api.us-east-1.amazonaws.com  TTL 297"]);
    }
}
