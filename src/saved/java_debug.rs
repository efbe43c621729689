//! Java's own log of a handshake (`-Djavax.net.debug=ssl:handshake`, Java 11 and later): the ClientHello that was sent,
//! the server's choice, the certificates that came, and the error at its end.
//!
//! What was sent stands in the log, so that the absence of a server name is a fact here.

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::{Line, RunText, SavedFormat, Sink, language};
use crate::evidence::{Fact, ServerName};
use crate::provenance::Time;
use crate::x509::{Certificate, San};

/// Java's debug log.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "java_debug",
    made_by: "java -Djavax.net.debug=ssl:handshake",
    is_command: |_| false,
    opens: |line| entry(line).is_some_and(|(_, words)| words.starts_with(HELLO)),
    repeats: false,
    read,
};

/// `javax.net.ssl|DEBUG|10|main|2026-11-25 11:07:03.316 UTC|ClientHello.java:639|…`: the time and the words.
fn entry(line: &str) -> Option<(&str, &str)> {
    let mut parts = line.strip_prefix("javax.net.ssl|")?.splitn(6, '|').skip(3);
    let (when, _, words) = (parts.next()?, parts.next()?, parts.next()?);
    Some((when, words))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let mut hellos: Vec<Log> = Vec::new();
    let mut message = Message::Other;
    for line in run.lines {
        if let Some((when, words)) = entry(&line.text) {
            message = Message::of(words);
            match (message, hellos.last_mut()) {
                (Message::ClientHello, _) => hellos.push(Log::begun(line.number, time::civil_utc(when))),
                (Message::Other, _) | (_, None) => {}
                (_, Some(log)) => log.lines.push(line.number),
            }
        } else if let Some(log) = hellos.last_mut()
            && log.take(message, line, run, sink)
        {
            log.lines.push(line.number);
        }
    }
    // A second ClientHello is an answer to a HelloRetryRequest, or another connection.
    let Some(first) = hellos.first() else { return };
    let host = hellos.iter().rev().find_map(|log| log.host.as_deref()).and_then(address::host);
    sink.observe(
        run.fact("java", None, host.clone(), first.server_name()),
        [first.lines.first().copied().unwrap_or(1)],
    );
    for log in hellos {
        log.observe(run, sink);
    }
    for (line, mut verdict) in language::verdicts(run) {
        verdict.host = verdict.host.or_else(|| host.clone());
        sink.observe(Fact::ClientVerdict(verdict), [line]);
    }
}

/// The handshake message that lines belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    ClientHello,
    ServerHello,
    Certificate,
    Alert,
    Other,
}

impl Message {
    fn of(words: &str) -> Self {
        match words {
            _ if words.starts_with(HELLO) => Self::ClientHello,
            _ if words.starts_with("Consuming ServerHello handshake message") => Self::ServerHello,
            _ if words.starts_with("Consuming server Certificate handshake message") => Self::Certificate,
            _ if words.starts_with("Received alert message") => Self::Alert,
            _ => Self::Other,
        }
    }
}

/// What the log says of one connection.
struct Log {
    time: Option<Time>,
    host: Option<String>,
    alpn: Vec<String>,
    version: Option<String>,
    cipher: Option<String>,
    chain: Vec<(Certificate, Vec<u32>)>,
    alert: Option<(String, u32)>,
    /// The line before says that protocols follow.
    in_alpn: bool,
    lines: Vec<u32>,
}

impl Log {
    fn begun(line: u32, time: Option<Time>) -> Self {
        Self {
            time,
            host: None,
            alpn: Vec::new(),
            version: None,
            cipher: None,
            chain: Vec::new(),
            alert: None,
            in_alpn: false,
            lines: vec![line],
        }
    }

    fn server_name(&self) -> ServerName {
        self.host.clone().map_or(ServerName::No, ServerName::Yes)
    }

    /// Takes a line of a message; whether it says something of the connection itself.
    fn take(&mut self, message: Message, line: &Line, run: &RunText<'_>, sink: &Sink) -> bool {
        let text = line.text.trim();
        if std::mem::replace(&mut self.in_alpn, text.starts_with("\"application_layer_protocol_negotiation")) {
            let list = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
            if message == Message::ClientHello {
                self.alpn = list.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            }
            return message == Message::ClientHello;
        }
        let field = text.split_once(':').map(|(key, value)| (key.trim().trim_matches('"'), value.trim()));
        match message {
            Message::ClientHello => {
                let name = text.strip_prefix("type=host_name (0), value=").map(str::to_ascii_lowercase);
                let is_name = name.is_some();
                self.host = name.or(self.host.take());
                is_name
            }
            Message::ServerHello => {
                let Some((key, value)) = field else { return false };
                let value = value.trim_end_matches(',').trim_matches(['"', '[', ']']);
                match key {
                    // TLS 1.3 is chosen in an extension, which stands behind the old field (RFC 8446 section 4.2.1).
                    "server version" | "selected version" => {
                        self.version = connection::version_name(value).or(self.version.take());
                    }
                    "cipher suite" => self.cipher = value.split('(').next().map(str::to_owned),
                    _ => return false,
                }
                true
            }
            Message::Certificate => {
                self.certificate(text, line.number, run, sink);
                false
            }
            Message::Alert => {
                let description = field.filter(|(key, _)| *key == "description").map(|(_, value)| value);
                self.alert = description.map(|it| (it.trim_matches('"').to_owned(), line.number)).or(self.alert.take());
                false
            }
            Message::Other => false,
        }
    }

    fn certificate(&mut self, text: &str, number: u32, run: &RunText<'_>, sink: &Sink) {
        if text.starts_with("\"certificate\"") {
            self.chain.push((connection::described(run, number, sink), Vec::new()));
            return;
        }
        let Some((certificate, lines)) = self.chain.last_mut() else { return };
        let Some((key, value)) = text.split_once(':').map(|(key, value)| (key.trim(), value.trim())) else { return };
        let value = value.trim_end_matches(',').trim_matches('"');
        match key.trim_matches('"') {
            "serial number" => certificate.serial = Some(value.replace(':', "").to_lowercase()),
            "issuer" => certificate.issuer = Some(dn::normal(value)),
            "subject" => certificate.subject = Some(dn::normal(value)),
            "not before" => certificate.not_before = date(value),
            "not  after" | "not after" => certificate.not_after = date(value),
            "DNSName" => certificate.san.get_or_insert_with(San::default).dns.push(value.to_owned()),
            "IPAddress" => certificate.san.get_or_insert_with(San::default).ip.push(value.to_owned()),
            _ => return,
        }
        lines.push(number);
    }

    fn observe(self, run: &RunText<'_>, sink: &mut Sink) {
        if let Some((description, line)) = self.alert.clone().filter(|(it, _)| it != "close_notify") {
            connection::observe_alert(description, None, run, line, sink);
        }
        let server_name = self.server_name();
        let dialed = self.host;
        Connection {
            time: self.time,
            dialed,
            server_name,
            version: self.version,
            cipher: self.cipher,
            alpn: self.alpn,
            chain: self.chain,
            lines: self.lines,
            ..Connection::default()
        }
        .observe(run, sink);
    }
}

/// `2026-06-12 24:00:00.000 UTC`: Java counts the hours of a day from 1, and the first is written 24.
fn date(text: &str) -> Option<Time> {
    time::civil_utc(&text.replacen(" 24:", " 00:", 1))
}

/// What Java says of the message that it sends first.
const HELLO: &str = "Produced ClientHello handshake message";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_dates_are_java_s_own() {
        let line = "javax.net.ssl|DEBUG|10|main|2026-11-25 11:07:03.316 UTC|ClientHello.java:639|Produced ClientHello \
                    handshake message (";
        assert!(entry(line).is_some_and(|(when, words)| when.starts_with("2026") && words.starts_with(HELLO)));
        assert_eq!(entry("javax.net.ssl.SSLException: x|y"), None);
        for (text, expected) in [
            ("2026-06-12 24:00:00.000 UTC", "2026-06-12T00:00:00Z"),
            ("2027-07-11 23:00:00.000 UTC", "2027-07-11T23:00:00Z"),
        ] {
            assert_eq!(date(text), Time::parse_rfc3339(expected, crate::provenance::Zone::Stated), "{text}");
        }
    }
}
