//! What pasting does to an output, as functions from text to text ([`DAMAGES`]): the facts stay the same,
//! but for their places. Tried on the samples here, and on the examples beside the checkout.

use std::path::PathBuf;

use rayon::prelude::*;
use whycert::evidence::facts;
use whycert::evidence::{Evidence, Reading};
use whycert::saved;

use crate::samples::samples;
use crate::support::root;

/// One kind of damage that loses nothing.
struct Damage {
    name: &'static str,
    /// The damaged bytes; `None` where this text would lose something by it.
    apply: fn(&str) -> Option<Vec<u8>>,
}

const DAMAGES: &[Damage] = &[
    Damage { name: "CRLF", apply: |text| Some(text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()) },
    Damage {
        name: "UTF-8 with a byte order mark",
        apply: |text| Some([b"\xef\xbb\xbf".to_vec(), text.as_bytes().to_vec()].concat()),
    },
    Damage { name: "UTF-16LE", apply: |text| Some(utf16(text, u16::to_le_bytes, &[0xff, 0xfe])) },
    Damage { name: "UTF-16BE", apply: |text| Some(utf16(text, u16::to_be_bytes, &[0xfe, 0xff])) },
    Damage { name: "mail quote", apply: |text| each_line(text, |_, line| format!("> {line}")) },
    Damage { name: "nested mail quote", apply: |text| each_line(text, |_, line| format!(">> {line}")) },
    Damage { name: "cat -n", apply: |text| each_line(text, |at, line| format!("{at:>6}\t{line}")) },
    Damage { name: "grep -n", apply: |text| each_line(text, |at, line| format!("{at}:{line}")) },
    Damage { name: "numbers with a bar", apply: |text| each_line(text, |at, line| format!("{at:>4} | {line}")) },
    Damage {
        name: "journal",
        apply: |text| each_line(text, |at, line| format!("Nov 22 07:01:{:02} ip-10-0-3-100 app[812]: {line}", at % 60)),
    },
    Damage {
        name: "container log",
        apply: |text| each_line(text, |at, line| format!("2026-11-22T07:01:{:02}.123456789Z stdout F {line}", at % 60)),
    },
    Damage {
        name: "Markdown fence",
        apply: |text| Some(format!("See below.\n\n```\n{}\n```\n", text.trim_end()).into_bytes()),
    },
    Damage {
        name: "Jira",
        apply: |text| Some(format!("{{noformat}}\n{}\n{{noformat}}\n", text.trim_end()).into_bytes()),
    },
    Damage { name: "HTML", apply: |text| Some(html(text).into_bytes()) },
    Damage { name: "colours", apply: |text| each_line(text, |_, line| format!("\u{1b}[1m\u{1b}[32m{line}\u{1b}[0m")) },
    Damage { name: "mail quote with blanks, twice", apply: |text| each_line(text, |_, line| format!("> > {line}")) },
    Damage { name: "grep -n of a file", apply: |text| each_line(text, |at, line| format!("ticket.txt:{at}:{line}")) },
    Damage { name: "docker compose", apply: |text| each_line(text, |_, line| format!("web_1  | {line}")) },
    Damage { name: "kubectl logs", apply: |text| each_line(text, |_, line| format!("[pod/web-5d9f/app] {line}")) },
    Damage {
        name: "time in brackets",
        apply: |text| each_line(text, |at, line| format!("[2026-01-02 10:00:{:02}] {line}", at % 60)),
    },
    Damage { name: "clock", apply: |text| each_line(text, |at, line| format!("10:00:{:02} {line}", at % 60)) },
    Damage {
        name: "clock in brackets",
        apply: |text| each_line(text, |at, line| format!("[10:00:{:02}] {line}", at % 60)),
    },
    Damage {
        name: "system log",
        apply: |text| each_line(text, |at, line| format!("Nov  2 07:01:{:02} web-1 app: {line}", at % 60)),
    },
    Damage {
        name: "code marks",
        apply: |text| {
            each_whole_line(text, |_, line| if line.trim().is_empty() { line.to_owned() } else { format!("`{line}`") })
        },
    },
    Damage { name: "indent", apply: |text| each_whole_line(text, |_, line| format!("    {line}")) },
    Damage { name: "tab", apply: |text| each_whole_line(text, |_, line| format!("\t{line}")) },
    Damage { name: "blanks at the end", apply: |text| each_line(text, |_, line| format!("{line}  ")) },
    Damage { name: "blank lines between", apply: |text| each_line(text, |_, line| format!("{line}\n")) },
    Damage { name: "no-break spaces", apply: |text| Some(text.replace(' ', "\u{a0}").into_bytes()) },
    Damage { name: "zero-width spaces", apply: |text| each_line(text, |_, line| format!("\u{200b}{line}\u{200b}")) },
    Damage { name: "smart quotes", apply: |text| Some(smart(text).into_bytes()) },
    Damage { name: "tabs to blanks", apply: without_tabs },
    Damage { name: "HTML mail", apply: |text| Some(html_mail(text).into_bytes()) },
    Damage { name: "links of Outlook", apply: linked },
    Damage { name: "UTF-8 taken for Windows-1252", apply: taken_for_1252 },
    Damage { name: "CR CR LF", apply: |text| Some(text.replace("\r\n", "\n").replace('\n', "\r\r\n").into_bytes()) },
    Damage { name: "wrap at 80", apply: |text| wrapped(text, 80) },
    Damage {
        name: "prose before and after",
        apply: |text| Some(format!("Hello,\nthis is what we see.\n\n{text}\n\nKind regards\nJo\n").into_bytes()),
    },
];

/// Each text has one damage in so many, for every damage to every text takes minutes.
const SHARES: usize = 20;
/// The first of these happen to files of any size.
const FILE_DAMAGES: usize = 3;
/// What is larger is not pasted.
const PASTED_BYTES_MAX: usize = 60_000;

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2], mark: &[u8]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
}

fn each_line(text: &str, change: impl Fn(usize, &str) -> String) -> Option<Vec<u8>> {
    let lines: Vec<&str> = text.lines().collect();
    // What has a meaning for two or three lines only cannot be told from text that merely looks so.
    (lines.len() > 5).then(|| {
        lines.iter().enumerate().map(|(at, line)| change(at + 1, line) + "\n").collect::<String>().into_bytes()
    })
}

/// The same where no line is overwritten: what stands before such a line stands before its first state only.
fn each_whole_line(text: &str, change: impl Fn(usize, &str) -> String) -> Option<Vec<u8>> {
    if text.replace("\r\n", "\n").contains('\r') { None } else { each_line(text, change) }
}

fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!("<html><body>\n<pre>\n{}\n</pre>\n</body></html>\n", escaped.trim_end())
}

/// Escaped, every line broken and every blank kept.
fn html_mail(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "&nbsp;");
    let lines: Vec<&str> = escaped.lines().collect();
    let lines = lines.join("<br>\n");
    format!("<html><body><div>\n{lines}<br>\n</div></body></html>\n")
}

/// Quotes as word processors write them.
fn smart(text: &str) -> String {
    let mut before = ' ';
    let smart = text.chars().map(|c| {
        let is_open = before.is_whitespace() || "([{=:,".contains(before);
        before = c;
        match (c, is_open) {
            ('\'', true) => '\u{2018}',
            ('\'', false) => '\u{2019}',
            ('"', true) => '\u{201c}',
            ('"', false) => '\u{201d}',
            _ => c,
        }
    });
    smart.collect()
}

/// Tabs as the blanks that a terminal shows.
fn without_tabs(text: &str) -> Option<Vec<u8>> {
    let line = |line: &str| {
        line.chars().fold(String::new(), |mut shown, c| {
            match c {
                '\t' => shown.push_str(&" ".repeat(8 - shown.chars().count() % 8)),
                c => shown.push(c),
            }
            shown
        })
    };
    text.contains('\t').then(|| text.lines().map(|it| line(it) + "\n").collect::<String>().into_bytes())
}

/// `https://www.example.com/<https://www.example.com/>`.
fn linked(text: &str) -> Option<Vec<u8>> {
    let link = |word: &str| {
        let is_link =
            (word.starts_with("https://") || word.starts_with("http://")) && !word.contains(['\'', '"', ',', '<']);
        if is_link { format!("{word}<{word}>") } else { word.to_owned() }
    };
    let lines = text.lines().map(|line| line.split(' ').map(link).collect::<Vec<_>>().join(" ") + "\n");
    let linked: String = lines.collect();
    (linked.contains('>') && linked.trim_end() != text.trim_end()).then(|| linked.into_bytes())
}

/// Read in the wrong encoding once, and written in the right one.
fn taken_for_1252(text: &str) -> Option<Vec<u8>> {
    let (taken, _, _) = encoding_rs::WINDOWS_1252.decode(text.as_bytes());
    (taken != text).then(|| taken.into_owned().into_bytes())
}

/// Cut at so many columns, as a terminal's window does. Lost where tabs had a meaning at the cut, and where a
/// line of the text already is exactly as wide.
fn wrapped(text: &str, width: usize) -> Option<Vec<u8>> {
    let fits = text.lines().all(|line| !line.contains('\t') && line.chars().count() != width);
    // A cut within a colour leaves no colour.
    let is_kept = fits && !text.contains(['\r', '\u{1b}']) && text.lines().any(|line| line.chars().count() > width);
    is_kept.then(|| {
        let mut cut = String::new();
        for line in text.lines() {
            let chars: Vec<char> = line.chars().collect();
            if chars.is_empty() {
                cut.push('\n');
            }
            for part in chars.chunks(width) {
                cut.extend(part);
                cut.push('\n');
            }
        }
        cut.into_bytes()
    })
}

/// The facts of a text without their places, one a line.
fn facts_of(path: &str, bytes: &[u8]) -> Vec<String> {
    let reading: Reading = saved::read(path, bytes);
    let written = facts::write(&Evidence::gather(vec![reading]));
    let mut ids: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for line in String::from_utf8(written).unwrap().lines() {
        let mut fact: serde_json::Value = serde_json::from_str(line).unwrap();
        let kind = fact["kind"].as_str().unwrap().to_owned();
        if kind == "source" || kind == "gap" {
            continue;
        }
        fact.as_object_mut().unwrap().remove("at");
        if let Some(id) = fact["local_id"].as_str() {
            ids.push(id.to_owned());
        }
        lines.push(fact.to_string());
    }
    // Local ids hold a line's number, which is a place.
    for line in &mut lines {
        for (number, id) in ids.iter().enumerate().rev() {
            *line = line.replace(&format!("{id}\""), &format!("#{number}\""));
        }
    }
    lines
}

/// How the facts of a text change under each damage.
pub fn differences(path: &str, bytes: &[u8], is_tried: impl Fn(usize, &str) -> bool) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    let expected = facts_of(path, bytes);
    let mut found = Vec::new();
    // Exports go into files and not into mails; their size would make this long.
    let count = if bytes.len() > PASTED_BYTES_MAX { FILE_DAMAGES } else { DAMAGES.len() };
    for (_, damage) in DAMAGES[..count].iter().enumerate().filter(|(number, it)| is_tried(*number, it.name)) {
        let Some(damaged) = (damage.apply)(text) else { continue };
        let facts = facts_of(path, &damaged);
        if facts != expected {
            let first = expected.iter().zip(&facts).find(|(a, b)| a != b);
            let (a, b) = first
                .map_or((format!("{} facts", expected.len()), format!("{} facts", facts.len())), |(a, b)| {
                    (a.chars().take(400).collect(), b.chars().take(400).collect())
                });
            found.push(format!("{path}: {}\n  expected {a}\n  found    {b}", damage.name));
        }
    }
    found
}

/// Samples in which a damage does lose something: path, damage, what is lost.
const LOST: &[(&str, &str, &str)] = &[];

/// The same of examples; `*` stands for any part of the path or of the damage's name.
pub const LOST_OF_EXAMPLES: &[(&str, &str, &str)] = &[
    ("aws/*.table", "wrap at 80", "the columns of a table in a box"),
    ("chromium/stderr.txt", "wrap at 80", "a program's own log, whose lines are wider than the error in it"),
    ("tcpdump/*", "wrap at 80", "packets as lines without a mark at their begin"),
    ("httpie/default.txt", "*mail quote*", "blank lines part the quoted text from the error, which is one line long"),
    ("paste/15_html_entities.txt", "HTML*", "escaped twice"),
    (
        "paste/typescript.script.txt",
        "*",
        "what stands before the codes of the terminal stands before its first row only",
    ),
    ("zeek/*.log", "tabs to blanks", "the columns of a table that tabs part"),
    ("windows/Resolve-DnsName_wrapped_name.txt", "blank lines between", "four lines that stand apart are paragraphs"),
];

/// Whether a pattern with one `*` at most, or one at each end, fits.
fn fits(pattern: &str, text: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    text.starts_with(first) && text.ends_with(last) && parts.iter().all(|part| text.contains(part))
}

/// The differences but those that a damage loses; a row of those that loses nothing is a difference too, where all
/// damages are tried.
pub fn without_lost(mut wrong: Vec<String>, lost: &[(&str, &str, &str)]) -> Vec<String> {
    let mut survives = Vec::new();
    for (path, damage, what) in lost {
        let before = wrong.len();
        wrong.retain(|it| {
            let head = it.lines().next().unwrap_or_default();
            let (of, by) = head.split_once(": ").unwrap_or_default();
            !(fits(path, of) && fits(damage, by))
        });
        if wrong.len() == before && std::env::var("DAMAGES").is_ok_and(|it| it == "all") {
            survives.push(format!("{path} survives {damage}: take it off the list ({what})"));
        }
    }
    wrong.extend(survives);
    wrong
}

/// Which damages the text of this number is tried with: its share, or by `DAMAGES` all of them or those that it names.
pub fn share(nth: usize) -> impl Fn(usize, &str) -> bool {
    let asked = std::env::var("DAMAGES").unwrap_or_default();
    move |damage, name| match asked.as_str() {
        "" => damage % SHARES == nth % SHARES,
        "all" => true,
        asked => asked.split(',').any(|it| it == name),
    }
}

#[test]
fn samples_survive_pasting() {
    let samples = samples();
    let texts: Vec<PathBuf> = samples
        .iter()
        .flat_map(|sample| sample.inputs.iter().map(|name| sample.folder.join(name)))
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .collect();
    let tried = texts.len();
    let wrong = texts.par_iter().enumerate().flat_map_iter(|(nth, path)| {
        let bytes = std::fs::read(root().join(path)).unwrap();
        differences(&path.display().to_string(), &bytes, share(nth))
    });
    let mut wrong: Vec<String> = wrong.collect();
    assert!(tried > 10, "there are transcripts among the samples");
    wrong = without_lost(wrong, LOST);
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
