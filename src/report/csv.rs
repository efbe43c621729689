//! The report as CSV (RFC 4180): a row for each handshake of each host, and one for a host without any.
//!
//! A cell that a spreadsheet would take for a formula begins with an apostrophe.

use super::{CaseEntry, ConnectionEntry, Renderer, Report, Style, words};
use crate::escape::line as safe;
use crate::evidence::ObservationId;

/// `--format csv`.
pub static RENDERER: Renderer = Renderer { id: "csv", render };

fn render(report: &Report, _: &Style) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let mut is_whole = writer.write_record(COLUMNS).is_ok();
    for case in &report.cases {
        if case.connections.is_empty() {
            is_whole &= writer.write_record(row(report, case, None)).is_ok();
        }
        for connection in &case.connections {
            is_whole &= writer.write_record(row(report, case, Some(connection))).is_ok();
        }
    }
    // Writing to memory does not fail; were it to, an empty text is better than half a table.
    let bytes = writer.into_inner().unwrap_or_default();
    if is_whole { String::from_utf8(bytes).unwrap_or_default() } else { String::new() }
}

fn row(report: &Report, case: &CaseEntry, connection: Option<&ConnectionEntry>) -> Vec<String> {
    let finding = case.findings.first();
    let leaf = connection.and_then(|it| it.chain.first());
    let text = |value: Option<String>| value.unwrap_or_default();
    let cited: Vec<ObservationId> = match connection {
        Some(connection) => connection.cites.clone(),
        None => case.resolutions.iter().flat_map(|it| it.cites.iter().copied()).collect(),
    };
    let cited = handshake_first(report, cited);
    let place = cited.first().and_then(|id| report.places_of(case, *id).first());
    let source = place.and_then(|place| report.sources.iter().find(|it| it.id == place.source()));
    let names = leaf.and_then(|it| it.san.clone()).map(|names| names.join(" "));
    let check = connection.and_then(|it| it.name_check.as_ref());
    let cells = [
        text(case.host.clone()),
        words::title_of(case.outcome).to_owned(),
        if finding.is_some() || case.is_accepted() { words::causes_of(case) } else { String::new() },
        text(finding.map(|it| json_word(&it.severity))),
        text(finding.map(|it| json_word(&it.strength))),
        text(finding.map(|it| format!("{:.2}", it.confidence))),
        words::headline(case),
        text(source.map(|it| it.path.clone())),
        text(place.map(words::place)),
        text(connection.and_then(|it| it.client).map(|it| it.to_string())),
        text(connection.and_then(|it| it.server).map(|it| it.to_string())),
        text(connection.map(|it| json_word(&it.sni_state))),
        text(connection.and_then(|it| it.sni.clone())),
        text(connection.and_then(|it| it.version.clone())),
        text(connection.map(|it| json_word(&it.chain_state))),
        text(check.map(|it| if it.matches { "yes" } else { "no" }.to_owned())),
        text(names),
        text(leaf.and_then(|it| it.subject.clone())),
        text(leaf.and_then(|it| it.issuer.clone())),
        text(leaf.and_then(|it| it.not_before).map(|it| it.rfc3339())),
        text(leaf.and_then(|it| it.not_after).map(|it| it.rfc3339())),
        text(leaf.and_then(|it| it.sha256.clone())),
        text(connection.map(alerts)),
        if report.partial.is_some() { "yes" } else { "no" }.to_owned(),
        words::accepted(case).iter().map(|it| words::acceptance(it)).collect::<Vec<_>>().join("; "),
    ];
    cells.iter().map(|it| cell(it)).collect()
}

/// The handshake before the certificates and alerts that belong to it.
fn handshake_first(report: &Report, mut cited: Vec<ObservationId>) -> Vec<ObservationId> {
    cited.sort_by_key(|id| (report.observation(*id).is_none_or(|it| it.kind != "tls.handshake"), *id));
    cited
}

fn alerts(connection: &ConnectionEntry) -> String {
    let alerts = connection.alerts.iter().map(|it| {
        let says = it.description.as_deref().unwrap_or("encrypted");
        format!("{}: {says}", json_word(&it.from))
    });
    alerts.collect::<Vec<_>>().join("; ")
}

/// The word that the JSON report uses for a value.
fn json_word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Text from an input as a cell.
pub(super) fn cell(text: &str) -> String {
    inert(&safe(text))
}

/// A cell that no spreadsheet runs: `=`, `+`, `-`, `@` and blanks before them begin a formula.
fn inert(cell: &str) -> String {
    if cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%']) { format!("'{cell}") } else { cell.to_owned() }
}

const COLUMNS: [&str; 25] = [
    "host",
    "outcome",
    "rule",
    "severity",
    "strength",
    "confidence",
    "headline",
    "source",
    "place",
    "client",
    "server",
    "sni_state",
    "sni",
    "version",
    "chain_state",
    "name_matches",
    "presented",
    "subject",
    "issuer",
    "not_before",
    "not_after",
    "leaf_sha256",
    "alerts",
    "partial",
    "accepted_because",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("  +1", "'  +1"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("*.example.com", "*.example.com"),
            ("", ""),
        ] {
            assert_eq!(inert(cell), expected);
        }
    }
}
