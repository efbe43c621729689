//! The report as one HTML page: the answer, the change, the picture of the path, the proof and the rest,
//! for people who were not there.
//!
//! The page holds everything it needs: one style block named by its digest in a strict
//! Content-Security-Policy, no script, nothing fetched. Nothing is collapsed, so that print, search and
//! screen readers find all of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{CaseEntry, Renderer, Report, Style, words};
use crate::rules::view;

mod case;
mod index;
mod open;
mod path;
mod picture;
mod sources;
mod timeline;
mod words_of;

use super::words::capital;
use words_of::prose;

/// `--format html`.
pub static RENDERER: Renderer = Renderer { id: "html", render };

fn render(report: &Report, _: &Style) -> String {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(STYLE.as_bytes()))
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                title { (crate::escape::line(&title(report))) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#finding" { "Skip to the finding" }
                (mast(report))
                div.page {
                    (navigation(report))
                    main {
                        @if report.partial.is_some() { p.partial { strong { "Partial report." } " " (words::PARTIAL) } }
                        @match report.cases.as_slice() {
                            [] => (nothing(report)),
                            [only] => (case::whole(report, only)),
                            _ => (index::many(report)),
                        }
                        (sources::all(report))
                        (footer(report))
                    }
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn title(report: &Report) -> String {
    let partial = if report.partial.is_some() { "Partial: " } else { "" };
    format!("{partial}{}", title_of_all(report))
}

fn title_of_all(report: &Report) -> String {
    match report.cases.as_slice() {
        [only] => {
            let host = only.host.as_deref().unwrap_or("no host name");
            format!("{}: {host} (whycert)", capital(words::group(only).title))
        }
        many => format!("{} hosts (whycert)", many.len()),
    }
}

/// Who it is about, and when the evidence was taken.
fn mast(report: &Report) -> Markup {
    let time = report.sources.iter().filter_map(|it| it.first).min();
    html! {
        header.mast {
            p.brand { strong { "whycert" } " " span { "why was the wrong certificate returned?" } }
            p.meta {
                @if let [only] = report.cases.as_slice() { (prose(only.host.as_deref().unwrap_or("no host name"))) }
                @else { (report.cases.len()) " hosts" }
                @if let Some(time) = time {
                    " · evidence of " time datetime=(time.rfc3339()) { (words::moment(time)) }
                }
            }
        }
    }
}

/// Links to the sections that the page has.
fn navigation(report: &Report) -> Markup {
    let mut links: Vec<(&str, &str)> = Vec::new();
    match report.cases.as_slice() {
        [only] => {
            links.push(("finding", "Finding"));
            links.extend(case::sections(report, only));
        }
        _ => links.push(("finding", "Hosts")),
    }
    links.push(("sources", "Sources"));
    html! {
        nav aria-label="Sections" {
            ol {
                @for (id, words) in links { li { a href=(format!("#{id}")) { (words) } } }
            }
        }
    }
}

fn nothing(report: &Report) -> Markup {
    let (what, why) = words::no_case(report);
    html! {
        section #finding.finding.open aria-labelledby="h-finding" {
            h1 #h-finding { (view::capitalised(what)) }
            p.lead { (view::capitalised(&why.replace('\'', "’"))) "." }
        }
    }
}

fn footer(report: &Report) -> Markup {
    let tool = &report.tool;
    let data: Vec<String> = tool.data.iter().map(|it| format!("{} {}", it.name, it.as_of)).collect();
    html! {
        footer {
            p {
                "Made by " (tool.name) " " (tool.version) ", rules " (tool.rules)
                @if !data.is_empty() { ", data sets " (data.join(", ")) }
                ", from the sources above and nothing else: no network was used. Times are those of the evidence."
            }
        }
    }
}

/// The class of a card, by what came of a case.
fn tone(case: &CaseEntry) -> &'static str {
    use super::Outcome::{Inconclusive, NoHandshake, Ok};
    match case.outcome {
        Ok => "good",
        _ if case.is_accepted() => "open",
        Inconclusive | NoHandshake if !words::is_error(case) => "open",
        _ => "bad",
    }
}

const STYLE: &str = include_str!("style.css");
