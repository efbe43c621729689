//! Prefixes that a whole block of lines carries: mail quotes, line numbers, log stamps, bars, the
//! indent of a list. They are taken off; a line keeps its number.
//!
//! A prefix counts only where nearly every line of the block has it. curl's own `> GET` lines look
//! like a mail quote, and an nmap script's bars like a chat's: both keep them.

use std::ops::Range;

use crate::saved::export::tshark::list;
use crate::saved::{Line, runs};

/// How many bytes a prefix takes of a line, and a number that must rise from line to line.
type Taken = (usize, Option<u64>);

/// One way to put something before every line.
struct Prefix {
    /// What it takes of a line.
    take: fn(&str) -> Option<Taken>,
    /// Whether a blank behind it is a part of it, where all lines have one.
    takes_blank: bool,
    /// Lines that a block needs, unless it is the whole text.
    lines_min: usize,
    /// Whether the lines of a block really are prefixed.
    holds: fn(&Block<'_>) -> bool,
}

/// A block of lines that carry a prefix.
struct Block<'l> {
    lines: &'l [Line],
    range: Range<usize>,
    takes: &'l [Option<Taken>],
}

/// Takes off every prefix, the outermost first.
pub fn unwrap(lines: &mut [Line]) {
    for _ in 0..DEPTH_MAX {
        let mut is_changed = false;
        for prefix in PREFIXES {
            is_changed |= strip(lines, prefix);
        }
        if !is_changed {
            break;
        }
    }
    indent(lines);
}

fn strip(lines: &mut [Line], prefix: &Prefix) -> bool {
    let takes: Vec<Option<Taken>> = (0..)
        .zip(lines.iter())
        .map(|(at, line)| if goes_on(lines, at) { None } else { (prefix.take)(&line.text) })
        .collect();
    if takes.iter().all(Option::is_none) {
        return false;
    }
    let mut is_changed = false;
    for range in blocks(lines, &takes) {
        let count = takes.get(range.clone()).unwrap_or_default().iter().flatten().count();
        let is_whole = lines.iter().enumerate().all(|(at, line)| range.contains(&at) || line.text.trim().is_empty());
        let block = Block { lines, range: range.clone(), takes: &takes };
        if (count < prefix.lines_min && !is_whole) || !(prefix.holds)(&block) {
            continue;
        }
        // A blank behind the mark belongs to it where every line has one.
        let blank =
            usize::from(prefix.takes_blank && block.rests().all(|rest| rest.is_empty() || rest.starts_with(' ')));
        for (line, take) in lines.iter_mut().zip(&takes).skip(range.start).take(range.len()) {
            if let Some((bytes, _)) = take {
                line.text = line.text.get(bytes + blank..).unwrap_or_default().to_owned();
                is_changed = true;
            }
        }
    }
    is_changed
}

/// Whether a line is a later state of the one before, which was overwritten: no prefix is put before it.
pub fn goes_on(lines: &[Line], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| lines.get(before));
    before.is_some_and(|before| lines.get(at).is_some_and(|line| line.number == before.number))
}

/// The blocks of lines that carry a prefix. Blank lines, and one line in five that a mail program
/// has wrapped, do not end a block.
fn blocks(lines: &[Line], takes: &[Option<Taken>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<(Range<usize>, usize, usize)> = None;
    for (at, (line, take)) in lines.iter().zip(takes).enumerate() {
        let is_blank = line.text.trim().is_empty() || goes_on(lines, at);
        match (&mut open, take) {
            (Some((range, count, _)), Some(_)) => {
                range.end = at + 1;
                *count += 1;
            }
            (None, Some(_)) => open = Some((at..at + 1, 1, 0)),
            (Some((_, count, missed)), None) if !is_blank => {
                *missed += 1;
                let is_next = takes.get(at + 1).is_some_and(Option::is_some);
                if !is_next || *missed * 5 > *count {
                    found.extend(open.take().map(|it| it.0));
                }
            }
            _ => {}
        }
    }
    found.extend(open.map(|it| it.0));
    found
}

impl Block<'_> {
    fn taken(&self) -> impl Iterator<Item = (&Line, Taken)> {
        let pairs = self.lines.iter().zip(self.takes).skip(self.range.start).take(self.range.len());
        pairs.filter_map(|(line, take)| take.map(|take| (line, take)))
    }

    fn rests(&self) -> impl Iterator<Item = &str> {
        self.taken().map(|(line, (bytes, _))| line.text.get(bytes..).unwrap_or_default())
    }

    /// The line before and the line after.
    fn neighbours(&self) -> impl Iterator<Item = &str> {
        let before = self.range.start.checked_sub(1).and_then(|at| self.lines.get(at));
        before.into_iter().chain(self.lines.get(self.range.end)).map(|line| line.text.as_str())
    }

    /// Whether the numbers before the lines rise by one, but for a few.
    fn counts_up(&self) -> bool {
        let numbers: Vec<u64> = self.taken().filter_map(|(_, (_, number))| number).collect();
        let pairs = numbers.windows(2).count();
        let ups = numbers.windows(2).filter(|pair| matches!(pair, [a, b] if a.checked_add(1) == Some(*b))).count();
        pairs > 0 && ups * 10 >= pairs * 9
    }

    /// Whether the numbers before the lines rise, as those of `grep -n` do.
    fn rises(&self) -> bool {
        let numbers: Vec<u64> = self.taken().filter_map(|(_, (_, number))| number).collect();
        numbers.len() > 1 && numbers.windows(2).all(|pair| matches!(pair, [a, b] if a < b))
    }
}

/// `> `, `>> `, `> > `: one level at a time, unless every line has two.
fn quote(text: &str) -> Option<Taken> {
    let rest = text.strip_prefix('>')?;
    let bytes = if rest.starts_with(' ') { 2 } else { 1 };
    Some((bytes, None))
}

/// curl's requests begin with `>` too: they stand between `*` and `<` lines.
fn is_quoted(block: &Block<'_>) -> bool {
    let is_curl = |line: &str| line.starts_with("* ") || line.starts_with("< ") || line.starts_with("{ [");
    let is_request = |line: &str| line.split_whitespace().nth(2).is_some_and(|word| word.starts_with("HTTP/"));
    let is_within = block.neighbours().any(is_curl);
    let first = block.rests().find(|rest| !rest.trim().is_empty());
    let is_prompts = block.rests().all(|rest| rest.split_whitespace().count() == 1) && block.range.len() < 6;
    !is_within && !first.is_some_and(is_request) && !is_prompts
}

/// `  12\t`, `12: `, `12:`, `12|`, `  12  `.
fn number(text: &str) -> Option<Taken> {
    let bare = text.trim_start_matches(' ');
    let rest = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = bare.get(..bare.len().checked_sub(rest.len())?)?;
    let number = digits.parse().ok().filter(|_| digits.len() <= 7)?;
    let mark = rest.chars().next();
    let behind = match mark {
        None => "",
        Some('\t') => rest.strip_prefix('\t')?,
        Some(':' | '|') => rest.get(1..)?,
        Some('\u{2502}') => rest.trim_start_matches('\u{2502}').trim_start_matches(' '),
        Some(' ') => {
            let rest = rest.strip_prefix(' ')?;
            rest.strip_prefix("| ").unwrap_or(rest)
        }
        Some(_) => return None,
    };
    // The number of a packet is the list's own.
    let next = behind.split_whitespace().next().unwrap_or_default();
    if next.contains(['.', '-']) && list::is_row(behind) {
        return None;
    }
    Some((text.len().checked_sub(behind.len())?, Some(number)))
}

/// `12:` as `grep -n` writes it: rising is enough. The offsets of a dump rise as well.
fn grep_number(text: &str) -> Option<Taken> {
    let (digits, rest) = text.split_once(':')?;
    let is_octet = |word: &str| word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits.starts_with('0') || rest.split_whitespace().take(2).filter(|word| is_octet(word)).count() == 2 {
        return None;
    }
    let number = digits.parse().ok().filter(|_| digits.len() <= 7)?;
    Some((digits.len() + 1, Some(number)))
}

/// `ticket.txt:12:`, and without the number: what `grep` writes before the lines of a named file.
fn grep_file(text: &str) -> Option<Taken> {
    let (name, rest) = text.split_once(':')?;
    let is_file = TEXT_FILES.iter().any(|end| name.ends_with(end)) && !name.contains([' ', '\t', '"']);
    if !is_file {
        return None;
    }
    let digits = rest.split_once(':').map(|(digits, _)| digits).filter(|it| !it.is_empty() && it.len() <= 7);
    let number: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    let taken = number.and(digits).map_or(0, |digits| digits.len() + 1);
    Some((name.len() + 1 + taken, number))
}

/// The stamps of journals, container logs and log files.
fn stamp(text: &str) -> Option<Taken> {
    let rest = compose(text)
        .or_else(|| iso(text))
        .or_else(|| syslog(text))
        .or_else(|| logcat(text))
        .or_else(|| clock(text))?;
    let bytes = text.len().checked_sub(rest.len())?;
    (bytes > 0).then_some((bytes, None))
}

/// `web_1  | ` of docker compose, `[pod/x/y] ` of kubectl.
fn compose(text: &str) -> Option<&str> {
    if let Some((name, rest)) = text.strip_prefix("[pod/").and_then(|rest| rest.split_once("] ")) {
        return (!name.contains(' ')).then_some(rest);
    }
    let (name, rest) = text.split_once('|')?;
    let bare = name.trim_end();
    let is_name = name.len() > bare.len()
        && bare.len() > 2
        && bare.starts_with(|c: char| c.is_ascii_alphabetic())
        && bare.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    is_name.then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

/// `2026-11-22T07:01:00.123Z `, in brackets or not, with the words of container runtimes behind.
fn iso(text: &str) -> Option<&str> {
    let (rest, is_bracketed) = match text.strip_prefix('[') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let rest = rest.get(10..).filter(|_| shape(rest, "0000-00-00") || shape(rest, "0000/00/00"))?;
    let rest = rest.strip_prefix(['T', ' ']).filter(|rest| shape(rest, "00:00:00"))?.get(8..)?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '+' | ':' | 'Z'));
    let rest =
        rest.strip_prefix("-0").map_or(rest, |zone| zone.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':'));
    let rest = if is_bracketed { rest.strip_prefix(']')? } else { rest };
    let rest = match rest.strip_prefix(' ') {
        Some(rest) => rest,
        None if rest.is_empty() => rest,
        None => return None,
    };
    for words in ["stdout F ", "stderr F ", "stdout P ", "stderr P "] {
        if let Some(rest) = rest.strip_prefix(words) {
            return Some(rest);
        }
    }
    Some(syslog_tag(rest).unwrap_or(rest))
}

/// Whether a text begins with digits where the shape has zeros, and with the rest of the shape as it stands.
fn shape(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text.bytes().zip(shape.bytes()).all(|(b, s)| if s == b'0' { b.is_ascii_digit() } else { b == s })
}

/// `07:01:00 `, `[07:01:00.123] `. The lines of tcpdump begin so by themselves, to the microsecond, and
/// those of curl's `--trace-time`.
fn clock(text: &str) -> Option<&str> {
    let (rest, is_bracketed) = match text.strip_prefix('[') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let is_fine = shape(rest, "00:00:00.000000 ");
    let rest = rest.get(8..).filter(|_| shape(rest, "00:00:00"))?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
    let rest = if is_bracketed { rest.strip_prefix(']')? } else { rest };
    if rest.is_empty() {
        return Some(rest);
    }
    let rest = rest.strip_prefix(' ')?;
    let is_own = is_fine && OWN_CLOCKS.iter().any(|start| rest.starts_with(start));
    (!is_own).then_some(rest)
}

/// `Nov 22 07:01:00 host app[812]: `, and without a number of the process.
fn syslog(text: &str) -> Option<&str> {
    let month = text.get(..3).filter(|month| MONTHS.contains(month))?;
    let rest = text.get(month.len()..)?.trim_start();
    let (day, rest) = rest.split_once(' ')?;
    day.parse::<u8>().ok()?;
    let (clock, rest) = rest.trim_start().split_once(' ')?;
    let is_clock = clock.len() >= 8 && clock.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    is_clock.then_some(())?;
    syslog_tag(rest).or_else(|| {
        let (head, rest) = rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|head| (head, "")))?;
        (head.split(' ').count() == 2 && !head.contains(['"', '\'', '='])).then_some(rest)
    })
}

/// `06-20 09:12:44.120 W/System.err( 4012): ` and `06-20 09:12:44.120  4012  4040 W System.err: ` of Android.
fn logcat(text: &str) -> Option<&str> {
    const STAMP: &str = "00-00 00:00:00.000 ";
    let rest = text.get(STAMP.len()..).filter(|_| shape(text, STAMP))?;
    let (head, behind) = rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|head| (head, "")))?;
    let level = head.split(' ').find(|word| !word.is_empty() && word.parse::<u32>().is_err())?;
    let is_level = level.len() == 1 || level.get(1..2) == Some("/");
    (is_level && level.starts_with(['V', 'D', 'I', 'W', 'E', 'F'])).then_some(behind)
}

/// `host app[812]: `.
fn syslog_tag(text: &str) -> Option<&str> {
    let (head, rest) = text.split_once(": ").or_else(|| text.strip_suffix(':').map(|head| (head, "")))?;
    let (host, tag) = head.split_once(' ')?;
    let is_host = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    let is_tag = !tag.contains(' ') && tag.ends_with(']') && tag.contains('[') && !tag.starts_with('[');
    (is_host && is_tag).then_some(rest)
}

/// All lines are of the same file.
fn is_one_file(block: &Block<'_>) -> bool {
    let mut names = block.taken().map(|(line, _)| line.text.split(':').next());
    let first = names.next();
    names.all(|name| Some(name) == first)
}

/// `| ` before every line, as some chats and ticket systems quote.
fn bar(text: &str) -> Option<Taken> {
    let rest = text.strip_prefix(['|', '\u{2502}', '\u{2503}'])?;
    let behind = rest.strip_prefix(' ').unwrap_or(rest);
    text.len().checked_sub(behind.len()).map(|bytes| (bytes, None))
}

/// The bars of nmap's scripts and of tables are their own.
fn is_barred(block: &Block<'_>) -> bool {
    let is_table = block.rests().filter(|rest| rest.trim_end().ends_with('|')).count() * 2 > block.range.len();
    let is_script = block.taken().any(|(line, _)| line.text.starts_with("|_") || line.text.contains("ssl-cert:"));
    !is_table && !is_script
}

/// A block that a list or a code block has moved to the right, from a line that begins an output.
fn indent(lines: &mut [Line]) {
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let width = blanks(&line.text);
        if width < 2 || !begins(line, at.checked_sub(1).and_then(|before| lines.get(before))) {
            at += 1;
            continue;
        }
        let end = lines.iter().skip(at).take_while(|line| blanks(&line.text) >= width || line.text.trim().is_empty());
        let end = at + end.count();
        for line in lines.iter_mut().take(end).skip(at) {
            line.text = line.text.get(width..).unwrap_or_default().to_owned();
        }
        at = end.max(at + 1);
    }
}

fn blanks(text: &str) -> usize {
    text.len().saturating_sub(text.trim_start_matches([' ', '\t']).len())
}

/// Whether an output begins at an indented line: the text before it stands further left.
fn begins(line: &Line, before: Option<&Line>) -> bool {
    let is_apart = before.is_none_or(|before| before.text.trim().is_empty() || blanks(&before.text) == 0);
    is_apart && runs::opens_unindented(&line.text)
}

/// In the order of trying; each level of wrapping runs through them once more.
static PREFIXES: &[Prefix] = &[
    Prefix { take: quote, takes_blank: false, lines_min: 3, holds: is_quoted },
    Prefix { take: stamp, takes_blank: false, lines_min: 3, holds: |_| true },
    Prefix { take: number, takes_blank: true, lines_min: 4, holds: |block| block.counts_up() },
    Prefix { take: grep_number, takes_blank: true, lines_min: 4, holds: |block| block.rises() },
    Prefix { take: grep_file, takes_blank: false, lines_min: 4, holds: is_one_file },
    Prefix { take: bar, takes_blank: false, lines_min: 4, holds: is_barred },
];

/// What follows the clock in lines that begin with one by themselves.
const OWN_CLOCKS: &[&str] = &["IP ", "IP6 ", "ARP", "* ", "== Info", "=> ", "<= ", "> ", "< "];

/// Wrappers within wrappers.
const DEPTH_MAX: usize = 5;
/// The files that people search.
const TEXT_FILES: &[&str] = &[".txt", ".log", ".out", ".md"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let mut lines: Vec<Line> = (1..).zip(text.lines()).map(|(n, line)| Line::new(n, line.to_owned())).collect();
        unwrap(&mut lines);
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_is_the_outputs_own_stays() {
        for own in [
            "* Trying 192.0.2.1:443...\n> GET / HTTP/1.1\n> Host: www.example.com\n> Accept: */*\n> \n< HTTP/1.1 200 OK",
            "| ssl-cert: Subject: commonName=x\n| Not valid before: 2026\n| Issuer: y\n|_Not valid after: 2027",
            "| a | b |\n| c | d |\n| e | f |\n| g | h |",
            " 0 s:CN = x\n   i:CN = y\n 1 s:CN = y\n   i:CN = z",
            "10 mail.example.com.\n20 mail2.example.com.",
            "Default server: 192.0.2.53\n> www.example.com\nServer:\t\t192.0.2.53\n> exit",
        ] {
            assert_eq!(texts(own), own.lines().collect::<Vec<_>>(), "{own}");
        }
    }

    #[test]
    fn android_stamps_are_taken_off() {
        for stamp in ["06-20 09:12:44.120 W/System.err( 4012): ", "06-20 09:12:44.120  4012  4040 W System.err: "] {
            let stamped: Vec<String> = ["a", "  b", "c"].iter().map(|text| format!("{stamp}{text}")).collect();
            assert_eq!(texts(&stamped.join("\n")), ["a", "  b", "c"]);
        }
    }

    #[test]
    fn a_quoted_curl_keeps_its_own_marks() {
        let quoted = "> * Trying 192.0.2.1:443...\n> > GET / HTTP/1.1\n> > Host: x\n> >\n> < HTTP/1.1 200 OK\n> <";
        let expected = ["* Trying 192.0.2.1:443...", "> GET / HTTP/1.1", "> Host: x", ">", "< HTTP/1.1 200 OK", "<"];
        assert_eq!(texts(quoted), expected);
    }
}
