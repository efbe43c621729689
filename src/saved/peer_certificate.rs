//! The certificate that a program prints of its connection: Node.js' `getPeerCertificate()` and `X509Certificate`,
//! Python's `getpeercert()`.
//!
//! What a connection gave is a handshake; a certificate that was read from a file looks the same only in Node.js'
//! `X509Certificate`, which is therefore no handshake. The host is the one that the program in the command names as
//! server name, if it stands there.

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::{Line, RunText, SavedFormat, Sink, json};
use crate::evidence::ServerName;
use crate::name::Name;
use crate::x509::{Certificate, San};

/// What Node.js and Python print.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "peer_certificate",
    made_by: "getPeerCertificate() of Node.js, getpeercert() of Python",
    is_command: |words| {
        words.first().is_some_and(|tool| matches!(tool.as_str(), "node" | "python" | "python3"))
            && words.iter().any(|word| ["getPeer", "getpeercert"].iter().any(|call| word.contains(call)))
    },
    opens: |line| {
        line.trim_start().starts_with("subject: [Object: null prototype] {")
            || line.starts_with("X509Certificate {")
            || is_python(line)
    },
    repeats: false,
    read,
};

/// `{'issuer': ((('countryName', 'US'),),`; its keys stand in alphabetical order, or subject first.
fn is_python(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix("{'") else { return false };
    PYTHON_KEYS.iter().any(|key| rest.strip_prefix(*key).is_some_and(|rest| rest.starts_with("': (")))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    if is_json(run) {
        json::read_peer(run, sink);
        return;
    }
    let is_of_python = run.lines.iter().any(|line| is_python(&line.text));
    let found = if is_of_python { python(run, sink) } else { node(run, sink) };
    let Some(first) = found.first().and_then(|chain| chain.first()?.1.first().copied()) else { return };
    let (server_name, sent) = asked(run);
    let tool = if is_of_python { "python" } else { "node" };
    let at = run.command_line.map_or(first, |line| line.number);
    sink.observe(run.fact(tool, None, sent.clone(), server_name.clone()), [at]);
    let is_parsed = run.lines.iter().any(|line| line.text.starts_with("X509Certificate {"))
        && !run.command.iter().any(|word| word.contains("getPeerX509Certificate"));
    for chain in found {
        if is_parsed {
            for (certificate, lines) in chain {
                connection::observe_certificate(certificate, lines, sink);
            }
        } else {
            let dialed = sent.as_ref().map(ToString::to_string);
            Connection { server_name: server_name.clone(), dialed, chain, ..Connection::default() }.observe(run, sink);
        }
    }
}

/// An object whose keys stand in quotes; as Node.js shows an object, they do not.
fn is_json(run: &RunText<'_>) -> bool {
    let behind = run.lines.iter().skip(1).map(|line| line.text.trim_start());
    run.lines.iter().any(|line| line.text.starts_with("{\""))
        || run.lines.iter().zip(behind).any(|(line, next)| line.text == "{" && next.starts_with('"'))
}

/// The server name that the program in the command sends, as far as it stands there.
pub(super) fn asked(run: &RunText<'_>) -> (ServerName, Option<Name>) {
    let sent = run.command.iter().find_map(|word| server_name(word)).and_then(|name| address::host(&name));
    (sent.as_ref().map_or(ServerName::Unknown, |name| ServerName::Yes(name.to_string())), sent)
}

/// The value of `servername: 'x'` or `server_hostname='x'` in a program.
fn server_name(program: &str) -> Option<String> {
    let (_, rest) = program.split_once("servername").or_else(|| program.split_once("server_hostname"))?;
    let rest = rest.trim_start_matches(['\'', '"', ' ']).strip_prefix([':', '='])?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    Some(rest.get(1..)?.split(quote).next()?.to_owned())
}

/// A chain, the leaf first, with the lines of each certificate.
type Chain = Vec<(Certificate, Vec<u32>)>;

/// The certificates that Node.js prints as objects: an issuer stands within what it issued.
pub(super) fn node(run: &RunText<'_>, sink: &Sink) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut outermost = None;
    // Deep within an object Node.js leaves names out, and what follows is of a certificate that nobody knows.
    let mut is_named = false;
    for (at, line) in run.lines.iter().enumerate() {
        let Some((key, value)) = line.text.trim().split_once(": ") else { continue };
        let value = value.trim_end_matches(',');
        if key == "subject" || key == "issuerCertificate" {
            let subject = name(value, run.lines.get(at..).unwrap_or_default()).filter(|_| key == "subject");
            is_named = subject.is_some();
            if let Some((subject, lines)) = subject {
                let certificate = connection::described(run, line.number, sink);
                let one = (Certificate { subject: Some(subject), ..certificate }, lines);
                let indent = line.text.len().saturating_sub(line.text.trim_start().len());
                let is_within = outermost.is_some_and(|outermost| indent > outermost);
                if let Some(chain) = chains.last_mut().filter(|_| is_within) {
                    chain.push(one);
                } else {
                    outermost = Some(indent);
                    chains.push(vec![one]);
                }
            }
            continue;
        }
        let last = chains.last_mut().and_then(|chain| chain.last_mut());
        let Some((certificate, lines)) = last.filter(|_| is_named) else { continue };
        let text = value.trim_matches('\'');
        match key {
            "issuer" if certificate.issuer.is_none() => {
                let Some((issuer, of_issuer)) = name(value, run.lines.get(at..).unwrap_or_default()) else { continue };
                certificate.issuer = Some(issuer);
                lines.extend(of_issuer);
                continue;
            }
            "subjectaltname" | "subjectAltName" if value.starts_with('\'') => certificate.san = Some(names(text)),
            "valid_from" | "validFrom" => certificate.not_before = time::certificate_date(text),
            "valid_to" | "validTo" => certificate.not_after = time::certificate_date(text),
            "serialNumber" if value.starts_with('\'') => certificate.serial = Some(text.to_lowercase()),
            "fingerprint256" => {
                let digest = text.replace(':', "").to_lowercase();
                let is_digest = digest.len() == SHA256_DIGITS && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
                certificate.sha256 = Some(digest).filter(|_| is_digest);
            }
            _ => continue,
        }
        lines.push(line.number);
    }
    for (certificate, _) in chains.iter_mut().flatten() {
        if certificate.sha256.is_some() {
            certificate.local_id = None;
        }
    }
    chains
}

/// `DNS:www.example.com, IP Address:192.0.2.1`.
pub(super) fn names(text: &str) -> San {
    let mut san = San::default();
    for name in text.split(", ") {
        match (name.strip_prefix("DNS:"), name.strip_prefix("IP Address:")) {
            (Some(name), _) => san.dns.push(name.to_owned()),
            (_, Some(address)) => san.ip.push(address.to_owned()),
            _ => san.other = san.other.saturating_add(1),
        }
    }
    san
}

/// A name as Node.js prints it: an object on one line or on several, or `'C=US\nCN=x'`.
fn name(value: &str, from: &[Line]) -> Option<(String, Vec<u32>)> {
    if let Some(text) = value.strip_prefix('\'') {
        let parts: Vec<String> =
            text.trim_end_matches('\'').split("\\n").map(|part| part.replace(',', "\\,")).collect();
        return Some((parts.join(", "), vec![from.first()?.number]));
    }
    let inline = value.split_once('{')?.1;
    let mut text = inline.to_owned();
    let mut lines = vec![from.first()?.number];
    if !inline.contains('}') {
        for line in from.iter().skip(1).take(ATTRIBUTES_MAX) {
            if line.text.trim_start().starts_with('}') {
                break;
            }
            text.push_str(line.text.trim());
            text.push(' ');
            lines.push(line.number);
        }
    }
    let parts = attributes(&text);
    (!parts.is_empty()).then(|| (parts.join(", "), lines))
}

/// `C: 'US', O: 'Lab, Inc.', OU: [ 'a', 'b' ]`: what stands in quotes, with the key before it.
fn attributes(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut kind = String::new();
    for (nth, piece) in text.split('\'').enumerate() {
        if nth % 2 == 1 {
            parts.push(dn::type_and_value(&kind, piece));
        } else if let Some(key) = piece.trim_end().trim_end_matches('[').trim_end().strip_suffix(':') {
            key.rsplit([',', ' ', '{', ']']).next().unwrap_or(key).clone_into(&mut kind);
        }
    }
    parts
}

/// The certificates in Python's dictionaries, each of a connection of its own.
fn python(run: &RunText<'_>, sink: &Sink) -> Vec<Chain> {
    let starts = run.lines.iter().enumerate().filter(|(_, line)| is_python(&line.text)).map(|(at, _)| at);
    starts.filter_map(|start| Some(vec![dictionary(run, start, sink)?])).collect()
}

/// One dictionary, which print() leaves on one line and pprint() on many.
fn dictionary(run: &RunText<'_>, start: usize, sink: &Sink) -> Option<(Certificate, Vec<u32>)> {
    let mut text = String::new();
    let mut begins: Vec<(usize, u32)> = Vec::new();
    for line in run.lines.iter().skip(start).take(DICTIONARY_LINES_MAX) {
        begins.push((text.len(), line.number));
        text.push_str(&line.text);
        text.push('\n');
        if line.text.trim_end().ends_with('}') {
            break;
        }
    }
    let mut lines: Vec<u32> = Vec::new();
    let mut value = |key: &str| {
        let mark = format!("'{key}': ");
        let at = text.find(&mark)?;
        let rest = text.get(at + mark.len()..)?;
        let end = at + mark.len() + value_length(rest);
        let last = begins.partition_point(|(begin, _)| *begin < end);
        let first = begins.partition_point(|(begin, _)| *begin <= at).saturating_sub(1);
        lines.extend(begins.get(first..last).unwrap_or_default().iter().map(|(_, number)| *number));
        text.get(at + mark.len()..end)
    };
    let (subject, issuer) = (value("subject").map(python_name), value("issuer").map(python_name));
    let san = value("subjectAltName").map(|text| {
        let mut san = San::default();
        for (kind, name) in pairs(text) {
            match kind {
                "DNS" => san.dns.push(name.to_owned()),
                "IP Address" => san.ip.push(name.to_owned()),
                _ => san.other = san.other.saturating_add(1),
            }
        }
        san
    });
    let date = |text: Option<&str>| time::certificate_date(text?.trim_matches(['\'', '"']));
    let (not_before, not_after) = (date(value("notBefore")), date(value("notAfter")));
    let serial = value("serialNumber").map(|text| text.trim_matches('\'').to_lowercase());
    let first = run.lines.get(start)?.number;
    lines.sort_unstable();
    lines.dedup();
    let certificate =
        Certificate { subject, issuer, san, not_before, not_after, serial, ..connection::described(run, first, sink) };
    (certificate.subject.is_some() || certificate.san.is_some()).then_some((certificate, lines))
}

/// The bytes of a value that begins a text: a tuple with what is in it, or a string.
fn value_length(text: &str) -> usize {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => {
                quote = None;
                if depth == 0 {
                    return at + 1;
                }
            }
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth = depth.saturating_add(1),
            (None, ')') if depth <= 1 => return at + 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',' | '}') if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// `((('commonName', 'x'),),)`.
fn python_name(text: &str) -> String {
    let parts: Vec<String> =
        pairs(text).filter_map(|(kind, value)| dn::attribute(&format!("{kind} = {value}"))).collect();
    parts.join(", ")
}

/// The strings of a tuple of tuples, two by two.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut strings = text.split('\'').skip(1).step_by(2);
    std::iter::from_fn(move || Some((strings.next()?, strings.next()?)))
}

const PYTHON_KEYS: &[&str] = &["OCSP", "caIssuers", "crlDistributionPoints", "issuer", "subject"];
const SHA256_DIGITS: usize = 64;
/// Attributes of a name, at most.
const ATTRIBUTES_MAX: usize = 32;
/// A certificate with a hundred names takes a line for each.
const DICTIONARY_LINES_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_layout() {
        for (text, expected) in [
            ("CN: 'x.example.com' }", "CN=x.example.com"),
            ("C: 'US', O: 'Lab, Inc.', CN: 'x' }", "C=US, O=Lab\\, Inc., CN=x"),
            ("OU: [ 'a', 'b' ], CN: 'x' ", "OU=a, OU=b, CN=x"),
        ] {
            assert_eq!(attributes(text).join(", "), expected, "{text}");
        }
        let tuple = "((('countryName', 'US'),), (('organizationName', 'Lab, Inc.'),), (('commonName', 'x'),))";
        assert_eq!(python_name(tuple), "C=US, O=Lab\\, Inc., CN=x");
        assert_eq!(value_length("(('DNS', 'a)'), ('DNS', 'b')), 'version': 3}"), 29);
    }

    #[test]
    fn server_names_stand_in_programs() {
        for (program, expected) in [
            ("tls.connect({host:'a',servername:'x.example.com'})", Some("x.example.com")),
            ("c.wrap_socket(s, server_hostname=\"x.example.com\")", Some("x.example.com")),
            ("c.wrap_socket(s, server_hostname=host)", None),
            ("require('https')", None),
        ] {
            assert_eq!(server_name(program).as_deref(), expected, "{program}");
        }
    }

    #[test]
    fn an_issuer_stands_within_what_it_issued() {
        let one = |host: &str, indent: &str, inner: &str| {
            format!(
                "{indent}subject: [Object: null prototype] {{ CN: '{host}' }},\n{indent}issuer: [Object: null prototype] \
                 {{ CN: 'y' }},\n{inner}{indent}valid_to: 'Sep 21 11:05:36 2027 GMT',\n"
            )
        };
        let cut =
            "    issuerCertificate: {\n      subject: [Object],\n      valid_to: 'Sep 21 11:05:36 2029 GMT',\n    }\n";
        let inner = format!("  issuerCertificate: {{\n{}  }},\n", one("ca", "    ", cut));
        let text = format!("{}{}", one("a.example", "  ", ""), one("b.example", "  ", &inner));
        let observations = crate::saved::read("t", text.as_bytes()).observations;
        let chains: Vec<usize> = observations
            .iter()
            .filter_map(|it| match &*it.fact {
                crate::evidence::Fact::TlsHandshake(it) => Some(it.chain.len()),
                _ => None,
            })
            .collect();
        assert_eq!(chains, [1, 2], "{text}");
    }
}
