//! `testssl.sh`, as text and as CSV: the certificate with SNI, and whether it is the same without. Its JSON
//! is read with the other JSON documents.

use std::net::{IpAddr, SocketAddr};

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::{Line, RunText, SavedFormat, Sink, command};
use crate::evidence::{ClientVerdict, Fact, Says, ServerName};
use crate::name::Name;
use crate::x509::{self, Certificate, San};

/// `testssl.sh`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "testssl",
    made_by: "testssl.sh, as text or --csvfile",
    is_command: |words| words.first().is_some_and(|word| matches!(word.as_str(), "testssl" | "testssl.sh")),
    opens: |line| {
        target(line).is_some()
            || line.starts_with("\"id\",\"fqdn/ip\",\"port\"")
            || label(line, "Common Name (CN)").is_some()
    },
    repeats: false,
    read,
};

/// `-->> 203.0.113.11:443 (www.example.com) <<--`.
fn target(line: &str) -> Option<(SocketAddr, Name)> {
    let (_, rest) = line.split_once("-->> ")?;
    let (address, rest) = rest.split_once(" (")?;
    let name = rest.split(") <<--").next()?;
    Some((address.parse().ok()?, address::host(name)?))
}

/// ` Common Name (CN)             *.example.com`: the value of a label.
fn label<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    line.trim_start().strip_prefix(name).filter(|rest| rest.starts_with("  ")).map(str::trim)
}

/// One finding, whatever the form: id as in JSON and CSV, and its words.
pub struct Finding<'t> {
    /// Its id.
    pub id: &'t str,
    /// What it says.
    pub words: &'t str,
    /// The line it stands on.
    pub line: u32,
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    if run.lines.iter().any(|line| line.text.starts_with("\"id\",")) {
        csv(run, sink);
        return;
    }
    let scanned = scanned(run.lines);
    let host = scanned.iter().find_map(|it| it.target.as_ref()).map(|(_, (_, name))| name.clone());
    sink.observe(run.fact("testssl", None, host.clone(), sent(host.as_ref())), [run.first_line()]);
    let forced = command::value(&run.command, &["--ip"]).and_then(|address| address.parse().ok());
    if let Some(address) = forced {
        connection::observe_forced(host.clone(), address, run, sink);
    }
    for it in scanned {
        let server = it.target.as_ref().map(|(_, (address, _))| *address);
        let lines = it.target.iter().map(|(line, _)| *line).collect();
        observe(run, server, host.as_ref(), &it.findings, lines, sink);
    }
}

/// What was found of one certificate at one address.
#[derive(Default)]
struct Scanned<'t> {
    target: Option<(u32, (SocketAddr, Name))>,
    findings: Vec<Finding<'t>>,
}

/// A name with several addresses is scanned at each, and a server can have certificates of several kinds.
fn scanned(lines: &[Line]) -> Vec<Scanned<'_>> {
    let mut all: Vec<Scanned<'_>> = vec![Scanned::default()];
    for line in lines {
        let Some(open) = all.last_mut() else { break };
        let has_name = open.findings.iter().any(|it| it.id == "cert_commonName");
        if let Some(target) = target(&line.text) {
            match &open.target {
                Some((_, (address, _))) if *address != target.0 => {
                    all.push(Scanned { target: Some((line.number, target)), findings: Vec::new() });
                }
                Some(_) => {}
                None => open.target = Some((line.number, target)),
            }
            continue;
        }
        let found = findings(line);
        let is_second = line.text.trim_start().starts_with("Server Certificate #")
            || found.iter().any(|it| it.id == "cert_commonName");
        if has_name && is_second {
            let target = open.target.clone();
            all.push(Scanned { target, findings: found });
        } else {
            open.findings.extend(found);
        }
    }
    all
}

/// It sends the name it was given.
pub fn sent(host: Option<&Name>) -> ServerName {
    match host {
        Some(host) if host.ip().is_some() => ServerName::No,
        Some(host) => ServerName::Yes(host.to_string()),
        None => ServerName::Unknown,
    }
}

/// What a line says. Behind the name can stand the one that a request without SNI was answered with.
fn findings(line: &Line) -> Vec<Finding<'_>> {
    let known = LABELS.iter().find_map(|(name, id)| Some((*id, label(&line.text, name)?)));
    let of = |id, words| Finding { id, words, line: line.number };
    if let Some((id, words)) = known {
        let (words, note) = match words.split_once("  (").filter(|_| id == "cert_commonName") {
            Some((words, note)) => (words.trim_end(), note),
            None => (words, ""),
        };
        let other = note.strip_prefix("CN in response to request w/o SNI: ").map(|it| it.trim_end_matches([' ', ')']));
        return std::iter::once(of(id, words)).chain(other.map(|it| of("cert_commonName_wo_SNI", it))).collect();
    }
    let digest = line.text.trim_start().strip_prefix("SHA256 ").map(str::trim).filter(|it| it.len() == 64);
    digest.map(|it| of("cert_fingerprintSHA256", it)).into_iter().collect()
}

/// `"id","fqdn/ip","port","severity","finding","cve","cwe"`.
fn csv(run: &RunText<'_>, sink: &mut Sink) {
    let mut scanned: Vec<(Option<Name>, Option<SocketAddr>, Vec<Finding<'_>>)> = Vec::new();
    for line in run.lines {
        let cells: Vec<&str> = line.text.trim().trim_matches('"').split("\",\"").collect();
        let [id, at, port, _, words, ..] = cells.as_slice() else { continue };
        if *id == "id" {
            continue;
        }
        let (name, address) = at.split_once('/').unwrap_or((at, ""));
        let address = address.parse::<IpAddr>().ok().zip(port.parse().ok()).map(|(ip, port)| SocketAddr::new(ip, port));
        if scanned.last().is_none_or(|(_, known, _)| *known != address) {
            scanned.push((address::host(name), address, Vec::new()));
        }
        if let Some((_, _, found)) = scanned.last_mut() {
            found.push(Finding { id, words, line: line.number });
        }
    }
    let host = scanned.iter().find_map(|(name, ..)| name.clone());
    sink.observe(run.fact("testssl", None, host.clone(), sent(host.as_ref())), [run.first_line()]);
    for (_, server, found) in scanned {
        observe(run, server, host.as_ref(), &found, Vec::new(), sink);
    }
}

/// The connection that the findings speak of, the certificate without SNI, and what was said of the name.
pub fn observe(
    run: &RunText<'_>,
    server: Option<SocketAddr>,
    host: Option<&Name>,
    findings: &[Finding<'_>],
    lines: Vec<u32>,
    sink: &mut Sink,
) {
    let Some(first) = findings.iter().find(|it| it.id == "cert_commonName") else { return };
    let mut certificate = connection::described(run, first.line, sink);
    let mut at = Vec::new();
    for finding in findings {
        if field(&mut certificate, finding, run) {
            at.push(finding.line);
        }
    }
    let connection = Connection {
        server,
        dialed: host.map(ToString::to_string),
        server_name: sent(host),
        chain: vec![(certificate, at)],
        lines,
        ..Connection::default()
    };
    connection.observe(run, sink);
    without_sni(run, server, host, findings, sink);
    for finding in findings {
        let Some((says, code)) = said(finding) else { continue };
        let it = ClientVerdict {
            client: "testssl".to_owned(),
            says,
            host: host.cloned(),
            presented: Vec::new(),
            code: code.map(str::to_owned),
            words: finding.words.to_owned(),
            above: None,
            run: Some(run.number),
        };
        sink.observe(Fact::ClientVerdict(it), [finding.line]);
    }
}

/// What it says of the name and of the chain; stores of roots that differ say neither.
fn said(finding: &Finding<'_>) -> Option<(Says, Option<&'static str>)> {
    let words = finding.words.to_lowercase();
    match finding.id {
        "cert_trust" if words.starts_with("certificate does not match") => Some((Says::NameMismatch, None)),
        "cert_trust" if words.starts_with("ok via") => Some((Says::NameMatches, None)),
        "cert_chain_of_trust" if words.starts_with("ok") || words.starts_with("passed") => {
            Some((Says::ChainTrusted, Some("0")))
        }
        "cert_chain_of_trust" if words.starts_with("failed (") || words.starts_with("not ok (") => {
            let (_, says, code) = CHAIN_WORDS.iter().find(|(known, ..)| words.contains(known))?;
            Some((*says, Some(*code)))
        }
        _ => None,
    }
}

/// Another certificate without SNI is another connection.
fn without_sni(
    run: &RunText<'_>,
    server: Option<SocketAddr>,
    host: Option<&Name>,
    findings: &[Finding<'_>],
    sink: &mut Sink,
) {
    let names = findings.iter().find(|it| it.id == "cert_commonName").map(|it| it.words);
    let other = findings.iter().find(|it| it.id == "cert_commonName_wo_SNI" && Some(it.words) != names);
    // What stands there is no name where there was no certificate, or none with a name.
    let Some(other) = other.filter(|it| !it.words.contains(' ')) else { return };
    let mut certificate = connection::described(run, other.line, sink);
    certificate.subject = Some(dn::type_and_value("CN", other.words));
    let connection = Connection {
        server,
        dialed: host.map(ToString::to_string),
        server_name: ServerName::No,
        chain: vec![(certificate, vec![other.line])],
        ..Connection::default()
    };
    connection.observe(run, sink);
}

fn field(certificate: &mut Certificate, finding: &Finding<'_>, run: &RunText<'_>) -> bool {
    let words = finding.words;
    match finding.id {
        "cert" => {
            let spread = words.replace("----- ", "-----\n").replace(" -----", "\n-----").replace(' ', "\n");
            let spread =
                spread.replace("-----BEGIN\nCERT", "-----BEGIN CERT").replace("-----END\nCERT", "-----END CERT");
            let blocks = x509::pem::blocks((1..).zip(spread.lines()));
            let Some(der) = blocks.into_iter().find_map(|block| block.der.ok()) else { return false };
            *certificate = connection::whole(run, &der);
        }
        _ if certificate.der.is_some() => return false,
        "cert_commonName" => certificate.subject = Some(dn::type_and_value("CN", words)),
        "cert_subjectAltName" if !words.starts_with("missing") => certificate.san = Some(names(words)),
        "cert_caIssuers" => {
            certificate.issuer = Some(dn::type_and_value("CN", words.split(" (").next().unwrap_or(words)));
        }
        "cert_serialNumber" => certificate.serial = words.split_whitespace().next().map(str::to_lowercase),
        "cert_notBefore" => certificate.not_before = time::iso(words),
        "cert_notAfter" => certificate.not_after = time::iso(words),
        "validity" => {
            let Some((from, to)) =
                words.split_once('(').and_then(|(_, rest)| rest.trim_end_matches(')').split_once(" --> "))
            else {
                return false;
            };
            (certificate.not_before, certificate.not_after) = (time::iso(from), time::iso(to));
        }
        "cert_fingerprintSHA256" if words.len() == 64 => {
            certificate.sha256 = Some(words.to_lowercase());
            certificate.local_id = None;
        }
        _ => return false,
    }
    true
}

fn names(words: &str) -> San {
    let mut san = San::default();
    for word in words.split_whitespace() {
        if word.parse::<IpAddr>().is_ok() { san.ip.push(word.to_owned()) } else { san.dns.push(word.to_owned()) }
    }
    san
}

/// Why a chain is not trusted, and OpenSSL's number of it, which testssl.sh puts into its own words.
const CHAIN_WORDS: &[(&str, Says, &str)] = &[
    ("(chain incomplete, only 1 cert provided)", Says::ChainUntrusted, "21"),
    ("(chain incomplete)", Says::ChainUntrusted, "20"),
    ("(self signed ca in chain)", Says::ChainUntrusted, "19"),
    ("(self signed)", Says::ChainUntrusted, "18"),
    ("(issuer cert missing)", Says::ChainUntrusted, "2"),
    ("(expired)", Says::Expired, "10"),
    ("(not yet valid)", Says::NotYetValid, "9"),
];

const LABELS: &[(&str, &str)] = &[
    ("Common Name (CN)", "cert_commonName"),
    ("subjectAltName (SAN)", "cert_subjectAltName"),
    ("Issuer", "cert_caIssuers"),
    ("Serial", "cert_serialNumber"),
    ("Trust (hostname)", "cert_trust"),
    ("Chain of trust", "cert_chain_of_trust"),
    ("Certificate Validity (UTC)", "validity"),
];
