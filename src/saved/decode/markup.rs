//! Markup around output: HTML entities and tags of web forms, fences of Markdown, Jira and Slack,
//! and the headings that say where the next output comes from ([`boundary`]).

use super::links;
use crate::saved::Line;

/// What ends one output and may name the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// The heading's words.
    pub label: Option<String>,
}

/// Takes markup off lines that carry output, and leaves fences and headings to [`boundary`].
pub fn unwrap(lines: &mut Vec<Line>) {
    let is_html = lines.iter().take(HTML_LINES).any(|line| HTML_SIGNS.iter().any(|sign| line.text.contains(sign)));
    if is_html {
        *lines = lines.iter().flat_map(without_tags).collect();
    }
    let mut marked_before = 0_usize;
    for line in lines {
        if line.text.contains('&') && line.text.contains(';') {
            line.text = without_entities(&line.text);
        }
        if (line.text.contains("```") || line.text.contains('{')) && boundary(&line.text).is_none() {
            line.text = without_inline_fence(&line.text);
        }
        let bare = marked(&line.text).or_else(|| within_marks(&line.text).filter(|_| marked_before >= MARKED_MIN));
        if let Some(bare) = bare {
            line.text = bare.to_owned();
            marked_before = marked_before.saturating_add(1);
        } else if !line.text.trim().is_empty() {
            marked_before = 0;
        }
        if let Some(plain) = links::plain(&line.text) {
            line.text = plain;
        }
    }
}

/// Whether a line is a fence or a heading.
pub fn boundary(text: &str) -> Option<Boundary> {
    let text = text.trim();
    let first = text.bytes().next()?;
    if !matches!(first, b'`' | b'~' | b'{' | b'=' | b'-' | b'#' | b'S' | b'*') {
        return None;
    }
    if is_fence(text) || text.starts_with("Script started on ") || text.starts_with("Script done on ") {
        return Some(Boundary { label: None });
    }
    // curl's `--trace` begins what it says as AsciiDoc begins a heading.
    let label = heading(text).filter(|_| !text.starts_with("== Info: "))?;
    Some(Boundary { label: Some(label.chars().take(LABEL_CHARS_MAX).collect()) })
}

fn is_fence(text: &str) -> bool {
    let bare = text.trim_start_matches(['`', '~']);
    let marks = text.len().saturating_sub(bare.len());
    let is_word = bare.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+'));
    (marks >= 3 && is_word)
        || JIRA.iter().any(|name| {
            let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
            inner == *name || inner.strip_prefix(name).is_some_and(|rest| rest.starts_with(':') && !rest.contains('{'))
        })
}

/// `==> name <==`, `--- from the pod`, `=== laptop ===`, `## laptop`.
fn heading(text: &str) -> Option<String> {
    if let Some(name) = text.strip_prefix("==> ").and_then(|rest| rest.strip_suffix(" <==")) {
        return Some(name.to_owned());
    }
    for (mark, least) in [('-', 3), ('=', 2), ('#', 1), ('*', 3)] {
        let rest = text.trim_start_matches(mark);
        let marks = text.len().saturating_sub(rest.len());
        if marks < least || marks > 20 {
            continue;
        }
        let words = rest.trim_end_matches(mark).trim();
        let is_framed = mark != '*' || rest.ends_with('*');
        let is_apart = is_framed && rest.starts_with(' ') && words.starts_with(char::is_alphanumeric);
        let is_comment = mark == '#' && (marks == 1 || words.len() > LABEL_CHARS_MAX);
        if is_apart && !is_comment && !words.ends_with("ping statistics") {
            return Some(words.trim_end_matches(':').to_owned());
        }
    }
    None
}

/// A whole line in marks of code or of bold type, as people set it line by line.
fn marked(text: &str) -> Option<&str> {
    let text = text.trim_end();
    MARKS.iter().find_map(|(begin, end)| {
        let inner = text.strip_prefix(begin)?.strip_suffix(end)?;
        // GnuTLS and Ruby open their own quotes with the same mark: those stand behind a blank.
        let is_own = |at: usize| inner.get(..at).is_some_and(|before| before.ends_with([' ', '(']));
        let is_one = !inner.trim().is_empty() && inner.match_indices(begin).all(|(at, _)| *begin == "`" && is_own(at));
        (is_one && (*begin != "**" || inner.starts_with(char::is_alphanumeric))).then_some(inner)
    })
}

/// The same where the lines before are marked and nothing within can tell: a dump shows whatever bytes there are.
fn within_marks(text: &str) -> Option<&str> {
    text.trim_end().strip_prefix('`')?.strip_suffix('`')
}

/// A fence on the line of the output itself, as chat programs write it.
fn without_inline_fence(text: &str) -> String {
    let mut bare = text;
    for mark in ["```", "{noformat}", "{code}"] {
        let start = bare.trim_start();
        bare = start.strip_prefix(mark).unwrap_or(bare);
        let end = bare.trim_end();
        bare = end.strip_suffix(mark).unwrap_or(bare);
    }
    bare.to_owned()
}

/// The line without HTML tags; `<br>` and the ends of blocks begin a new line of the same number.
fn without_tags(line: &Line) -> Vec<Line> {
    let mut rows: Vec<String> = vec![String::new()];
    let mut rest = line.text.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        let tag = after.split_once('>').filter(|(tag, _)| is_tag(tag));
        if let Some(row) = rows.last_mut() {
            row.push_str(before);
            if tag.is_none() {
                row.push('<');
            }
        }
        let Some((tag, behind)) = tag else {
            rest = after;
            continue;
        };
        if breaks(tag) && rows.last().is_some_and(|row| !row.trim().is_empty()) {
            rows.push(String::new());
        }
        rest = behind;
    }
    if let Some(row) = rows.last_mut() {
        row.push_str(rest);
    }
    // A break at the end of a line is the end of that line.
    if rows.len() > 1 && rows.last().is_some_and(|row| row.trim().is_empty()) {
        rows.pop();
    }
    rows.into_iter().map(|text| Line { text, ..line.clone() }).collect()
}

fn tag_name(tag: &str) -> &str {
    let tag = tag.trim_start_matches('/');
    tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

fn is_tag(tag: &str) -> bool {
    let name = tag_name(tag);
    TAGS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn breaks(tag: &str) -> bool {
    ["br", "p", "div", "pre", "li", "tr"].iter().any(|known| known.eq_ignore_ascii_case(tag_name(tag)))
}

/// The character references that web forms write (HTML Living Standard section 13.5).
fn without_entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        if let Some((c, behind)) = entity.and_then(|(name, behind)| Some((character(name)?, behind))) {
            plain.push(c);
            rest = behind;
        } else {
            plain.push('&');
            rest = after;
        }
    }
    plain.push_str(rest);
    plain
}

fn character(name: &str) -> Option<char> {
    let code = match name {
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "amp" => return Some('&'),
        "quot" => return Some('"'),
        "apos" | "rsquo" | "lsquo" => return Some('\''),
        "nbsp" => return Some(' '),
        name => name.strip_prefix('#')?,
    };
    let code = match code.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => code.parse().ok()?,
    };
    match char::from_u32(code)? {
        '\u{a0}' => Some(' '),
        '\u{2018}' | '\u{2019}' => Some('\''),
        c if c.is_control() && c != '\t' => None,
        c => Some(c),
    }
}

/// So many lines that are marked for certain say that the next one is too.
const MARKED_MIN: usize = 3;
const MARKS: &[(&str, &str)] = &[("`", "`"), ("{{", "}}"), ("**", "**")];
const JIRA: &[&str] = &["noformat", "code", "quote", "panel"];
const TAGS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "body",
    "br",
    "code",
    "div",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "head",
    "html",
    "i",
    "li",
    "meta",
    "ol",
    "p",
    "pre",
    "samp",
    "span",
    "strong",
    "style",
    "table",
    "tbody",
    "td",
    "th",
    "title",
    "tr",
    "tt",
    "u",
    "ul",
];
const HTML_SIGNS: &[&str] = &["<pre", "<br", "<html", "<div", "<td", "<code>", "<p>", "<blockquote"];
const HTML_LINES: usize = 200;
const LABEL_CHARS_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_name_what_follows() {
        for (text, expected) in [
            ("```", Some(None)),
            ("```console", Some(None)),
            ("{noformat}", Some(None)),
            ("{code:bash}", Some(None)),
            ("==> dig.txt <==", Some(Some("dig.txt"))),
            ("--- from my laptop (works)", Some(Some("from my laptop (works)"))),
            ("=== pod ===", Some(Some("pod"))),
            ("## From the office:", Some(Some("From the office"))),
            ("---", None),
            ("-----BEGIN CERTIFICATE-----", None),
            ("# dig www.example.com", None),
            ("* Server certificate:", None),
            ("== Info: Connected to www.example.com (192.0.2.1) port 443", None),
            ("== laptop", Some(Some("laptop"))),
            ("{", None),
            ("--- www.example.com ping statistics ---", None),
            ("*** dns.google can't find nope.example.com: Non-existent domain", None),
        ] {
            let found = boundary(text);
            let found = found.as_ref().map(|it| it.label.as_deref());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn web_forms_leave_plain_text() {
        for (text, expected) in [
            ("name &#x27;www.example.com&#x27;", &["name 'www.example.com'"][..]),
            ("a &lt; b &amp;&amp; c &unknown; d", &["a < b && c &unknown; d"]),
            ("<pre>$ dig x<br>x. 60 IN A 192.0.2.1</pre>", &["$ dig x", "x. 60 IN A 192.0.2.1"]),
            ("```$ dig x", &["$ dig x"]),
            ("`$ dig x`", &["$ dig x"]),
            ("`- subject `CN=x', issuer `CN=y'`", &["- subject `CN=x', issuer `CN=y'"]),
            ("`dig` and `curl`", &["`dig` and `curl`"]),
            ("{{$ dig x}}", &["$ dig x"]),
            ("**curl: (60) SSL**", &["curl: (60) SSL"]),
            ("*** x ***", &["*** x ***"]),
            ("<br>; <<>> DiG 9.18 <<>> x", &["; <<>> DiG 9.18 <<>> x"]),
        ] {
            let mut lines = vec![Line::new(1, text.to_owned())];
            unwrap(&mut lines);
            let found: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
