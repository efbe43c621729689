//! The errors of programming languages and of programs written in them: Python, Node.js, Java, Go, Ruby,
//! PHP, .NET, Rust, git, the AWS CLI.
//!
//! All of these but Postfix send the host of the URL as the server name, unless it is an address or the
//! program is very old. A line opens such an output only when its own words belong to one of them (`TOOLS`);
//! which fault it names is the table of [`words`].

use std::net::SocketAddr;
use std::sync::LazyLock;

use super::grammar::phrases::Phrases;
use super::grammar::{address, words};
use super::{Line, RunText, SavedFormat, Sink, connection, peer_certificate};
use crate::evidence::{ClientVerdict, Fact, Run, Says, ServerName};
use crate::name::Name;
use crate::tls::{Alert, Handshake, Side, SniState, Transport};

/// Errors of languages and libraries.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "language",
    made_by: "python, node, java, go, ruby, php, git, .NET, rust, aws",
    is_command: |_| false,
    opens: |line| tool(line).is_some() && words::said(line).is_some(),
    repeats: false,
    read,
};

/// The tool that a line belongs to; curl's own telling is not a language's error.
fn tool(line: &str) -> Option<&'static str> {
    let is_told = line.starts_with("curl: (") || line.contains("* ") || line.contains("== Info: ");
    let found = if is_told { None } else { TOOL_WORDS.first_in(line) };
    TOOLS.get(found?).map(|(_, tool)| *tool)
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let verdicts = verdicts(run);
    let Some((first, client)) = verdicts.iter().map(|(line, it)| (*line, it.client.clone())).min() else { return };
    let host = verdicts.iter().find_map(|(_, verdict)| verdict.host.clone());
    let of_run = Run {
        run: run.number,
        tool: client.clone(),
        version: version_in(run),
        command: run.shown.clone(),
        vantage: run.vantage.clone(),
        time: None,
        server_name: match (&host, sends_names(run, &client)) {
            (_, SniState::Absent) => ServerName::No,
            (Some(host), _) if host.ip().is_some() => ServerName::No,
            (Some(host), SniState::Sent) => ServerName::Yes(host.to_string()),
            _ => ServerName::Unknown,
        },
        host,
    };
    sink.observe(Fact::Run(of_run), [first]);
    for (line, verdict) in verdicts {
        handshake(run, line, &verdict, sink);
        let below = Some(names_below(run, line)).filter(|(_, names)| *names == verdict.presented).map(|(at, _)| at);
        sink.observe(Fact::ClientVerdict(verdict), std::iter::once(line).chain(below));
    }
    node_certificate(run, sink);
}

/// What the lines of a run say of a certificate, each fault once.
pub(super) fn verdicts(run: &RunText<'_>) -> Vec<(u32, ClientVerdict)> {
    let mut seen: Vec<(Says, Option<Name>)> = Vec::new();
    let mut last_tool = None;
    let mut verdicts: Vec<(u32, ClientVerdict)> = Vec::new();
    for line in run.lines {
        last_tool = tool(&line.text).or(last_tool);
        let (Some(said), Some(client)) = (words::said(&line.text), last_tool) else { continue };
        let own = said.host.clone().or_else(|| host_in(&line.text)).or_else(|| only_url(&line.text));
        let host = own.or_else(|| nearby(run, line.number));
        let repeats = seen.iter().any(|(says, of)| *says == said.says && (*of == host || host.is_none()));
        if repeats {
            continue;
        }
        seen.push((said.says, host.clone()));
        let it = ClientVerdict {
            client: client.to_owned(),
            says: said.says,
            host,
            presented: if said.presented.is_empty() { names_below(run, line.number).1 } else { said.presented },
            code: code_in(&line.text),
            words: shortened(line.text.trim()),
            above: None,
            run: Some(run.number),
        };
        verdicts.push((line.number, it));
    }
    keep_the_telling(&mut verdicts);
    verdicts
}

/// An error is told once by each layer of a program: what names the host says more than what does
/// not, and a fault more than a mere refusal.
fn keep_the_telling(verdicts: &mut Vec<(u32, ClientVerdict)>) {
    let named: Vec<Says> = verdicts.iter().filter(|(_, it)| it.host.is_some()).map(|(_, it)| it.says).collect();
    let has_fault = verdicts.iter().any(|(_, it)| it.says != Says::Refused);
    verdicts
        .retain(|(_, it)| (it.host.is_some() || !named.contains(&it.says)) && (it.says != Says::Refused || !has_fault));
}

/// A refusal by alert is a handshake without a certificate; `peeraddr=` of Ruby names the server.
fn handshake(run: &RunText<'_>, line: u32, verdict: &ClientVerdict, sink: &mut Sink) {
    let server: Option<SocketAddr> =
        verdict.words.split_once("peeraddr=").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    let description = if verdict.says == Says::HandshakeFailed { words::alert(&verdict.words) } else { None };
    if server.is_none() && description.is_none() {
        return;
    }
    let is_named = verdict.host.as_ref().filter(|host| host.ip().is_none());
    if let Some(description) = description {
        let it = Alert {
            time: None,
            client: None,
            server,
            transport: Transport::Text,
            from: Side::Server,
            level: Some("fatal".to_owned()),
            description: Some(description.to_owned()),
            encrypted: false,
            run: Some(run.number),
        };
        sink.observe(Fact::TlsAlert(it), [line]);
    }
    let names = |it: &&Line| is_named.is_some_and(|host| it.text.to_lowercase().contains(host.as_str()));
    let named_at = run.lines.iter().find(|it| it.number == line).filter(names).or_else(|| run.lines.iter().find(names));
    let sent = sends_names(run, &verdict.client);
    let sni = is_named.filter(|_| sent == SniState::Sent);
    let it = Handshake {
        server,
        sni: sni.map(ToString::to_string),
        sni_state: if sni.is_none() && sent == SniState::Sent { SniState::Unknown } else { sent },
        dialed: verdict.host.as_ref().map(ToString::to_string),
        run: Some(run.number),
        ..Handshake::over(Transport::Text)
    };
    sink.observe(Fact::TlsHandshake(it), std::iter::once(line).chain(named_at.map(|it| it.number)));
}

/// Whether the client sends the names of hosts, as far as its output shows its age: Java 6 and Python 2 before 2.7.9
/// send none, and only their outputs look like this.
fn sends_names(run: &RunText<'_>, client: &str) -> SniState {
    if client == "postfix" {
        return SniState::Unknown; // it sends one only where its policy or a TLSA record says so
    }
    let prints = |words: &str| run.lines.iter().any(|line| line.text.contains(words));
    let is_python_2 = prints("urllib2.") || prints("python2");
    match (prints("com.sun.net.ssl.internal.ssl."), prints("[Errno 1] _ssl.c:")) {
        (true, _) => SniState::Absent,
        (_, true) if is_python_2 => SniState::Absent,
        (_, true) => SniState::Unknown,
        _ => SniState::Sent,
    }
}

/// The host that a line names beside the fault.
fn host_in(text: &str) -> Option<Name> {
    for (before, after) in HOSTS {
        let Some((_, rest)) = text.split_once(before) else { continue };
        let end = rest.find(|c: char| after.contains(c) || c.is_whitespace()).unwrap_or(rest.len());
        let host = rest.get(..end).unwrap_or(rest).rsplit('@').next().unwrap_or_default();
        let bare = match host.rsplit_once(':') {
            Some((bare, port)) if port.chars().all(|c| c.is_ascii_digit()) => bare,
            _ => host,
        };
        if bare.contains('.') {
            return address::host(bare);
        }
    }
    None
}

/// The host of the only URL in a line.
fn only_url(text: &str) -> Option<Name> {
    let hosts = text.split("https://").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !".-_".contains(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().trim_end_matches('.')
    });
    let mut hosts: Vec<&str> = hosts.collect();
    hosts.dedup();
    match hosts.as_slice() {
        [only] if only.contains('.') => address::host(only),
        _ => None,
    }
}

/// The host that the command or a line near this one names.
pub(super) fn host_near(run: &RunText<'_>, number: u32) -> Option<Name> {
    let own = run.lines.iter().find(|line| line.number == number).and_then(|line| only_url(&line.text));
    own.or_else(|| nearby(run, number))
}

/// `subjectAltNames: [*.example.com, example.com]` of OkHttp, below the sentence that names the host; where
/// it stands.
fn names_below(run: &RunText<'_>, number: u32) -> (u32, Vec<String>) {
    let mut below = run.lines.iter().filter(|line| line.number > number && line.number - number <= NAMES_BELOW);
    let list = below
        .find_map(|line| Some((line.number, line.text.trim().strip_prefix("subjectAltNames: [")?.strip_suffix(']')?)));
    let names = |list: &str| list.split(',').map(|name| name.trim().to_owned()).collect();
    list.map_or((number, Vec::new()), |(at, list)| (at, names(list)))
}

/// The host of a line near the fault that says what was asked for.
fn nearby(run: &RunText<'_>, number: u32) -> Option<Name> {
    let near = |line: &&Line| line.number.abs_diff(number) <= NEAR_LINES;
    let from_command = run.command.iter().find_map(|word| host_in(word));
    let beside = |line: &Line| host_in(&line.text).or_else(|| labelled(&line.text));
    from_command.or_else(|| run.lines.iter().filter(near).find_map(beside))
}

/// The host of a line that is nothing but a URL behind its label: `URL: https://api.example.com/v1`.
fn labelled(text: &str) -> Option<Name> {
    let (label, url) = text.trim().split_once(": ")?;
    let is_url = URL_LABELS.iter().any(|known| label.eq_ignore_ascii_case(known)) && url.starts_with("https://");
    only_url(url).filter(|_| is_url && !url.contains(' '))
}

/// `ERR_TLS_CERT_ALTNAME_INVALID`, `CERT_HAS_EXPIRED` and their like.
fn code_in(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    words.find(|word| word.contains("CERT") && word.contains('_')).map(str::to_owned)
}

fn version_in(run: &RunText<'_>) -> Option<String> {
    run.lines.iter().find_map(|line| {
        let node = line.text.trim().strip_prefix("Node.js v");
        node.map(|version| format!("Node.js {version}"))
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(WORDS_CHARS_MAX).collect()
}

/// The certificate that Node.js prints within its error.
fn node_certificate(run: &RunText<'_>, sink: &mut Sink) {
    let leaf = peer_certificate::node(run, sink).into_iter().flatten().next();
    if let Some((certificate, lines)) = leaf.filter(|(it, _)| it.sha256.is_some() && it.san.is_some()) {
        connection::observe_certificate(certificate, lines, sink);
    }
}

static TOOL_WORDS: LazyLock<Phrases> = LazyLock::new(|| Phrases::of(TOOLS.iter().map(|(words, _)| *words)));

/// Words that only one tool prints, the more specific first.
const TOOLS: &[(&str, &str)] = &[
    ("SSL validation failed for", "aws"),
    ("botocore.exceptions", "botocore"),
    ("fatal: unable to access", "git"),
    ("altnames", "node"),
    ("ERR_TLS_CERT_ALTNAME_INVALID", "node"),
    ("code: 'CERT_", "node"),
    ("code: 'UNABLE_TO_", "node"),
    ("code: 'DEPTH_ZERO_", "node"),
    ("code: 'SELF_SIGNED_", "node"),
    ("npm ERR!", "npm"),
    ("npm error", "npm"),
    ("Error: certificate has expired", "node"),
    ("Error: unable to verify the first certificate", "node"),
    ("Error: unable to get local issuer certificate", "node"),
    ("Error: self-signed certificate", "node"),
    ("Error: self signed certificate", "node"),
    ("Error: write EPROTO", "node"),
    ("_ssl.c:", "python"),
    ("[SSL: ", "python"),
    ("SSLCertVerificationError", "python"),
    ("CertificateError", "python"),
    ("HTTPSConnectionPool(", "python"),
    ("requests.exceptions", "python"),
    ("' doesn't match '", "python"),
    ("' doesn't match either of", "python"),
    ("javax.net.ssl.", "java"),
    ("java.security.cert.", "java"),
    ("sun.security.", "java"),
    ("SSLPeerUnverifiedException", "java"),
    ("No subject alternative", "java"),
    ("PKIX path", "java"),
    ("unable to find valid certification path", "java"),
    ("x509: ", "go"),
    ("remote error: tls: ", "go"),
    ("server gave HTTP response to HTTPS client", "go"),
    ("OpenSSL::SSL::SSLError", "ruby"),
    ("peeraddr=", "ruby"),
    ("SSL_connect returned=", "ruby"),
    ("does not match the server certificate", "ruby"),
    ("PHP Warning", "php"),
    ("file_get_contents(", "php"),
    ("fopen(", "php"),
    ("cURL error ", "php"),
    ("did not match expected", "php"),
    ("RemoteCertificate", ".NET"),
    ("AuthenticationException", ".NET"),
    ("trust relationship for the SSL/TLS secure channel", ".NET"),
    ("HttpRequestException", ".NET"),
    ("server certificate for \"", "libpq"),
    ("TLS: hostname does not match", "openldap"),
    ("does not match common name in certificate (", "openldap"),
    ("is not in peer certificate", "grpc"),
    ("(hostname verification failed", "perl"),
    ("hostname verification failed at ", "perl"),
    ("server certificate verification failed for ", "postfix"),
    ("invalid peer certificate", "rust"),
    ("reqwest::Error", "rust"),
    ("hostname_check_failed", "erlang"),
    ("NSURLErrorDomain", "apple"),
    ("pretending to be \"", "apple"),
    ("0x80072F0", "windows"),
    ("SSL: no alternative certificate subject name", "libcurl"),
    ("SSL: certificate subject name", "libcurl"),
];
/// What stands before a host, and the characters that end it.
const HOSTS: &[(&str, &str)] = &[
    ("HTTPSConnectionPool(host='", "'"),
    ("Cannot connect to host ", "/"),
    ("Get \"https://", "/\"?"),
    ("Post \"https://", "/\"?"),
    ("Get https://", "/:?"),
    ("unable to access 'https://", "/'?"),
    ("SSL validation failed for https://", "/?"),
    ("file_get_contents(https://", "/)?"),
    ("request to https://", "/?"),
    ("error sending request for url (https://", "/)?"),
    ("Invoke-WebRequest https://", "/?"),
    ("Invoke-RestMethod https://", "/?"),
    ("Invoke-WebRequest -Uri https://", "/?"),
    ("curl_init(\"https://", "/\"?"),
    ("ldap://", "/:?"),
    ("host: '", "'"),
    ("hostname: '", "'"),
];
/// What programs write before the URL that failed.
const URL_LABELS: &[&str] = &["url", "request url", "endpoint", "uri", "request uri"];
/// A fault and the line that names its host stand close together.
const NEAR_LINES: u32 = 12;
/// OkHttp prints pin, subject and names below its sentence.
const NAMES_BELOW: u32 = 4;
/// A stack trace in one line is longer than its sentence.
const WORDS_CHARS_MAX: usize = 400;
