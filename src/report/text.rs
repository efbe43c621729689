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
    CaseEntry, FindingEntry, Mark, ObservationEntry, Outcome, PlaceEntry, Renderer, Report, Severity, Sign, Style,
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
        if let Some(finding) = case.findings.first() {
            match error {
                Some(_) => self.wrapped("cause", &safe(&finding.cause)),
                None => self.wrapped(
                    "known",
                    &format!(
                        "{}: {}",
                        finding.rule,
                        safe(&finding.reasons.iter().map(|it| it.text.clone()).collect::<Vec<_>>().join("; "))
                    ),
                ),
            }
            self.blank();
            self.fix(finding);
            self.wrapped("check", &safe(&finding.verify));
            if let Some(expect) = &finding.expect {
                self.wrapped("", &format!("expect {}", safe(expect)));
            }
            self.blank();
        }
        for finding in case.findings.iter().skip(1) {
            self.wrapped("also", &format!("{} ({}): {}", finding.rule, strength(finding), safe(&finding.cause)));
            self.blank();
        }
        self.checked(case);
        self.undecided(case);
        self.ruled_out(case);
        self.wireshark(case);
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
        let marks: Vec<Mark> = case.findings.first().map(|finding| finding.marks.clone()).unwrap_or_default();
        for source in &self.report.sources {
            let here: Vec<&ObservationEntry> = shown
                .iter()
                .filter_map(|id| self.report.observations.iter().find(|it| it.id == *id))
                .filter(|it| it.at.first().map(source_of) == Some(source.id))
                .collect();
            if here.is_empty() {
                continue;
            }
            let rows: Vec<Row> = here.iter().flat_map(|it| self.rows(it, &marks)).collect();
            let gutter = rows.iter().filter_map(|row| row.number).map(|n| n.to_string().len()).max().unwrap_or(1);
            let name = safe(&source.path);
            let time =
                source.first.map(moment).filter(|time| gutter + 6 + name.width() + time.len() <= self.style.width);
            let edge = self.paint("94", "┌─");
            let time = time.map_or_else(String::new, |time| format!("  {time}"));
            self.line(&format!("{} {edge} {name}{time}", " ".repeat(gutter)));
            let bar = self.paint("94", "│");
            self.line(&format!("{} {bar}", " ".repeat(gutter)));
            for row in rows {
                self.row(&row, gutter);
            }
            let end = self.paint("94", "└─");
            self.line(&format!("{} {end}", " ".repeat(gutter)));
        }
        self.blank();
    }

    fn row(&mut self, row: &Row, gutter: usize) {
        let number = row.number.map_or_else(String::new, |number| number.to_string());
        let room = self.style.width.saturating_sub(gutter + 3);
        let pieces = fold(&row.text, room);
        for (nth, piece) in pieces.iter().enumerate() {
            let bar = if nth == 0 { self.paint("94", "│") } else { self.paint("94", "↳") };
            let number = if nth == 0 { self.paint("94", &format!("{number:>gutter$}")) } else { " ".repeat(gutter) };
            self.line(&format!("{number} {bar} {piece}"));
            for mark in &row.marks {
                self.mark(mark, piece, gutter, room, nth + 1 == pieces.len());
            }
        }
    }

    fn mark(&mut self, mark: &Mark, piece: &str, gutter: usize, room: usize, is_last: bool) {
        let lower = piece.to_lowercase();
        let words = mark.words.to_lowercase();
        let found = (!words.is_empty()).then(|| lower.find(&words)).flatten();
        let (sign, colour) = match mark.sign {
            Sign::Wrong => ('^', "1;91"),
            Sign::Right => ('-', "94"),
            Sign::Doubtful => ('~', "1;93"),
            Sign::Confirms => ('+', "1;92"),
        };
        let bar = self.paint("94", "│");
        let pad = " ".repeat(gutter);
        let Some(at) = found else {
            if is_last && !lower.contains(&words) && !self.text.contains(&mark.label) {
                for row in wrap(&safe(&mark.label), room.saturating_sub(2)) {
                    let painted = self.paint(colour, &row);
                    self.line(&format!("{pad} {bar}   {painted}"));
                }
            }
            return;
        };
        let before = piece.get(..at).map_or(at, UnicodeWidthStr::width);
        let carets = sign.to_string().repeat(mark.words.width().min(room.saturating_sub(before)));
        let label = safe(&mark.label);
        let beside = before + carets.len() + 1;
        if room.saturating_sub(beside) >= 24 {
            for (nth, row) in wrap(&label, room.saturating_sub(beside)).iter().enumerate() {
                let drawn =
                    if nth == 0 { format!("{carets} {row}") } else { format!("{}{row}", " ".repeat(carets.len() + 1)) };
                let painted = self.paint(colour, &drawn);
                self.line(&format!("{pad} {bar} {}{painted}", " ".repeat(before)));
            }
        } else {
            let indent = before.min(room.saturating_sub(24));
            let drawn = self.paint(colour, &carets);
            self.line(&format!("{pad} {bar} {}{drawn}", " ".repeat(before)));
            for row in wrap(&label, room.saturating_sub(indent)) {
                let painted = self.paint(colour, &row);
                self.line(&format!("{pad} {bar} {}{painted}", " ".repeat(indent)));
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

    fn ruled_out(&mut self, case: &CaseEntry) {
        if case.ruled_out.is_empty() {
            return;
        }
        let mut label = "ruled out";
        for it in &case.ruled_out {
            let number =
                it.cites.first().and_then(|id| self.number_of(*id)).map_or_else(String::new, |n| format!("{n}  "));
            self.wrapped(label, &format!("{number}{}: {}", it.rule, safe(&it.because)));
            label = "";
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
        let line = self.paint(code, &format!("{glyph} {hosts}{counts}"));
        self.line(&line);
        let rule = self.report.cases.first().and_then(|case| case.findings.first()).map(|finding| finding.rule);
        if let Some(rule) = rule {
            self.line(&format!("  whycert explain {rule}"));
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

/// What the proof shows: what the headline cites, or the first resolution and connection.
fn shown_observations(case: &CaseEntry) -> Vec<ObservationId> {
    let mut ids: BTreeSet<ObservationId> = BTreeSet::new();
    if let Some(finding) = case.findings.first() {
        ids.extend(finding.reasons.iter().flat_map(|reason| reason.cites.iter().copied()));
        ids.extend(finding.marks.iter().map(|mark| mark.on));
    }
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
        for mark in marks {
            let at = rows.iter().position(|row| {
                let lower = row.text.to_lowercase();
                lower.contains(&mark.words.to_lowercase()) && lower.contains(&mark.beside.to_lowercase())
            });
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
            let mut rows = vec![format!("DNS   {}", safe(asked.unwrap_or("")))];
            let records = it.fact.get("records").and_then(Value::as_array).into_iter().flatten();
            for record in records.filter(|record| record.get("section").and_then(Value::as_str) == Some("answer")) {
                let field = |name: &str| record.get(name).and_then(Value::as_str).map(safe).unwrap_or_default();
                let ttl =
                    record.get("ttl").and_then(Value::as_u64).map_or_else(String::new, |ttl| format!("  TTL {ttl}"));
                rows.push(format!("      {:<6} {}{ttl}", field("type"), field("data").trim_end_matches('.')));
            }
            rows
        }
        "tls.handshake" => {
            let mut rows = vec![format!("TLS   {} → {}  {}", text("client"), text("server"), text("version"))];
            rows.push(match (text("sni"), text("sni_state").as_str()) {
                (_, "absent") => "      SNI    none".to_owned(),
                (_, "unknown") => "      SNI    unknown".to_owned(),
                (sni, _) => format!("      SNI    {sni}"),
            });
            if text("chain_state") == "encrypted" {
                rows.push("CERT  ? encrypted".to_owned());
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
            vec![format!("CERT  {shown}")]
        }
        "client.verdict" => vec![format!("SAYS  {}", text("words"))],
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
        pieces.push(piece.trim_end().to_owned());
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

const LABEL_COLUMNS: usize = 11;
const GAPS_SHOWN: usize = 5;
const GROUPS: &[(Outcome, &str)] = &[
    (Outcome::WrongCertificate, "wrong certificate"),
    (Outcome::InvalidCertificate, "invalid certificate"),
    (Outcome::HandshakeFailed, "handshake failed"),
    (Outcome::NoHandshake, "no handshake"),
    (Outcome::Inconclusive, "inconclusive"),
    (Outcome::Ok, "ok"),
];
