//! `openssl s_client`: the layouts of OpenSSL 1.0.2 to 4.0 and of LibreSSL, with and without `-brief`
//! and `-showcerts`, `-msg`, `-debug`, `-trace`, `-tlsextdebug`.
//!
//! The SNI is what the printed ClientHello holds (`hello`), else what the command line and the
//! version say, never what the certificate names. Session keys and tickets are passed over. An HTTP request
//! typed into it is an exchange (`request`).

mod alerts;
mod hello;
mod picked;
mod request;

use std::net::{IpAddr, SocketAddr};

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::{RunText, SavedFormat, Sink, command};
use crate::evidence::{ClientVerdict, Fact, Says, ServerName};
use crate::name::Name;
use crate::provenance::Time;
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
        || line.starts_with(" 0 s:")
        || connecting(line).is_some()
        || line.starts_with("Can't use SSL_get_servername")
        || line.starts_with("verify error:num=")
        || (line.starts_with("depth=") && line.contains("CN"))
        || line.starts_with("no peer certificate available")
        || failure(line).is_some()
        || library_error(line).is_some()
        || line.starts_with("write:errno=")
}

/// `Connecting to 203.0.113.14`, the address alone.
fn connecting(line: &str) -> Option<IpAddr> {
    line.strip_prefix("Connecting to ")?.trim().parse().ok()
}

/// What OpenSSL's error queue says, after the number of the thread: `4017CE47657F0000:error:0A000410:SSL …`.
fn library_error(line: &str) -> Option<&str> {
    let (thread, rest) = line.split_once(":error:")?;
    let is_thread = thread.len() > 4 && thread.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_thread && rest.contains("SSL routines")).then_some(rest)
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
    let connect = command::value(words, &["-connect", "--connect", "-host"])
        .or_else(|| words.last().filter(|word| word.contains(':') && !word.starts_with('-')).map(String::as_str));
    let (host, port) = connect.map_or((None, None), |connect| {
        let (host, port) = address::target(connect);
        (address::host(host).map(|_| host.to_owned()), port)
    });
    let port = port.or_else(|| command::value(words, &["-port"])?.parse().ok()).unwrap_or(443);
    let server_name = server_name(run, host.as_deref());
    Target { host, port, server_name }
}

fn server_name(run: &RunText<'_>, host: Option<&str>) -> ServerName {
    let words = &run.command;
    if let Some((sent, _)) = hello::server_name(run.lines) {
        return sent;
    }
    if words.iter().any(|word| word == "-noservername")
        || run.lines.iter().any(|line| line.text.contains("Can't use SSL_get_servername"))
    {
        return ServerName::No;
    }
    if let Some(name) = command::value(words, &["-servername", "--servername"]) {
        return address::host(name).map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string()));
    }
    let Some(host) = host else {
        return ServerName::Unknown;
    };
    if host.parse::<IpAddr>().is_ok() {
        return ServerName::No;
    }
    let is_acknowledged =
        run.lines.iter().any(|line| line.text.starts_with("TLS server extension \"server name\" (id=0)"));
    let sends = if command::value(words, &["-proxy"]).is_some() {
        sends_name_through_proxy(run)
    } else {
        sends_name_by_itself(run)
    };
    match sends.or(is_acknowledged.then_some(true)) {
        Some(true) if !host.contains('.') => ServerName::No,
        Some(true) => address::host(host).map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string())),
        Some(false) => ServerName::No,
        None => ServerName::Unknown,
    }
}

/// Through `-proxy` OpenSSL sends it since 1.1.1n and 3.0.2; nothing but a version line tells.
fn sends_name_through_proxy(run: &RunText<'_>) -> Option<bool> {
    let number = run.version.as_deref()?.strip_prefix("OpenSSL ")?;
    match number.strip_prefix("1.1.1") {
        Some(letter) => Some(letter >= "n"),
        None if number.starts_with("3.0.") => Some(number != "3.0.0" && number != "3.0.1"),
        None => sends_name_by_itself(run),
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
        connecting(line).is_some()
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
    validity: Option<(Time, Time)>,
    lines: Vec<u32>,
    der: Option<Vec<u8>>,
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let spoken = run;
    let run = &RunText { lines: request::before(run.lines), ..run.clone() };
    let target = target(run);
    let sent = match &target.server_name {
        ServerName::Yes(name) => address::host(name),
        _ => None,
    };
    let dialed = target.host.as_deref().and_then(address::host);
    let address = dialed.as_ref().and_then(Name::ip);
    let host = sent.clone().or(dialed.clone());
    let mut lines = vec![run.first_line()];
    lines.extend(hello::server_name(run.lines).into_iter().flat_map(|(_, lines)| lines));
    let fact = run.fact("openssl s_client", run.version.clone(), host.clone(), target.server_name.clone());
    sink.observe(fact, lines);
    if let Some(address) = address {
        connection::observe_forced(sent, address, run, sink);
    }
    let server = handshake(run, &target, sink);
    alerts::observe(run, server, sink);
    verdicts(run, host.as_ref(), sink);
    ended(run, host.as_ref(), sink);
    request::observe(spoken, sink);
}

/// Reads the handshake; the address of its server.
fn handshake(run: &RunText<'_>, target: &Target, sink: &mut Sink) -> Option<SocketAddr> {
    let entries = entries(run);
    let find = |test: fn(&str) -> Option<String>| {
        run.lines.iter().find_map(|line| test(&line.text).map(|found| (line.number, found)))
    };
    // Without a cipher nothing was agreed on: what stands there is what the client began with.
    let has_none = run.lines.iter().any(|line| line.text.ends_with("Cipher is (NONE)"));
    let version = find(protocol).filter(|_| !has_none);
    let cipher = find(cipher);
    let connecting = find(|line| connecting(line).map(|ip| ip.to_string()));
    let started = find(|line| line.trim().strip_prefix("Start Time: ").map(str::to_owned));
    let connected =
        run.lines.iter().find(|line| line.text.starts_with("CONNECTED(") || line.text == "CONNECTION ESTABLISHED");
    let has_spoken = run.lines.iter().any(|line| line.text.starts_with("no peer certificate available"));
    if connected.is_none() && entries.is_empty() && version.is_none() && !has_spoken {
        if let Some((line, why)) = run.lines.iter().find_map(|line| Some((line.number, failure(&line.text)?))) {
            connection::observe_failure(why, line, sink);
        }
        return None;
    }
    let found = [&version, &cipher, &connecting, &started].into_iter().flatten().map(|it| it.0);
    let lines = found.chain(connected.map(|line| line.number)).collect();
    let ip = connecting
        .and_then(|it| it.1.parse::<IpAddr>().ok())
        .or_else(|| target.host.as_deref().and_then(|host| host.parse().ok()));
    let server = ip.map(|ip| SocketAddr::new(ip, target.port));
    let chain = entries.into_iter().map(|entry| (certificate(&entry, run, sink), entry.lines)).collect();
    let alpn = command::value(&run.command, &["-alpn"]);
    let connection = Connection {
        time: started.and_then(|it| it.1.parse().ok()).map(|seconds| Time::stated(seconds, 0)),
        server,
        dialed: target.host.clone(),
        server_name: target.server_name.clone(),
        version: version.map(|it| it.1),
        cipher: cipher.map(|it| it.1),
        alpn: alpn.map(|words| words.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        starttls: command::value(&run.command, &["-starttls"]).map(str::to_owned),
        resumed: run.lines.iter().any(|line| line.text.starts_with("Reused, ")),
        certificate_requested: asks_for_certificate(run),
        chain,
        lines,
    };
    connection.observe(run, sink);
    server
}

/// Whether the server asked for a certificate of the client and `-cert` gives it none.
fn asks_for_certificate(run: &RunText<'_>) -> bool {
    let is_asked = |line: &str| {
        line.starts_with("Acceptable client certificate CA names") || line.starts_with("Client Certificate Types:")
    };
    let has_none = command::value(&run.command, &["-cert"]).is_none();
    has_none && run.lines.iter().any(|line| is_asked(&line.text))
}

fn certificate(entry: &Entry, run: &RunText<'_>, sink: &Sink) -> Certificate {
    if let Some(der) = &entry.der {
        return connection::whole(run, der);
    }
    let mut certificate = connection::described(run, entry.lines.first().copied().unwrap_or(0), sink);
    certificate.subject.clone_from(&entry.subject);
    certificate.issuer.clone_from(&entry.issuer);
    certificate.not_before = entry.validity.map(|it| it.0);
    certificate.not_after = entry.validity.map(|it| it.1);
    certificate
}

/// The certificates that the server sent, the leaf first.
fn entries(run: &RunText<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut in_chain = false;
    for line in run.lines {
        let text = line.text.trim();
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
        } else if let Some(validity) = validity(text).filter(|_| in_chain) {
            if let Some(entry) = entries.last_mut() {
                entry.validity = Some(validity);
                entry.lines.push(line.number);
            }
        } else if let Some(subject) = text.strip_prefix("Peer certificate: ") {
            entries.push(Entry { subject: Some(dn::normal(subject)), lines: vec![line.number], ..Entry::default() });
        }
    }
    attach_pem(run, &mut entries);
    if entries.is_empty() { picked::entries(run) } else { entries }
}

/// ` 0 s:CN = x`.
fn chain_subject(text: &str) -> Option<&str> {
    let (number, rest) = text.split_once(" s:")?;
    number.parse::<u8>().ok().map(|_| rest)
}

/// `v:NotBefore: Jun 12 00:00:00 2026 GMT; NotAfter: Jul 11 23:00:00 2027 GMT`.
fn validity(text: &str) -> Option<(Time, Time)> {
    let (from, to) = text.strip_prefix("v:NotBefore: ")?.split_once("; NotAfter: ")?;
    Some((time::certificate_date(from)?, time::certificate_date(to)?))
}

/// A PEM block belongs to the entry of its names (`-trace` prints blocks far from the list), else to the entry
/// above it; one below the chain is the leaf.
fn attach_pem(run: &RunText<'_>, entries: &mut Vec<Entry>) {
    let blocks = x509::pem::blocks(run.lines.iter().map(|line| (line.number, line.text.as_str())));
    let last_of_chain = entries.iter().filter_map(|entry| entry.lines.last()).max().copied();
    for (nth, block) in blocks.into_iter().enumerate() {
        let Ok(der) = block.der else { continue };
        if entries.iter().any(|entry| entry.der.as_ref() == Some(&der)) {
            continue;
        }
        let named = named_as(&der, entries);
        let at = named.or_else(|| match last_of_chain {
            Some(last) if nth == 0 && block.first > last => Some(0),
            Some(_) => entries.iter().rposition(|entry| entry.lines.first().is_some_and(|line| *line < block.first)),
            None => None,
        });
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

/// The entry without a block whose names are those of the certificate.
fn named_as(der: &[u8], entries: &[Entry]) -> Option<usize> {
    let (certificate, _) = x509::der::read(der);
    entries.iter().position(|entry| {
        let is_same = entry.subject == certificate.subject && entry.issuer == certificate.issuer;
        let is_dated = entry
            .validity
            .is_none_or(|(from, to)| certificate.not_before == Some(from) && certificate.not_after == Some(to));
        entry.der.is_none() && entry.subject.is_some() && is_same && is_dated
    })
}

fn protocol(line: &str) -> Option<String> {
    let line = line.trim();
    let word = line
        .strip_prefix("Protocol")
        .and_then(|rest| rest.strip_prefix(" version").unwrap_or(rest).trim_start().strip_prefix(": "))
        .or_else(|| line.starts_with("New, TLSv1.3,").then_some("TLSv1.3"))?;
    connection::version_name(word)
}

fn cipher(line: &str) -> Option<String> {
    let line = line.trim();
    let cipher = line
        .strip_prefix("Cipher")
        .and_then(|rest| rest.trim_start().strip_prefix(": "))
        .or_else(|| line.strip_prefix("Ciphersuite: "))
        .or_else(|| line.split_once(", Cipher is ").map(|(_, cipher)| cipher))?;
    (cipher != "0000" && cipher != "(NONE)").then(|| cipher.to_owned())
}

fn verdicts(run: &RunText<'_>, host: Option<&Name>, sink: &mut Sink) {
    let mut seen = Vec::new();
    let verify_host = command::value(&run.command, &["-verify_hostname"]).and_then(address::host);
    let has = |words: &str| run.lines.iter().any(|line| line.text.starts_with(words));
    let has_certificate = has("Certificate chain") || !has("no peer certificate available");
    let has_result = run.lines.iter().any(|line| line.text.trim().starts_with("Verify return code: "));
    for line in run.lines {
        let text = line.text.trim();
        let code = text.strip_prefix("Verify return code: ").and_then(|rest| rest.split_whitespace().next());
        // Without a result line the errors on the way say what there is to say.
        let error = text.strip_prefix("verify error:num=").filter(|_| !has_result).and_then(|it| it.split(':').next());
        let (says, code, about) = if let Some(code) = code.or(error) {
            (says_of(code), code.to_owned(), if code == "62" { verify_host.clone() } else { host.cloned() })
        } else if let Some(name) = text.strip_prefix("Verified peername: ") {
            (Some(Says::NameMatches), "0".to_owned(), verify_host.clone().or_else(|| address::host(name)))
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
            above: above(run, &code),
            code: Some(code),
            words: text.to_owned(),
            run: Some(run.number),
        };
        sink.observe(Fact::ClientVerdict(it), [line.number]);
    }
}

/// The connection ended before a certificate came, and no alert says why.
fn ended(run: &RunText<'_>, host: Option<&Name>, sink: &mut Sink) {
    let is_end = |line: &str| {
        line.starts_with("write:errno=")
            || line.starts_with("read:errno=")
            || library_error(line).is_some_and(|error| error.contains("unexpected eof while reading"))
    };
    let has_none = run.lines.iter().any(|line| line.text.starts_with("no peer certificate available"));
    let has_alert = run.lines.iter().filter_map(|line| library_error(&line.text)).any(|it| alerts::of(it).is_some());
    let Some(line) = run.lines.iter().find(|line| is_end(&line.text)).filter(|_| has_none && !has_alert) else {
        return;
    };
    let it = ClientVerdict {
        client: "openssl".to_owned(),
        says: Says::HandshakeFailed,
        host: host.cloned(),
        presented: Vec::new(),
        above: None,
        code: line.text.split_once("errno=").map(|(_, number)| number.trim().to_owned()),
        words: line.text.trim().to_owned(),
        run: Some(run.number),
    };
    sink.observe(Fact::ClientVerdict(it), [line.number]);
}

/// The subject of the certificate above the leaf that the first error with this code is about.
fn above(run: &RunText<'_>, code: &str) -> Option<String> {
    let mut at: Option<(&str, &str)> = None;
    for line in run.lines {
        let text = line.text.trim();
        if let Some(rest) = text.strip_prefix("depth=") {
            at = rest.split_once(' ');
        }
        let error = text.strip_prefix("verify error:num=").and_then(|rest| rest.split(':').next());
        if error == Some(code) {
            return at.filter(|(depth, _)| *depth != "0").map(|(_, subject)| dn::normal(subject));
        }
    }
    None
}

/// What a verification result says (X509_STORE_CTX_get_error).
pub(super) fn says_of(code: &str) -> Option<Says> {
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
