//! Hard wraps undone where the grammar proves them: a record without its data, a distinguished name
//! whose next line is none of the tool's own, a command that goes on, a line cut at the width that
//! no line of the text exceeds.
//!
//! Nothing is joined blindly: a next line that begins something of its own ends the join.

use std::collections::BTreeMap;

use super::markup;
use crate::dns::Section;
use crate::saved::export::tshark::list;
use crate::saved::grammar::rr;
use crate::saved::{Line, command, runs};

/// The lines with wrapped ones made whole; what they were made of goes to the parts.
pub fn rejoin(lines: Vec<Line>, width: Option<usize>, parts: &mut BTreeMap<u32, String>) -> Vec<Line> {
    let mut whole: Vec<Line> = Vec::with_capacity(lines.len());
    let mut open: Option<(usize, usize)> = None;
    for line in lines {
        let (joined, tail) = open.unwrap_or((1, whole.last().map_or(0, |last| columns(&last.text))));
        let text = whole
            .last()
            .filter(|last| joined < JOINED_LINES_MAX && last.last < line.number)
            .and_then(|last| join(&last.text, &line.text, width.is_some_and(|width| width == tail)));
        let (Some(text), Some(last)) = (text, whole.last_mut()) else {
            open = None;
            whole.push(line);
            continue;
        };
        open = Some((joined + 1, columns(&line.text)));
        parts.entry(last.number).or_insert_with(|| last.text.clone());
        last.text = text;
        last.last = line.number;
        parts.insert(line.number, line.text);
    }
    whole
}

/// The width that lines were cut at: no line is wider, and it is one that programs cut at.
pub fn full_width(lines: &[Line]) -> Option<usize> {
    let widest = lines.iter().map(|line| columns(&line.text)).max()?;
    WIDTHS.contains(&widest).then_some(widest)
}

/// How many columns a terminal shows the line in.
pub fn columns(text: &str) -> usize {
    if !text.contains('\t') {
        return text.chars().count();
    }
    text.chars().fold(0, |at: usize, c| if c == '\t' { (at / 8 + 1) * 8 } else { at + 1 })
}

/// The two lines as the one that was wrapped.
fn join(line: &str, next: &str, is_full: bool) -> Option<String> {
    if next.trim().is_empty() || line.trim().is_empty() {
        return None;
    }
    if let Some(text) = continued_command(line, next) {
        return Some(text);
    }
    if let Some(text) = record(line, next, is_full) {
        return Some(text);
    }
    if is_full && list::is_row(line) && !list::is_row(next) && command::find(next).is_none() {
        return Some(format!("{line}{next}"));
    }
    let is_port = next.strip_prefix(':').is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
    let goes_on = is_open_name(line) || (is_full && (is_port || is_wrappable(line)));
    let closes_quote = next.starts_with('"') && line.matches('"').count() % 2 == 1;
    let is_new = if is_full && is_cut_word(line, next) { begins_with_own(next) } else { begins_anew(next) };
    (goes_on && (closes_quote || !is_new)).then(|| glued(line, next, is_full))
}

/// Whether the cut fell within a word: the rest of a sentence can look like another tool's.
fn is_cut_word(line: &str, next: &str) -> bool {
    let word = next.split_whitespace().next().unwrap_or_default();
    line.ends_with(|c: char| c.is_ascii_alphabetic() || c == '\'')
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && !word.contains(['.', '='])
}

/// At a full width the cut fell anywhere; otherwise at a blank, or behind a hyphen.
fn glued(line: &str, next: &str, is_full: bool) -> String {
    let is_hyphen = line.ends_with('-') && !line.ends_with(" -");
    let is_comma = line.ends_with(',') && !next.starts_with(' ');
    if (is_full && !is_comma) || is_hyphen { format!("{line}{next}") } else { format!("{line} {}", next.trim_start()) }
}

/// `openssl s_client \`, and the next line with or without the shell's `> `.
fn continued_command(line: &str, next: &str) -> Option<String> {
    let start = line.trim_end().strip_suffix(['\\', '`', '^'])?;
    command::find(start)?;
    let rest = next.trim_start();
    let rest = rest.strip_prefix(">>").or_else(|| rest.strip_prefix('>')).unwrap_or(rest);
    Some(format!("{} {}", start.trim_end(), rest.trim_start()))
}

/// A record whose data is on the next line, whole or in part.
fn record(line: &str, next: &str, is_full: bool) -> Option<String> {
    if next.starts_with([';', '-', '*', '>', '<'])
        || !line.contains(['.'])
        || rr::record(next, Section::Answer).is_some()
    {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let owner = words.first().filter(|owner| owner.ends_with('.') && !owner.starts_with(';'))?;
    let named = words.iter().skip(1).position(|word| rr::is_kind(word));
    let data = named.map(|at| words.get(at + 2..).unwrap_or_default());
    let is_cut_before = match data {
        None => words.len() < 4 && words.iter().skip(1).all(|word| rr::is_ttl_or_class(word)) && words.len() > 1,
        Some(data) => data.is_empty(),
    };
    let kind = named.and_then(|at| words.get(at + 1)).copied().unwrap_or_default();
    let last = data.and_then(|data| data.last()).copied().unwrap_or_default();
    let is_cut_within = match kind {
        "CNAME" | "DNAME" | "NS" | "PTR" => !last.ends_with('.') && !next.trim().contains(char::is_whitespace),
        "A" | "AAAA" => last.parse::<std::net::IpAddr>().is_err(),
        _ => false,
    };
    let is_fragment = is_full && !next.trim().contains(char::is_whitespace) && !owner.is_empty() && named.is_some();
    if !is_cut_before && !is_cut_within && !is_fragment {
        return None;
    }
    let candidates = [format!("{line}{next}"), format!("{line} {}", next.trim_start())];
    candidates.into_iter().find(|text| is_whole(text))
}

/// Whether a line is a record that nothing is missing of.
fn is_whole(text: &str) -> bool {
    rr::record(text, Section::Answer).is_some_and(|record| {
        let is_name = matches!(record.kind.as_str(), "CNAME" | "DNAME" | "NS" | "PTR");
        !is_name || text.trim_end().ends_with('.')
    })
}

/// A line that carries a distinguished name or a client's words, and is long enough to be wrapped.
fn is_open_name(line: &str) -> bool {
    if columns(line) < OPEN_COLUMNS_MIN {
        return false;
    }
    let text = line.trim_start();
    let numbered = text.split_once(" s:").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
    numbered
        || ["i:", "depth=", "subject=", "issuer=", "curl: ("].iter().any(|start| text.starts_with(start))
        || (text.starts_with("* SSL: no alternative certificate subject name") && text.matches('\'').count() < 2)
}

/// A line of the kind that is too long for terminals: commands, sentences with an open quote, lists of
/// names, verification results.
fn is_wrappable(line: &str) -> bool {
    let is_quoted = |mark: char| line.matches(mark).count() % 2 == 1;
    is_quoted('\'') || is_quoted('"') || LONG.iter().any(|words| line.contains(words)) || command::find(line).is_some()
}

/// Whether a line begins something of its own.
fn begins_anew(line: &str) -> bool {
    begins_with_own(line) || runs::opens(line.trim())
}

/// Whether it begins with what only the begin of a line has.
fn begins_with_own(line: &str) -> bool {
    let text = line.trim();
    line.starts_with("  ")
        || line.starts_with('\t')
        || STARTS.iter().any(|start| text.starts_with(start))
        || text.split_once(" s:").is_some_and(|(number, _)| number.parse::<u8>().is_ok())
        || text.split_whitespace().next().is_some_and(|word| word.parse::<std::net::IpAddr>().is_ok())
        || has_field_name(text)
        || markup::boundary(text).is_some()
        || command::find(text).is_some()
}

/// `Verify return code: 0`, `Server Temp Key: X25519`: words with a capital, a colon and a blank.
fn has_field_name(text: &str) -> bool {
    text.split_once(':').filter(|(_, rest)| rest.starts_with([' ', '\t'])).is_some_and(|(name, _)| {
        name.len() < 40
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'))
    })
}

/// The widths at which terminals and mail programs cut.
pub const WIDTHS: [usize; 9] = [72, 76, 78, 79, 80, 100, 120, 132, 160];
/// Shorter lines are not wrapped by any mail program.
const OPEN_COLUMNS_MIN: usize = 50;
/// A line that is wrapped more often is a certificate's list of names or an attack.
const JOINED_LINES_MAX: usize = 64;

/// What long lines hold.
const LONG: &[&str] = &[
    "DNS:",
    "x509: ",
    "subject",
    "issuer",
    "Issuer",
    "Subject",
    "verify",
    "certificate",
    "Certificate",
    "- Status:",
    ":error:",
    "; <<>>",
    "domain name pointer",
    "is an alias for",
    "has address",
    "Fingerprint",
    "SHA256 ",
    "SNI name",
    "SOA ",
    "->>",
    "Hostname/IP does not match",
    "prove that it",
    "your information from",
    "prove their identity",
    "may be impersonating",
    "server gave HTTP response",
    "SSLError",
    "GnuTLS: ",
    "Connecting to ",
    "Resolving ",
];

/// How lines begin that go on from none.
const STARTS: &[&str] = &[
    ";",
    "*",
    ">",
    "<",
    "{",
    "}",
    "[",
    "]",
    "|",
    "\"",
    "#",
    "i:",
    "a:",
    "v:",
    "depth=",
    "verify ",
    "verify:",
    "subject=",
    "issuer=",
    "notBefore=",
    "notAfter=",
    "serial=",
    "---",
    "CONNECTED(",
    "Certificate chain",
    "No client certificate",
    "DONE",
    "More details",
    "curl",
    "New, ",
    "Reused, ",
    "Verif",
    "SSL handshake",
    "read ",
    "write ",
    "closed",
    "Acceptable",
    "Peer ",
    "Server certificate",
    "Connection",
    "Connecting to",
    "DNS:",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Vec<String> {
        let lines: Vec<Line> =
            (1..).zip(text.lines()).map(|(number, line)| Line::new(number, line.to_owned())).collect();
        let width = full_width(&lines);
        rejoin(lines, width, &mut BTreeMap::new()).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn only_what_was_wrapped_is_joined() {
        let long = "www.example.com.        238     IN      CNAME   abc123.execute-api.us-east-1.amazonaws.com.";
        let name = " 2 s:C = US, ST = Arizona, L = Scottsdale, O = \"Starfield Technologies, Inc.\", CN = Starfield x";
        let (cut_long, cut_name) = (long.split_at(80), name.split_at(80));
        for (text, expected) in [
            (format!("{}\n{}", cut_long.0, cut_long.1), vec![long]),
            (long.replace(".us-", ".us-\n"), vec![long]),
            (long.replace("CNAME   ", "CNAME\n"), vec![&long.replace("CNAME   ", "CNAME ")]),
            (format!("{}\n{}\n   i:CN = y", cut_name.0, cut_name.1), vec![name, "   i:CN = y"]),
            (name.replace("Inc.\", ", "Inc.\",\n"), vec![name]),
            (
                "a.example.com. 60 IN A 192.0.2.1\na.example.com. 60 IN A 192.0.2.2".to_owned(),
                vec!["a.example.com. 60 IN A 192.0.2.1", "a.example.com. 60 IN A 192.0.2.2"],
            ),
            (
                "$ openssl s_client \\\n>  -connect www.example.com:443".to_owned(),
                vec!["$ openssl s_client -connect www.example.com:443"],
            ),
        ] {
            assert_eq!(joined(&text), expected, "{text}");
        }
    }
}
