//! Where no error heads a case: what was checked and what is not known, what to ask for, and what to do
//! only when that confirms a cause.

use maud::{Markup, html};

use super::capital;
use super::case::{Level, cure, handoff, head, is_open, places};
use super::words_of::{prose, value};
use crate::report::checked::{comparisons, unseen};
use crate::report::{CaseEntry, FindingEntry, Report, Severity, words};

/// What is known, and each finding with the words that keep it from being taken for the answer.
pub(super) fn without_error(case: &CaseEntry, level: Level, suffix: &str) -> Markup {
    let missing = case.undecided.iter().find(|it| it.rule.starts_with("insufficient."));
    let headed = case.headed_by().len();
    let first = case.headed_by().first().filter(|it| !words::is_beside(case, it));
    let reasons: Vec<&str> = first.into_iter().flat_map(|it| &it.reasons).map(|it| it.text.as_str()).collect();
    html! {
        @if words::group(case).is_ok() {
            p.lead { "Nothing is wrong with the certificate that was seen. What was compared is under “Checked”." }
        } @else if case.is_accepted() {
            p.lead { "Known and accepted. What was seen is told as it was." }
        } @else if let Some(it) = missing {
            p.lead { "Unknown: " (prose(&it.missing)) "." }
        } @else if headed == 0 {
            p.lead { "No cause is proven by this evidence. What would tell is under “Ask for”." }
        }
        @if !reasons.is_empty() { p { "Known: " (prose(&reasons.join("; "))) "." } }
        @if is_open(case) { (ask_for(case, suffix)) }
        @let then = words::then(case);
        @if !then.is_empty() {
            ul.then {
                @for (sign, rule, condition) in &then { li { (sign) " " code { (rule) } " " (prose(condition)) } }
            }
        }
        @for (nth, finding) in case.findings.iter().enumerate() {
            @if words::is_beside(case, finding) { (beside(case, finding)) }
            @else if nth < headed { (only_if(case, finding, level)) }
            @else {
                p.small { "Also " code { (finding.rule) } " (" (words::strength(finding)) "): " (prose(&finding.cause)) }
            }
        }
    }
}

fn only_if(case: &CaseEntry, finding: &FindingEntry, level: Level) -> Markup {
    html! {
        div.either {
            p {
                @if let Some(only_if) = words::only_if(case, finding) { strong { (prose(&only_if)) } " " }
                (prose(&finding.cause))
            }
            (cure(finding, level))
        }
    }
}

fn beside(case: &CaseEntry, finding: &FindingEntry) -> Markup {
    let label = if finding.severity == Severity::Note { "Note" } else { "Warning" };
    html! {
        div.either {
            p.small {
                (label) " " code { (finding.rule) } " (" (words::strength(finding)) "): " (prose(&finding.cause))
            }
            // The cure of a side fact would be taken for that of what is broken, or for work that is to be done.
            @if words::group(case).is_ok() { p.small { (prose(&words::beside(finding))) } }
        }
    }
}

/// Of a right certificate: what was compared and what was not.
pub(super) fn checked(report: &Report, case: &CaseEntry, suffix: &str) -> Markup {
    html! {
        @if words::group(case).is_ok() {
            section id=(format!("checked{suffix}")) aria-labelledby=(format!("h-checked{suffix}")) {
                h2 id=(format!("h-checked{suffix}")) { "Checked" }
                table.t.ruled role="table" {
                    (head(&["What", "Found", "Where"]))
                    tbody role="rowgroup" {
                        @for (what, found, at) in comparisons(report, case) {
                            tr role="row" {
                                th role="rowheader" scope="row" { "✓ " (capital(what)) }
                                td role="cell" { (prose(&found)) }
                                td.where role="cell" { @if let Some(id) = at { (places(report, case, &[id])) } }
                            }
                        }
                    }
                }
                (handoff(report, case))
                p.small { "Not seen:" }
                ul.unseen { @for it in unseen(case) { li { (prose(&it)) } } }
            }
        }
    }
}

/// The commands to ask for, with what each decides.
pub(super) fn ask_for(case: &CaseEntry, suffix: &str) -> Markup {
    let is_decided = words::is_error(case) && case.headed_by().len() == 1;
    html! {
        @if !case.ask_for.is_empty() {
            section id=(format!("ask{suffix}")) aria-labelledby=(format!("h-ask{suffix}")) {
                h2 id=(format!("h-ask{suffix}")) { "Ask for" }
                @if is_decided { p.sub { "The cause stands without these. They answer what the evidence leaves open." } }
                ol.ask {
                    @for it in &case.ask_for {
                        li {
                            p { (prose(&capital(&words::decides(it)))) "." @if !it.or.is_empty() { " " (capital(words::ANY_ONE)) } }
                            p.cmd { code { (value(&it.command)) } }
                            @for other in &it.or { p.cmd { code { (value(other)) } } }
                        }
                    }
                }
            }
        }
    }
}
