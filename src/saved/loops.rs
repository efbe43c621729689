//! Shell loops in a command line ([`Loop`]): which command each round ran, and which lines of the output
//! begin a round ([`Rounds`]).
//!
//! The shell fills in the loop's variable, so the line shows `$ip` and no address. A round's value is known where
//! an `echo` before the command prints it, or where the output falls into exactly as many pieces as the loop has
//! values; else it stays unknown. Loops within loops, and values that the shell makes, are not followed.

use std::borrow::Cow;

use super::command::{self, Prompted};
use super::grammar::address;
use super::{Line, SavedFormat};

/// A loop of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    variable: String,
    /// The values, where they stand in the line.
    values: Option<Vec<String>>,
    heading: Option<Heading>,
}

/// What an `echo` prints before each round's command, cut where the variable stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Heading {
    parts: Vec<String>,
    ends_line: bool,
}

impl Loop {
    /// The loop that these words of a command line are: `for ip in a b ; do … ; done`, `while read ip ; do … ; done`.
    pub fn of(words: &[String]) -> Option<Self> {
        let mut statements = words.split(|word| matches!(word.as_str(), ";" | "&&" | "||"));
        let (variable, values) = match statements.next()? {
            [first, variable, of, values @ ..] if first == "for" && of == "in" => (variable, literal(values)),
            [first, read, options @ .., variable]
                if first == "while" && read == "read" && options.iter().all(|word| word.starts_with('-')) =>
            {
                (variable, None)
            }
            _ => return None,
        };
        let mut heading = None;
        let mut is_before = true;
        for (nth, statement) in statements.filter(|statement| !statement.is_empty()).enumerate() {
            let statement = match (nth, statement) {
                (0, [first, rest @ ..]) if first == "do" => rest,
                (0, _) => return None,
                (_, [first, ..]) if first == "done" => {
                    return Some(Self { variable: variable.clone(), values, heading });
                }
                (_, statement) => statement,
            };
            if statement.first().is_some_and(|word| matches!(word.as_str(), "for" | "while" | "until")) {
                return None;
            }
            is_before &= matches!(statement.first().map(String::as_str), Some("echo" | "printf"))
                && !statement.iter().any(|word| word == "|");
            if is_before {
                heading = Heading::of(statement, variable).or(heading);
            }
        }
        None
    }

    /// The stages of a round.
    fn filled(&self, stages: &[Vec<String>], value: &str) -> Vec<Vec<String>> {
        let braced = format!("${{{}}}", self.variable);
        let fill = |word: &String| {
            let whole = word.replace(&braced, value);
            split_at_variable(&whole, &self.variable).join(value)
        };
        stages.iter().map(|stage| stage.iter().map(fill).collect()).collect()
    }
}

/// Values that the shell takes as they stand.
fn literal(values: &[String]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for value in values {
        if let Some((from, to)) = range(value) {
            all.extend((from..=to).map(|number| number.to_string()));
        } else if value.contains(['$', '`', '*', '?', '{', '(', '[', '~']) {
            return None;
        } else {
            all.push(value.clone());
        }
    }
    (!all.is_empty() && all.len() <= ROUNDS_MAX).then_some(all)
}

/// `{1..5}`.
fn range(value: &str) -> Option<(u8, u8)> {
    let (from, to) = value.strip_prefix('{')?.strip_suffix('}')?.split_once("..")?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

impl Heading {
    fn of(statement: &[String], variable: &str) -> Option<Self> {
        let (tool, words) = statement.split_first()?;
        let (text, ends_line) = if tool == "printf" { printed(words)? } else { echoed(words) };
        let line = text.rsplit("\\n").find(|line| !line.trim().is_empty())?.trim().to_owned();
        let whole = line.replace(&format!("${{{variable}}}"), &format!("${variable}"));
        let parts = split_at_variable(&whole, variable);
        let is_plain = !parts.iter().any(|part| part.contains(['$', '`', '\\']));
        // s_client rules off with dashes itself.
        let is_ruler = parts.len() == 1 && line.chars().all(|c| c == '-');
        (is_plain && !is_ruler).then_some(Self { parts, ends_line })
    }

    fn with(&self, value: &str) -> String {
        self.parts.join(value)
    }

    fn has_variable(&self) -> bool {
        self.parts.len() > 1
    }

    /// The value in a line of this form; words of the output are none.
    fn value_in<'l>(&self, line: &'l str) -> Option<&'l str> {
        let [before, after, ..] = self.parts.as_slice() else { return None };
        let rest = line.strip_prefix(before.as_str())?;
        let end = if after.is_empty() { rest.find(char::is_whitespace) } else { rest.find(after.as_str()) };
        let value = rest.get(..end.unwrap_or(rest.len()))?;
        let is_told = self.parts.iter().any(|part| !part.trim().is_empty());
        (is_told && value.contains(['.', ':']) && address::host(value).is_some()).then_some(value)
    }
}

/// The words of `echo`, and whether they end their line.
fn echoed(words: &[String]) -> (String, bool) {
    let is_option = |word: &&String| matches!(word.as_str(), "-n" | "-e" | "-ne" | "-en" | "-E");
    let options: Vec<&String> = words.iter().take_while(is_option).collect();
    let text = words.get(options.len()..).unwrap_or_default().join(" ");
    (text, !options.iter().any(|word| word.contains('n')))
}

/// The text of `printf`, each `%s` filled in, and whether it ends its line.
fn printed(words: &[String]) -> Option<(String, bool)> {
    let (format, arguments) = words.split_first()?;
    let mut arguments = arguments.iter();
    let mut pieces = format.split("%s");
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        text.push_str(arguments.next()?);
        text.push_str(piece);
    }
    let ends_line = format.ends_with("\\n");
    (!text.contains('%')).then_some((text, ends_line))
}

/// The text between the places where `$variable` stands.
fn split_at_variable(text: &str, variable: &str) -> Vec<String> {
    let mark = format!("${variable}");
    let mut parts = vec![String::new()];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&mark) {
        let is_longer = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if let Some(part) = parts.last_mut() {
            part.push_str(before);
            if is_longer {
                part.push_str(&mark);
            }
        }
        if !is_longer {
            parts.push(String::new());
        }
        rest = after;
    }
    if let Some(part) = parts.last_mut() {
        part.push_str(rest);
    }
    parts
}

/// The rounds of a loop whose output is being read.
#[derive(Clone, Debug)]
pub struct Rounds {
    looped: Loop,
    prompted: Prompted,
    /// The next value that a heading shows.
    next: usize,
    /// How a piece of the output begins.
    first: Option<String>,
}

impl Rounds {
    /// The rounds of a command that is a loop.
    pub fn of(prompted: &Prompted) -> Option<Self> {
        let looped = prompted.looped.clone()?;
        Some(Self { looped, prompted: prompted.clone(), next: 0, first: None })
    }

    /// The command of the round that a line is the heading of; its value unknown where the heading does not
    /// show it.
    pub fn headed(&mut self, line: &str) -> Option<(Prompted, bool)> {
        let heading = self.looped.heading.as_ref()?;
        let line = line.trim();
        if !heading.has_variable() {
            return (line == heading.with("")).then(|| (self.prompted.clone(), false));
        }
        let value = match &self.looped.values {
            Some(values) => values.get(self.next).filter(|value| line == heading.with(value))?.clone(),
            None => heading.value_in(line).filter(|value| line == heading.with(value))?.to_owned(),
        };
        self.next = self.next.saturating_add(1);
        Some((self.filled(&value), true))
    }

    /// Whether an echo tells the rounds apart.
    pub fn has_heading(&self) -> bool {
        self.looped.heading.is_some()
    }

    /// The command of a round.
    fn filled(&self, value: &str) -> Prompted {
        Prompted { stages: self.looped.filled(&self.prompted.stages, value), ..self.prompted.clone() }
    }

    /// The commands of all rounds, where there are as many of them as values.
    pub fn all(&self, count: usize) -> Option<Vec<Prompted>> {
        let values = self.looped.values.as_ref().filter(|values| values.len() == count)?;
        Some(values.iter().map(|value| self.filled(value)).collect())
    }

    /// The command as it stands.
    pub fn unfilled(&self) -> Prompted {
        self.prompted.clone()
    }

    /// Where the next piece of the output begins, when this line is of the next one.
    pub fn begins(&mut self, format: &SavedFormat, at: usize, lines: &[Line]) -> Option<usize> {
        let text = lines.get(at)?.text.trim_end();
        match format.id {
            "openssl_x509" => {
                self.begins_certificate(text, at.checked_sub(1).and_then(|at| lines.get(at))).then_some(at)
            }
            "openssl_s_client" if is_connected(text) => {
                let is_first = self.first.replace(text.to_owned()).is_none();
                (!is_first).then(|| behind_last(at, lines))
            }
            _ => None,
        }
    }

    /// `subject=` again, where the piece before began with it.
    fn begins_certificate(&mut self, text: &str, before: Option<&Line>) -> bool {
        let key = text.split_once('=').map_or(text, |(key, _)| key);
        let is_failure = |text: &str| text.starts_with("Could not ") || text.starts_with("unable to load ");
        if is_failure(text) && before.is_some_and(|line| is_failure(&line.text)) {
            return false;
        }
        match &self.first {
            None => {
                self.first = Some(key.to_owned());
                false
            }
            Some(first) if is_failure(first) => {
                self.first = Some(key.to_owned());
                true
            }
            Some(first) => first == key || is_failure(text),
        }
    }
}

fn is_connected(text: &str) -> bool {
    text.starts_with("CONNECTED(0") || text == "CONNECTION ESTABLISHED"
}

/// What s_client says of a chain may stand before `CONNECTED`.
fn behind_last(at: usize, lines: &[Line]) -> usize {
    let is_its = |line: &Line| {
        ["depth=", "verify ", "Connecting to ", "notAfter=", "notBefore=", "Can't use "]
            .iter()
            .any(|words| line.text.starts_with(words))
    };
    let before = lines.get(..at).unwrap_or_default().iter().rev().take_while(|line| is_its(line)).count();
    at.saturating_sub(before)
}

/// The lines with each loop on one line, and each heading of a round on a line of its own.
pub fn unfold(lines: &[Line]) -> Cow<'_, [Line]> {
    let is_begin = |line: &Line| begin(&line.text).is_some();
    if !lines.iter().any(is_begin) {
        return Cow::Borrowed(lines);
    }
    let mut unfolded: Vec<Line> = Vec::with_capacity(lines.len());
    let mut rounds: Option<Rounds> = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at = at.saturating_add(1);
        if begin(&line.text).is_some() {
            let (whole, behind) = joined(line, lines.get(at..).unwrap_or_default());
            rounds = command::find(&whole.text).as_ref().and_then(Rounds::of);
            at = at.saturating_add(if rounds.is_some() { behind } else { 0 });
            unfolded.push(if rounds.is_some() { whole } else { line.clone() });
            continue;
        }
        let inline = rounds.as_mut().and_then(|rounds| rounds.inline(&line.text));
        if let Some(end) = inline {
            let (heading, rest) = line.text.split_at_checked(end).unwrap_or((&line.text, ""));
            unfolded.push(Line { text: heading.trim_end().to_owned(), ..line.clone() });
            unfolded.push(Line { text: rest.trim_start().to_owned(), ..line.clone() });
        } else {
            unfolded.push(line.clone());
        }
    }
    Cow::Owned(unfolded)
}

impl Rounds {
    /// Where the heading ends that a line begins with.
    fn inline(&mut self, line: &str) -> Option<usize> {
        let heading = self.looped.heading.as_ref().filter(|heading| !heading.ends_line && heading.has_variable())?;
        let value = match &self.looped.values {
            Some(values) => values.get(self.next)?.as_str(),
            None => heading.value_in(line)?,
        };
        let text = heading.with(value);
        let end = line.starts_with(&text).then_some(text.len())?;
        self.next = self.next.saturating_add(1);
        Some(end)
    }
}

/// Where a loop begins in a line, at its begin or behind a prompt.
fn begin(text: &str) -> Option<usize> {
    ["for ", "while read "].iter().find_map(|word| {
        let at = text.find(word)?;
        let before = text.get(..at)?;
        let is_at = before.trim().is_empty() || ["$ ", "# ", "% ", "> "].iter().any(|mark| before.ends_with(mark));
        let is_loop = *word != "for " || text.contains(" in ");
        (is_at && is_loop).then_some(at)
    })
}

/// A loop that was typed on several lines, put on one; how many lines more it takes.
fn joined(first: &Line, rest: &[Line]) -> (Line, usize) {
    let mut text = first.text.trim_end().to_owned();
    let mut last = first.last;
    let is_whole = |text: &str| text.split([' ', ';']).any(|word| word == "done");
    let mut taken: usize = 0;
    for line in rest.iter().take(LOOP_LINES_MAX) {
        if is_whole(&text) {
            break;
        }
        let typed = line.text.trim();
        let typed = ["for> ", "while> ", "> "].iter().find_map(|mark| typed.strip_prefix(mark)).unwrap_or(typed).trim();
        taken = taken.saturating_add(1);
        last = line.last;
        if typed.is_empty() || typed.starts_with('#') {
            continue;
        }
        if let Some(continued) = text.strip_suffix('\\') {
            text = format!("{} {typed}", continued.trim_end());
            continue;
        }
        let goes_on = [";", " do", "|", "&&", "||"].iter().any(|end| text.ends_with(end));
        text = format!("{text}{} {typed}", if goes_on { "" } else { ";" });
    }
    if is_whole(&text) { (Line { number: first.number, last, text }, taken) } else { (first.clone(), 0) }
}

/// Rounds of a loop that are told apart.
const ROUNDS_MAX: usize = 512;
/// Lines over which a loop is typed.
const LOOP_LINES_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_shows_the_value_of_its_round() {
        for (line, heading, expected) in [
            ("for ip in 192.0.2.1 192.0.2.2; do echo \"== $ip\"; dig -x $ip; done", "== 192.0.2.1", Some("192.0.2.1")),
            ("for ip in 192.0.2.1 192.0.2.2; do echo \"== $ip\"; dig -x $ip; done", "== 192.0.2.2", None),
            (
                "for ip in $(dig +short x.example); do echo \"[$ip]\"; dig -x $ip; done",
                "[192.0.2.9]",
                Some("192.0.2.9"),
            ),
            ("for ip in $(dig +short x.example); do echo $ip; dig -x $ip; done", "192.0.2.9", None),
            ("while read h; do printf '%s:\\n' \"$h\"; dig -x $h; done < list", "192.0.2.9:", Some("192.0.2.9")),
            ("for ip in 192.0.2.1; do echo \"$(date) $ip\"; dig -x $ip; done", "now 192.0.2.1", None),
            ("for ip in 192.0.2.1; do echo ${ip}; dig -x ${ip}; done", "192.0.2.1", Some("192.0.2.1")),
            ("for ip in 192.0.2.1; do dig -x $ip; echo $ip; done", "192.0.2.1", None),
            ("for ip in 192.0.2.1; do echo \"|$ip|; next\"; dig -x $ip; done", "|192.0.2.1|; next", Some("192.0.2.1")),
            ("for ip in 192.0.2.1; do echo $ip||true; dig -x $ip||true; done", "192.0.2.1", Some("192.0.2.1")),
        ] {
            let prompted = command::find(line).unwrap_or_else(|| panic!("{line}"));
            let mut rounds = Rounds::of(&prompted).unwrap_or_else(|| panic!("{line}"));
            let found = rounds.headed(heading).and_then(|(round, _)| {
                round.stages.iter().find(|it| it.first().is_some_and(|tool| tool == "dig"))?.last().cloned()
            });
            assert_eq!(found.as_deref(), expected, "{line}: {heading}");
        }
    }

    #[test]
    fn other_loops_are_no_loops_of_one_command() {
        for line in [
            "for h in a b; do for ip in c d; do dig @$ip $h; done; done",
            "while true; do dig x.example; sleep 1; done",
            "for ip in a b; do dig @$ip x.example",
        ] {
            assert_eq!(command::find(line).and_then(|it| it.looped), None, "{line}");
        }
    }

    #[test]
    fn a_loop_of_several_lines_is_one() {
        let typed =
            ["$ for ip in 192.0.2.1; do", ">   echo \"== $ip\"", ">   dig -x $ip |", "> cat", "> done", "== 192.0.2.1"];
        let lines: Vec<Line> = (1..).zip(typed).map(|(number, text)| Line::new(number, text.to_owned())).collect();
        let unfolded = unfold(&lines);
        assert_eq!(unfolded.len(), 2, "{unfolded:?}");
        assert_eq!(unfolded[0].text, "$ for ip in 192.0.2.1; do echo \"== $ip\"; dig -x $ip | cat; done");
        assert_eq!((unfolded[0].number, unfolded[0].last), (1, 5));
    }
}
