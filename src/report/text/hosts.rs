//! Many hosts as one table: a count per outcome, then the hosts of each, worst first, those alike in
//! one row that says how many.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr;

use super::layout::wrap;
use super::{Page, moment, safe};
use crate::escape::shell_word;
use crate::evidence::ObservationId;
use crate::report::words::{self, Group, thousands};
use crate::report::{CaseEntry, PlaceEntry, SourceEntry};

/// Hosts that are alike: one cause, one certificate.
struct Alike<'r> {
    first: &'r CaseEntry,
    more: usize,
    detail: String,
}

impl Page<'_> {
    /// The table of all hosts.
    pub(super) fn hosts(&mut self) {
        self.hosts_head();
        for group in words::GROUPS {
            let cases: Vec<&CaseEntry> = self.report.cases.iter().filter(|it| group.holds(it)).collect();
            if !cases.is_empty() {
                self.group(group, &cases);
            }
        }
        self.open_one();
    }

    fn hosts_head(&mut self) {
        let hosts = thousands(count(self.report.cases.len()));
        let sources = match self.report.sources.as_slice() {
            [only] => self.twin(&safe(&only.path)).into_owned(),
            many => format!("{} sources", many.len()),
        };
        let first = self.report.sources.iter().filter_map(|it| it.first).min();
        let last = self.report.sources.iter().filter_map(|it| it.last).max();
        let between = match (first.map(moment), last.map(moment)) {
            (Some(first), Some(last)) => {
                let (day, begins) = first.split_once(' ').unwrap_or((&first, ""));
                let begins = begins.trim_end_matches(" UTC");
                let ends = last.strip_prefix(day).map_or(last.as_str(), str::trim_start);
                format!("  {day} {begins} to {ends}")
            }
            _ => String::new(),
        };
        let head = format!("{hosts} hosts in {sources}");
        if head.width() + between.width() <= self.style.width {
            let painted = self.paint("1", &head);
            self.line(&format!("{painted}{between}"));
        } else {
            for row in wrap(&head, self.style.width) {
                let painted = self.paint("1", &row);
                self.line(&painted);
            }
            self.line(&between);
        }
        self.blank();
        let mut row = String::new();
        let mut columns = 0;
        for group in words::GROUPS {
            let cases = self.report.cases.iter().filter(|it| group.holds(it)).count();
            if cases == 0 {
                continue;
            }
            let shown = format!("{} {} {}", group.glyph, thousands(count(cases)), group.short);
            if columns > 0 && columns + 3 + shown.width() > self.style.width {
                self.line(&row);
                row.clear();
                columns = 0;
            }
            row.push_str(if columns == 0 { "  " } else { "   " });
            columns += shown.width() + if columns == 0 { 2 } else { 3 };
            row.push_str(&self.paint(group.colour, &shown));
        }
        self.line(&row);
        self.blank();
    }

    fn group(&mut self, group: &Group, cases: &[&CaseEntry]) {
        let title = format!("{} ({})", group.title, thousands(count(cases.len())));
        if group.is_ok() {
            let title = self.paint("1", &title);
            self.line(&title);
            let glyph = self.paint(group.colour, group.glyph);
            let words = match cases.len() {
                1 => "1 host is served a certificate that covers it".to_owned(),
                many => format!("{} hosts are served a certificate that covers them", thousands(count(many))),
            };
            for (nth, row) in wrap(&words, self.style.width.saturating_sub(4)).iter().enumerate() {
                let lead = if nth == 0 { format!("  {glyph} ") } else { "    ".to_owned() };
                self.line(&format!("{lead}{row}"));
            }
            self.blank();
            return;
        }
        self.columns_head(&title);
        for it in folded(cases) {
            self.host(group, &it);
        }
        self.blank();
    }

    /// The title of a group over its hosts, `cause` and the place over their columns.
    fn columns_head(&mut self, title: &str) {
        let painted = self.paint("1", title);
        let Some(columns) = Columns::of(self.style.width) else {
            self.line(&painted);
            return;
        };
        let gap = " ".repeat(columns.cause.saturating_sub(title.width()).max(2));
        let place = if self.report.sources.len() > 1 { "" } else { self.place_word() };
        let room = self.style.width.saturating_sub(columns.cause + "cause".len());
        self.line(&format!("{painted}{gap}cause{place:>room$}"));
    }

    fn host(&mut self, group: &Group, it: &Alike<'_>) {
        let case = it.first;
        let name = safe(case.host.as_deref().unwrap_or("handshakes without a host name"));
        let name = match it.more {
            0 => name,
            more => format!("{name} and {}", words::more(more, "host", "hosts")),
        };
        let name = self.twin(&name).into_owned();
        let causes = words::causes_of(case);
        let room =
            Columns::of(self.style.width).map_or(self.style.width, |it| self.style.width.saturating_sub(it.cause + 8));
        let tied = case.headed_by();
        let named = match tied.first() {
            Some(first) if causes.width() > room && tied.len() > 1 => {
                format!("{} or {} more", first.rule, tied.len().saturating_sub(1))
            }
            _ => causes,
        };
        let detail = safe(&if it.more == 0 { words::detail_of(case) } else { it.detail.clone() });
        let (source, place) = self.place_of(case);
        // A number says nothing without its source: with several, both stand with the details.
        let right = Columns::of(self.style.width).map_or(0, |it| self.style.width.saturating_sub(it.cause));
        let is_beside = named.width() + place.width() + 2 <= right;
        let (detail, place) = match source {
            Some(source) if self.report.sources.len() > 1 || !is_beside => {
                (with_source(&detail, source, &place, self.report.sources.len()), String::new())
            }
            _ => (detail, place),
        };
        let detail = self.twin(&detail).into_owned();
        let glyph = self.paint(group.colour, group.glyph);
        let lead = format!("  {glyph} ");
        let Some(columns) = Columns::of(self.style.width).filter(|_| named.width() <= right) else {
            self.narrow(&lead, &name, &named, &detail);
            return;
        };
        let room = columns.cause.saturating_sub(4 + 1);
        let gap = " ".repeat(right.saturating_sub(named.width() + place.width()));
        let tail = format!("{named}{gap}{place}");
        if name.width() <= room {
            self.line(&format!("{lead}{name}{}{tail}", " ".repeat(columns.cause.saturating_sub(4 + name.width()))));
        } else {
            self.name(&lead, &name);
            if detail.width() <= room {
                self.line(&format!(
                    "    {detail}{}{tail}",
                    " ".repeat(columns.cause.saturating_sub(4 + detail.width()))
                ));
                return;
            }
            self.line(&format!("{}{tail}", " ".repeat(columns.cause)));
        }
        self.detail(&detail);
    }

    fn narrow(&mut self, lead: &str, name: &str, cause: &str, detail: &str) {
        self.name(lead, name);
        for row in wrap(cause, self.style.width.saturating_sub(4)) {
            self.line(&format!("    {row}"));
        }
        self.detail(detail);
    }

    fn name(&mut self, lead: &str, name: &str) {
        for (nth, row) in wrap(name, self.style.width.saturating_sub(4)).iter().enumerate() {
            self.line(&format!("{}{row}", if nth == 0 { lead } else { "    " }));
        }
    }

    fn detail(&mut self, detail: &str) {
        for row in wrap(detail, self.style.width.saturating_sub(4)) {
            if !row.is_empty() {
                self.line(&format!("    {row}"));
            }
        }
    }

    /// Where the handshake stands that shows it, else the first thing that heads the case.
    fn place_of(&self, case: &CaseEntry) -> (Option<&SourceEntry>, String) {
        let reasons = case.findings.first().into_iter().flat_map(|it| &it.reasons).flat_map(|it| &it.cites);
        let connection = case.connections.first().into_iter().flat_map(|it| &it.cites);
        let resolution = case.resolutions.first().into_iter().flat_map(|it| &it.cites);
        let cited = reasons.chain(connection).chain(resolution);
        let is_handshake =
            |id: &&ObservationId| self.report.observation(**id).is_some_and(|it| it.kind == "tls.handshake");
        let shown = cited.clone().find(is_handshake).or_else(|| cited.clone().next());
        let Some(place) = shown.and_then(|id| self.report.places_of(case, *id).first()) else {
            return (None, String::new());
        };
        let source = self.report.sources.iter().find(|source| source.id == place.source());
        (source, words::first_of(place).map_or_else(String::new, |number| number.to_string()))
    }

    fn place_word(&self) -> &'static str {
        let mut places = self.report.observations.iter().filter_map(|it| it.at.first());
        let is_lines = |place: &PlaceEntry| matches!(place, PlaceEntry::Lines { .. });
        if places.clone().all(is_lines) {
            "line"
        } else if places.any(is_lines) {
            "place"
        } else {
            "frame"
        }
    }

    /// How to see one host, and every row.
    fn open_one(&mut self) {
        let inputs = match self.report.sources.as_slice() {
            [only] => shell_word(&only.path),
            _ => "PATH...".to_owned(),
        };
        let host =
            self.report.cases.iter().find_map(|it| it.host.as_deref()).map_or_else(|| "NAME".to_owned(), shell_word);
        self.command("open one", &format!("whycert diagnose {inputs} --host {host}"));
        self.command("every row", &format!("whycert diagnose {inputs} --format csv"));
        self.blank();
    }
}

/// Hosts of one cause that are served the same together, in the order of the first of each.
fn folded<'r>(cases: &[&'r CaseEntry]) -> Vec<Alike<'r>> {
    let mut rows: Vec<Alike<'r>> = Vec::new();
    let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
    for case in cases {
        let detail = detail_of_all(case);
        let key = (words::causes_of(case), detail.clone());
        if let Some(row) = known.get(&key).and_then(|at| rows.get_mut(*at)) {
            row.more += 1;
        } else {
            known.insert(key, rows.len());
            rows.push(Alike { first: case, more: 0, detail });
        }
    }
    rows
}

/// What hosts that are alike come to: a command to ask for names none of them.
fn detail_of_all(case: &CaseEntry) -> String {
    let detail = words::detail_of(case);
    match &case.host {
        Some(host) if detail.starts_with("ask for: ") => detail.replace(host.as_str(), "HOST"),
        _ => detail,
    }
}

/// What a host comes to, and where in which source that stands.
fn with_source(detail: &str, source: &SourceEntry, number: &str, sources: usize) -> String {
    let word = if source.frames.is_some() { "frame" } else { "line" };
    let path = if sources > 1 { safe(&source.path) } else { String::new() };
    let place = if number.is_empty() { String::new() } else { format!("{word} {number}") };
    let both = format!("{path} {place}");
    match both.trim() {
        "" => detail.to_owned(),
        both => format!("{detail} ({both})").trim_start().to_owned(),
    }
}

/// Where the columns of the table begin; none under 60 columns.
struct Columns {
    cause: usize,
}

impl Columns {
    fn of(width: usize) -> Option<Self> {
        (width >= 60).then_some(Self { cause: width * 19 / 40 })
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
