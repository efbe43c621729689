//! The report as SARIF 2.1.0 (OASIS), for code-scanning views and pipelines: a result for each finding,
//! and one for each host without any, so that nothing judged is missing.
//!
//! A place is an artifact location: lines are a region, frames stand in the location's properties.

use serde_json::{Value, json};

use super::{CaseEntry, FindingEntry, Ignored, Outcome, PlaceEntry, Renderer, Report, Severity, Style, words};
use crate::escape::line as safe;
use crate::evidence::ObservationId;
use crate::rules::{RULES, Rule};

/// `--format sarif`.
pub static RENDERER: Renderer = Renderer { id: "sarif", render };

fn render(report: &Report, _: &Style) -> String {
    let results: Vec<Value> = report.cases.iter().flat_map(|case| of_case(report, case)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "version": report.tool.version,
                "rules": RULES.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
                "properties": {"rules": report.tool.rules, "data": report.tool.data},
            }},
            "artifacts": artifacts(report),
            "invocations": [{
                "executionSuccessful": report.partial.is_none(),
                "toolExecutionNotifications": notifications(report),
            }],
            "columnKind": "unicodeCodePoints",
            "properties": {"partial": report.partial.unwrap_or(false)},
            "results": results,
        }],
    });
    crate::escape::json_pretty(&log).unwrap_or_default()
}

fn descriptor(rule: &Rule) -> Value {
    let page: String = rule.docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned() + "\n").collect();
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": first_paragraph(&page)},
        "help": {"text": page.replace("# ", ""), "markdown": page},
        "properties": {"since": rule.since, "cap": rule.cap},
    })
}

/// What the rule finds, without its heading.
fn first_paragraph(page: &str) -> String {
    let lines = page.lines().skip_while(|line| line.starts_with('#') || line.is_empty());
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn artifacts(report: &Report) -> Vec<Value> {
    let artifact = |source: &super::SourceEntry| {
        let mut it = json!({
            "location": {"uri": uri(&source.path), "index": source.id},
            "length": source.bytes,
            "properties": {"type": source.kind, "gaps": source.gaps},
        });
        if let (Some(sha256), Some(map)) = (&source.sha256, it.as_object_mut()) {
            map.insert("hashes".to_owned(), json!({"sha-256": sha256}));
        }
        it
    };
    report.sources.iter().map(artifact).collect()
}

/// What could not be read.
fn notifications(report: &Report) -> Vec<Value> {
    report
        .gaps
        .iter()
        .map(|gap| {
            json!({
                "level": "warning",
                "message": {"text": safe(&gap.reason)},
                "locations": gap.at.iter().map(|place| location(report, place)).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn of_case(report: &Report, case: &CaseEntry) -> Vec<Value> {
    let mut results: Vec<Value> = case.findings.iter().map(|finding| with_finding(report, case, finding)).collect();
    if results.is_empty() && !case.is_accepted() {
        results.push(without_finding(report, case));
    }
    results.extend(case.ignored.iter().map(|it| suppressed(report, case, it)));
    results
}

/// A finding that is known and accepted.
fn suppressed(report: &Report, case: &CaseEntry, it: &Ignored) -> Value {
    json!({
        "ruleId": it.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id == it.rule),
        "kind": "fail",
        "level": level(it.severity),
        "message": {"text": format!("{}.", safe(&it.headline))},
        "locations": locations(report, case, &it.cites),
        "suppressions": [{"kind": "external", "status": "accepted", "justification": safe(&words::acceptance(it))}],
        "properties": {"host": case.host, "outcome": case.outcome},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn with_finding(report: &Report, case: &CaseEntry, finding: &FindingEntry) -> Value {
    let level = level(finding.severity);
    let reasons: Vec<&str> = finding.reasons.iter().map(|it| it.text.as_str()).collect();
    let cites: Vec<ObservationId> = finding.reasons.iter().flat_map(|it| it.cites.iter().copied()).collect();
    let when = if words::is_error(case) {
        "To do:".to_owned()
    } else if words::is_beside(case, finding) {
        format!("{} To settle it:", words::BESIDE)
    } else {
        words::only_if(case, finding).unwrap_or_else(|| "To do:".to_owned())
    };
    let words = format!(
        "{}. {} Because: {}. {when} {} Check: {}",
        safe(&finding.headline),
        safe(&finding.cause),
        safe(&reasons.join("; ")),
        safe(&finding.remedy),
        safe(&finding.verify)
    );
    json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule),
        "kind": "fail",
        "level": level,
        "message": {"text": words},
        "locations": locations(report, case, &cites),
        "partialFingerprints": {"hostAndRule/v1": format!("{}/{}", case.host.as_deref().unwrap_or("-"), finding.rule)},
        "properties": {
            "host": case.host, "outcome": case.outcome, "strength": finding.strength, "confidence": finding.confidence,
        },
    })
}

/// A host without a finding: what came of it, and what would tell more.
fn without_finding(report: &Report, case: &CaseEntry) -> Value {
    let (kind, level) = match case.outcome {
        Outcome::Ok => ("pass", "none"),
        Outcome::WrongCertificate | Outcome::InvalidCertificate | Outcome::HandshakeFailed => ("fail", "error"),
        Outcome::NoHandshake | Outcome::Inconclusive => ("open", "none"),
    };
    let ask = case.ask_for.first().map_or_else(String::new, |it| format!(" Ask for: {}", safe(&it.command)));
    let cites: Vec<ObservationId> = case.connections.iter().take(1).flat_map(|it| it.cites.iter().copied()).collect();
    let mut result = json!({
        "kind": kind,
        "level": level,
        "message": {"text": format!("{}.{ask}", safe(&words::headline(case)))},
        "locations": locations(report, case, &cites),
        "properties": {"host": case.host, "outcome": case.outcome},
    });
    let rule = if case.outcome == Outcome::Ok { Some("none.certificate_ok") } else { words::insufficient(case) };
    if let (Some(rule), Some(map)) = (rule, result.as_object_mut()) {
        map.insert("ruleId".to_owned(), json!(rule));
        map.insert("ruleIndex".to_owned(), json!(RULES.iter().position(|known| known.id == rule)));
    }
    result
}

/// The places of observations, each once.
fn locations(report: &Report, case: &CaseEntry, cites: &[ObservationId]) -> Vec<Value> {
    let mut places: Vec<&PlaceEntry> = Vec::new();
    for place in cites.iter().flat_map(|id| report.places_of(case, *id)) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.into_iter().take(LOCATIONS_MAX).map(|place| location(report, place)).collect()
}

fn location(report: &Report, place: &PlaceEntry) -> Value {
    let id = place.source();
    let path = report.sources.iter().find(|source| source.id == id).map_or("", |source| source.path.as_str());
    let artifact = json!({"uri": uri(path), "index": id});
    match place {
        PlaceEntry::Frames { frames, more, .. } => json!({
            "physicalLocation": {"artifactLocation": artifact},
            "message": {"text": words::place(place)},
            "properties": {"frames": frames, "more": more.unwrap_or(0)},
        }),
        PlaceEntry::Lines { lines: [first, last], columns, .. } => {
            let mut region = json!({"startLine": (*first).max(1), "endLine": (*last).max(1)});
            if let (Some([from, to]), Some(map)) = (columns, region.as_object_mut()) {
                map.insert("startColumn".to_owned(), json!((*from).max(1)));
                map.insert("endColumn".to_owned(), json!(to.saturating_add(1)));
            }
            json!({"physicalLocation": {"artifactLocation": artifact, "region": region}})
        }
        PlaceEntry::Whole { .. } => json!({"physicalLocation": {"artifactLocation": artifact}}),
    }
}

/// A path as a relative URI reference (RFC 3986): everything but unreserved characters and slashes is
/// percent-encoded.
fn uri(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut uri, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(format!("%{byte:02X}").as_str()),
        }
        uri
    })
}

/// The places of one result; more help nobody and break viewers.
const LOCATIONS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_relative_references() {
        for (path, expected) in
            [("a/b.pcap", "a/b.pcap"), ("x: y.txt", "x%3A%20y.txt"), ("a!m\u{fc}", "a%21m%C3%BC"), ("-", "-")]
        {
            assert_eq!(uri(path), expected);
        }
    }
}
