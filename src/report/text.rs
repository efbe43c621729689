//! The report as text: the answer, the proof, the fix, what is ruled out and what to ask for.
//!
//! The gutter holds the frame number of a capture or the line number of a transcript. `^^^^` marks
//! what is wrong, `----` what is right, `~~~~` what is doubtful, `++++` what confirms; colour only
//! repeats them.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::escape::line as safe;
use super::{
    CaseEntry, FindingEntry, Mark, ObservationEntry, Outcome, PlaceEntry, Renderer, Report, RuledOut, Severity, Sign,
    SourceEntry, Style,
};
use crate::evidence::ObservationId;

/// `--format text`.
pub static RENDERER: Renderer = Renderer { id: "text", render };

fn render(report: &Report, style: &Style) -> String {
    let mut page = Page { report, style: *style, text: String::new() };
    for case in &report.cases {
        page.case(case);
    }
    if report.cases.is_empty() {
        page.wrapped(
            "",
            "nothing could be judged: no host is named by a DNS question, a handshake, a command or a client's words",
        );
        page.blank();
    }
    page.sources();
    page.count();
    let text = page.text;
    if style.ascii { to_ascii(&text) } else { text }
}

struct Page<'r> {
    report: &'r Report,
    style: Style,
    text: String,
}

impl Page<'_> {
    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.style.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A label and prose beside it; under 60 columns the label takes its own line.
    fn wrapped(&mut self, label: &str, prose: &str) {
        let narrow = self.style.width < 60;
        let indent = if narrow { 2 } else { LABEL_COLUMNS };
        let label = self.paint("1", label);
        let rows = wrap(prose, self.style.width.saturating_sub(indent));
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

    fn case(&mut self, case: &CaseEntry) {
        let host = safe(case.host.as_deref().unwrap_or("handshakes without a host name"));
        let error = case.findings.first().filter(|finding| finding.severity == Severity::Error);
        let (code, head, words) = headline(case, &host, error);
        self.head(code, &head, &words);
        self.blank();
        self.proof(case);
        match (error, case.findings.first()) {
            (Some(finding), _) => {
                self.wrapped("cause", &safe(&finding.cause));
                self.blank();
                self.cure(finding);
            }
            (None, first) => self.known(case, first),
        }
        for finding in case.findings.iter().skip(1) {
            self.wrapped("also", &format!("{} ({}): {}", finding.rule, strength(finding), safe(&finding.cause)));
            self.blank();
        }
        self.checked(case);
        self.undecided(case);
        if let Some(finding) = case.findings.first().filter(|_| error.is_none()) {
            self.cure(finding);
        }
        self.ruled_out(case);
        self.wireshark(case);
    }

    /// Without an error: what is known, and what is not.
    fn known(&mut self, case: &CaseEntry, first: Option<&FindingEntry>) {
        if let Some(finding) = first {
            let reasons: Vec<&str> = finding.reasons.iter().map(|it| it.text.as_str()).collect();
            self.wrapped("known", &safe(&reasons.join("; ")));
        }
        if let Some(it) = case.undecided.iter().find(|it| it.rule.starts_with("insufficient.")) {
            self.wrapped("unknown", &format!("{}.", safe(&it.missing)));
        }
        if first.is_some() || case.undecided.iter().any(|it| it.rule.starts_with("insufficient.")) {
            self.blank();
        }
    }

    /// What to change, and the command that shows that it is done.
    fn cure(&mut self, finding: &FindingEntry) {
        self.fix(finding);
        self.wrapped("check", &safe(&finding.verify));
        if let Some(expect) = &finding.expect {
            self.wrapped("", &format!("expect {}", safe(expect)));
        }
        self.blank();
    }

    fn head(&mut self, code: &str, head: &str, words: &str) {
        let rows = wrap(&format!("{head}: {words}"), self.style.width.saturating_sub(2));
        for (nth, row) in rows.iter().enumerate() {
            if let Some(rest) = row.strip_prefix(head).filter(|_| nth == 0) {
                let painted = format!("{}{}", self.paint(code, head), self.paint("1", rest));
                self.line(&painted);
            } else {
                let painted = format!("  {}", self.paint("1", row));
                self.line(&painted);
            }
        }
    }

    /// The observations that prove the headline, or what the case holds, one block a source.
    fn proof(&mut self, case: &CaseEntry) {
        let shown = shown_observations(case);
        let marks = shown_marks(case);
        for source in &self.report.sources {
            let here: Vec<&ObservationEntry> = shown
                .iter()
                .filter_map(|id| self.report.observations.iter().find(|it| it.id == *id))
                .filter(|it| it.at.first().map(source_of) == Some(source.id))
                .collect();
            if here.is_empty() {
                continue;
            }
            let blocks: Vec<Vec<Row>> =
                here.iter().map(|it| self.rows(it, &marks)).filter(|rows| !rows.is_empty()).collect();
            let numbers = blocks.iter().flatten().filter_map(|row| row.number);
            let gutter = numbers.map(|number| number.to_string().len()).max().unwrap_or(1);
            let pad = " ".repeat(gutter);
            let edge = self.paint("94", "┌─");
            let heading = self.heading(source, &here, gutter);
            self.line(&format!("{pad} {edge} {heading}"));
            let bar = self.paint("94", "│");
            for rows in blocks {
                self.line(&format!("{pad} {bar}"));
                for row in rows {
                    self.row(&row, gutter);
                }
            }
            let end = self.paint("94", "└─");
            self.line(&format!("{pad} {end}"));
        }
        self.blank();
    }

    /// The name of a source, then as far as they fit the time and who is seen in it.
    fn heading(&self, source: &SourceEntry, here: &[&ObservationEntry], gutter: usize) -> String {
        let mut heading = safe(&source.path);
        let who = if source.lines.is_some() { self.tools_of(source) } else { clients_of(here) };
        let parts = [source.first.map(moment), (!who.is_empty()).then_some(who)];
        let mut mark = "  ";
        for part in parts.into_iter().flatten() {
            if gutter + 4 + heading.width() + mark.width() + part.width() <= self.style.width {
                heading = format!("{heading}{mark}{part}");
                mark = " · ";
            }
        }
        heading
    }

    /// The tools whose output a text holds, in the order of the text.
    fn tools_of(&self, source: &SourceEntry) -> String {
        let runs = self.report.observations.iter().filter(|it| it.kind == "run");
        let mut tools: Vec<&str> = Vec::new();
        for it in runs.filter(|it| it.at.first().map(source_of) == Some(source.id)) {
            let tool = it.fact.get("tool").and_then(Value::as_str).and_then(|tool| tool.split(' ').next());
            tools.extend(tool.filter(|tool| !tools.contains(tool)));
        }
        safe(&tools.join(", "))
    }

    fn row(&mut self, row: &Row, gutter: usize) {
        let number = row.number.map_or_else(String::new, |number| number.to_string());
        let room = self.style.width.saturating_sub(gutter + 3);
        let mut begins = 0;
        for (nth, piece) in fold(&row.text, room).iter().enumerate() {
            let bar = if nth == 0 { self.paint("94", "│") } else { self.paint("94", "↳") };
            let number = if nth == 0 { self.paint("94", &format!("{number:>gutter$}")) } else { " ".repeat(gutter) };
            self.line(&format!("{number} {bar} {}", piece.trim_end()));
            let ends = begins + piece.len();
            for (mark, at) in row.marks.iter().filter_map(|mark| Some((mark, locate(mark, &row.text)?))) {
                if (begins..ends).contains(&at) {
                    self.mark(mark, piece, at - begins, gutter, room);
                }
            }
            begins = ends;
        }
        for mark in row.marks.iter().filter(|mark| locate(mark, &row.text).is_none()) {
            let bar = self.paint("94", "│");
            let (_, colour) = sign(mark);
            for text in wrap(&safe(&mark.label), room.saturating_sub(2)) {
                let painted = self.paint(colour, &text);
                self.line(&format!("{} {bar}   {painted}", " ".repeat(gutter)));
            }
        }
    }

    /// The line under a marked word, its label beside it where there is room, else below it.
    fn mark(&mut self, mark: &Mark, piece: &str, at: usize, gutter: usize, room: usize) {
        let (sign, colour) = sign(mark);
        let lead = format!("{} {} ", " ".repeat(gutter), self.paint("94", "│"));
        let before = piece.get(..at).map_or(at, UnicodeWidthStr::width);
        let carets = sign.to_string().repeat(mark.words.width().min(room.saturating_sub(before)).max(1));
        let label = safe(&mark.label);
        let beside = before + carets.len() + 1;
        let left = room.saturating_sub(beside);
        if left >= LABEL_BESIDE_MIN || label.width() <= left {
            for (nth, row) in wrap(&label, left).iter().enumerate() {
                let drawn =
                    if nth == 0 { format!("{carets} {row}") } else { format!("{}{row}", " ".repeat(carets.len() + 1)) };
                let painted = self.paint(colour, &drawn);
                self.line(&format!("{lead}{}{painted}", " ".repeat(before)));
            }
        } else {
            let indent = before.min(room.saturating_sub(LABEL_BESIDE_MIN.max(label.width())));
            let drawn = self.paint(colour, &carets);
            self.line(&format!("{lead}{}{drawn}", " ".repeat(before)));
            for row in wrap(&label, room.saturating_sub(indent)) {
                let painted = self.paint(colour, &row);
                self.line(&format!("{lead}{}{painted}", " ".repeat(indent)));
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
            }
            None => self.wrapped("fix", &safe(&finding.remedy)),
        }
        self.blank();
    }

    /// For a right certificate: what was compared, and what nobody looked at.
    fn checked(&mut self, case: &CaseEntry) {
        if case.outcome != Outcome::Ok {
            return;
        }
        let covering = case
            .connections
            .iter()
            .find_map(|it| it.name_check.as_ref()?.tried.iter().find(|tried| tried.rejected_because.is_none()));
        if let Some(tried) = covering {
            let host = case.host.clone().unwrap_or_default();
            self.wrapped("checked", &safe(&format!("name: {} covers {host}", tried.presented)));
        }
        self.wrapped("not seen", "other resolvers, other addresses, and clients that send no server name");
        self.blank();
    }

    fn undecided(&mut self, case: &CaseEntry) {
        if case.undecided.is_empty() {
            return;
        }
        let mut asked: BTreeSet<&str> = BTreeSet::new();
        let mut label = "ask for";
        for it in case.undecided.iter().filter(|it| asked.insert(&it.ask)) {
            self.wrapped(label, &safe(&it.ask));
            self.wrapped("", &format!("decides {}", safe(&it.missing)));
            label = "";
        }
        self.blank();
    }

    /// Each cause with the place of its counter-evidence and why, in columns where there is room.
    fn ruled_out(&mut self, case: &CaseEntry) {
        if case.ruled_out.is_empty() {
            return;
        }
        let number = |it: &RuledOut| it.cites.first().and_then(|id| self.number_of(*id));
        let numbers: Vec<String> =
            case.ruled_out.iter().map(|it| number(it).map_or_else(String::new, |number| number.to_string())).collect();
        let places = numbers.iter().map(String::len).max().unwrap_or(0);
        let rules = case.ruled_out.iter().map(|it| it.rule.len()).max().unwrap_or(0);
        let lead = LABEL_COLUMNS + places + 2 + rules + 2;
        let left = self.style.width.saturating_sub(lead);
        let mut label = "ruled out";
        for (it, place) in case.ruled_out.iter().zip(&numbers) {
            let because = safe(&it.because);
            if left < BECAUSE_COLUMNS_MIN {
                self.wrapped(label, &format!("{place:>places$}  {}: {because}", it.rule));
                label = "";
                continue;
            }
            for (nth, row) in wrap(&because, left).iter().enumerate() {
                let head = if nth == 0 { format!("{place:>places$}  {:<rules$}  ", it.rule) } else { String::new() };
                let painted = self.paint("1", label);
                let gap = " ".repeat(LABEL_COLUMNS.saturating_sub(label.len()));
                let indent = if nth == 0 { String::new() } else { " ".repeat(lead - LABEL_COLUMNS) };
                self.line(&format!("{painted}{gap}{head}{indent}{row}"));
                label = "";
            }
        }
        self.blank();
    }

    fn number_of(&self, id: ObservationId) -> Option<u64> {
        let observation = self.report.observations.iter().find(|it| it.id == id)?;
        match observation.at.first()? {
            PlaceEntry::Frames { frames, .. } => frames.first().copied(),
            PlaceEntry::Lines { lines: [first, _], .. } => Some(u64::from(*first)),
            PlaceEntry::Whole { .. } => None,
        }
    }

    fn last_number_of(&self, id: ObservationId) -> Option<u64> {
        let observation = self.report.observations.iter().find(|it| it.id == id)?;
        match observation.at.last()? {
            PlaceEntry::Frames { frames, .. } => frames.last().copied(),
            _ => None,
        }
    }

    fn wireshark(&mut self, case: &CaseEntry) {
        let Some(finding) = case.findings.first() else {
            return;
        };
        let cited: BTreeSet<ObservationId> =
            finding.reasons.iter().flat_map(|reason| reason.cites.iter().copied()).collect();
        for source in &self.report.sources {
            let frames: BTreeSet<u64> = self
                .report
                .observations
                .iter()
                .filter(|it| cited.contains(&it.id))
                .flat_map(|it| &it.at)
                .filter_map(|place| match place {
                    PlaceEntry::Frames { source: id, frames } if *id == source.id => Some(frames.iter().copied()),
                    _ => None,
                })
                .flatten()
                .collect();
            if !frames.is_empty() {
                let list: Vec<String> = frames.iter().map(ToString::to_string).collect();
                self.wrapped("wireshark", &format!("frame.number in {{{}}}", list.join(", ")));
                self.blank();
            }
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
            let own: Vec<&super::GapEntry> =
                self.report.gaps.iter().filter(|gap| gap.at.first().map(source_of) == Some(source.id)).collect();
            for gap in own.iter().take(GAPS_SHOWN) {
                self.wrapped("", &format!("gap {}{}", place(&gap.at), safe(&gap.reason)));
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
        let groups: Vec<String> = GROUPS
            .iter()
            .filter_map(|(outcome, words)| {
                let count = self.report.cases.iter().filter(|case| case.outcome == *outcome).count();
                (count > 0).then(|| format!("{count} {words}"))
            })
            .collect();
        let worst = self.report.cases.iter().map(|case| case.outcome).min();
        let (glyph, code) = match worst {
            Some(Outcome::Ok) => ("✓", "1;92"),
            Some(Outcome::Inconclusive | Outcome::NoHandshake) | None => ("?", "1;93"),
            _ => ("✗", "1;91"),
        };
        let hosts = match self.report.cases.len() {
            1 => "1 host judged".to_owned(),
            many => format!("{many} hosts judged"),
        };
        let counts = if groups.is_empty() { String::new() } else { format!(": {}", groups.join(", ")) };
        let total = format!("{glyph} {hosts}{counts}");
        let painted = self.paint(code, &total);
        let rule = self.report.cases.first().and_then(|case| case.findings.first()).map(|finding| finding.rule);
        let hint = rule.map_or_else(String::new, |rule| format!("  whycert explain {rule}"));
        if total.width() + hint.width() <= self.style.width {
            let hint = self.paint("2", &hint);
            self.line(&format!("{painted}{hint}"));
        } else {
            self.line(&painted);
            self.line(&hint);
        }
    }
}

fn headline(case: &CaseEntry, host: &str, error: Option<&FindingEntry>) -> (&'static str, String, String) {
    if let Some(finding) = error {
        return ("1;91", format!("error[{}]", finding.rule), safe(&finding.headline));
    }
    let insufficient = case.undecided.iter().find(|it| it.rule.starts_with("insufficient.")).map_or("", |it| it.rule);
    let tag = |word: &str| {
        if insufficient.is_empty() { word.to_owned() } else { format!("{word}[{insufficient}]") }
    };
    match case.outcome {
        Outcome::Ok => {
            ("1;92", "ok[none.certificate_ok]".to_owned(), format!("{host} is served a certificate that covers it"))
        }
        Outcome::WrongCertificate => {
            ("1;91", tag("wrong-certificate"), format!("{host} is served a certificate that does not cover it"))
        }
        Outcome::InvalidCertificate => {
            ("1;91", tag("invalid-certificate"), format!("{host} is served a certificate that the client refuses"))
        }
        Outcome::HandshakeFailed => {
            ("1;91", tag("handshake-failed"), format!("{host}: the handshake ended before a certificate"))
        }
        Outcome::NoHandshake => ("1;93", tag("no-handshake"), format!("no handshake with {host} is in this evidence")),
        Outcome::Inconclusive => {
            ("1;93", tag("inconclusive"), format!("this evidence cannot show which certificate {host} was served"))
        }
    }
}

fn strength(finding: &FindingEntry) -> &'static str {
    match finding.strength {
        super::Strength::Proven => "proven",
        super::Strength::Strong => "strong",
        super::Strength::Consistent => "consistent",
    }
}

/// The marks of the finding that heads the case; without an error also those of what was seen.
fn shown_marks(case: &CaseEntry) -> Vec<Mark> {
    let first = case.findings.first();
    let mut marks: Vec<Mark> = first.map(|finding| finding.marks.clone()).unwrap_or_default();
    if first.is_none_or(|finding| finding.severity != Severity::Error) {
        marks.extend(case.marks.iter().cloned());
    }
    marks
}

/// What the proof shows: what the headline cites, or the first resolution and connection.
fn shown_observations(case: &CaseEntry) -> Vec<ObservationId> {
    let mut ids: BTreeSet<ObservationId> = BTreeSet::new();
    if let Some(finding) = case.findings.first() {
        ids.extend(finding.reasons.iter().flat_map(|reason| reason.cites.iter().copied()));
        ids.extend(finding.marks.iter().map(|mark| mark.on));
    }
    ids.extend(shown_marks(case).iter().map(|mark| mark.on));
    if case.findings.first().is_none_or(|finding| finding.severity != Severity::Error) {
        ids.extend(case.resolutions.first().into_iter().flat_map(|it| it.cites.iter().copied()));
        if let Some(connection) = case.connections.first() {
            ids.extend(connection.cites.iter().copied().filter(|id| {
                let in_chain = connection.chain.iter().filter_map(|it| it.observation).position(|it| it == *id);
                in_chain.is_none_or(|at| at == 0)
            }));
        }
    }
    ids.into_iter().collect()
}

/// The character under marked words, and its colour.
fn sign(mark: &Mark) -> (char, &'static str) {
    match mark.sign {
        Sign::Wrong => ('^', "1;91"),
        Sign::Right => ('-', "94"),
        Sign::Doubtful => ('~', "1;93"),
        Sign::Confirms => ('+', "1;92"),
    }
}

/// Where the marked words stand in a row, in bytes: after the word they stand beside.
fn locate(mark: &Mark, text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let words = safe(&mark.words).to_ascii_lowercase();
    if words.is_empty() {
        return None;
    }
    let beside = mark.beside.to_ascii_lowercase();
    let from = if beside.is_empty() { 0 } else { lower.find(&beside).map_or(0, |at| at + beside.len()) };
    let behind = lower.get(from..).and_then(|rest| rest.find(&words)).map(|at| at + from);
    behind.or_else(|| lower.find(&words))
}

/// The clients of the observations that are drawn.
fn clients_of(here: &[&ObservationEntry]) -> String {
    let mut clients: Vec<&str> = Vec::new();
    for it in here {
        let address = it.fact.get("client").and_then(Value::as_str).and_then(|client| client.rsplit_once(':'));
        let ip = address.map(|(ip, _)| ip.trim_matches(['[', ']']));
        clients.extend(ip.filter(|ip| !clients.contains(ip)));
    }
    if clients.is_empty() { String::new() } else { format!("client {}", safe(&clients.join(", "))) }
}

/// One row of a proof.
struct Row {
    number: Option<u64>,
    text: String,
    marks: Vec<Mark>,
}

impl Page<'_> {
    fn rows(&self, it: &ObservationEntry, marks: &[Mark]) -> Vec<Row> {
        let own: Vec<Mark> = marks.iter().filter(|mark| mark.on == it.id).cloned().collect();
        match it.at.first() {
            Some(PlaceEntry::Lines { .. }) if !self.report.quotes.is_empty() => self.quoted(it, &own),
            _ => self.drawn(it, &own),
        }
    }

    /// The lines that hold the marked words, or the first line of the observation.
    fn quoted(&self, it: &ObservationEntry, marks: &[Mark]) -> Vec<Row> {
        let lines: Vec<(u32, String)> = it
            .at
            .iter()
            .filter_map(|place| match place {
                PlaceEntry::Lines { source, lines: [first, last], .. } => Some((*source, *first..=*last)),
                _ => None,
            })
            .flat_map(|(source, range)| range.map(move |line| (source, line)))
            .filter_map(|(source, line)| {
                self.report.quotes.get(&(source, line)).map(|text| (line, safe(&text.replace('\t', " "))))
            })
            .collect();
        let holds = |text: &str, mark: &Mark| {
            let lower = text.to_lowercase();
            lower.contains(&mark.words.to_lowercase()) && lower.contains(&mark.beside.to_lowercase())
        };
        let mut rows: Vec<Row> = Vec::new();
        for mark in marks {
            let found = lines.iter().find(|(_, text)| holds(text, mark)).or(lines.first());
            let Some((line, text)) = found else { continue };
            let number = Some(u64::from(*line));
            match rows.iter_mut().find(|row| row.number == number) {
                Some(row) => row.marks.push(mark.clone()),
                None => rows.push(Row { number, text: text.clone(), marks: vec![mark.clone()] }),
            }
        }
        if rows.is_empty() && it.kind != "tls.handshake" {
            rows.extend(lines.first().map(|(line, text)| Row {
                number: Some(u64::from(*line)),
                text: text.clone(),
                marks: Vec::new(),
            }));
        }
        rows.sort_by_key(|row| row.number);
        rows
    }

    /// Rows drawn from the fact.
    fn drawn(&self, it: &ObservationEntry, marks: &[Mark]) -> Vec<Row> {
        let number = self.number_of(it.id);
        let mut rows: Vec<Row> =
            drawn_texts(it).into_iter().map(|text| Row { number: None, text, marks: Vec::new() }).collect();
        if let Some(row) = rows.first_mut() {
            row.number = number;
        }
        if let Some(row) = rows.iter_mut().skip(1).find(|row| row.text.contains(ENCRYPTED)) {
            row.number = self.last_number_of(it.id);
        }
        for mark in marks {
            let holds = |row: &Row, words: &str| row.text.to_lowercase().contains(&words.to_lowercase());
            let with = rows.iter().position(|row| holds(row, &mark.words) && holds(row, &mark.beside));
            let at = with.or_else(|| rows.iter().position(|row| holds(row, &mark.words)));
            let last = rows.len().saturating_sub(1);
            if let Some(row) = rows.get_mut(at.unwrap_or(last)) {
                row.marks.push(mark.clone());
            }
        }
        rows
    }
}

fn drawn_texts(it: &ObservationEntry) -> Vec<String> {
    let text = |name: &str| it.fact.get(name).and_then(Value::as_str).map(safe).unwrap_or_default();
    match it.kind {
        "dns.answer" => {
            let asked = it.fact.get("question").and_then(|question| question.get("name")).and_then(Value::as_str);
            let mut rows = vec![format!(" DNS   {}", safe(asked.unwrap_or("")))];
            let records = it.fact.get("records").and_then(Value::as_array).into_iter().flatten();
            let mut addresses: Vec<(String, String, Vec<String>)> = Vec::new();
            for record in records.filter(|record| record.get("section").and_then(Value::as_str) == Some("answer")) {
                let field = |name: &str| record.get(name).and_then(Value::as_str).map(safe).unwrap_or_default();
                let (owner, kind, data) = (field("name"), field("type"), field("data"));
                let ttl =
                    record.get("ttl").and_then(Value::as_u64).map_or_else(String::new, |ttl| format!("  TTL {ttl}"));
                if !matches!(kind.as_str(), "A" | "AAAA") {
                    rows.push(format!("       {kind:<6} {}{ttl}", data.trim_end_matches('.')));
                    continue;
                }
                match addresses.last_mut() {
                    Some((of, as_kind, all)) if *of == owner && *as_kind == kind => all.push(data),
                    _ => addresses.push((owner, kind, vec![data])),
                }
            }
            rows.extend(addresses.iter().map(|(_, kind, all)| format!("       {kind:<6} {}", all.join(", "))));
            rows
        }
        "tls.handshake" => {
            let mut rows = vec![format!(" TLS   {} → {}  {}", text("client"), text("server"), text("version"))];
            rows.push(match (text("sni"), text("sni_state").as_str()) {
                (_, "absent") => "       SNI    none".to_owned(),
                (_, "unknown") => "       SNI    unknown".to_owned(),
                (sni, _) => format!("       SNI    {sni}"),
            });
            if text("chain_state") == "encrypted" {
                rows.push(format!(" CERT  {ENCRYPTED}"));
            }
            rows
        }
        "certificate" => {
            let names: Vec<String> = it
                .fact
                .get("san")
                .and_then(|san| san.get("dns"))
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).map(safe).collect())
                .unwrap_or_default();
            let shown = if names.is_empty() { text("subject") } else { names.join(", ") };
            vec![format!(" CERT  {shown}")]
        }
        "client.verdict" => vec![format!(" SAYS  {}", text("words"))],
        _ => Vec::new(),
    }
}

/// A time to the second, as people read it.
fn moment(time: crate::provenance::Time) -> String {
    crate::provenance::Time { nanos: 0, ..time }.rfc3339().replace('T', " ").replace('Z', " UTC")
}

fn source_of(place: &PlaceEntry) -> u32 {
    match place {
        PlaceEntry::Frames { source, .. } | PlaceEntry::Lines { source, .. } | PlaceEntry::Whole { source } => *source,
    }
}

fn place(at: &[PlaceEntry]) -> String {
    match at.first() {
        Some(PlaceEntry::Frames { frames, .. }) => {
            let first = frames.first().copied().unwrap_or(0);
            if frames.len() > 1 {
                format!("frame {first} and {} more: ", frames.len() - 1)
            } else {
                format!("frame {first}: ")
            }
        }
        Some(PlaceEntry::Lines { lines: [first, _], .. }) => format!("line {first}: "),
        _ => String::new(),
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Prose in rows of so many columns; a word longer than a row is folded before a dot.
fn wrap(prose: &str, columns: usize) -> Vec<String> {
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
fn fold(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.width() > columns {
        let limit = rest.char_indices().nth(columns).map_or(rest.len(), |(at, _)| at);
        let head = rest.get(..limit).unwrap_or(rest);
        let blank = head.trim_start().find(' ').and_then(|_| head.rfind(' ')).filter(|at| *at > columns / 3);
        let at = blank.map(|at| at + 1).or_else(|| head.rfind('.').filter(|at| *at > columns / 3)).unwrap_or(limit);
        let (piece, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        pieces.push(piece.to_owned());
        rest = tail;
    }
    pieces.push(rest.to_owned());
    pieces
}

fn to_ascii(text: &str) -> String {
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

const ENCRYPTED: &str = "? encrypted";
const LABEL_COLUMNS: usize = 11;
/// The least room in which a label stands beside what it marks.
const LABEL_BESIDE_MIN: usize = 36;
/// The least room in which the reason stands beside the rule.
const BECAUSE_COLUMNS_MIN: usize = 24;
const GAPS_SHOWN: usize = 5;
const GROUPS: &[(Outcome, &str)] = &[
    (Outcome::WrongCertificate, "wrong certificate"),
    (Outcome::InvalidCertificate, "invalid certificate"),
    (Outcome::HandshakeFailed, "handshake failed"),
    (Outcome::NoHandshake, "no handshake"),
    (Outcome::Inconclusive, "inconclusive"),
    (Outcome::Ok, "ok"),
];
