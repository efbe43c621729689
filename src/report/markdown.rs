//! The report as Markdown (CommonMark with tables), to paste into a ticket: the answer, the change, the
//! proof, what is ruled out and what to ask for.
//!
//! Names and commands are code, so that nothing from an input becomes a link, a mention or markup.

use super::checked::{comparisons, unseen};
use super::{CaseEntry, FindingEntry, PlaceEntry, Renderer, Report, Severity, Style, words};
use crate::escape::line as safe;
use crate::evidence::ObservationId;
use crate::rules::view;

/// `--format markdown`.
pub static RENDERER: Renderer = Renderer { id: "markdown", render };

fn render(report: &Report, _: &Style) -> String {
    let mut page = Page { report, text: String::new() };
    if report.partial.is_some() {
        page.paragraph(&format!("**Partial** {}", words::PARTIAL));
    }
    if report.cases.len() > 1 {
        page.hosts();
    }
    if report.cases.is_empty() {
        let (what, why) = words::no_case(report);
        page.line(&format!("## ? {}", view::capitalised(what)));
        page.line("");
        page.line(&format!("{}.", view::capitalised(&why)));
        page.line("");
    }
    let is_told = |case: &&CaseEntry| report.cases.len() <= CASES_IN_FULL || words::is_error(case);
    for case in report.cases.iter().filter(is_told).take(CASES_MAX) {
        page.case(case);
    }
    page.sources();
    page.text
}

struct Page<'r> {
    report: &'r Report,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.line(&format!("### {text}"));
        self.line("");
    }

    fn paragraph(&mut self, text: &str) {
        self.line(text);
        self.line("");
    }

    /// A row of a table.
    fn row(&mut self, cells: &[&str]) {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    fn block(&mut self, language: &str, lines: &[String]) {
        let ticks = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0).max(2) + 1;
        let fence = "`".repeat(ticks);
        self.line(&format!("{fence}{language}"));
        for line in lines {
            self.line(line);
        }
        self.line(&fence);
        self.line("");
    }

    /// All hosts, worst first.
    fn hosts(&mut self) {
        self.line(&format!("## {} hosts", self.report.cases.len()));
        self.line("");
        self.line("| host | outcome | cause | |");
        self.line("|---|---|---|---|");
        for case in self.report.cases.iter().take(ROWS_MAX) {
            let group = words::group(case);
            let host = case.host.as_deref().map_or_else(|| "(no host name)".to_owned(), code);
            let cause = if case.findings.is_empty() && !case.is_accepted() {
                String::new()
            } else {
                code(&words::causes_of(case))
            };
            let detail = if group.is_ok() { String::new() } else { prose(&words::detail_of(case)) };
            self.row(&[&host, &format!("{} {}", group.glyph, group.title), &cause, &detail]);
        }
        let more = self.report.cases.len().saturating_sub(ROWS_MAX);
        if more > 0 {
            self.line("");
            self.line(&format!("and {}; `--format csv` has every row.", words::more(more, "host", "hosts")));
        }
        self.line("");
    }

    fn case(&mut self, case: &CaseEntry) {
        let group = words::group(case);
        self.line(&format!("## {} {}", group.glyph, prose(&words::headline(case))));
        self.line("");
        let first = case.findings.first().filter(|it| !words::is_beside(case, it));
        let strength = first.map_or_else(String::new, |it| format!(", {}", words::strength(it)));
        self.paragraph(&format!("{}{strength} · {}", code(&words::head(case)), group.title));
        let headed = case.headed_by();
        if words::is_error(case) {
            if headed.len() > 1 {
                self.paragraph(&format!("One of {} causes; this evidence does not separate them.", headed.len()));
            }
            for finding in headed {
                self.finding(finding);
            }
        } else {
            self.known(case);
        }
        self.proof(case);
        self.checked(case);
        self.wireshark(case);
        if words::is_error(case) {
            case.findings.iter().skip(headed.len()).for_each(|it| self.also(it));
        }
        for it in &case.ignored {
            self.paragraph(&format!(
                "**Ignored** {}: {} ({})",
                code(it.rule),
                prose(&it.headline),
                prose(&words::acceptance(it))
            ));
        }
        for it in &case.beware {
            self.paragraph(&format!("**Beware** {}{}", prose(&it.text), self.behind(case, &it.cites)));
        }
        self.ask_for(case);
        if !words::is_error(case) {
            self.without_error(case);
        }
        self.ruled_out(case);
    }

    fn also(&mut self, finding: &FindingEntry) {
        let words =
            format!("**Also** {} ({}): {}", code(finding.rule), words::strength(finding), prose(&finding.cause));
        self.paragraph(&words);
    }

    /// Without an error: what is known, and what is not.
    fn known(&mut self, case: &CaseEntry) {
        if let Some(finding) = case.headed_by().first().filter(|it| !words::is_beside(case, it)) {
            let reasons: Vec<&str> = finding.reasons.iter().map(|it| it.text.as_str()).collect();
            self.paragraph(&format!("**Known** {}.", prose(&reasons.join("; "))));
        }
        if let Some(it) = case.undecided.iter().find(|it| it.rule.starts_with("insufficient.")) {
            self.paragraph(&format!("**Unknown** {}.", prose(&it.missing)));
        }
    }

    /// Without an error: what to do only when it is confirmed, and what is beside the answer.
    fn without_error(&mut self, case: &CaseEntry) {
        let then = words::then(case);
        for (sign, rule, condition) in &then {
            self.line(&format!("- {sign} {} {}", code(rule), prose(condition)));
        }
        if !then.is_empty() {
            self.line("");
        }
        for (nth, finding) in case.findings.iter().enumerate() {
            if words::is_beside(case, finding) {
                let label = if finding.severity == Severity::Note { "Note" } else { "Warning" };
                let strength = words::strength(finding);
                self.paragraph(&format!("**{label}** {} ({strength}): {}", code(finding.rule), prose(&finding.cause)));
                // The cure of a side fact would be taken for that of what is broken, or for work that is to be done.
                if words::group(case).is_ok() {
                    self.paragraph(&format!(
                        "{} {} says more.",
                        words::BESIDE,
                        code(&format!("whycert explain {}", finding.rule))
                    ));
                }
            } else if nth < case.headed_by().len() {
                if let Some(only_if) = words::only_if(case, finding) {
                    self.paragraph(&format!("**Then** {}", prose(&only_if)));
                }
                self.finding(finding);
            } else {
                self.also(finding);
            }
        }
    }

    /// Of a right certificate: what was compared and what was not.
    fn checked(&mut self, case: &CaseEntry) {
        if !words::group(case).is_ok() {
            return;
        }
        self.heading("Checked");
        for (what, found, at) in comparisons(self.report, case) {
            let places = at.map_or_else(String::new, |id| self.behind(case, &[id]));
            self.line(&format!("- ✓ {what}: {}{places}", prose(&found)));
        }
        for it in unseen(case) {
            self.line(&format!("- not seen: {}", prose(&it)));
        }
        self.line("");
    }

    fn finding(&mut self, finding: &FindingEntry) {
        self.paragraph(&prose(&finding.cause));
        match &finding.change {
            Some(change) => {
                self.paragraph(&format!("**Fix** {}", prose(&change.intro)));
                self.block("diff", &[format!("- {}", safe(&change.old)), format!("+ {}", safe(&change.new))]);
                if !change.unknown.is_empty() {
                    self.paragraph(&prose(&change.unknown));
                }
                if let Some(batch) = &change.batch {
                    self.paragraph("As a change batch, to review before it is run:");
                    self.block("sh", &[safe(batch)]);
                }
            }
            None => self.paragraph(&format!("**Fix** {}", prose(&finding.remedy))),
        }
        let expect = finding.expect.as_ref().map_or_else(String::new, |it| format!(" Expect {}", prose(it)));
        self.paragraph(&format!("**Check**{expect}"));
        self.block("sh", &[safe(&finding.verify)]);
    }

    fn proof(&mut self, case: &CaseEntry) {
        let headed = case.headed_by().iter().filter(|it| !words::is_beside(case, it));
        let reasons: Vec<_> = headed.flat_map(|it| &it.reasons).collect();
        if reasons.is_empty() {
            return;
        }
        self.heading(words::over_reasons(case));
        self.line("| claim | where |");
        self.line("|---|---|");
        let mut told: Vec<&str> = Vec::new();
        for reason in reasons {
            if !told.contains(&reason.text.as_str()) {
                told.push(&reason.text);
                self.row(&[&prose(&reason.text), &self.places(case, &reason.cites)]);
            }
        }
        self.line("");
    }

    fn wireshark(&mut self, case: &CaseEntry) {
        for (source, filter) in self.report.display_filters(case) {
            let of = if self.report.sources.len() > 1 { format!(" for {}", code(source)) } else { String::new() };
            self.paragraph(&format!("Wireshark display filter{of}: {}", code(&filter)));
        }
    }

    fn ask_for(&mut self, case: &CaseEntry) {
        if case.ask_for.is_empty() {
            return;
        }
        self.heading("Ask for");
        for it in &case.ask_for {
            let any_one = if it.or.is_empty() { String::new() } else { format!("; {}", words::ANY_ONE) };
            self.line(&format!("- {}{any_one}", prose(&words::decides(it))));
            for command in std::iter::once(&it.command).chain(&it.or) {
                self.line(&format!("  - {}", code(command)));
            }
        }
        self.line("");
    }

    fn ruled_out(&mut self, case: &CaseEntry) {
        if case.ruled_out.is_empty() {
            return;
        }
        self.heading("Ruled out");
        self.line("| cause | because | where |");
        self.line("|---|---|---|");
        for it in &case.ruled_out {
            self.row(&[&code(it.rule), &prose(&it.because), &self.places(case, &it.cites)]);
        }
        self.line("");
    }

    fn sources(&mut self) {
        self.heading("Sources");
        self.line("| source | bytes | gaps | SHA-256 |");
        self.line("|---|---|---|---|");
        for it in &self.report.sources {
            let digest = it.sha256.as_deref().map_or_else(|| "not taken".to_owned(), code);
            self.row(&[&code(&it.path), &words::thousands(it.bytes), &words::thousands(it.gaps), &digest]);
        }
        self.line("");
        for gap in self.report.gaps.iter().take(GAPS_MAX) {
            let place = gap.at.first().map(|place| self.place(place)).unwrap_or_default();
            self.line(&format!("- gap, {place}: {}", prose(&gap.reason)));
        }
        let more = self.report.gaps.len().saturating_sub(GAPS_MAX);
        if more > 0 {
            self.line(&format!("- and {}", words::more(more, "gap", "gaps")));
        }
        let tool = &self.report.tool;
        let data: Vec<String> = tool.data.iter().map(|it| format!("{} {}", it.name, it.as_of)).collect();
        self.line("");
        self.line(&format!("{} {}, rules {}; data: {}", tool.name, tool.version, tool.rules, prose(&data.join(", "))));
    }

    /// The places of what is cited, each once.
    fn places(&self, case: &CaseEntry, cites: &[ObservationId]) -> String {
        let mut places: Vec<String> = Vec::new();
        for place in cites.iter().filter_map(|id| self.report.places_of(case, *id).first()) {
            let place = self.place(place);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.join("; ")
    }

    fn behind(&self, case: &CaseEntry, cites: &[ObservationId]) -> String {
        let places = self.places(case, cites);
        if places.is_empty() { places } else { format!(" ({places})") }
    }

    fn place(&self, place: &PlaceEntry) -> String {
        let source = self.report.sources.iter().find(|it| it.id == place.source());
        let path = source.map_or_else(String::new, |it| code(&it.path));
        match words::place(place) {
            number if number.is_empty() => path,
            number if self.report.sources.len() == 1 => number,
            number => format!("{path} {number}"),
        }
    }
}

/// A value as code, whatever it holds.
fn code(text: &str) -> String {
    let text = safe(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Words as prose; those that markup or a linker would take hold of are code.
fn prose(text: &str) -> String {
    let text = safe(text);
    let words = text.split(' ').map(|word| {
        let end = word.trim_end_matches([',', ';', ':', '.', ')', '"', '\'']).len();
        let (core, tail) = word.split_at_checked(end).unwrap_or((word, ""));
        let start = core.len() - core.trim_start_matches(['(', '"', '\'']).len();
        let (lead, core) = core.split_at_checked(start).unwrap_or(("", core));
        let is_name = core.contains(MARKUP) || core.trim_matches('.').contains('.') || core.contains("://");
        if is_name { format!("{lead}{}{tail}", code(core)) } else { format!("{lead}{core}{tail}") }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The longest run of backticks in a text.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// What Markdown, HTML and the hosts of tickets give a meaning to.
const MARKUP: [char; 17] = ['`', '*', '_', '[', ']', '<', '>', '|', '#', '@', '&', '~', '\\', '!', '$', '^', '='];
const CASES_IN_FULL: usize = 3;
const CASES_MAX: usize = 20;
const ROWS_MAX: usize = 200;
const GAPS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::{code, prose};

    #[test]
    fn nothing_from_an_input_is_markup() {
        for (text, expected) in [
            ("www.example.com is served *.x.", "`www.example.com` is served `*.x`."),
            ("says <script>alert(1)</script>", "says `<script>alert(1)</script>`"),
            ("ask @someone, now", "ask `@someone`, now"),
            ("see (http://x/y): a_b", "see (`http://x/y`): `a_b`"),
            ("an API's \"name\"", "an API's \"name\""),
        ] {
            assert_eq!(prose(text), expected);
        }
        assert_eq!(code("a`b"), "``a`b``");
    }
}
