//! What happened when in the captures of one host, with the moments that are wrong.

use maud::{Markup, html};
use serde_json::Value;

use super::case::{head, records, role, sni};
use super::words_of::prose;
use crate::evidence::ObservationId;
use crate::provenance::{Time, Zone};
use crate::report::{CaseEntry, ConnectionEntry, ObservationEntry, PlaceEntry, Report, words};
use crate::tls::ChainState;

/// One moment of a case.
struct Moment {
    /// When; what a server answers stands behind the handshake that it answers.
    time: Time,
    /// Whether the evidence has the time of this very moment.
    is_timed: bool,
    at: String,
    who: &'static str,
    what: Vec<String>,
    role: Option<&'static str>,
}

/// Whether there is more than one moment to tell.
pub(super) fn has_one(report: &Report, case: &CaseEntry) -> bool {
    moments(report, case).len() > 1
}

/// The moments as a table.
pub(super) fn section(report: &Report, case: &CaseEntry, suffix: &str) -> Markup {
    let moments = moments(report, case);
    let Some(first) = moments.first().map(|it| it.time).filter(|_| moments.len() > 1) else {
        return html! {};
    };
    html! {
        section id=(format!("time{suffix}")) aria-labelledby=(format!("h-time{suffix}")) {
            h2 id=(format!("h-time{suffix}")) { "Timeline" }
            table.t.time role="table" {
                (head(&["Where", "After", "From → to", "What"]))
                tbody role="rowgroup" {
                    @for it in &moments {
                        tr role="row" {
                            td.num role="cell" { (it.at) }
                            td.num role="cell" { @if it.is_timed { (since(first, it.time)) } }
                            td role="cell" { (it.who) }
                            td role="cell" {
                                @if let Some(role) = it.role { span.tag.bad { (role) } }
                                @for text in &it.what { div { (prose(text)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What happened when, of observations in captures.
fn moments(report: &Report, case: &CaseEntry) -> Vec<Moment> {
    let mut told: Vec<ObservationId> = Vec::new();
    let mut moments: Vec<Moment> = Vec::new();
    let resolutions = case.resolutions.iter().take(CONNECTIONS_MAX).flat_map(|it| it.cites.iter().copied());
    for id in resolutions {
        if !told.contains(&id) {
            told.push(id);
            moments.extend(report.observation(id).and_then(|it| moment(report, case, it)));
        }
    }
    for connection in case.connections.iter().take(CONNECTIONS_MAX) {
        for id in connection.cites.iter().copied() {
            let Some(it) = report.observation(id).filter(|_| !told.contains(&id)) else { continue };
            let own = moment(report, case, it);
            let answer = own.as_ref().filter(|_| it.kind == "tls.handshake").map(|it| it.time);
            told.extend(own.as_ref().map(|_| id));
            moments.extend(own);
            moments.extend(answer.and_then(|time| answered(report, case, connection, (it, time))));
        }
    }
    moments.sort_by_key(|it| it.time);
    moments
}

fn moment(report: &Report, case: &CaseEntry, it: &ObservationEntry) -> Option<Moment> {
    let time = Time::parse_rfc3339(it.fact.get("time")?.get("utc")?.as_str()?, Zone::Stated)?;
    let text = |name: &str| it.fact.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let alert = || {
        let says = text("description");
        vec![if says.is_empty() {
            "an encrypted alert, which cannot be read".to_owned()
        } else {
            format!("alert {says}")
        }]
    };
    let (who, what) = match it.kind {
        "dns.answer" => ("resolver → client", records(it)),
        "tls.handshake" => ("client → server", vec![format!("ClientHello to {}", text("server")), sni(it)]),
        "tls.alert" if text("from") == "client" => ("client → server", alert()),
        "tls.alert" => ("server → client", alert()),
        _ => return None,
    };
    let PlaceEntry::Frames { frames, .. } = it.at.first()? else { return None };
    let what = if what.is_empty() { vec!["an answer without a record".to_owned()] } else { what };
    let role = role(report, case, it.id);
    Some(Moment { time, is_timed: true, at: format!("frame {}", frames.first()?), who, what, role })
}

/// What the server answered to a ClientHello.
fn answered(
    report: &Report,
    case: &CaseEntry,
    connection: &ConnectionEntry,
    (handshake, time): (&ObservationEntry, Time),
) -> Option<Moment> {
    let version = connection.version.as_deref()?;
    let hello = format!("ServerHello ({version})");
    let leaf = connection.chain.first();
    let (place, what, role) = match (leaf, connection.chain_state) {
        (Some(leaf), _) => {
            let id = leaf.observation?;
            let names = leaf.san.as_ref().filter(|names| !names.is_empty());
            let shown = names.map_or_else(|| leaf.subject.clone().unwrap_or_default(), |it| few(it));
            let place = words::place(report.places_of(case, id).first()?);
            (place, vec![hello, format!("Certificate {shown}")], role(report, case, id))
        }
        (None, ChainState::Encrypted) => {
            let PlaceEntry::Frames { frames, .. } = handshake.at.first()? else { return None };
            let what = vec![hello, "the certificate is encrypted".to_owned()];
            (format!("frame {}", frames.last()?), what, None)
        }
        (None, _) => return None,
    };
    Some(Moment { time, is_timed: false, at: place, who: "server → client", what, role })
}

/// The first names of a certificate.
fn few(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Milliseconds from one moment to a later one.
fn since(first: Time, later: Time) -> String {
    let seconds = later.seconds.saturating_sub(first.seconds);
    let nanos = i64::from(later.nanos) - i64::from(first.nanos);
    let micros = seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000);
    format!("{}.{} ms", micros / 1000, (micros % 1000).abs() / 100)
}

const CONNECTIONS_MAX: usize = 5;
const NAMES_MAX: usize = 4;
