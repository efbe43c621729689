//! Many hosts: how many came to what, a table of those that are not right, and each of them in full.

use maud::{Markup, html};

use super::words_of::{prose, value};
use super::{capital, case};
use crate::report::{CaseEntry, Report, words};

/// The index and the hosts behind it.
pub(super) fn many(report: &Report) -> Markup {
    let (okay, others): (Vec<&CaseEntry>, Vec<&CaseEntry>) =
        report.cases.iter().partition(|case| words::group(case).is_ok() && case.findings.is_empty());
    let is_wrong = others.iter().any(|case| words::is_error(case));
    html! {
        section #finding .finding .good[others.is_empty()] .open[!is_wrong && !others.is_empty()]
            aria-labelledby="h-finding" {
            h1 #h-finding { (report.cases.len()) " hosts" }
            (counts(report))
        }
        @if !others.is_empty() {
            section #hosts aria-labelledby="h-hosts" {
                h2 #h-hosts { "Hosts, worst first" }
                (table(&others))
            }
        }
        @for (nth, case) in others.iter().take(IN_FULL_MAX).enumerate() {
            section .case id=(format!("host-{nth}")) { (case::in_index(report, case, nth)) }
        }
        @if others.len() > IN_FULL_MAX {
            p.small { "Of these the first " (IN_FULL_MAX) " are told in full; --host NAME opens any other." }
        }
        @if !okay.is_empty() {
            section #ok aria-labelledby="h-ok" {
                h2 #h-ok { "Served a certificate that covers them" }
                ul.okay { @for case in &okay { li { code { (value(case.host.as_deref().unwrap_or("-"))) } } } }
            }
        }
    }
}

fn counts(report: &Report) -> Markup {
    html! {
        ul.counts {
            @for group in words::GROUPS {
                @let count = report.cases.iter().filter(|case| group.holds(case)).count();
                @if count > 0 { li { span aria-hidden="true" { (group.glyph) } " " b { (count) } " " (group.title) } }
            }
        }
    }
}

fn table(cases: &[&CaseEntry]) -> Markup {
    html! {
        table.t.hosts role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    @for head in ["Host", "Outcome", "Cause"] { th role="columnheader" scope="col" { (head) } }
                }
            }
            tbody role="rowgroup" {
                @for (nth, case) in cases.iter().enumerate() {
                    @let group = words::group(case);
                    @let host = case.host.as_deref().unwrap_or("no host name");
                    tr role="row" {
                        th role="rowheader" scope="row" {
                            @if nth < IN_FULL_MAX { a href=(format!("#host-{nth}")) { code { (value(host)) } } }
                            @else { code { (value(host)) } }
                        }
                        td role="cell" { (group.glyph) " " (capital(group.title)) }
                        td role="cell" { (prose(&words::detail_of(case))) code.id { (words::causes_of(case)) } }
                    }
                }
            }
        }
    }
}

const IN_FULL_MAX: usize = 100;
