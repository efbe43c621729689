//! The request and the response that curl shows: host, status, the headers that rules use.

use std::collections::BTreeMap;

use super::lines::{Kind, Told};
use super::{Asked, header};
use crate::evidence::{Fact, HttpExchange};
use crate::saved::grammar::address;
use crate::saved::{RunText, Sink, kept_header};

/// Adds the last exchange that was not a proxy's.
pub(super) fn observe(run: &RunText<'_>, told: &[Told<'_>], asked: &Asked, sink: &mut Sink) {
    let mut headers = BTreeMap::new();
    let mut status = None;
    let mut host = None;
    let mut lines = Vec::new();
    let mut is_tunnel = false;
    for line in told {
        match line.kind {
            Kind::Sent(text) if text.starts_with("CONNECT ") => is_tunnel = true,
            Kind::Sent(text) if text.contains(" HTTP/") => is_tunnel = false,
            Kind::Sent(text) if !is_tunnel => {
                if let Some(name) = header(text, "host") {
                    host = address::host(name.split(':').next().unwrap_or(name));
                    lines.push(line.number);
                }
            }
            Kind::Info(text) => {
                if let Some((_, name)) = text.split_once("[:authority: ") {
                    host = address::host(name.trim_end_matches(']').split(':').next().unwrap_or(name));
                    lines.push(line.number);
                }
            }
            Kind::Received(text) if !is_tunnel => {
                if text.starts_with("HTTP/") {
                    status = text.split_whitespace().nth(1).and_then(|code| code.parse().ok());
                    lines.push(line.number);
                } else if let Some((name, value)) = text.split_once(':') {
                    let name = name.to_ascii_lowercase();
                    if let Some(value) = kept_header(&name, value) {
                        headers.insert(name, value);
                        lines.push(line.number);
                    }
                }
            }
            _ => {}
        }
    }
    if let Some((number, date)) = filtered_date(run).filter(|_| status.is_none()) {
        headers.insert("date".to_owned(), date);
        lines.push(number);
    }
    if status.is_some() || !headers.is_empty() {
        let it = HttpExchange {
            url: asked.shown.clone(),
            host: host.or_else(|| asked.host.clone()),
            status,
            headers,
            run: Some(run.number),
            ..HttpExchange::default()
        };
        sink.observe(Fact::HttpExchange(it), lines);
    }
}

/// The Date header that `curl -sI … | grep -i '^date:'` leaves of a response.
fn filtered_date(run: &RunText<'_>) -> Option<(u32, String)> {
    run.pipeline.iter().skip(1).find(|stage| stage.first().is_some_and(|tool| tool == "grep"))?;
    run.lines.iter().find_map(|line| Some((line.number, header(&line.text, "date")?.to_owned())))
}
