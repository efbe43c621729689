//! The proof: the observations that a headline cites, quoted or drawn, with the marked words
//! underlined.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::layout::{fold, wrap};
use super::{LABEL_BESIDE_MIN, Page, drawn, moment, safe};
use crate::evidence::ObservationId;
use crate::report::{CaseEntry, Mark, ObservationEntry, PlaceEntry, Report, Severity, Sign, SourceEntry, words};

impl Page<'_> {
    /// The observations that prove the headline, or what the case holds, one block a source.
    pub(super) fn proof(&mut self, case: &CaseEntry) {
        let marks = shown_marks(case);
        let sources: Vec<Shown<'_>> = self.shown(case, &marks);
        let numbers = sources.iter().flat_map(|(.., blocks)| blocks.iter().flatten()).filter_map(|row| row.number);
        let gutter = numbers.map(|number| number.to_string().len()).max().unwrap_or(1);
        for (source, here, blocks) in sources {
            let pad = " ".repeat(gutter);
            let edge = self.paint("94", "┌─");
            let heading = self.heading(source, &here, gutter);
            self.line(&format!("{pad} {edge} {heading}"));
            let bar = self.paint("94", "│");
            for rows in blocks {
                self.line(&format!("{pad} {bar}"));
                for (nth, row) in rows.iter().enumerate() {
                    if nth > 0 && row.number.is_some() {
                        self.line(&format!("{pad} {bar}"));
                    }
                    self.row(row, gutter);
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
        for it in runs.filter(|it| it.at.first().map(PlaceEntry::source) == Some(source.id)) {
            let tool = it.fact.get("tool").and_then(Value::as_str).and_then(|tool| tool.split(' ').next());
            tools.extend(tool.filter(|tool| !tools.contains(tool)));
        }
        safe(&tools.join(", "))
    }

    fn row(&mut self, row: &Row, gutter: usize) {
        let number = row.number.map_or_else(String::new, |number| number.to_string());
        let room = self.style.width.saturating_sub(gutter + 3);
        let mut begins = 0;
        // Labels below a name that goes on in the next row stand behind its end.
        let mut below: Vec<String> = Vec::new();
        let text = self.twin(&row.text).into_owned();
        let located: Vec<(&Mark, Option<usize>)> =
            row.marks.iter().map(|mark| (mark, self.locate(mark, &text))).collect();
        let pieces = self.folded(&text, &located, room);
        for (nth, piece) in pieces.iter().enumerate() {
            let bar = if nth == 0 { self.paint("94", "│") } else { self.paint("94", "↳") };
            let number = if nth == 0 { self.paint("94", &format!("{number:>gutter$}")) } else { " ".repeat(gutter) };
            self.line(&format!("{number} {bar} {}", piece.trim_end()));
            let ends = begins + piece.len();
            for (mark, at) in located.iter().filter_map(|(mark, at)| Some((mark, (*at)?))) {
                if (begins..ends).contains(&at) {
                    below.extend(self.mark(mark, piece, at - begins, gutter, room));
                }
            }
            if piece.ends_with(' ') || nth + 1 == pieces.len() {
                below.drain(..).for_each(|label| self.line(&label));
            }
            begins = ends;
        }
        for (mark, _) in located.iter().filter(|(_, at)| at.is_none()) {
            let bar = self.paint("94", "│");
            let (_, colour) = sign(mark);
            let indent = if row.text.starts_with(' ') { drawn::COLUMNS } else { 2 };
            for text in wrap(&self.twin(&safe(&mark.label)), room.saturating_sub(indent)) {
                let painted = self.paint(colour, &text);
                self.line(&format!("{} {bar} {}{painted}", " ".repeat(gutter), " ".repeat(indent)));
            }
        }
    }

    /// A row in pieces, in which short marked words, such as a date, stand in one.
    fn folded(&self, text: &str, located: &[(&Mark, Option<usize>)], room: usize) -> Vec<String> {
        let spans: Vec<(usize, usize)> = located
            .iter()
            .filter_map(|(mark, at)| Some((*at.as_ref()?, self.twin(&safe(&mark.words)).into_owned())))
            .filter(|(_, words)| words.width() <= WORDS_IN_ONE_MAX.min(room))
            .map(|(at, words)| (at, at + words.len()))
            .collect();
        let is_within = |at: usize| spans.iter().any(|(from, to)| (*from..*to).contains(&at));
        // A stand-in of the same length for the blanks at which the words would be folded.
        let whole: String =
            text.char_indices().map(|(at, c)| if c == ' ' && is_within(at) { '_' } else { c }).collect();
        let mut begins = 0;
        let pieces = fold(&whole, room).into_iter().map(|piece| {
            let ends = begins + piece.len();
            let own = text.get(begins..ends).map_or(piece, str::to_owned);
            begins = ends;
            own
        });
        pieces.collect()
    }

    /// The line under a marked word, its label beside it where there is room; else what to write below.
    fn mark(&mut self, mark: &Mark, piece: &str, at: usize, gutter: usize, room: usize) -> Vec<String> {
        let (sign, colour) = sign(mark);
        let lead = format!("{} {} ", " ".repeat(gutter), self.paint("94", "│"));
        let before = piece.get(..at).map_or(at, UnicodeWidthStr::width);
        let words = self.twin(&safe(&mark.words)).into_owned();
        let carets = sign.to_string().repeat(words.width().min(piece.trim_end().width().saturating_sub(before)).max(1));
        let label = self.twin(&safe(&mark.label)).into_owned();
        let beside = before + carets.len() + 1;
        let left = room.saturating_sub(beside);
        if left >= LABEL_BESIDE_MIN || label.width() <= left {
            for (nth, row) in wrap(&label, left).iter().enumerate() {
                let drawn =
                    if nth == 0 { format!("{carets} {row}") } else { format!("{}{row}", " ".repeat(carets.len() + 1)) };
                let painted = self.paint(colour, &drawn);
                self.line(&format!("{lead}{}{painted}", " ".repeat(before)));
            }
            Vec::new()
        } else {
            let indent = before.min(room.saturating_sub(label.width().clamp(1, room)));
            let indent = if label.width() > room { before.min(room.saturating_sub(LABEL_BESIDE_MIN)) } else { indent };
            let drawn = self.paint(colour, &carets);
            self.line(&format!("{lead}{}{drawn}", " ".repeat(before)));
            let rows = wrap(&label, room.saturating_sub(indent));
            rows.iter().map(|row| format!("{lead}{}{}", " ".repeat(indent), self.paint(colour, row))).collect()
        }
    }

    /// Where the marked words stand in a row, in bytes: after the word they stand beside.
    fn locate(&self, mark: &Mark, text: &str) -> Option<usize> {
        let lower = text.to_ascii_lowercase();
        let words = self.twin(&safe(&mark.words)).to_ascii_lowercase();
        if words.is_empty() {
            return None;
        }
        let beside = mark.beside.to_ascii_lowercase();
        let from = if beside.is_empty() { 0 } else { lower.find(&beside).map_or(0, |at| at + beside.len()) };
        let behind = lower.get(from..).and_then(|rest| rest.find(&words)).map(|at| at + from);
        behind.or_else(|| lower.find(&words))
    }

    fn last_number_of(&self, id: ObservationId) -> Option<u64> {
        match self.report.observation(id)?.at.last()? {
            PlaceEntry::Frames { frames, .. } => frames.last().copied(),
            _ => None,
        }
    }
}

/// The lines that hold the marked words, or the first line of the observation.
fn quoted(it: &ObservationEntry, lines: &[(u32, String)], marks: &[Mark]) -> Vec<Row> {
    // Not every tool prints a record's type beside its data.
    let names = |text: &str, mark: &Mark| text.to_lowercase().contains(&mark.words.to_lowercase());
    let holds =
        |text: &str, mark: &Mark| names(text, mark) && text.to_lowercase().contains(&mark.beside.to_lowercase());
    let mut rows: Vec<Row> = Vec::new();
    for mark in marks {
        let with = lines.iter().find(|(_, text)| holds(text, mark));
        let found = with.or_else(|| lines.iter().find(|(_, text)| names(text, mark))).or(lines.first());
        let Some((line, text)) = found else { continue };
        let number = Some(u64::from(*line));
        match rows.iter_mut().find(|row| row.number == number) {
            Some(row) => row.marks.push(mark.clone()),
            None => rows.push(Row { number, text: text.clone(), marks: vec![mark.clone()] }),
        }
    }
    if rows.is_empty() && !matches!(it.kind, "tls.handshake" | "cloud.mapping") {
        let says = lines.iter().find(|(_, text)| !text.starts_with(';')).or(lines.first());
        rows.extend(says.map(|(line, text)| Row {
            number: Some(u64::from(*line)),
            text: text.clone(),
            marks: Vec::new(),
        }));
    }
    rows.sort_by_key(|row| row.number);
    rows
}

/// The marks of the finding that heads the case; without an error also those of what was seen.
fn shown_marks(case: &CaseEntry) -> Vec<Mark> {
    let first = case.findings.first();
    let mut marks: Vec<Mark> = first.map(|finding| finding.marks.clone()).unwrap_or_default();
    if first.is_none_or(|finding| finding.severity != Severity::Error) {
        let seen: Vec<Mark> = case.marks.iter().filter(|mark| !marks.contains(mark)).cloned().collect();
        marks.extend(seen);
    }
    marks
}

/// What the proof shows: what the headline cites, or the first resolution and connection.
fn shown_observations(case: &CaseEntry) -> Vec<ObservationId> {
    let mut ids: BTreeSet<ObservationId> = BTreeSet::new();
    if let Some(finding) = case.findings.first() {
        // What is beside the answer adds no certificates to its proof.
        let is_beside = words::is_beside(case, finding);
        let presented: BTreeSet<ObservationId> =
            case.connections.iter().flat_map(|it| &it.chain).filter_map(|it| it.observation).collect();
        let cited = finding.reasons.iter().flat_map(|reason| reason.cites.iter().copied());
        ids.extend(cited.filter(|id| !(is_beside && presented.contains(id))));
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

/// That a connection of the proof asked for another host than the case's.
fn foreign(case: &CaseEntry, it: &ObservationEntry) -> Option<Mark> {
    let text = |name: &str| it.fact.get(name).and_then(Value::as_str);
    let host = case.host.as_deref().filter(|_| it.kind == "tls.handshake")?;
    let sent = text("sni").or_else(|| text("dialed"))?;
    let is_own = [text("sni"), text("dialed")].contains(&Some(host))
        || case.connections.iter().any(|connection| connection.cites.contains(&it.id));
    (!is_own).then(|| Mark::new(it.id, sent, Sign::Doubtful, format!("another connection, for {sent}")))
}

/// Whether a mark stands under the name that another does.
fn names(mark: &Mark, other: &Mark) -> bool {
    mark.words.eq_ignore_ascii_case(&other.words)
}

/// Longer words are sentences, which are folded as their line is.
const WORDS_IN_ONE_MAX: usize = 32;

/// The character under marked words, and its colour.
fn sign(mark: &Mark) -> (char, &'static str) {
    match mark.sign {
        Sign::Wrong => ('^', "1;91"),
        Sign::Right => ('-', "94"),
        Sign::Doubtful => ('~', "1;93"),
        Sign::Confirms => ('+', "1;92"),
    }
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

/// A source, its observations that are shown, and the rows of each.
type Shown<'r> = (&'r SourceEntry, Vec<&'r ObservationEntry>, Vec<Vec<Row>>);

/// One row of a proof.
struct Row {
    number: Option<u64>,
    text: String,
    marks: Vec<Mark>,
}

impl<'r> Page<'r> {
    /// Of each source what is shown, in its order, and the rows for it.
    fn shown(&self, case: &CaseEntry, marks: &[Mark]) -> Vec<Shown<'r>> {
        let report: &'r Report = self.report;
        let ids = shown_observations(case);
        let mut shown: Vec<Shown<'r>> = Vec::new();
        for source in &report.sources {
            let place = |id: ObservationId| report.places_of(case, id).first().map(PlaceEntry::source);
            let here = ids.iter().filter(|id| place(**id) == Some(source.id));
            let mut here: Vec<&'r ObservationEntry> = here.filter_map(|id| report.observation(*id)).collect();
            here.sort_by_key(|it| report.number_of(case, it.id));
            let blocks: Vec<Vec<Row>> =
                here.iter().map(|it| self.rows(case, it, marks)).filter(|rows| !rows.is_empty()).collect();
            if !blocks.is_empty() {
                shown.push((source, here, blocks));
            }
        }
        shown
    }

    fn rows(&self, case: &CaseEntry, it: &ObservationEntry, marks: &[Mark]) -> Vec<Row> {
        let foreign =
            foreign(case, it).filter(|foreign| !marks.iter().any(|mark| mark.on == it.id && names(mark, foreign)));
        let own = marks.iter().filter(|mark| mark.on == it.id).chain(foreign.as_ref());
        let is_quoted = matches!(it.at.first(), Some(PlaceEntry::Lines { .. })) && self.is_quoted(it);
        if is_quoted {
            let lines = self.lines(it);
            let spelled =
                |mark: &Mark| drawn::spelled(mark, |words| lines.iter().any(|(_, text)| text.contains(words)));
            return quoted(it, &lines, &own.map(spelled).collect::<Vec<_>>());
        }
        let spelled = |mark: &Mark| drawn::spelled(mark, |words| !words.contains([':', ' ']));
        self.drawn(case, it, &own.map(spelled).collect::<Vec<_>>())
    }

    /// Whether a line of the observation is there to be quoted; those of an export can be too long.
    fn is_quoted(&self, it: &ObservationEntry) -> bool {
        it.at.iter().any(|place| match place {
            PlaceEntry::Lines { source, lines: [first, last], .. } => {
                self.report.quotes.range((*source, *first)..=(*source, *last)).next().is_some()
            }
            _ => false,
        })
    }

    /// The lines that an observation stands on.
    fn lines(&self, it: &ObservationEntry) -> Vec<(u32, String)> {
        let ranges = it.at.iter().filter_map(|place| match place {
            PlaceEntry::Lines { source, lines: [first, last], .. } => Some((*source, *first)..=(*source, *last)),
            _ => None,
        });
        let quotes = ranges.flat_map(|range| self.report.quotes.range(range));
        quotes.map(|((_, line), text)| (*line, safe(&text.replace('\t', " ")))).collect()
    }

    /// Rows drawn from the fact.
    fn drawn(&self, case: &CaseEntry, it: &ObservationEntry, marks: &[Mark]) -> Vec<Row> {
        if marks.is_empty() && drawn::is_farewell(it) {
            return Vec::new();
        }
        let number = self.report.number_of(case, it.id);
        let texts = drawn::texts(it, marks);
        let mut rows: Vec<Row> = texts.into_iter().map(|text| Row { number: None, text, marks: Vec::new() }).collect();
        if let Some(row) = rows.first_mut() {
            row.number = number;
        }
        if let Some(row) = rows.iter_mut().skip(1).find(|row| row.text.contains(drawn::ENCRYPTED)) {
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
