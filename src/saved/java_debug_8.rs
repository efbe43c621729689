//! Java's log of a handshake in the layout of Java 8 to 10 (`-Djavax.net.debug=ssl:handshake`): messages between lines
//! of stars, certificates as Java prints them.
//!
//! The ClientHello is printed with all its extensions, so that the absence of a server name is a fact here. The chain
//! before `ServerHelloDone` is the server's; one behind it is the client's own, and is not read.

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::{Line, RunText, SavedFormat, Sink, language};
use crate::evidence::{Fact, ServerName};
use crate::tls::{Alert, Side, Transport};
use crate::x509::{Certificate, San};

/// Java's debug log before Java 11.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "java_debug_8",
    made_by: "java -Djavax.net.debug=ssl:handshake of Java 8 to 10",
    is_command: |_| false,
    opens: |line| line.starts_with("*** ClientHello, "),
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let mut logs: Vec<Log> = Vec::new();
    for line in run.lines {
        if line.text.starts_with("*** ClientHello, ") {
            logs.push(Log { lines: vec![line.number], part: Part::ClientHello, ..Log::default() });
        } else if let Some(log) = logs.last_mut() {
            log.take(line, run, sink);
        }
    }
    let Some(first) = logs.first() else { return };
    let host = logs.iter().rev().find_map(|log| log.host.as_deref()).and_then(address::host);
    sink.observe(run.fact("java", None, host.clone(), first.server_name()), first.lines.first().copied());
    for log in logs {
        log.observe(run, sink);
    }
    for (line, mut verdict) in language::verdicts(run) {
        verdict.host = verdict.host.or_else(|| host.clone());
        sink.observe(Fact::ClientVerdict(verdict), [line]);
    }
}

/// The part of a handshake that lines belong to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    ClientHello,
    ServerHello,
    Certificates,
    #[default]
    Other,
}

/// What the log says of one connection.
#[derive(Default)]
struct Log {
    part: Part,
    host: Option<String>,
    version: Option<String>,
    cipher: Option<String>,
    chain: Vec<(Certificate, Vec<u32>)>,
    alerts: Vec<(Side, String, u32)>,
    /// The names of the leaf follow.
    in_names: bool,
    /// The server has said all that it has to say before the client does.
    is_done: bool,
    lines: Vec<u32>,
}

impl Log {
    fn server_name(&self) -> ServerName {
        self.host.clone().map_or(ServerName::No, ServerName::Yes)
    }

    fn take(&mut self, line: &Line, run: &RunText<'_>, sink: &Sink) {
        let text = line.text.trim();
        if let Some(alert) = alert(text) {
            self.alerts.push((alert.0, alert.1, line.number));
        } else if let Some(message) = text.strip_prefix("*** ") {
            self.message(message, line.number);
        } else if text == "***" || text.starts_with("Found trusted certificate") || text.starts_with("%% ") {
            self.part = Part::Other;
        } else {
            match self.part {
                Part::ClientHello => {
                    if let Some((_, rest)) =
                        text.split_once("server_name: [").filter(|_| text.starts_with("Extension "))
                    {
                        let name = rest.split_once("value=").map(|(_, name)| name.trim_end_matches([']', ' ']));
                        self.host = name.map(str::to_ascii_lowercase).or(self.host.take());
                        self.lines.push(line.number);
                    }
                }
                Part::ServerHello => {
                    if let Some(cipher) = text.strip_prefix("Cipher Suite: ") {
                        self.cipher = Some(cipher.to_owned());
                        self.lines.push(line.number);
                    }
                }
                Part::Certificates => self.certificate(text, line.number, run, sink),
                Part::Other => {}
            }
        }
    }

    /// `ServerHello, TLSv1.2`, `Certificate chain`, `ServerHelloDone`.
    fn message(&mut self, message: &str, line: u32) {
        self.in_names = false;
        self.part = Part::Other;
        if let Some(version) = message.strip_prefix("ServerHello, ") {
            self.part = Part::ServerHello;
            self.version = connection::version_name(version);
            self.lines.push(line);
        } else if message.starts_with("Certificate chain") && !self.is_done && self.version.is_some() {
            self.part = Part::Certificates;
        } else if message.starts_with("ServerHelloDone") {
            self.is_done = true;
        }
    }

    fn certificate(&mut self, text: &str, number: u32, run: &RunText<'_>, sink: &Sink) {
        if text.starts_with("chain [") {
            self.in_names = false;
            self.chain.push((connection::described(run, number, sink), vec![number]));
            return;
        }
        let Some((certificate, lines)) = self.chain.last_mut() else { return };
        if self.in_names {
            if let Some((kind, name)) = text.split_once(": ") {
                let san = certificate.san.get_or_insert_with(San::default);
                match kind {
                    "DNSName" => san.dns.push(name.to_owned()),
                    "IPAddress" => san.ip.push(name.to_owned()),
                    _ => san.other = san.other.saturating_add(1),
                }
                lines.push(number);
                return;
            }
            self.in_names = false;
        }
        if let Some(subject) = text.strip_prefix("Subject: ") {
            certificate.subject = Some(dn::normal(subject));
        } else if let Some(issuer) = text.strip_prefix("Issuer: ") {
            certificate.issuer = Some(dn::normal(issuer));
        } else if let Some(from) = text.strip_prefix("Validity: [From: ") {
            certificate.not_before = time::when(from.trim_end_matches(','));
        } else if let Some(until) = text.strip_prefix("To: ") {
            certificate.not_after = time::when(until.trim_end_matches(']'));
        } else if let Some(serial) = text.strip_prefix("SerialNumber: ") {
            let digits: String = serial.chars().filter(char::is_ascii_hexdigit).collect();
            certificate.serial = Some(digits.to_lowercase());
        } else if text.starts_with("SubjectAlternativeName [") {
            self.in_names = true;
        } else {
            return;
        }
        lines.push(number);
    }

    fn observe(self, run: &RunText<'_>, sink: &mut Sink) {
        for (from, description, line) in self.alerts.iter().filter(|(_, it, _)| it != "close_notify") {
            let it = Alert {
                time: None,
                client: None,
                server: None,
                transport: Transport::Text,
                from: *from,
                level: Some("fatal".to_owned()),
                description: Some(description.clone()),
                encrypted: false,
                run: Some(run.number),
            };
            sink.observe(Fact::TlsAlert(it), [*line]);
        }
        let server_name = self.server_name();
        Connection {
            dialed: self.host,
            server_name,
            version: self.version,
            cipher: self.cipher,
            chain: self.chain,
            lines: self.lines,
            ..Connection::default()
        }
        .observe(run, sink);
    }
}

/// `main, RECV TLSv1.2 ALERT:  fatal, handshake_failure`; behind `SEND` the name follows `description = `.
fn alert(text: &str) -> Option<(Side, String)> {
    let (before, rest) = text.split_once(" ALERT:")?;
    let from = if before.contains(", RECV ") {
        Side::Server
    } else if before.contains(", SEND ") {
        Side::Client
    } else {
        return None;
    };
    let description = rest.trim().strip_prefix("fatal, ")?;
    let description = description.strip_prefix("description = ").unwrap_or(description).trim();
    let is_name = !description.is_empty() && description.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_name.then(|| (from, description.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_of_both_sides() {
        for (text, expected) in [
            ("main, RECV TLSv1.2 ALERT:  fatal, handshake_failure", Some((Side::Server, "handshake_failure"))),
            (
                "main, SEND TLSv1.2 ALERT:  fatal, description = certificate_unknown",
                Some((Side::Client, "certificate_unknown")),
            ),
            ("main, SEND TLSv1.2 ALERT:  warning, description = close_notify", None),
            ("main, WRITE: TLSv1.2 Alert, length = 2", None),
        ] {
            let found = alert(text);
            assert_eq!(found.as_ref().map(|(side, name)| (*side, name.as_str())), expected, "{text}");
        }
    }
}
