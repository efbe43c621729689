//! Rows of text: wrapping, folding, and the ASCII twins of all glyphs.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Prose in rows of so many columns; a word longer than a row is folded before a dot. A number is not parted
/// from its word: `frame 14`, `300 s`.
pub(super) fn wrap(prose: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(16);
    let mut rows: Vec<String> = Vec::new();
    for word in words(prose).iter().flat_map(|word| fold(word, columns)) {
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

/// The words of prose, a number together with the word that it belongs to.
fn words(prose: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in prose.split(' ') {
        let is_digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == ',');
        let is_held = words.last().is_some_and(|last| {
            let last = last.trim_start_matches('(');
            let places = matches!(last, "frame" | "frames" | "line" | "lines");
            let is_unit = word.trim_end_matches([',', ')', '.']) == "s";
            (places && word.starts_with(|c: char| c.is_ascii_digit())) || (is_unit && is_digits(last))
        });
        match words.last_mut().filter(|_| is_held) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => words.push(word.to_owned()),
        }
    }
    words
}

/// Where the first so many columns of a text end, in bytes; after one character at least.
fn end_of(text: &str, columns: usize) -> usize {
    let mut filled = 0;
    for (at, c) in text.char_indices() {
        filled += c.width().unwrap_or(0);
        if filled > columns && at > 0 {
            return at;
        }
    }
    text.len()
}

/// A line in pieces of so many columns: at a blank, else before a dot, else anywhere.
pub(super) fn fold(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.width() > columns {
        let limit = end_of(rest, columns);
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

/// A command that ends in JSON in quotes, in rows: before each option, and within the JSON where JSON lets it,
/// so that it is the same command when it is copied.
pub(super) fn command_of_json(text: &str, columns: usize) -> Vec<String> {
    let Some((options, json)) = text.split_once(" '{").filter(|_| text.width() > columns) else {
        return command(text, columns);
    };
    let mut rows = command(options, columns.saturating_sub(2));
    if let Some(last) = rows.last_mut() {
        last.push_str(" '");
    }
    let mut piece = String::new();
    let mut row = String::from("{");
    let (mut is_in_text, mut is_escaped) = (false, false);
    for c in json.chars() {
        piece.push(c);
        is_in_text ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        if matches!(c, ',' | '{' | '[') && !is_in_text {
            if row.width() + piece.width() > columns {
                rows.push(std::mem::take(&mut row));
            }
            row.push_str(&std::mem::take(&mut piece));
        }
    }
    if row.width() + piece.width() > columns {
        rows.push(std::mem::take(&mut row));
    }
    rows.push(row + &piece);
    rows
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
            '○' => ascii.push('o'),
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
    use unicode_width::UnicodeWidthStr;

    use super::{command, command_of_json, fold, wrap};

    #[test]
    fn a_number_stays_with_its_word() {
        for (prose, columns) in
            [("covers it and more (frame 3)", 25), ("a name that starts with (after 300 s, the TTL)", 34)]
        {
            let rows = wrap(prose, columns);
            assert!(rows.iter().any(|row| row.contains("frame 3") || row.contains("300 s,")), "{rows:?}");
            assert!(rows.iter().all(|row| row.width() <= columns), "{rows:?}");
        }
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let rows = fold(&"漢".repeat(50), 31);
        assert!(rows.iter().all(|row| row.width() <= 31), "{rows:?}");
        assert_eq!(rows.concat(), "漢".repeat(50));
    }

    #[test]
    fn a_command_with_json_in_rows_is_the_same_command() {
        let json = r#"{"Changes":[{"Action":"UPSERT","Name":"a,\"{b.example.com.","TTL":300}]}"#;
        let text = format!("aws route53 change-resource-record-sets --change-batch '{json}'");
        let rows = command_of_json(&text, 40);
        assert!(rows.iter().all(|row| row.width() <= 60) && rows.len() > 4, "{rows:?}");
        let copied = rows.join("\n").replace(" \\\n", " ").replace('\n', "");
        assert_eq!(copied, text);
    }

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
