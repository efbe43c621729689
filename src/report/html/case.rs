//! One host: the card with the answer and the change, then path, proof, name check, timeline, what is
//! ruled out and what to ask for.

use maud::{Markup, html};
use serde_json::Value;

use super::words_of::{marked, prose, value};
use super::{capital, open, path, picture, timeline, tone};
use crate::evidence::ObservationId;
use crate::report::{
    CaseEntry, FindingEntry, Mark, ObservationEntry, PlaceEntry, ReasonEntry, RecordChange, Report, Sign, words,
};
use crate::rules;

/// The sections that a case has, for the navigation.
pub(super) fn sections(report: &Report, case: &CaseEntry) -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    if path::has_path(case) {
        all.push(("path", "Path"));
    }
    if !claims(case).is_empty() {
        all.push(("proof", "Proof"));
    }
    if words::group(case).is_ok() {
        all.push(("checked", "Checked"));
    }
    if case.connections.iter().any(|it| it.name_check.is_some()) {
        all.push(("names", "Name check"));
    }
    if timeline::has_one(report, case) {
        all.push(("time", "Timeline"));
    }
    if !case.ruled_out.is_empty() {
        all.push(("ruledout", "Ruled out"));
    }
    if !case.ask_for.is_empty() {
        all.insert(if is_open(case) { 0 } else { all.len() }, ("ask", "Ask for"));
    }
    all
}

/// Whether what to ask for is the answer: nothing heads the case that says what is wrong, or that all is right.
pub(super) fn is_open(case: &CaseEntry) -> bool {
    !words::is_error(case) && !case.is_accepted() && !words::group(case).is_ok()
}

/// The only host of a report.
pub(super) fn whole(report: &Report, case: &CaseEntry) -> Markup {
    html! {
        section #finding .finding .(tone(case)) aria-labelledby="h-finding" {
            (verdict(case))
            h1 #h-finding { (prose(&capital(&words::headline(case)))) }
            (answer(case, Level::Page, ""))
            dl.facts {
                div { dt { "Rule" } dd { code { (rule_of(case)) } } }
                @if let Some(first) = case.findings.first().filter(|it| !words::is_beside(case, it)) {
                    div { dt { "Strength" } dd { (words::strength(first)) } }
                }
                div { dt { "Outcome" } dd { (words::group(case).title) } }
            }
        }
        (rest(report, case, ""))
    }
}

/// One of many hosts: the same without the ids that only one may have.
pub(super) fn in_index(report: &Report, case: &CaseEntry, nth: usize) -> Markup {
    html! {
        div .finding .(tone(case)) {
            (verdict(case))
            h2 { (prose(&capital(&words::headline(case)))) }
            (answer(case, Level::Index, &format!("-{nth}")))
            dl.facts { div { dt { "Rule" } dd { code { (rule_of(case)) } } } }
        }
        (rest(report, case, &format!("-{nth}")))
    }
}

fn rest(report: &Report, case: &CaseEntry, suffix: &str) -> Markup {
    html! {
        (picture::section(report, case, suffix))
        (proof(report, case, suffix))
        (open::checked(report, case, suffix))
        (name_check(case, suffix))
        (timeline::section(report, case, suffix))
        (ruled_out(report, case, suffix))
        @if !is_open(case) { (open::ask_for(case, suffix)) }
    }
}

/// The rules that head a case, or the one that names its outcome.
fn rule_of(case: &CaseEntry) -> String {
    if words::is_error(case) {
        return words::causes_of(case);
    }
    words::to_explain(case).unwrap_or("no cause found").to_owned()
}

/// How deep the headings within a card stand.
#[derive(Clone, Copy)]
pub(super) enum Level {
    /// Below the heading of the page.
    Page,
    /// Below the heading of one host of many.
    Index,
}

impl Level {
    pub(super) fn heading(self, words: &str) -> Markup {
        match self {
            Self::Page => html! { h2 { (prose(words)) } },
            Self::Index => html! { h3 { (prose(words)) } },
        }
    }
}

/// The outcome in words beside its sign.
fn verdict(case: &CaseEntry) -> Markup {
    let group = words::group(case);
    let cross = match tone(case) {
        _ if case.is_accepted() => "M7.5 12h9",
        "good" => "M6.5 12.5l3.7 3.7L17.5 8.5",
        "open" => "M12 16.6v.3M9.6 9.4a2.5 2.5 0 1 1 3.6 2.3c-.9.5-1.2 1-1.2 2",
        _ => "M8 8l8 8M16 8l-8 8",
    };
    html! {
        p.verdict {
            svg.ico viewBox="0 0 24 24" aria-hidden="true" {
                path.oct d="M7.5 1.5h9l6 6v9l-6 6h-9l-6-6v-9z" {}
                path.oct-x d=(cross) {}
            }
            span { (capital(group.title)) }
        }
    }
}

/// The cause and the cure; of causes that cannot be separated all.
fn answer(case: &CaseEntry, level: Level, suffix: &str) -> Markup {
    let headed = case.headed_by();
    html! {
        @if !words::is_error(case) { (open::without_error(case, level, suffix)) } @else {
        @if headed.len() > 1 { p.lead { "One of " (headed.len()) " causes; this evidence does not separate them." } }
        @for finding in headed {
            div .either[headed.len() > 1] {
                @if headed.len() > 1 { p { code { (finding.rule) } } }
                p.lead { (prose(&finding.cause)) }
                (cure(finding, level))
            }
        }
        @for finding in case.findings.iter().skip(headed.len()) {
            p.small { "Also " code { (finding.rule) } " (" (words::strength(finding)) "): " (prose(&finding.cause)) }
        }
        }
        @for it in &case.ignored {
            p.small { "Ignored " code { (it.rule) } ": " (prose(&it.headline)) " (" (prose(&words::acceptance(it))) ")" }
        }
        @for it in &case.beware { p.small { "Beware: " (prose(&it.text)) "." } }
    }
}

pub(super) fn cure(finding: &FindingEntry, level: Level) -> Markup {
    html! {
        div.todo {
            div.panel {
                @if let Some(change) = &finding.change { (diff(change, level)) }
                @else { (level.heading("What to do")) p { (prose(&finding.remedy)) } }
            }
            div.panel {
                (level.heading("Then check"))
                p.cmd { code { (value(&finding.verify)) } }
                @if let Some(expect) = &finding.expect { p.small { "Expect " (prose(expect)) "." } }
            }
        }
    }
}

fn diff(change: &RecordChange, level: Level) -> Markup {
    html! {
        (level.heading(change.intro.trim_end_matches(':')))
        div.diff role="group" aria-label="Change of the DNS record" {
            p.del { span.sign aria-hidden="true" { "−" } span.vh { "remove: " } (marked(&change.old, &[])) }
            p.add { span.sign aria-hidden="true" { "+" } span.vh { "add: " } (marked(&change.new, &[])) }
        }
        @if !change.unknown.is_empty() { p.small { (prose(&change.unknown)) } }
        @if let Some(batch) = &change.batch {
            p.small { "As a change batch, to review before it is run:" }
            p.cmd { code { (value(batch)) } }
        }
    }
}

/// The reasons of what heads the case, each once.
fn claims(case: &CaseEntry) -> Vec<&ReasonEntry> {
    let mut claims: Vec<&ReasonEntry> = Vec::new();
    let headed = case.headed_by().iter().filter(|it| !words::is_beside(case, it));
    for reason in headed.flat_map(|it| &it.reasons) {
        if !claims.iter().any(|known| known.text == reason.text) {
            claims.push(reason);
        }
    }
    claims
}

fn proof(report: &Report, case: &CaseEntry, suffix: &str) -> Markup {
    let claims = claims(case);
    let marks: Vec<&Mark> = case.headed_by().iter().flat_map(|it| &it.marks).collect();
    html! {
        @if !claims.is_empty() {
            section id=(format!("proof{suffix}")) aria-labelledby=(format!("h-proof{suffix}")) {
                h2 id=(format!("h-proof{suffix}")) { (words::over_reasons(case)) }
                table.t.proof role="table" {
                    (head(&["No.", "Claim", "Evidence", "Where"]))
                    tbody role="rowgroup" {
                        @for (nth, claim) in (1..).zip(&claims) {
                            @let told = claims.iter().take(nth - 1).flat_map(|it| &it.cites);
                            @let told: Vec<ObservationId> = told.copied().collect();
                            tr role="row" {
                                td.num role="cell" { (nth) }
                                th role="rowheader" scope="row" {
                                    (prose(&capital(&claim.text)))
                                    @if let Some(role) = claim.cites.iter().find_map(|id| role(report, case, *id)) {
                                        div { span.tag.bad { (role) } }
                                    }
                                }
                                td role="cell" { (evidence(report, claim, &told, &marks)) }
                                td.where role="cell" { (places(report, case, &claim.cites)) }
                            }
                        }
                    }
                }
                (handoff(report, case))
            }
        }
    }
}

/// The display filters for Wireshark.
pub(super) fn handoff(report: &Report, case: &CaseEntry) -> Markup {
    html! {
        @for (source, filter) in report.display_filters(case) {
            p.handoff {
                span { "Wireshark display filter" @if report.sources.len() > 1 { " for " (value(source)) } }
                code { (filter) }
            }
        }
    }
}

/// Whether an observation is where an error lies, or where the client noticed it: where something before the
/// certificate is wrong, the certificate only shows it.
pub(super) fn role(report: &Report, case: &CaseEntry, id: ObservationId) -> Option<&'static str> {
    let marks = case.headed_by().iter().filter(|_| words::is_error(case)).flat_map(|it| &it.marks);
    let wrong: Vec<ObservationId> = marks.filter(|mark| mark.sign == Sign::Wrong).map(|mark| mark.on).collect();
    let is_certificate = |id: &ObservationId| report.observation(*id).is_some_and(|it| it.kind == "certificate");
    let is_symptom = is_certificate(&id) && wrong.iter().any(|id| !is_certificate(id));
    wrong.contains(&id).then_some(if is_symptom { "≠ symptom" } else { "✗ cause" })
}

/// The lines or values that hold what a claim says, without those that a claim before it showed.
fn evidence(report: &Report, claim: &ReasonEntry, told: &[ObservationId], marks: &[&Mark]) -> Markup {
    let is_new = |id: &&ObservationId| !told.contains(id) || claim.cites.iter().all(|id| told.contains(id));
    let cited = claim.cites.iter().filter(is_new).filter_map(|id| report.observation(*id)).take(EVIDENCE_MAX);
    html! {
        @for it in cited {
            @let own: Vec<&Mark> = marks.iter().copied().filter(|mark| mark.on == it.id).collect();
            @for text in texts(report, it, &own) { div { (marked(&text, &own)) } }
            @for mark in own.iter().filter(|mark| mark.sign != Sign::Right && !claim.text.contains(&mark.label)) {
                div.small { (prose(&capital(&mark.label))) "." }
            }
        }
    }
}

/// What an observation says: the quoted line that holds a mark, else the values of the fact.
fn texts(report: &Report, it: &ObservationEntry, marks: &[&Mark]) -> Vec<String> {
    let quoted = quotes(report, it);
    let marked: Vec<String> =
        quoted.iter().filter(|line| marks.iter().any(|mark| line.contains(&mark.words))).cloned().collect();
    if !marked.is_empty() {
        return marked;
    }
    if let Some(first) = quoted.into_iter().next() {
        return vec![first];
    }
    let text = |name: &str| it.fact.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match it.kind {
        "dns.answer" => records(it),
        "tls.handshake" => vec![sni(it), format!("to {} {}", text("server"), text("version"))],
        "certificate" => vec![format!("SAN {}", names(it)), format!("issuer {}", text("issuer"))],
        "client.verdict" => vec![text("words")],
        "tls.alert" => vec![format!("alert {}", text("description"))],
        _ => Vec::new(),
    }
}

/// The server name that a handshake asks for.
pub(super) fn sni(it: &ObservationEntry) -> String {
    let text = |name: &str| it.fact.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("sni_state") {
        "absent" => "no SNI".to_owned(),
        "unknown" => "SNI unknown".to_owned(),
        _ => format!("SNI {}", text("sni")),
    }
}

/// The lines of a text that an observation stands on.
fn quotes(report: &Report, it: &ObservationEntry) -> Vec<String> {
    let mut found = Vec::new();
    for place in &it.at {
        if let PlaceEntry::Lines { source, lines: [first, last], .. } = place {
            found.extend(report.quotes.range((*source, *first)..=(*source, *last)).map(|(_, text)| text.clone()));
        }
    }
    found
}

pub(super) fn records(it: &ObservationEntry) -> Vec<String> {
    let all = it.fact.get("records").and_then(Value::as_array).into_iter().flatten();
    let answer = all.filter(|record| record.get("section").and_then(Value::as_str) == Some("answer"));
    let field = |record: &Value, name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    answer
        .take(RECORDS_MAX)
        .map(|record| format!("{} {} {}", field(record, "name"), field(record, "type"), field(record, "data")))
        .collect()
}

fn names(it: &ObservationEntry) -> String {
    let names = it.fact.get("san").and_then(|san| san.get("dns")).and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = names.filter_map(Value::as_str).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.get(..NAMES_MAX).unwrap_or_default().join(", ")),
    }
}

pub(super) fn head(columns: &[&str]) -> Markup {
    html! {
        thead role="rowgroup" {
            tr role="row" { @for column in columns { th role="columnheader" scope="col" { (column) } } }
        }
    }
}

/// Where something stands; with several sources also in which.
pub(super) fn places(report: &Report, case: &CaseEntry, cites: &[ObservationId]) -> Markup {
    let mut told: Vec<(String, String)> = Vec::new();
    for place in cites.iter().filter_map(|id| report.places_of(case, *id).first()) {
        let source = report.sources.iter().find(|it| it.id == place.source());
        let path = source.filter(|_| report.sources.len() > 1).map_or_else(String::new, |it| it.path.clone());
        if !told.contains(&(path.clone(), words::place(place))) {
            told.push((path, words::place(place)));
        }
    }
    html! {
        @for (path, number) in told {
            div { @if !path.is_empty() { code { (value(&path)) } " " } (number) }
        }
    }
}

fn name_check(case: &CaseEntry, suffix: &str) -> Markup {
    let checked = case.connections.iter().find_map(|it| Some((it, it.name_check.as_ref()?)));
    let host = case.host.as_deref().unwrap_or_default();
    html! {
        @if let Some((connection, check)) = checked {
            section id=(format!("names{suffix}")) aria-labelledby=(format!("h-names{suffix}")) {
                h2 id=(format!("h-names{suffix}")) { "Name check" }
                p.sub { "Asked for " code { (value(host)) } ". Compared label by label from the right, as RFC 9525 says." }
                table.t.names role="table" {
                    (head(&["Presented identifier", "Kind", "Result", "Reason"]))
                    tbody role="rowgroup" {
                        @for tried in check.tried.iter().take(TRIED_MAX) {
                            @let why = tried.rejected_because.as_deref();
                            (name_row(&tried.presented, "SAN", why.is_none().then_some(true).or(Some(false)), why.unwrap_or("covers the name asked for")))
                        }
                        @if let Some(subject) = connection.chain.first().and_then(|it| it.subject.as_deref()) {
                            (name_row(subject, "subject", None, "the common name is shown and never matched"))
                        }
                    }
                }
                @if check.tried.len() > TRIED_MAX {
                    p.small { "and " (words::more(check.tried.len() - TRIED_MAX, "identifier", "identifiers")) }
                }
            }
        }
    }
}

fn name_row(presented: &str, kind: &str, matches: Option<bool>, why: &str) -> Markup {
    html! {
        tr role="row" {
            th role="rowheader" scope="row" { code { (value(presented)) } }
            td role="cell" data-l="Kind" { (kind) }
            td role="cell" data-l="Result" {
                @match matches {
                    Some(true) => span.tag.mute { "✓ match" },
                    Some(false) => span.tag.bad { "✗ no match" },
                    None => span.tag.mute { "not used" },
                }
            }
            td role="cell" data-l="Reason" { (prose(why)) }
        }
    }
}

fn ruled_out(report: &Report, case: &CaseEntry, suffix: &str) -> Markup {
    html! {
        @if !case.ruled_out.is_empty() {
            section id=(format!("ruledout{suffix}")) aria-labelledby=(format!("h-ruled{suffix}")) {
                h2 id=(format!("h-ruled{suffix}")) { "Ruled out" }
                p.sub { "What else could show this, and why it is not the cause here." }
                table.t.ruled role="table" {
                    (head(&["Other cause", "Counter-evidence", "Where"]))
                    tbody role="rowgroup" {
                        @for it in &case.ruled_out {
                            tr role="row" {
                                th role="rowheader" scope="row" {
                                    (capital(rules::find(it.rule).map_or("", |rule| rule.summary))) code.id { (it.rule) }
                                }
                                td role="cell" { (prose(&capital(&it.because))) "." }
                                td.where role="cell" { (places(report, case, &it.cites)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

const EVIDENCE_MAX: usize = 6;
const RECORDS_MAX: usize = 12;
const NAMES_MAX: usize = 8;
const TRIED_MAX: usize = 50;
