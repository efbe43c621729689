//! What a proof draws of an observation that stands in no text: rows that begin with a word for its kind,
//! ` DNS   www.example.com`.

use serde_json::Value;

use super::safe;
use crate::report::{Mark, ObservationEntry};
use crate::x509;

/// Whether it is an alert that tells no fault: the end of a connection, or one that is sealed.
pub(super) fn is_farewell(it: &ObservationEntry) -> bool {
    let description = it.fact.get("description").and_then(Value::as_str);
    it.kind == "tls.alert" && description.is_none_or(|it| it == "close_notify")
}

/// The rows of an observation, in which its marked words stand.
pub(super) fn texts(it: &ObservationEntry, marks: &[Mark]) -> Vec<String> {
    let text = |name: &str| it.fact.get(name).and_then(Value::as_str).map(safe).unwrap_or_default();
    match it.kind {
        "dns.answer" => {
            let asked = it.fact.get("question").and_then(|question| question.get("name")).and_then(Value::as_str);
            let mut rows = vec![format!(" DNS   {}", safe(asked.unwrap_or("")))];
            let records = it.fact.get("records").and_then(Value::as_array).into_iter().flatten();
            let mut addresses: Vec<(String, String, Vec<String>)> = Vec::new();
            for record in records.filter(|record| record.get("section").and_then(Value::as_str) == Some("answer")) {
                let field = |name: &str| record.get(name).and_then(Value::as_str).map(safe).unwrap_or_default();
                let (owner, kind, data) = (field("name"), field("type"), field("data"));
                let ttl =
                    record.get("ttl").and_then(Value::as_u64).map_or_else(String::new, |ttl| format!("  TTL {ttl}"));
                if !matches!(kind.as_str(), "A" | "AAAA") {
                    rows.push(format!("       {kind:<6} {}{ttl}", data.trim_end_matches('.')));
                    continue;
                }
                match addresses.last_mut() {
                    Some((of, as_kind, all)) if *of == owner && *as_kind == kind => all.push(data),
                    _ => addresses.push((owner, kind, vec![data])),
                }
            }
            rows.extend(addresses.iter().map(|(_, kind, all)| format!("       {kind:<6} {}", all.join(", "))));
            if it.fact.get("is_cut").and_then(Value::as_bool) == Some(true) {
                rows.push("       ?      the rest of the answer is not in the evidence".to_owned());
            } else if rows.len() == 1 {
                rows.push(nothing(it));
            }
            rows
        }
        "tls.handshake" => {
            let kind = if text("transport") == "quic" { "QUIC" } else { "TLS" };
            let mut rows = vec![format!(" {kind:<5} {} → {}  {}", text("client"), text("server"), text("version"))];
            rows.push(match (text("sni"), text("sni_state").as_str()) {
                (_, "absent") => "       SNI    none".to_owned(),
                (_, "unknown") => "       SNI    unknown".to_owned(),
                (sni, _) => format!("       SNI    {sni}"),
            });
            if text("chain_state") == "encrypted" {
                rows.push(format!(" CERT  {ENCRYPTED}"));
            }
            rows
        }
        "certificate" => {
            let names: Vec<String> = it
                .fact
                .get("san")
                .and_then(|san| san.get("dns"))
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).map(safe).collect())
                .unwrap_or_default();
            let shown = if names.is_empty() { x509::readable(&text("subject")) } else { names.join(", ") };
            let mut rows = vec![format!(" CERT  {shown}")];
            rows.extend(certificate_rows(it, marks, &shown));
            rows
        }
        "client.verdict" => vec![format!(" SAYS  {}", text("words"))],
        "tls.alert" => {
            let said = if text("description").is_empty() { "encrypted".to_owned() } else { text("description") };
            let level = if text("level").is_empty() { String::new() } else { format!("{}, ", text("level")) };
            vec![format!(" ALERT {said}  {level}from the {}", text("from"))]
        }
        "http.exchange" => {
            let status = it.fact.get("status").and_then(Value::as_u64).map_or_else(String::new, |it| it.to_string());
            vec![format!(" HTTP  {status} {}", text("host"))]
        }
        _ => Vec::new(),
    }
}

fn plain(name: &str) -> String {
    safe(&x509::readable(name))
}

/// A mark with its words in the spelling that is there: a time is written in one way by each tool.
pub(super) fn spelled(mark: &Mark, is_there: impl Fn(&str) -> bool) -> Mark {
    let words = spellings(&x509::readable(&mark.words)).into_iter().find(|words| is_there(words));
    Mark { words: words.unwrap_or_else(|| x509::readable(&mark.words)), ..mark.clone() }
}

/// A time as it stands in facts, as its day, and as OpenSSL writes it; anything else as it is.
fn spellings(words: &str) -> Vec<String> {
    let mut all = vec![words.to_owned()];
    if let Some((day, time)) = words.strip_suffix('Z').and_then(|it| it.split_once('T')) {
        let mut parts = day.split('-').map(|it| it.parse::<usize>().unwrap_or(0));
        if let (Some(year), Some(month), Some(date)) = (parts.next(), parts.next(), parts.next()) {
            let month = month.checked_sub(1).and_then(|it| MONTHS.get(it)).unwrap_or(&"");
            all.push(day.to_owned());
            all.push(format!("{month} {date:>2} {time} {year}"));
        }
    }
    all
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What an answer without a record says.
fn nothing(it: &ObservationEntry) -> String {
    let kind = it.fact.get("question").and_then(|question| question.get("type")).and_then(Value::as_str);
    let kind = safe(kind.unwrap_or("?"));
    match it.fact.get("rcode").and_then(Value::as_str) {
        None | Some("NOERROR") => format!("       {kind:<6} none"),
        Some(rcode) => format!("       {kind:<6} {}", safe(rcode)),
    }
}

/// The rows of a certificate besides its names that hold marked words: subject, issuer, dates.
fn certificate_rows(it: &ObservationEntry, marks: &[Mark], names: &str) -> Vec<String> {
    let text = |name: &str| it.fact.get(name).and_then(Value::as_str).map(plain).unwrap_or_default();
    let day = |name: &str| {
        let utc = it.fact.get(name).and_then(|time| time.get("utc")).and_then(Value::as_str).unwrap_or_default();
        utc.split('T').next().unwrap_or_default().to_owned()
    };
    let rows = [
        format!("       subject {}", text("subject")),
        format!("       issuer {}", text("issuer")),
        format!("       valid  {} to {}", day("not_before"), day("not_after")),
    ];
    let names = names.to_lowercase();
    let open: Vec<String> = marks
        .iter()
        .map(|mark| plain(&mark.words).to_lowercase())
        .filter(|words| !names.contains(words.as_str()))
        .collect();
    let holds =
        |row: &String| open.iter().any(|words| !words.is_empty() && row.to_lowercase().contains(words.as_str()));
    rows.into_iter().filter(holds).collect()
}

/// What a row that is drawn begins with: ` CERT  `.
pub(super) const COLUMNS: usize = 7;
/// What stands for a certificate that is there and cannot be read.
pub(super) const ENCRYPTED: &str = "? encrypted";
