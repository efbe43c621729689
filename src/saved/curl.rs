//! `curl -v` of 7.29 to 8.18, and the bare `curl: (60)` line.
//!
//! With `-k` curl does not compare names, and what it says of trust counts for nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::grammar::{dn, time};
use super::{RunText, SavedFormat, Sink, command};
use crate::evidence::{ClientVerdict, Fact, HttpExchange, Override, OverrideKind, Run, Says, ServerName};
use crate::name::Name;
use crate::tls::{ChainState, Handshake, SniState, Transport};
use crate::x509::Certificate;

/// `curl`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "curl",
    made_by: "curl -v, curl",
    is_command: |words| words.first().is_some_and(|word| word == "curl"),
    opens,
    repeats: false,
    read,
};

/// Lines that only curl prints. Redirected, the progress meter stands before the first of them.
fn opens(line: &str) -> bool {
    line.starts_with("curl: (")
        || told(line).is_some_and(|text| {
            line.contains("*   Trying ")
                || text.starts_with("About to connect() to ")
                || (text.starts_with("Host ") && text.ends_with(" was resolved."))
                || (text.starts_with("Added ") && text.ends_with(" to DNS cache"))
        })
}

struct Url {
    shown: String,
    host: Option<Name>,
    port: u16,
}

fn url(words: &[String]) -> Option<Url> {
    let text = words
        .iter()
        .skip(1)
        .find(|word| word.contains("://"))
        .or_else(|| words.iter().skip(1).rfind(|word| !word.starts_with('-') && word.contains('.')))?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let path = rest.strip_prefix(authority).unwrap_or_default().split(['?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, if scheme == "https" { 443 } else { 80 }),
    };
    Some(Url { shown: format!("{scheme}://{authority}{path}"), host: Name::parse(host), port })
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let url = url(&run.command);
    let host = url.as_ref().and_then(|url| url.host.clone()).or_else(|| host_in_output(run));
    let first = run.first_line();
    let server_name = match &host {
        Some(host) if host.ip().is_some() => ServerName::No,
        Some(host) => ServerName::Yes(host.to_string()),
        None => ServerName::Unknown,
    };
    sink.observe(
        Fact::Run(Run {
            run: run.number,
            tool: "curl".to_owned(),
            version: run.version.clone(),
            command: run.shown.clone(),
            vantage: run.vantage.clone(),
            time: None,
            host: host.clone(),
            server_name,
        }),
        [first],
    );
    overrides(run, first, sink);
    handshake(run, host.as_ref(), url.as_ref().map_or(443, |url| url.port), sink);
    let is_blind = run
        .command
        .iter()
        .any(|word| word == "--insecure" || (word.starts_with('-') && !word.starts_with("--") && word.contains('k')));
    verdicts(run, host.as_ref(), is_blind, sink);
    exchange(run, url.as_ref(), host.as_ref(), sink);
}

fn overrides(run: &RunText<'_>, first: u32, sink: &mut Sink) {
    for (option, by) in [("--resolve", OverrideKind::Resolve), ("--connect-to", OverrideKind::ConnectTo)] {
        if let Some(value) = command::value(&run.command, &[option]) {
            let mut parts = value.splitn(3, ':');
            let host = parts.next().and_then(Name::parse);
            let to = parts.nth(1).map(str::to_owned);
            sink.observe(Fact::Override(Override { by, host, to, run: Some(run.number) }), [first]);
        }
    }
}

/// A line without `* ` and what redirection puts before it.
fn told(text: &str) -> Option<&str> {
    let at = text.find("* ")?;
    text.get(at + 2..).map(str::trim)
}

fn host_in_output(run: &RunText<'_>) -> Option<Name> {
    run.lines
        .iter()
        .filter_map(|line| told(&line.text))
        .find_map(|text| {
            let host = text.strip_prefix("Connected to ").or_else(|| text.strip_prefix("Established connection to "));
            let resolved = text
                .strip_prefix("Host ")
                .and_then(|rest| rest.strip_suffix(" was resolved."))
                .and_then(|it| it.rsplit_once(':'))
                .map(|it| it.0);
            host.and_then(|rest| rest.split(" (").next()).or(resolved).and_then(Name::parse)
        })
        .or_else(|| run.lines.iter().find_map(|line| says_of(line.text.trim(), false, None)?.1))
}

/// What `* ` lines say of a handshake.
#[derive(Default)]
struct Told {
    lines: Vec<u32>,
    server: Option<SocketAddr>,
    client: Option<SocketAddr>,
    version: Option<String>,
    cipher: Option<String>,
    alpn: Vec<String>,
    http_version: Option<String>,
    began: bool,
    certificate: Vec<u32>,
    subject: Option<String>,
    issuer: Option<String>,
    start: Option<crate::provenance::Time>,
    end: Option<crate::provenance::Time>,
}

fn handshake(run: &RunText<'_>, host: Option<&Name>, port: u16, sink: &mut Sink) {
    let mut it = Told::default();
    for line in run.lines {
        if let Some(text) = told(&line.text) {
            take(&mut it, text, line.number, port);
        }
    }
    if !it.began && it.subject.is_none() {
        return;
    }
    let mut lines: Vec<u32> = run.command_line.iter().map(|line| line.number).collect();
    lines.extend(&it.lines);
    lines.extend(&it.certificate);
    let mut chain = Vec::new();
    if let (Some(subject), Some(first)) = (&it.subject, it.certificate.first()) {
        let certificate = Certificate {
            sha256: None,
            local_id: Some(sink.local_id(*first)),
            subject: Some(subject.clone()),
            issuer: it.issuer.clone(),
            san: None,
            not_before: it.start,
            not_after: it.end,
            serial: None,
            run: Some(run.number),
            der: None,
        };
        chain.push(certificate.id().to_owned());
        sink.observe(Fact::Certificate(certificate), it.certificate.clone());
    }
    let (sni, sni_state) = match host {
        Some(host) if host.ip().is_some() => (None, SniState::Absent),
        Some(host) => (Some(host.to_string()), SniState::Sent),
        None => (None, SniState::Unknown),
    };
    let handshake = Handshake {
        client: it.client,
        server: it.server,
        sni,
        sni_state,
        alpn: it.alpn,
        version: it.version,
        cipher: it.cipher,
        chain_state: if chain.is_empty() { ChainState::Missing } else { ChainState::Seen },
        chain,
        http_version: it.http_version,
        dialed: host.map(ToString::to_string),
        run: Some(run.number),
        ..Handshake::over(Transport::Text)
    };
    sink.observe(Fact::TlsHandshake(handshake), lines);
}

fn take(it: &mut Told, text: &str, number: u32, port: u16) {
    let mut is_used = true;
    if let Some(rest) = text.strip_prefix("Trying ") {
        it.server = trying(rest, port).or(it.server);
    } else if text.starts_with("Connected to ") || text.starts_with("Established connection to ") {
        let (server, client) = connected(text, port);
        it.server = server.or(it.server);
        it.client = client;
    } else if let Some(rest) = text.strip_prefix("SSL connection using ") {
        match rest.split_once(" / ") {
            Some((version, suite)) => {
                let number = version.strip_prefix("TLSv").or_else(|| version.strip_prefix("TLS"));
                it.version = number.map(|number| format!("TLS {}", if number == "1" { "1.0" } else { number }));
                it.cipher = suite.split(" / ").next().map(str::to_owned);
            }
            None => it.cipher = Some(rest.to_owned()),
        }
    } else if let Some((_, offered)) = text.split_once("curl offers ").or_else(|| text.split_once("offering ")) {
        it.alpn.extend(offered.split(',').map(|name| name.trim().to_owned()));
    } else if let Some(rest) = text.strip_prefix("subject: ") {
        it.subject = Some(dn::normal(rest));
        it.certificate.push(number);
    } else if let Some(rest) = text.strip_prefix("issuer: ") {
        it.issuer = Some(dn::normal(rest));
        it.certificate.push(number);
    } else if let Some(rest) = text.strip_prefix("start date: ") {
        it.start = time::certificate_date(rest);
        it.certificate.push(number);
    } else if let Some(rest) = text.strip_prefix("expire date: ") {
        it.end = time::certificate_date(rest);
        it.certificate.push(number);
    } else if let Some(rest) = text.strip_prefix("using HTTP/") {
        it.http_version = Some(rest.trim().to_owned());
    } else if text.contains("Client hello (1)") {
        it.began = true;
    } else {
        is_used = false;
    }
    if is_used {
        it.lines.push(number);
    }
}

/// `203.0.113.14:443...`, `[2001:db8::1]:443...`, `203.0.113.14...`.
fn trying(rest: &str, port: u16) -> Option<SocketAddr> {
    let end = rest.trim_end_matches('.').trim();
    end.parse().ok().or_else(|| end.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port)))
}

/// `Connected to h (203.0.113.14) port 443`, and since 8.16 `Established connection to h
/// (203.0.113.14 port 443) from 192.0.2.9 port 5`.
fn connected(text: &str, port: u16) -> (Option<SocketAddr>, Option<SocketAddr>) {
    let address = |rest: &str| {
        let words: Vec<&str> = rest.split([' ', '(', ')']).filter(|word| !word.is_empty()).collect();
        let ip: IpAddr = words.first()?.parse().ok()?;
        let at = words.iter().position(|word| *word == "port");
        let port = at.and_then(|at| words.get(at + 1)).and_then(|it| it.parse().ok()).unwrap_or(port);
        Some(SocketAddr::new(ip, port))
    };
    let server = text.split_once('(').and_then(|(_, rest)| address(rest));
    let client = text.split_once(") from ").and_then(|(_, rest)| address(rest));
    (server, client)
}

fn verdicts(run: &RunText<'_>, host: Option<&Name>, is_blind: bool, sink: &mut Sink) {
    let mut seen: Vec<Says> = Vec::new();
    for line in run.lines.iter().rev() {
        let text = line.text.trim();
        let code = text.strip_prefix("curl: (").and_then(|rest| rest.split_once(')')).map(|(code, _)| code.to_owned());
        let words = if code.is_some() { text } else { told(text).unwrap_or_default() };
        let Some((says, about, presented)) = says_of(words, is_blind, code.as_deref()) else {
            continue;
        };
        if seen.contains(&says) {
            continue;
        }
        seen.push(says);
        let it = ClientVerdict {
            client: "curl".to_owned(),
            says,
            host: about.or_else(|| host.cloned()),
            presented,
            code,
            words: words.to_owned(),
            run: Some(run.number),
        };
        sink.observe(Fact::ClientVerdict(it), [line.number]);
    }
}

fn quoted(text: &str, mark: char) -> impl Iterator<Item = &str> {
    text.split(mark).skip(1).step_by(2)
}

/// What a line of curl says of the certificate, of which host, with which names.
fn says_of(text: &str, is_blind: bool, code: Option<&str>) -> Option<(Says, Option<Name>, Vec<String>)> {
    let name = |mark| quoted(text, mark).next().and_then(Name::parse);
    if text.contains("no alternative certificate subject name matches target") {
        let host = quoted(text, '\'').last().and_then(Name::parse);
        return Some((Says::NameMismatch, host, Vec::new()));
    }
    if text.contains("subjectAltName does not match") || text.contains("subjectAltName: does not match") {
        return Some((Says::NameMismatch, text.split_whitespace().next_back().and_then(Name::parse), Vec::new()));
    }
    if text.contains("subjectAltName")
        && (text.contains("matched cert's") || text.contains("matches cert's"))
        && !is_blind
    {
        let names: Vec<&str> = quoted(text, '"').collect();
        return Some((Says::NameMatches, name('"'), names.get(1).map(|name| (*name).to_owned()).into_iter().collect()));
    }
    if let Some((_, error)) = text.split_once("NSS error ") {
        let code = error.split_whitespace().next().unwrap_or_default();
        let says = NSS_ERRORS.iter().find(|(number, _)| *number == code)?.1;
        return Some((says, None, Vec::new()));
    }
    if text.contains("certificate subject name (") && text.contains("does not match target") {
        let presented = text.split_once("certificate subject name (").and_then(|(_, rest)| rest.split_once(')'));
        let host = quoted(text, '\'').last().and_then(Name::parse);
        return Some((Says::NameMismatch, host, presented.map(|it| it.0.to_owned()).into_iter().collect()));
    }
    code?;
    if text.contains("certificate has expired") {
        Some((Says::Expired, None, Vec::new()))
    } else if text.contains("certificate is not yet valid") {
        Some((Says::NotYetValid, None, Vec::new()))
    } else if text.contains("unable to get local issuer")
        || text.contains("server certificate verification failed")
        || text.contains("self-signed")
        || text.contains("self signed")
    {
        Some((Says::ChainUntrusted, None, Vec::new()))
    } else if code == Some("35") {
        Some((Says::HandshakeFailed, None, Vec::new()))
    } else {
        None
    }
}

fn exchange(run: &RunText<'_>, url: Option<&Url>, host: Option<&Name>, sink: &mut Sink) {
    let mut headers = BTreeMap::new();
    let mut status = None;
    let mut asked = None;
    let mut lines = Vec::new();
    for line in run.lines {
        if let Some(rest) = line.text.strip_prefix("> ") {
            if let Some(name) = rest.strip_prefix("Host: ").or_else(|| rest.strip_prefix("host: ")) {
                asked = Name::parse(name.trim().split(':').next().unwrap_or(name));
                lines.push(line.number);
            }
        } else if let Some(rest) = line.text.strip_prefix("< ") {
            if rest.starts_with("HTTP/") {
                status = rest.split_whitespace().nth(1).and_then(|code| code.parse().ok());
                lines.push(line.number);
            } else if let Some((name, value)) = rest.split_once(": ") {
                let name = name.to_ascii_lowercase();
                if HEADERS.contains(&name.as_str()) {
                    headers.insert(name, value.trim().to_owned());
                    lines.push(line.number);
                }
            }
        }
    }
    if status.is_some() {
        let it = HttpExchange {
            url: url.map(|url| url.shown.clone()),
            host: asked.or_else(|| host.cloned()),
            status,
            headers,
            run: Some(run.number),
            ..HttpExchange::default()
        };
        sink.observe(Fact::HttpExchange(it), lines);
    }
}

/// Mozilla's error numbers, as curl's NSS builds print them.
const NSS_ERRORS: &[(&str, Says)] = &[
    ("-12276", Says::NameMismatch),
    ("-8181", Says::Expired),
    ("-8179", Says::ChainUntrusted),
    ("-8172", Says::ChainUntrusted),
    ("-12182", Says::HandshakeFailed),
];
const HEADERS: &[&str] = &[
    "date",
    "server",
    "via",
    "x-cache",
    "x-amzn-errortype",
    "x-amz-apigw-id",
    "x-amzn-requestid",
    "x-amz-cf-id",
    "x-amz-cf-pop",
];
