//! `wget` with GnuTLS or OpenSSL, and busybox's: the URL, the address it connected to, what it says of
//! the certificate.
//!
//! The addresses after `Resolving` come from the system's resolver, hosts file included, and say
//! nothing of aliases: they are no DNS answer. Since 1.13 wget sends the server name and prints the
//! host a second time in brackets; an older layout leaves the server name unknown.

use std::net::{IpAddr, SocketAddr};

use super::grammar::{address, time, words};
use super::{RunText, SavedFormat, Sink};
use crate::evidence::{ClientVerdict, Fact, HttpExchange, Run, Says, ServerName};
use crate::name::Name;
use crate::provenance::Time;
use crate::tls::{Alert, Handshake, Side, SniState, Transport};

/// `wget`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "wget",
    made_by: "wget, busybox wget",
    is_command: |words| {
        let mut words = words.iter().map(String::as_str);
        matches!((words.next(), words.next()), (Some("wget"), _) | (Some("busybox"), Some("wget")))
    },
    opens: |line| stamp(line).is_some() || busybox_connection(line).is_some(),
    repeats: true,
    read,
};

/// `--2026-11-22 07:01:24--  https://www.example.com/`: the clock of the machine, and the URL.
fn stamp(line: &str) -> Option<(Time, &str)> {
    let (clock, url) = line.trim().strip_prefix("--")?.split_once("--")?;
    Some((time::date_and_clock(clock)?, url.trim()))
}

/// `Connecting to www.example.com (203.0.113.12:443)`.
fn busybox_connection(line: &str) -> Option<(Name, SocketAddr)> {
    let (host, rest) = line.strip_prefix("Connecting to ")?.split_once(" (")?;
    Some((address::host(host)?, rest.strip_suffix(')')?.parse().ok()?))
}

/// `Connecting to h (h)|203.0.113.10|:443... connected.`: the end, and whether the host stands in
/// brackets.
fn connection(line: &str) -> Option<(SocketAddr, bool)> {
    let rest = line.strip_prefix("Connecting to ")?;
    if !rest.contains("connected") {
        return None;
    }
    let (host, rest) = rest.split_once('|')?;
    let (address, rest) = rest.split_once('|')?;
    let port: String = rest.strip_prefix(':')?.chars().take_while(char::is_ascii_digit).collect();
    let address: IpAddr = address.parse().ok()?;
    Some((SocketAddr::new(address, port.parse().ok()?), host.contains('(')))
}

#[derive(Default)]
struct Told {
    time: Option<Time>,
    time_line: Option<u32>,
    url: Option<String>,
    host: Option<Name>,
    server: Option<(u32, SocketAddr)>,
    sends_name: bool,
    version: Option<String>,
}

impl Told {
    fn of(run: &RunText<'_>) -> Self {
        let mut told = Self::default();
        let from_command = run.command.iter().find_map(|word| split_url(word));
        if let Some((url, host)) = from_command {
            told.url = Some(url);
            told.host = host;
        }
        for line in run.lines {
            let text = line.text.as_str();
            if let Some((time, url)) = stamp(text) {
                told.time = Some(time);
                told.time_line = Some(line.number);
                if let Some((url, host)) = split_url(url) {
                    told.url = Some(url);
                    told.host = host;
                }
            } else if let Some((host, server)) = busybox_connection(text) {
                told.host = told.host.or(Some(host));
                told.server = Some((line.number, server));
                told.sends_name = true;
            } else if let Some((server, has_brackets)) = connection(text) {
                told.server = Some((line.number, server));
                told.sends_name = has_brackets;
            } else if let Some((_, rest)) = text.split_once("created by Wget ") {
                told.version = rest.split_whitespace().next().map(|version| format!("Wget {version}"));
            }
        }
        told
    }
}

/// A URL without user, password and query, and its host.
fn split_url(text: &str) -> Option<(String, Option<Name>)> {
    let (scheme, rest) = text.split_once("://").filter(|(scheme, _)| scheme.starts_with("http"))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let path = rest.strip_prefix(authority)?.split(['?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    };
    Some((format!("{scheme}://{authority}{path}"), address::host(host)))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let told = Told::of(run);
    let is_address = told.host.as_ref().is_some_and(|host| host.ip().is_some());
    let server_name = match &told.host {
        Some(_) if is_address => ServerName::No,
        Some(host) if told.sends_name => ServerName::Yes(host.to_string()),
        _ => ServerName::Unknown,
    };
    let first = run.command_line.map(|line| line.number).or(told.time_line).unwrap_or_else(|| run.first_line());
    sink.observe(
        Fact::Run(Run {
            run: run.number,
            tool: "wget".to_owned(),
            version: run.version.clone().or_else(|| told.version.clone()),
            command: run.shown.clone(),
            vantage: run.vantage.clone(),
            time: told.time,
            host: told.host.clone(),
            server_name,
        }),
        [first],
    );
    unresolved(run, sink);
    verdicts(run, told.host.as_ref(), sink);
    handshake(run, &told, sink);
    exchange(run, &told, sink);
}

/// `Resolving www.example.com (www.example.com)... failed: Name or service not known.`
fn unresolved(run: &RunText<'_>, sink: &mut Sink) {
    for line in run.lines {
        let Some((host, why)) = line.text.strip_prefix("Resolving ").and_then(|it| it.split_once("... failed: "))
        else {
            continue;
        };
        if let Some(host) = host.split_whitespace().next().and_then(address::host) {
            super::unresolved::observe(why, host, line.number, run, sink);
        }
    }
}

fn handshake(run: &RunText<'_>, told: &Told, sink: &mut Sink) {
    let is_tls = told.url.as_deref().is_none_or(|url| url.starts_with("https:"));
    let Some((line, server)) = told.server.filter(|_| is_tls) else { return };
    let alerted = run.lines.iter().find_map(|line| Some((line.number, alert(&line.text)?)));
    if let Some((line, description)) = alerted {
        let it = Alert {
            time: None,
            client: None,
            server: Some(server),
            transport: Transport::Text,
            from: Side::Server,
            level: Some("fatal".to_owned()),
            description: Some(description.to_owned()),
            encrypted: false,
            run: Some(run.number),
        };
        sink.observe(Fact::TlsAlert(it), [line]);
    }
    let is_address = told.host.as_ref().is_some_and(|host| host.ip().is_some());
    let (sni, sni_state) = match &told.host {
        Some(_) if is_address => (None, SniState::Absent),
        Some(host) if told.sends_name => (Some(host.to_string()), SniState::Sent),
        _ => (None, SniState::Unknown),
    };
    let it = Handshake {
        time: told.time,
        server: Some(server),
        sni,
        sni_state,
        dialed: told.host.as_ref().map(ToString::to_string),
        run: Some(run.number),
        ..Handshake::over(Transport::Text)
    };
    sink.observe(Fact::TlsHandshake(it), told.time_line.into_iter().chain([line]));
}

/// `GnuTLS: received alert [112]: The server name sent was not recognized`, and OpenSSL's words.
fn alert(text: &str) -> Option<&'static str> {
    if let Some((_, rest)) = text.split_once("received alert [") {
        return words::alert(&format!("alert number {rest}"));
    }
    text.starts_with("OpenSSL: ").then(|| words::alert(text))?
}

fn verdicts(run: &RunText<'_>, host: Option<&Name>, sink: &mut Sink) {
    let mut seen: Vec<Says> = Vec::new();
    for line in run.lines {
        let Some(said) = words::said(&line.text).filter(|_| !line.text.contains("HTTP request sent")) else { continue };
        if seen.contains(&said.says) {
            continue;
        }
        seen.push(said.says);
        let it = ClientVerdict {
            client: "wget".to_owned(),
            says: said.says,
            host: said.host.or_else(|| host.cloned()),
            presented: said.presented,
            code: None,
            words: line.text.trim().to_owned(),
            above: None,
            run: Some(run.number),
        };
        sink.observe(Fact::ClientVerdict(it), [line.number]);
    }
}

/// The last response: `HTTP request sent, awaiting response... 403 Forbidden`, or with `-S` its
/// status line and headers, indented.
fn exchange(run: &RunText<'_>, told: &Told, sink: &mut Sink) {
    let mut status = None;
    let mut headers = std::collections::BTreeMap::new();
    let mut lines = Vec::new();
    for line in run.lines {
        let text = line.text.as_str();
        if let Some((_, rest)) = text.split_once("awaiting response... ") {
            status = rest.split_whitespace().next().and_then(|code| code.parse().ok()).or(status);
            lines.push(line.number);
        } else if text.trim_start().starts_with("HTTP/") && text.starts_with(' ') {
            status = text.split_whitespace().nth(1).and_then(|code| code.parse().ok()).or(status);
            lines.push(line.number);
        } else if let Some((name, value)) = text.strip_prefix("  ").and_then(|text| text.split_once(": ")) {
            let name = name.to_ascii_lowercase();
            if super::HEADERS.contains(&name.as_str()) {
                headers.insert(name, value.trim().to_owned());
                lines.push(line.number);
            }
        }
    }
    if status.is_some() {
        let it = HttpExchange {
            time: told.time,
            url: told.url.clone(),
            host: told.host.clone(),
            status,
            headers,
            run: Some(run.number),
            ..HttpExchange::default()
        };
        sink.observe(Fact::HttpExchange(it), lines);
    }
}
