//! HAR (HTTP Archive 1.2) of Chrome, Firefox, Safari and proxies: what was asked for and what came of it.
//!
//! A HAR holds no certificate and no alias; `serverIPAddress` can be the proxy's and is not read as
//! the server's. Query strings, headers and bodies hold secrets and are left alone but for the few
//! response headers that rules use.

use std::collections::BTreeMap;

use super::node::Node;
use super::splitter::Record;
use super::{Cut, Export, Records, flows};
use crate::evidence::{ClientVerdict, Fact, HttpExchange, Says};
use crate::name::Name;
use crate::provenance::{GapReason, Time};
use crate::saved::grammar::{dn, words};
use crate::saved::{Sink, kept_header};
use crate::x509::Certificate;

/// HAR.
pub static EXPORT: Export = Export {
    id: "har",
    made_by: "a browser's network panel, Save all as HAR",
    opens,
    cut: Cut::Json(|path| path.is_empty() || path == ["log"] || path == ["log", "entries"]),
    reader: || Box::new(Entries),
};

fn opens(head: &str) -> bool {
    let inner = head.strip_prefix('{').unwrap_or_default().trim_start();
    let inner = inner.strip_prefix("\"log\"").unwrap_or_default().trim_start();
    inner.starts_with(':')
        && ["\"version\"", "\"creator\"", "\"entries\"", "\"pages\""].iter().any(|key| head.contains(key))
}

struct Entries;

impl Records for Entries {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        if record.path.last().is_none_or(|last| last != "[]") {
            return;
        }
        let Some(entry) = Node::of(record) else {
            let reason = GapReason::Undecoded { what: "entry of a HAR".to_owned(), why: "no whole JSON".to_owned() };
            sink.gap(record.first_line(), reason);
            return;
        };
        read(entry, sink);
    }

    fn finish(&mut self, _: &mut Sink) {}
}

fn read(entry: Node<'_>, sink: &mut Sink) {
    let Some(url) = entry.at(&["request", "url"]) else { return };
    let Some((shown, host)) = url.text().as_deref().and_then(split_url) else { return };
    let response = entry.get("response");
    let time = entry.text_of("startedDateTime").as_deref().and_then(flows::time);
    let status = response.and_then(|it| it.get("status"));
    let code = status.and_then(|it| it.text()?.parse::<u16>().ok());
    let error = response.and_then(|it| it.get("_error").or_else(|| it.get("statusText"))).filter(|it| {
        it.text()
            .is_some_and(|text| text.contains("ERR_") || text.contains("SSL_ERROR") || words::said(&text).is_some())
    });
    if let (Some(error), Some(words)) = (error, error.and_then(|it| it.text()))
        && let Some(says) = says_of(&words)
    {
        let it = ClientVerdict {
            client: "browser".to_owned(),
            says,
            host: Some(host.clone()),
            presented: Vec::new(),
            code: Some(words.to_string()),
            words: words.to_string(),
            above: None,
            run: None,
        };
        sink.observe_cited(Fact::ClientVerdict(it), [url.cite(), error.cite()]);
    }
    certificate(entry, sink);
    let Some(code) = code.filter(|code| *code != 0) else { return };
    let mut cites = vec![url.cite()];
    cites.extend(status.map(|it| it.cite()));
    let mut headers = BTreeMap::new();
    for header in response.and_then(|it| it.get("headers")).map(|it| it.items()).unwrap_or_default() {
        let (Some(name), Some(value)) = (header.text_of("name"), header.get("value")) else { continue };
        let name = name.to_ascii_lowercase();
        if let Some(text) = value.text().and_then(|text| kept_header(&name, &text)) {
            headers.insert(name, text);
            cites.push(value.cite());
        }
    }
    let it = HttpExchange {
        time,
        url: Some(shown),
        host: Some(host),
        status: Some(code),
        headers,
        ..HttpExchange::default()
    };
    sink.observe_cited(Fact::HttpExchange(it), cites);
}

/// `_securityDetails` of Playwright: the subject of the certificate and its dates.
fn certificate(entry: Node<'_>, sink: &mut Sink) {
    let Some(details) = entry.get("_securityDetails") else { return };
    let Some(subject) = details.get("subjectName") else { return };
    let Some(name) = subject.text() else { return };
    let date = |key: &str| {
        let seconds = details.text_of(key)?;
        let whole: i64 = seconds.split('.').next()?.parse().ok()?;
        Some(Time::stated(whole, 0))
    };
    let certificate = Certificate {
        sha256: None,
        local_id: Some(sink.local_id(subject.cite().line)),
        subject: Some(dn::type_and_value("CN", &name)),
        issuer: details.text_of("issuer").map(|name| dn::type_and_value("CN", &name)),
        san: None,
        not_before: date("validFrom"),
        not_after: date("validTo"),
        serial: None,
        run: None,
        der: None,
    };
    sink.observe_cited(Fact::Certificate(certificate), [subject.cite()]);
}

/// What a browser's error code says.
pub(super) fn says_of(text: &str) -> Option<Says> {
    let known = ERRORS.iter().find(|(code, _)| text.contains(code)).map(|(_, says)| *says);
    known.or_else(|| words::said(text).map(|said| said.says))
}

/// A URL without user, password and query, and its host.
fn split_url(text: &str) -> Option<(String, Name)> {
    let (scheme, rest) = text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http" | "wss"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let path = rest.strip_prefix(authority)?.split(['?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    };
    Some((format!("{scheme}://{authority}{path}"), Name::parse(host)?))
}

const ERRORS: &[(&str, Says)] = &[
    ("ERR_CERT_COMMON_NAME_INVALID", Says::NameMismatch),
    ("ERR_CERT_DATE_INVALID", Says::DateInvalid),
    ("ERR_CERT_AUTHORITY_INVALID", Says::ChainUntrusted),
    ("ERR_CERT_", Says::Refused),
    ("ERR_SSL_", Says::HandshakeFailed),
];
