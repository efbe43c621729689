//! What pasting does to an output, as functions from text to text ([`DAMAGES`]): the facts stay the same,
//! but for their places. Tried on the samples here, and on the examples beside the checkout.

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
    Damage { name: "wrap at 80", apply: wrapped },
    Damage {
        name: "prose before and after",
        apply: |text| Some(format!("Hello,\nthis is what we see.\n\n{text}\n\nKind regards\nJo\n").into_bytes()),
    },
];

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

fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!("<html><body>\n<pre>\n{}\n</pre>\n</body></html>\n", escaped.trim_end())
}

/// Cut at 80 columns, as a terminal's window does. Lost where tabs had a meaning at the cut, and where a
/// line of the text already is exactly as wide.
fn wrapped(text: &str) -> Option<Vec<u8>> {
    let fits = text.lines().all(|line| !line.contains('\t') && line.chars().count() != 80);
    // JSON is exported to files and not to windows, and a cut within a colour leaves no colour.
    let is_kept = fits && !text.trim_start().starts_with(['{', '[']) && !text.contains(['\r', '\u{1b}']);
    is_kept.then(|| {
        let mut cut = String::new();
        for line in text.lines() {
            let chars: Vec<char> = line.chars().collect();
            if chars.is_empty() {
                cut.push('\n');
            }
            for part in chars.chunks(80) {
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
pub fn differences(path: &str, bytes: &[u8], is_tried: impl Fn(usize) -> bool) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    let expected = facts_of(path, bytes);
    let mut found = Vec::new();
    // Exports go into files and not into mails; their size would make this long.
    let count = if bytes.len() > PASTED_BYTES_MAX { FILE_DAMAGES } else { DAMAGES.len() };
    for (_, damage) in DAMAGES[..count].iter().enumerate().filter(|(number, _)| is_tried(*number)) {
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
const LOST: &[(&str, &str, &str)] =
    &[("samples/stage_url_clients/curl_json/ticket.txt", "wrap at 80", "a line of JSON is cut within its strings")];

/// The same of examples.
pub const LOST_OF_EXAMPLES: &[(&str, &str, &str)] = &[
    ("aws/", "wrap at 80", "the columns of a table in a box"),
    ("chromium/stderr.txt", "wrap at 80", "a program's own log, whose lines are wider than the error in it"),
    ("tcpdump/", "wrap at 80", "packets as lines without a mark at their begin"),
    ("httpie/default.txt", "mail quote", "blank lines part the quoted text from the error, which is one line long"),
    ("httpie/default.txt", "nested mail quote", "the same"),
    ("paste/15_html_entities.txt", "HTML", "escaped twice"),
    ("paste/typescript.script.txt", "grep -n", "a prefix before the codes of the terminal is no prefix of its lines"),
    ("paste/typescript.script.txt", "journal", "the same"),
    ("paste/typescript.script.txt", "container log", "the same"),
];

#[test]
fn samples_survive_pasting() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for sample in samples() {
        for name in
            sample.inputs.iter().filter(|name| std::path::Path::new(name).extension().is_some_and(|it| it == "txt"))
        {
            let bytes = std::fs::read(root().join(&sample.folder).join(name)).unwrap();
            wrong.extend(differences(&format!("{}/{name}", sample.folder.display()), &bytes, |_| true));
            tried += 1;
        }
    }
    assert!(tried > 10, "there are transcripts among the samples");
    for (path, damage, what) in LOST {
        let known = wrong.iter().position(|it| it.starts_with(&format!("{path}: {damage}")));
        assert!(known.is_some(), "{path} survives {damage}: take it off the list ({what})");
        wrong.remove(known.unwrap_or_default());
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
