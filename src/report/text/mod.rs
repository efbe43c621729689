//! The report as text: the answer, the proof, the fix, what is ruled out and what to ask for.
//!
//! The gutter holds the frame number of a capture or the line number of a transcript. `^^^^` marks
//! what is wrong, `----` what is right, `~~~~` what is doubtful, `++++` what confirms; colour only
//! repeats them.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use super::words::{self, moment, thousands};
use super::{CaseEntry, FindingEntry, Outcome, PlaceEntry, Renderer, Report, Style};
use crate::escape::line as safe;

mod ask;
mod checked;
mod drawn;
mod hosts;
mod layout;
mod proof;

use layout::{command, command_of_json, to_ascii, wrap};

/// `--format text`.
pub static RENDERER: Renderer = Renderer { id: "text", render };

fn render(report: &Report, style: &Style) -> String {
    let mut page = Page { report, style: *style, text: String::new() };
    let in_full = report.cases.len() <= CASES_IN_FULL;
    page.partial();
    let worst: Vec<&CaseEntry> = report.cases.iter().filter(|case| words::is_error(case)).collect();
    match worst.as_slice() {
        _ if in_full => report.cases.iter().for_each(|case| page.case(case)),
        [only] => page.case(only),
        _ => {}
    }
    if !in_full {
        page.hosts();
    }
    if report.cases.is_empty() {
        let (what, why) = words::no_case(report);
        page.wrapped("", &format!("{what}: {why}"));
        page.blank();
    }
    page.sources();
    page.count();
    // What is folded is in ASCII already; what is left are the lines that are drawn.
    let text = page.text;
    if style.ascii { to_ascii(&text) } else { text }
}

struct Page<'r> {
    report: &'r Report,
    style: Style,
    text: String,
}

impl Page<'_> {
    /// An empty line, unless there is one.
    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Text as it will be written, so that it is measured as that.
    fn twin<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.style.ascii && !text.is_ascii() { Cow::Owned(to_ascii(text)) } else { Cow::Borrowed(text) }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.style.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A numbered command under a label.
    fn numbered(&mut self, nth: usize, prose: &str) {
        let indent = self.indent();
        let rows = command(&self.twin(prose), self.style.width.saturating_sub(indent + NUMBER_COLUMNS));
        for (at, row) in rows.iter().enumerate() {
            let number = if at == 0 { format!("{nth}  ") } else { " ".repeat(NUMBER_COLUMNS) };
            self.line(&format!("{}{number}{row}", " ".repeat(indent)));
        }
    }

    /// A label and prose beside it; under 60 columns the label takes its own line.
    fn wrapped(&mut self, label: &str, prose: &str) {
        let rows = wrap(&self.twin(prose), self.style.width.saturating_sub(self.indent()));
        self.labelled(label, &rows);
    }

    /// A label and a command beside it, which can be copied as it stands.
    fn command(&mut self, label: &str, text: &str) {
        let rows = command(&self.twin(text), self.style.width.saturating_sub(self.indent()));
        self.labelled(label, &rows);
    }

    fn indent(&self) -> usize {
        if self.style.width < 60 { 2 } else { LABEL_COLUMNS }
    }

    fn labelled(&mut self, label: &str, rows: &[String]) {
        let narrow = self.style.width < 60;
        let indent = self.indent();
        let label = self.paint("1", label);
        if narrow && !label.is_empty() {
            self.line(&label);
        }
        for (nth, row) in rows.iter().enumerate() {
            let pad = if nth == 0 && !narrow {
                let shown =
                    if self.style.colour && !label.is_empty() { label.len().saturating_sub(8) } else { label.len() };
                format!("{label}{}", " ".repeat(indent.saturating_sub(shown)))
            } else {
                " ".repeat(indent)
            };
            self.line(&format!("{pad}{row}"));
        }
    }

    /// That not all was read.
    fn partial(&mut self) {
        if self.report.partial.is_some() {
            self.wrapped("partial", words::PARTIAL);
            self.blank();
        }
    }

    fn case(&mut self, case: &CaseEntry) {
        let error = case.findings.first().filter(|_| words::is_error(case));
        let code = if error.is_some() { "1;91" } else { words::group(case).colour };
        self.head(code, &words::head(case), &safe(&words::headline(case)));
        self.blank();
        self.proof(case);
        match (error, case.headed_by()) {
            (Some(finding), [_]) => {
                self.wrapped("cause", &safe(&finding.cause));
                self.blank();
                self.cure(finding);
            }
            (Some(_), tied) => self.either(tied),
            (None, _) => self.known(case),
        }
        let told = if error.is_some() { case.headed_by().len().max(1) } else { case.findings.len() };
        for finding in case.findings.iter().skip(told) {
            self.wrapped("also", &format!("{} ({}): {}", finding.rule, words::strength(finding), safe(&finding.cause)));
            self.blank();
        }
        self.ignored(case);
        self.beware(case);
        self.checked(case);
        self.ask_for(case);
        if error.is_none() {
            self.without_error(case);
        }
        self.ruled_out(case);
        self.wireshark(case);
    }

    /// Causes that the evidence does not separate, each with its cure; none is preferred.
    fn either(&mut self, tied: &[FindingEntry]) {
        self.wrapped("cause", &format!("One of {} causes; this evidence does not separate them.", tied.len()));
        self.blank();
        let mut label = "either";
        for finding in tied {
            self.wrapped(label, &format!("{}: {}", finding.rule, safe(&finding.cause)));
            self.blank();
            self.cure(finding);
            label = "or";
        }
    }

    /// What to change, and the command that shows that it is done.
    fn cure(&mut self, finding: &FindingEntry) {
        self.fix(finding);
        self.command("check", &safe(&finding.verify));
        if let Some(expect) = &finding.expect {
            self.wrapped("", &format!("expect {}", safe(expect)));
        }
        self.blank();
    }

    fn head(&mut self, code: &str, head: &str, words: &str) {
        let whole = format!("{head}: {}", self.twin(words));
        let columns = self.style.width;
        let rows = if whole.width() <= columns { vec![whole] } else { wrap(&whole, columns.saturating_sub(2)) };
        for (nth, row) in rows.iter().enumerate() {
            if nth == 0 {
                let painted = match row.strip_prefix(head) {
                    Some(rest) => format!("{}{}", self.paint(code, head), self.paint("1", rest)),
                    None => self.paint(code, row),
                };
                self.line(&painted);
            } else {
                let painted = format!("  {}", self.paint("1", row));
                self.line(&painted);
            }
        }
    }

    fn fix(&mut self, finding: &FindingEntry) {
        match &finding.change {
            Some(change) => {
                self.wrapped("fix", &change.intro);
                let old = self.paint("91", &format!("- {}", safe(&change.old)));
                let new = self.paint("92", &format!("+ {}", safe(&change.new)));
                self.line(&format!("    {old}"));
                self.line(&format!("    {new}"));
                if !change.unknown.is_empty() {
                    self.wrapped("", &safe(&change.unknown));
                }
                if let Some(batch) = &change.batch {
                    self.wrapped("", "as a change batch, to review before it is run:");
                    for row in command_of_json(&safe(batch), self.style.width.saturating_sub(4)) {
                        self.line(&format!("    {row}"));
                    }
                }
            }
            None => self.wrapped("fix", &safe(&finding.remedy)),
        }
        self.blank();
    }

    /// What would have been found and is accepted, with why.
    fn ignored(&mut self, case: &CaseEntry) {
        for it in &case.ignored {
            self.wrapped("ignored", &format!("{}: {} ({})", it.rule, safe(&it.headline), safe(&words::acceptance(it))));
        }
        if !case.ignored.is_empty() {
            self.blank();
        }
    }

    fn beware(&mut self, case: &CaseEntry) {
        let mut label = "beware";
        for it in &case.beware {
            let place = it.cites.first().and_then(|id| self.report.number_of(case, *id));
            let place = place.map_or_else(String::new, |number| format!("{number}  "));
            self.wrapped(label, &format!("{place}{}", safe(&it.text)));
            label = "";
        }
        if !case.beware.is_empty() {
            self.blank();
        }
    }

    /// Each cause with the place of its counter-evidence and why, in columns where there is room. Causes
    /// that the same counter-evidence rules out stand beside it together.
    fn ruled_out(&mut self, case: &CaseEntry) {
        let rows = self.ruled_out_rows(case);
        let places = rows.iter().map(|(place, ..)| place.len()).max().unwrap_or(0);
        let rules = case.ruled_out.iter().map(|it| it.rule.len()).max().unwrap_or(0);
        let lead = LABEL_COLUMNS + places + 2 + rules + 2;
        let left = self.style.width.saturating_sub(lead);
        let mut label = "ruled out";
        for (place, named, because) in &rows {
            if left < BECAUSE_COLUMNS_MIN {
                self.wrapped(label, format!("{place}  {}: {because}", named.join(", ")).trim_start());
                label = "";
                continue;
            }
            let reasons = wrap(&self.twin(because), left);
            for nth in 0..reasons.len().max(named.len()) {
                let place = if nth == 0 { place.as_str() } else { "" };
                let rule = named.get(nth).copied().unwrap_or_default();
                let reason = reasons.get(nth).map_or("", String::as_str);
                let painted = self.paint("1", label);
                let gap = " ".repeat(LABEL_COLUMNS.saturating_sub(label.len()));
                self.line(&format!("{painted}{gap}{place:>places$}  {rule:<rules$}  {reason}"));
                label = "";
            }
        }
        if !rows.is_empty() {
            self.blank();
        }
    }

    /// Place, rules and counter-evidence of each row.
    fn ruled_out_rows(&self, case: &CaseEntry) -> Vec<(String, Vec<&'static str>, String)> {
        let mut rows: Vec<(String, Vec<&'static str>, String)> = Vec::new();
        for it in &case.ruled_out {
            let number = it.cites.first().and_then(|id| self.report.number_of(case, *id));
            let place = number.map_or_else(String::new, |number| number.to_string());
            let because = safe(&it.because);
            match rows.iter_mut().find(|(at, _, why)| *at == place && *why == because) {
                Some((_, rules, _)) => rules.push(it.rule),
                None => rows.push((place, vec![it.rule], because)),
            }
        }
        rows
    }

    fn wireshark(&mut self, case: &CaseEntry) {
        let report = self.report;
        for (_, filter) in report.display_filters(case) {
            self.wrapped("wireshark", &filter);
            self.blank();
        }
    }

    fn sources(&mut self) {
        for source in &self.report.sources {
            let size = match (source.frames, source.lines) {
                (Some(frames), _) => format!(" · {} frames", thousands(frames)),
                (None, Some(lines)) => format!(" · {} lines", thousands(lines)),
                (None, None) => String::new(),
            };
            let gaps = match source.gaps {
                0 => "no gaps".to_owned(),
                1 => "1 gap".to_owned(),
                many => format!("{} gaps", thousands(many)),
            };
            self.wrapped(
                "source",
                &format!("{}{size} · {} bytes · {gaps}", safe(&source.path), thousands(source.bytes)),
            );
            let own: Vec<&super::GapEntry> = self
                .report
                .gaps
                .iter()
                .filter(|gap| gap.at.first().map(PlaceEntry::source) == Some(source.id))
                .collect();
            for gap in own.iter().take(GAPS_SHOWN) {
                let place = gap.at.first().map(words::place).filter(|place| !place.is_empty());
                let place = place.map_or_else(String::new, |place| format!(" {place}"));
                self.wrapped("", &format!("gap{place}: {}", safe(&gap.reason)));
            }
            if own.len() > GAPS_SHOWN {
                self.wrapped("", &format!("and {} more gaps", own.len() - GAPS_SHOWN));
            }
            if let Some(sha256) = &source.sha256 {
                self.line(&format!("    sha256 {sha256}"));
            }
        }
        self.blank();
    }

    fn count(&mut self) {
        let groups: Vec<String> = words::GROUPS
            .iter()
            .filter_map(|group| {
                let count = self.report.cases.iter().filter(|case| group.holds(case)).count();
                let named = match count {
                    0 => return None,
                    _ if self.report.cases.len() > CASES_IN_FULL => group.short,
                    1 => group.title,
                    _ => group.titles,
                };
                let count = thousands(u64::try_from(count).unwrap_or(u64::MAX));
                Some(format!("{count}\u{a0}{}", named.replace(' ', "\u{a0}")))
            })
            .collect();
        let worst = self.report.cases.iter().filter(|case| !case.is_accepted()).map(|case| case.outcome).min();
        let (glyph, code) = match worst {
            None | Some(Outcome::Ok) if self.report.cases.iter().any(CaseEntry::is_accepted) => ("○", "1;93"),
            Some(Outcome::Ok) => ("✓", "1;92"),
            Some(Outcome::Inconclusive | Outcome::NoHandshake) | None => ("?", "1;93"),
            _ => ("✗", "1;91"),
        };
        let done = if self.report.left_out.is_some() { "selected" } else { "judged" };
        let hosts = match self.report.cases.len() {
            1 => format!("1 host {done}"),
            many => format!("{} hosts {done}", thousands(u64::try_from(many).unwrap_or(u64::MAX))),
        };
        let counts = if groups.is_empty() { String::new() } else { format!(": {}", groups.join(", ")) };
        let partial = if self.report.partial.is_some() { ", of a part of the evidence" } else { "" };
        let total = format!("{glyph} {hosts}{counts}{partial}");
        // `✗` and its twin are of one width.
        let rows = wrap(&total, self.style.width.saturating_sub(2));
        let painted: Vec<String> = rows.iter().map(|row| self.paint(code, &row.replace('\u{a0}', " "))).collect();
        let painted = painted.join("\n  ");
        let rule = self.report.cases.iter().find_map(words::to_explain);
        let hint = rule.map_or_else(String::new, |rule| format!("  whycert explain {rule}"));
        if rows.len() == 1 && total.width() + hint.width() <= self.style.width {
            let hint = self.paint("2", &hint);
            self.line(&format!("{painted}{hint}"));
        } else {
            self.line(&painted);
            for row in command(hint.trim_start(), self.style.width.saturating_sub(2)) {
                let row = self.paint("2", &row);
                self.line(&format!("  {row}"));
            }
        }
    }
}

/// So many hosts are each told in full; more become a table.
const CASES_IN_FULL: usize = 3;
const LABEL_COLUMNS: usize = 11;
/// `1  `.
const NUMBER_COLUMNS: usize = 3;
/// The least room in which a label stands beside what it marks.
const LABEL_BESIDE_MIN: usize = 36;
/// The least room in which the reason stands beside the rule.
const BECAUSE_COLUMNS_MIN: usize = 24;
const GAPS_SHOWN: usize = 5;
