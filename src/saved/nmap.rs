//! nmap's `ssl-cert` script, as text and as XML: the certificate that a scanned address presents.
//!
//! A scanned name is sent as SNI, a scanned address sends none; the script's argument `tls.servername`
//! changes that and is seen in the command only.

use std::net::{IpAddr, SocketAddr};

use super::connection::{self, Connection};
use super::decode::secret;
use super::grammar::{address, dn, time};
use super::openssl_x509::san;
use super::{Line, RunText, SavedFormat, Sink};
use crate::evidence::ServerName;
use crate::name::Name;
use crate::provenance::GapReason;
use crate::x509::{self, Certificate};

/// `nmap --script ssl-cert`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "nmap",
    made_by: "nmap --script ssl-cert, as text or -oX",
    is_command: |words| words.first().is_some_and(|word| word == "nmap"),
    opens: |line| {
        line.starts_with("Nmap scan report for ")
            || line.starts_with("Starting Nmap ")
            || bare(line).starts_with("ssl-cert: Subject: ")
            || line.starts_with("<nmaprun ")
            || line.starts_with("<!DOCTYPE nmaprun")
            || (line.starts_with("# Nmap ") && line.contains(" scan initiated "))
            || is_grepable(line)
    },
    repeats: false,
    read,
};

/// A line of a script's output without its bars.
fn bare(line: &str) -> &str {
    line.trim_start_matches(['|', '_']).trim_start()
}

/// The scanned host and port, as far as read.
#[derive(Clone, Default)]
struct Scanned {
    name: Option<Name>,
    address: Option<IpAddr>,
    port: Option<u16>,
    lines: Vec<u32>,
    /// The name is the one that was given, and not what the address is called in reverse.
    is_given: bool,
}

/// `Host: 203.0.113.10 (x.example.com)\tPorts: 443/open/tcp//https///` of `-oG`.
fn is_grepable(line: &str) -> bool {
    line.starts_with("Host: ") && ["\tPorts: ", "\tStatus: "].iter().any(|field| line.contains(field))
}

/// The command that a report tells of itself: `# Nmap 7.93 scan initiated … as: nmap …`, `args="nmap …"`.
fn told_command(lines: &[Line]) -> Option<(u32, Vec<String>)> {
    lines.iter().take(HEAD_LINES).find_map(|line| {
        let rest = match line.text.split_once(" args=\"").filter(|_| line.text.starts_with("<nmaprun ")) {
            Some((_, rest)) => rest.split('"').next()?,
            None => line.text.strip_prefix("# Nmap ").and_then(|rest| rest.split_once(" as: "))?.1,
        };
        let words: Vec<String> = rest.replace("&#45;", "-").split_whitespace().map(str::to_owned).collect();
        words.first().is_some_and(|tool| tool.ends_with("nmap")).then_some((line.number, words))
    })
}

/// What the command scans: its last word that is no option's value.
fn target(words: &[String]) -> Option<&String> {
    let mut target = None;
    let mut is_value = true;
    for word in words {
        if !std::mem::take(&mut is_value) && !word.starts_with('-') && word.contains('.') && !word.contains('=') {
            target = Some(word);
        }
        is_value = VALUED_OPTIONS.contains(&word.as_str());
    }
    target
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let told = if run.command.is_empty() { told_command(run.lines) } else { None };
    let command = told.as_ref().map_or_else(|| run.command.clone(), |(_, words)| words.clone());
    let shown =
        run.shown.clone().or_else(|| told.as_ref().map(|(_, words)| secret::hidden(&words.join(" ")).into_owned()));
    let run = &RunText { command, shown, ..run.clone() };
    let forced =
        run.command.iter().find_map(|word| word.split_once("tls.servername=").map(|(_, name)| name.to_owned()));
    let host = target(&run.command).and_then(|word| address::host(word));
    let at = std::iter::once(run.first_line()).chain(told.as_ref().map(|(line, _)| *line));
    sink.observe(run.fact("nmap", None, host.clone(), ServerName::Unknown), at);
    if let Some(line) = run.lines.iter().find(|line| is_grepable(&line.text)) {
        let why = "-oG leaves out what scripts print; ask for -oN or -oX".to_owned();
        sink.gap(line.number, GapReason::Undecoded { what: "nmap report".to_owned(), why });
    }
    let mut scanned = Scanned::default();
    let mut at = 0;
    while let Some(line) = run.lines.get(at) {
        at += 1;
        if let Some(next) = report(&line.text) {
            scanned = Scanned { lines: vec![line.number], ..next };
        } else if scan_line(&mut scanned, &line.text) {
            scanned.lines.push(line.number);
        } else if bare(&line.text).starts_with("ssl-cert: Subject: ") {
            let rest = run.lines.get(at - 1..).unwrap_or_default();
            let end = rest.iter().position(|line| line.text.starts_with("|_")).map_or(rest.len(), |end| end + 1);
            let rows: Vec<(u32, &str)> =
                rest.iter().take(end.min(ROWS_MAX)).map(|line| (line.number, bare(&line.text))).collect();
            let pem = x509::pem::blocks(rest.iter().take(end.min(ROWS_MAX)).map(|it| (it.number, bare(&it.text))));
            observe(run, &scanned, forced.as_deref(), host.as_ref(), &rows, pem, sink);
            at += end.saturating_sub(1);
        } else if let Some(output) = xml_output(line) {
            let port = attribute(&line.text, "portid").and_then(|port| port.parse().ok());
            scanned.port = port.or(scanned.port);
            let rows: Vec<(u32, &str)> = output.split("&#xa;").map(|row| (line.number, row)).collect();
            observe(run, &scanned, forced.as_deref(), host.as_ref(), &rows, Vec::new(), sink);
        }
    }
}

/// `Nmap scan report for www.example.com (203.0.113.11)`.
fn report(line: &str) -> Option<Scanned> {
    let rest = line.strip_prefix("Nmap scan report for ")?.trim();
    let (name, address) = match rest.split_once(" (") {
        Some((name, address)) => (address::host(name), address.trim_end_matches(')').parse().ok()),
        None => (None, rest.parse().ok()),
    };
    Some(Scanned { name, address, ..Scanned::default() })
}

/// The value of an attribute of the first element that has it.
fn attribute<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// A line that tells the port, or in XML the address and the name.
fn scan_line(scanned: &mut Scanned, line: &str) -> bool {
    let attribute = |name: &str| attribute(line, name);
    if line.starts_with("<address ") {
        scanned.address = attribute("addr").and_then(|it| it.parse().ok());
        return scanned.address.is_some();
    }
    if line.starts_with("<hostname ") && attribute("type") == Some("user") {
        scanned.name = attribute("name").and_then(address::host);
        scanned.is_given = true;
        return scanned.name.is_some();
    }
    if let Some((name, _)) =
        line.strip_prefix("Other addresses for ").and_then(|rest| rest.split_once(" (not scanned)"))
    {
        scanned.is_given = scanned.name.as_ref().is_some_and(|it| it.as_str().eq_ignore_ascii_case(name));
        return scanned.is_given;
    }
    if line.starts_with("rDNS record for ") {
        scanned.is_given = scanned.name.is_some();
        return scanned.is_given;
    }
    let port = line.split_once("/tcp").and_then(|(port, rest)| rest.contains(" open").then(|| port.parse().ok())?);
    scanned.port = port.or(scanned.port);
    port.is_some()
}

/// The output of the script in XML.
fn xml_output(line: &Line) -> Option<&str> {
    let (_, rest) = line.text.split_once("<script id=\"ssl-cert\" output=\"")?;
    rest.split('"').next()
}

fn observe(
    run: &RunText<'_>,
    scanned: &Scanned,
    forced: Option<&str>,
    asked: Option<&Name>,
    rows: &[(u32, &str)],
    pem: Vec<x509::pem::Block>,
    sink: &mut Sink,
) {
    let first = rows.first().map_or(1, |row| row.0);
    let mut certificate = connection::described(run, first, sink);
    let mut lines: Vec<u32> = Vec::new();
    for (number, text) in rows {
        if field(&mut certificate, text) {
            lines.push(*number);
        }
    }
    for block in pem {
        if let Ok(der) = &block.der {
            certificate = connection::whole(run, der);
            lines.extend(block.first..=block.last);
        }
    }
    // A report of an address shows its reverse name, which nobody asked for.
    let is_reverse = asked.is_some_and(|asked| asked.ip().is_some());
    let name = scanned.name.clone().filter(|_| !is_reverse);
    let server_name = match (forced.and_then(address::host), &name, run.command.is_empty()) {
        (Some(forced), _, _) => ServerName::Yes(forced.to_string()),
        // Without the command the name in the report may be a reverse name, and a script argument unseen.
        (None, _, true) => ServerName::Unknown,
        (None, Some(name), false) => ServerName::Yes(name.to_string()),
        (None, None, false) => ServerName::No,
    };
    let port = scanned.port.unwrap_or(443);
    let dialed = name.map(|name| name.to_string()).filter(|_| !run.command.is_empty() || scanned.is_given);
    let connection = Connection {
        server: scanned.address.map(|address| SocketAddr::new(address, port)),
        dialed: dialed.or_else(|| scanned.address.map(|address| address.to_string())),
        server_name,
        chain: vec![(certificate, lines)],
        lines: scanned.lines.clone(),
        ..Connection::default()
    };
    connection.observe(run, sink);
}

fn field(certificate: &mut Certificate, text: &str) -> bool {
    let text = text.trim_start_matches("ssl-cert: ");
    if let Some(subject) = text.strip_prefix("Subject: ") {
        certificate.subject = Some(dn::normal(&short_kinds(subject)));
    } else if let Some(issuer) = text.strip_prefix("Issuer: ") {
        certificate.issuer = Some(dn::normal(&short_kinds(issuer)));
    } else if let Some(names) = text.strip_prefix("Subject Alternative Name: ") {
        certificate.san = Some(san(names));
    } else if let Some(date) = text.strip_prefix("Not valid before: ") {
        certificate.not_before = time::iso(date);
    } else if let Some(date) = text.strip_prefix("Not valid after: ") {
        certificate.not_after = time::iso(date);
    } else if let Some(digest) = text.strip_prefix("SHA-256: ") {
        let digits: String = digest.chars().filter(char::is_ascii_hexdigit).collect();
        if digits.len() != 64 {
            return false;
        }
        certificate.sha256 = Some(digits.to_lowercase());
        certificate.local_id = None;
    } else {
        return false;
    }
    true
}

/// `commonName=a/organizationName=b` as `CN=a, O=b`, the most general part first.
fn short_kinds(name: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in name.split('/') {
        let known = KINDS.iter().find_map(|(long, short)| {
            let value = part.strip_prefix(long)?.strip_prefix('=')?;
            Some(format!("{short}={value}"))
        });
        match (known, parts.last_mut()) {
            (Some(part), _) => parts.push(part),
            (None, Some(last)) if !part.contains('=') => {
                last.push('/');
                last.push_str(part);
            }
            (None, _) => parts.push(part.to_owned()),
        }
    }
    parts.reverse();
    parts.join(", ")
}

const KINDS: &[(&str, &str)] = &[
    ("commonName", "CN"),
    ("organizationName", "O"),
    ("organizationalUnitName", "OU"),
    ("countryName", "C"),
    ("stateOrProvinceName", "ST"),
    ("localityName", "L"),
    ("emailAddress", "emailAddress"),
];
/// Options of which the next word is the value.
const VALUED_OPTIONS: &[&str] =
    &["-p", "-oX", "-oN", "-oG", "-oA", "-oS", "-iL", "-e", "-S", "--script", "--script-args", "--dns-servers"];
/// A report tells its command in its first lines.
const HEAD_LINES: usize = 8;
const ROWS_MAX: usize = 10_000;
