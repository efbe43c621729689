//! The sources with their digests, and what could not be read in them.

use maud::{Markup, html};

use super::words_of::{prose, value};
use crate::report::{Report, SourceEntry, words};

/// The section of all sources.
pub(super) fn all(report: &Report) -> Markup {
    html! {
        section #sources aria-labelledby="h-src" {
            h2 #h-src { "Sources" }
            ul.src {
                @for source in &report.sources { li { (one(report, source)) } }
            }
        }
    }
}

fn one(report: &Report, source: &SourceEntry) -> Markup {
    let size = match (source.frames, source.lines) {
        (Some(frames), _) => format!(" · {} frames", words::thousands(frames)),
        (None, Some(lines)) => format!(" · {} lines", words::thousands(lines)),
        (None, None) => String::new(),
    };
    let gaps = match source.gaps {
        0 => "no gaps".to_owned(),
        1 => "1 gap".to_owned(),
        many => format!("{} gaps", words::thousands(many)),
    };
    let own: Vec<_> =
        report.gaps.iter().filter(|gap| gap.at.first().is_some_and(|it| it.source() == source.id)).collect();
    html! {
        p { code { (value(&source.path)) } span { (source.kind) (size) " · " (words::thousands(source.bytes)) " bytes · " (gaps) } }
        @if let Some(sha256) = &source.sha256 {
            @let (head, tail) = sha256.split_at_checked(32).unwrap_or((sha256, ""));
            p.dig { span { "SHA-256" } " " code { (head) wbr; (tail) } }
        }
        @for gap in own.iter().take(GAPS_MAX) {
            @let place = gap.at.first().map(words::place).filter(|it| !it.is_empty());
            p.small { "gap " @if let Some(place) = place { (place) ": " } (prose(&gap.reason)) }
        }
        @if own.len() > GAPS_MAX { p.small { "and " (words::more(own.len() - GAPS_MAX, "gap", "gaps")) } }
    }
}

const GAPS_MAX: usize = 50;
