//! `openssl s_client`: the layouts of OpenSSL 1.0.2 to 4.0 and of LibreSSL, with and without `-brief`
//! and `-showcerts`.
//!
//! The SNI is what the command line and the version say, never what the certificate names. Session
//! keys and tickets are passed over.

use std::net::{IpAddr, SocketAddr};

use super::grammar::dn;
use super::{RunText, SavedFormat, Sink, command};
use crate::evidence::{ClientVerdict, Fact, Override, OverrideKind, Run, Says, ServerName};
use crate::name::Name;
use crate::provenance::GapReason;
use crate::tls::{Alert, ChainState, Handshake, Side, SniState, Transport};
use crate::x509::{self, Certificate};

/// `openssl s_client`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "openssl_s_client",
    made_by: "openssl s_client",
    is_command: |words| matches!(words, [tool, sub, ..] if tool == "openssl" && sub == "s_client"),
    opens,
    repeats: false,
    read,
};

/// Lines that only s_client prints. What it writes to standard error may stand before `CONNECTED`.
fn opens(line: &str) -> bool {
    line.starts_with("CONNECTED(0")
        || line == "CONNECTION ESTABLISHED"
        || line == "Certificate chain"
        || line.starts_with("Connecting to ")
        || line.starts_with("Can't use SSL_get_servername")
        || line.starts_with("verify error:num=")
        || (line.starts_with("depth=") && line.contains("CN"))
        || failure(line).is_some()
}

/// Why there is no connection, in the words that go before `connect:errno=`.
fn failure(line: &str) -> Option<&str> {
    let is_own = line.contains(":BIO_connect:")
        || line.contains(":connect:")
        || line.contains(":BIO_lookup_ex:")
        || line.starts_with("connect: ")
        || line.starts_with("getaddrinfo: ")
        || line == "gethostbyname failure";
    let reason = FAILURES.iter().find(|reason| line.contains(**reason))?;
    is_own.then_some(*reason)
}

/// What the command line says.
struct Target {
    host: Option<String>,
    port: u16,
    server_name: ServerName,
}

fn target(run: &RunText<'_>) -> Target {
    let words = &run.command;
    let connect = command::value(words, &["-connect", "--connect"])
        .or_else(|| words.last().filter(|word| word.contains(':') && !word.starts_with('-')).map(String::as_str));
    let (host, port) = connect.map_or((None, 443), |connect| match connect.rsplit_once(':') {
        Some((host, port)) => (Some(host.trim_matches(['[', ']']).to_owned()), port.parse().unwrap_or(443)),
        None => (Some(connect.to_owned()), 443),
    });
    let server_name = server_name(run, host.as_deref());
    Target { host, port, server_name }
}

fn server_name(run: &RunText<'_>, host: Option<&str>) -> ServerName {
    let words = &run.command;
    if words.iter().any(|word| word == "-noservername")
        || run.lines.iter().any(|line| line.text.contains("Can't use SSL_get_servername"))
    {
        return ServerName::No;
    }
    if let Some(name) = command::value(words, &["-servername", "--servername"]) {
        return Name::parse(name).map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string()));
    }
    let Some(host) = host else {
        return ServerName::Unknown;
    };
    if host.parse::<IpAddr>().is_ok() {
        return ServerName::No;
    }
    match sends_name_by_itself(run) {
        Some(true) if !host.contains('.') => ServerName::No,
        Some(true) => Name::parse(host).map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string())),
        Some(false) => ServerName::No,
        None => ServerName::Unknown,
    }
}

/// Whether this s_client sends the host of `-connect` by itself: OpenSSL since 1.1.1, LibreSSL since
/// 3.5. Without a version line the layout tells the generation.
fn sends_name_by_itself(run: &RunText<'_>) -> Option<bool> {
    if let Some(version) = &run.version {
        let number: Vec<u32> = version
            .split_whitespace()
            .nth(1)?
            .split(['.', '-'])
            .map_while(|part| part.trim_end_matches(|c: char| c.is_alphabetic()).parse().ok())
            .collect();
        let number = (
            number.first().copied().unwrap_or(0),
            number.get(1).copied().unwrap_or(0),
            number.get(2).copied().unwrap_or(0),
        );
        return Some(if version.starts_with("LibreSSL") { number >= (3, 5, 0) } else { number >= (1, 1, 1) });
    }
    let has = |test: fn(&str) -> bool| run.lines.iter().any(|line| test(&line.text));
    let is_modern = has(|line| {
        line.starts_with("Connecting to ")
            || line.starts_with("Verification: OK")
            || line.starts_with("Verification error")
            || line.starts_with("New, TLSv1.3")
    });
    if is_modern && !has(|line| line.starts_with(" 0 s:/")) { Some(true) } else { None }
}

/// One certificate of the output, as far as it was read.
#[derive(Default)]
struct Entry {
    subject: Option<String>,
    issuer: Option<String>,
    lines: Vec<u32>,
    der: Option<Vec<u8>>,
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let target = target(run);
    let first = run.first_line();
    let sent = match &target.server_name {
        ServerName::Yes(name) => Name::parse(name),
        _ => None,
    };
    let dialed = target.host.as_deref().and_then(Name::parse);
    let address = dialed.as_ref().and_then(Name::ip);
    let host = sent.clone().or(dialed.clone());
    sink.observe(
        Fact::Run(Run {
            run: run.number,
            tool: "openssl s_client".to_owned(),
            version: run.version.clone(),
            command: run.shown.clone(),
            vantage: run.vantage.clone(),
            time: None,
            host: host.clone(),
            server_name: target.server_name.clone(),
        }),
        [first],
    );
    if let Some(address) = address {
        let it =
            Override { by: OverrideKind::ConnectIp, host: sent, to: Some(address.to_string()), run: Some(run.number) };
        sink.observe(Fact::Override(it), [first]);
    }
    handshake(run, &target, sink);
    verdicts(run, host.as_ref(), sink);
}

fn handshake(run: &RunText<'_>, target: &Target, sink: &mut Sink) {
    let entries = entries(run);
    let mut lines: Vec<u32> = run.command_line.iter().map(|line| line.number).collect();
    let mut chain = Vec::new();
    for entry in &entries {
        lines.extend(&entry.lines);
        let certificate = certificate(entry, run, sink);
        chain.push(certificate.id().to_owned());
        let known = sink
            .observations
            .iter()
            .any(|it| matches!(&it.fact, Fact::Certificate(known) if known.id() == certificate.id()));
        if !known {
            sink.observe(Fact::Certificate(certificate), entry.lines.clone());
        }
    }
    let find = |test: fn(&str) -> Option<String>| {
        run.lines.iter().find_map(|line| test(&line.text).map(|found| (line.number, found)))
    };
    let version = find(protocol);
    let cipher = find(cipher);
    let connecting = find(|line| line.strip_prefix("Connecting to ").map(|ip| ip.trim().to_owned()));
    let connected =
        run.lines.iter().find(|line| line.text.starts_with("CONNECTED(") || line.text == "CONNECTION ESTABLISHED");
    for number in [
        version.as_ref().map(|it| it.0),
        cipher.as_ref().map(|it| it.0),
        connecting.as_ref().map(|it| it.0),
        connected.map(|line| line.number),
    ] {
        lines.extend(number);
    }
    let resumed = run.lines.iter().any(|line| line.text.starts_with("Reused, "));
    let nothing = connected.is_none() && entries.is_empty() && version.is_none();
    if nothing {
        if let Some((line, why)) = run.lines.iter().find_map(|line| Some((line.number, failure(&line.text)?))) {
            sink.gap(line, GapReason::Undecoded { what: "TLS handshake".to_owned(), why: why.to_owned() });
        }
        return;
    }
    let ip = connecting
        .and_then(|it| it.1.parse::<IpAddr>().ok())
        .or_else(|| target.host.as_deref().and_then(|host| host.parse().ok()));
    let server = ip.map(|ip| SocketAddr::new(ip, target.port));
    let (sni, sni_state) = match &target.server_name {
        ServerName::Yes(name) => (Some(name.clone()), SniState::Sent),
        ServerName::No => (None, SniState::Absent),
        ServerName::Unknown => (None, SniState::Unknown),
    };
    let chain_state = match (chain.is_empty(), resumed) {
        (false, _) => ChainState::Seen,
        (true, true) => ChainState::Resumed,
        (true, false) => ChainState::Missing,
    };
    let handshake = Handshake {
        server,
        sni,
        sni_state,
        version: version.map(|it| it.1),
        cipher: cipher.map(|it| it.1),
        chain_state,
        chain,
        resumed,
        starttls: command::value(&run.command, &["-starttls"]).map(str::to_owned),
        dialed: target.host.clone().map(|host| host.to_lowercase()),
        run: Some(run.number),
        ..Handshake::over(Transport::Text)
    };
    sink.observe(Fact::TlsHandshake(handshake), lines);
    alerts(run, server, sink);
}

fn certificate(entry: &Entry, run: &RunText<'_>, sink: &Sink) -> Certificate {
    if let Some(der) = &entry.der {
        let (mut certificate, _) = x509::der::read(der);
        certificate.run = Some(run.number);
        return certificate;
    }
    Certificate {
        sha256: None,
        local_id: Some(sink.local_id(entry.lines.first().copied().unwrap_or(0))),
        subject: entry.subject.clone(),
        issuer: entry.issuer.clone(),
        san: None,
        not_before: None,
        not_after: None,
        serial: None,
        run: Some(run.number),
        der: None,
    }
}

/// The certificates that the server sent, the leaf first.
fn entries(run: &RunText<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut in_chain = false;
    for line in run.lines {
        let text = line.text.trim_start();
        if text == "Certificate chain" {
            in_chain = true;
        } else if text.starts_with("---") && !text.starts_with("-----") || text == "Server certificate" {
            in_chain = in_chain && text != "Server certificate" && entries.is_empty();
        } else if let Some(subject) = chain_subject(text).filter(|_| in_chain) {
            entries.push(Entry { subject: Some(dn::normal(subject)), lines: vec![line.number], ..Entry::default() });
        } else if let Some(issuer) = text.strip_prefix("i:").filter(|_| in_chain) {
            if let Some(entry) = entries.last_mut() {
                entry.issuer = Some(dn::normal(issuer));
                entry.lines.push(line.number);
            }
        } else if let Some(subject) = text.strip_prefix("Peer certificate: ") {
            entries.push(Entry { subject: Some(dn::normal(subject)), lines: vec![line.number], ..Entry::default() });
        }
    }
    attach_pem(run, &mut entries);
    entries
}

/// ` 0 s:CN = x`.
fn chain_subject(text: &str) -> Option<&str> {
    let (number, rest) = text.split_once(" s:")?;
    number.parse::<u8>().ok().map(|_| rest)
}

/// A PEM block belongs to the entry above it; one below the chain is the leaf.
fn attach_pem(run: &RunText<'_>, entries: &mut Vec<Entry>) {
    let blocks = x509::pem::blocks(run.lines.iter().map(|line| (line.number, line.text.as_str())));
    let last_of_chain = entries.iter().filter_map(|entry| entry.lines.last()).max().copied();
    for (nth, block) in blocks.into_iter().enumerate() {
        let Ok(der) = block.der else { continue };
        let at = match last_of_chain {
            Some(last) if nth == 0 && block.first > last => Some(0),
            Some(_) => entries.iter().rposition(|entry| entry.lines.first().is_some_and(|line| *line < block.first)),
            None => None,
        };
        match at.and_then(|at| entries.get_mut(at)) {
            Some(entry) if entry.der.is_none() => {
                entry.lines.extend(block.first..=block.last);
                entry.der = Some(der);
            }
            Some(_) => {}
            None => {
                entries.push(Entry { lines: (block.first..=block.last).collect(), der: Some(der), ..Entry::default() });
            }
        }
    }
}

fn protocol(line: &str) -> Option<String> {
    let line = line.trim();
    let word = line
        .strip_prefix("Protocol  : ")
        .or_else(|| line.strip_prefix("Protocol version: "))
        .or_else(|| line.strip_prefix("Protocol: "))
        .or_else(|| line.starts_with("New, TLSv1.3,").then_some("TLSv1.3"))?;
    version_name(word)
}

fn version_name(word: &str) -> Option<String> {
    match word.trim() {
        "TLSv1" => Some("TLS 1.0".to_owned()),
        "SSLv3" => Some("SSL 3.0".to_owned()),
        other => other.strip_prefix("TLSv").map(|number| format!("TLS {number}")),
    }
}

fn cipher(line: &str) -> Option<String> {
    let line = line.trim();
    let cipher = line
        .strip_prefix("Cipher    : ")
        .or_else(|| line.strip_prefix("Ciphersuite: "))
        .or_else(|| line.split_once(", Cipher is ").map(|(_, cipher)| cipher))?;
    (cipher != "0000" && cipher != "(NONE)").then(|| cipher.to_owned())
}

fn alerts(run: &RunText<'_>, server: Option<SocketAddr>, sink: &mut Sink) {
    for line in run.lines {
        let Some((_, number)) = line.text.split_once("SSL alert number ") else {
            continue;
        };
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse::<u8>() else {
            continue;
        };
        let alert = Alert {
            time: None,
            client: None,
            server,
            transport: Transport::Text,
            from: Side::Server,
            level: Some("fatal".to_owned()),
            description: Some(crate::tls::handshake::alert_name(number)),
            encrypted: false,
            run: Some(run.number),
        };
        sink.observe(Fact::TlsAlert(alert), [line.number]);
    }
}

fn verdicts(run: &RunText<'_>, host: Option<&Name>, sink: &mut Sink) {
    let mut seen = Vec::new();
    let verify_host = command::value(&run.command, &["-verify_hostname"]).and_then(Name::parse);
    let has_certificate = !run.lines.iter().any(|line| line.text.contains("no peer certificate available"));
    for line in run.lines {
        let text = line.text.trim();
        let (says, code, about) = if let Some(rest) = text.strip_prefix("Verify return code: ") {
            let code = rest.split_whitespace().next().unwrap_or_default();
            (says_of(code), code.to_owned(), if code == "62" { verify_host.clone() } else { host.cloned() })
        } else if let Some(name) = text.strip_prefix("Verified peername: ") {
            (Some(Says::NameMatches), "0".to_owned(), verify_host.clone().or_else(|| Name::parse(name)))
        } else {
            continue;
        };
        let Some(says) = says.filter(|says| has_certificate && !seen.contains(says)) else {
            continue;
        };
        seen.push(says);
        let it = ClientVerdict {
            client: "openssl".to_owned(),
            says,
            host: about.or_else(|| host.cloned()),
            presented: Vec::new(),
            code: Some(code),
            words: text.to_owned(),
            run: Some(run.number),
        };
        sink.observe(Fact::ClientVerdict(it), [line.number]);
    }
}

/// What a verification result says (X509_STORE_CTX_get_error).
fn says_of(code: &str) -> Option<Says> {
    match code {
        "0" => Some(Says::ChainTrusted),
        "9" => Some(Says::NotYetValid),
        "10" => Some(Says::Expired),
        "62" => Some(Says::NameMismatch),
        "18" | "19" | "20" | "21" => Some(Says::ChainUntrusted),
        _ => None,
    }
}

/// What the operating system says when there is no connection.
const FAILURES: &[&str] = &[
    "Connection refused",
    "Name or service not known",
    "gethostbyname failure",
    "Connection timed out",
    "No route to host",
    "Network is unreachable",
    "nodename nor servname provided",
    "Temporary failure in name resolution",
];
