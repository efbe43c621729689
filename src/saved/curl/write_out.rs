//! `curl -w '%{json}'`: one JSON object on a line, with the ends, the status and the certificates; and what
//! `-w '%{http_code} %{remote_ip}'` prints, by the variables of its format.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use super::Asked;
use crate::evidence::{Fact, HttpExchange};
use crate::name::Name;
use crate::saved::{RunText, Sink, command};
use crate::tls::{ChainState, Handshake, SniState, Transport};
use crate::x509;

/// What the object says.
pub(super) struct Written {
    line: u32,
    /// The URL, as it was asked for.
    pub(super) url: String,
    fields: Fields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    certs: Option<String>,
    http_code: Option<u16>,
    http_version: Option<String>,
    local_ip: Option<String>,
    local_port: Option<u16>,
    remote_ip: Option<String>,
    remote_port: Option<u16>,
    url: Option<String>,
    url_effective: Option<String>,
}

/// Whether a line holds the object.
pub(super) fn is_json(line: &str) -> bool {
    line.starts_with('{') && line.contains("\"ssl_verify_result\"") && line.contains("\"remote_ip\"")
}

/// The object in a run's output.
pub(super) fn of(run: &RunText<'_>) -> Option<Written> {
    run.lines.iter().filter(|line| is_json(&line.text)).find_map(|line| {
        let mut stream = serde_json::Deserializer::from_str(&line.text).into_iter::<Fields>();
        let fields = stream.next()?.ok()?;
        let url = fields.url.clone().or_else(|| fields.url_effective.clone()).unwrap_or_default();
        Some(Written { line: line.number, url, fields })
    })
}

/// What a format of one's own prints: the last line of the output that each line of the format fits.
pub(super) fn of_format(run: &RunText<'_>, asked: &Asked) -> Option<Written> {
    let format = command::value(&run.command, &["-w", "--write-out"])?.replace("\\n", "\n").replace("\\t", "\t");
    let mut values = Vec::new();
    let mut at = 0;
    for row in format.split('\n').filter(|row| row.contains("%{")) {
        let fits = |line: &crate::saved::Line| Some((line.number, fitted(row, line.text.trim_end())?));
        let Some((line, found)) = run.lines.iter().rev().find_map(fits) else { continue };
        at = line.max(at);
        values.extend(found);
    }
    let value =
        |names: &[&str]| values.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, it)| it.as_str());
    let fields = Fields {
        http_code: value(&["http_code", "response_code"]).filter(|code| code.len() == 3).and_then(|it| it.parse().ok()),
        http_version: value(&["http_version"]).map(str::to_owned),
        local_ip: value(&["local_ip"]).map(str::to_owned),
        local_port: value(&["local_port"]).and_then(|port| port.parse().ok()),
        // Through a proxy this is the proxy's.
        remote_ip: value(&["remote_ip"]).filter(|_| !asked.is_proxied).map(str::to_owned),
        remote_port: value(&["remote_port"]).map_or(Some(asked.port), |port| port.parse().ok()),
        ..Fields::default()
    };
    let url = value(&["url_effective", "url"]).map(str::to_owned).or_else(|| asked.shown.clone()).unwrap_or_default();
    (fields.http_code.is_some() || fields.remote_ip.is_some()).then_some(Written { line: at, url, fields })
}

/// The values of a format's variables in a line that the whole format fits.
fn fitted(format: &str, line: &str) -> Option<Vec<(String, String)>> {
    let mut parts = format.split("%{");
    let mut rest = line.strip_prefix(parts.next()?)?;
    let mut parts = parts.peekable();
    let mut values = Vec::new();
    while let Some(part) = parts.next() {
        let (name, literal) = part.split_once('}')?;
        let is_last = parts.peek().is_none();
        let literal = if is_last { literal.trim_end() } else { literal };
        let value = match (literal, is_last) {
            ("", true) => std::mem::take(&mut rest),
            // Two variables side by side cannot be told apart.
            ("", false) => return None,
            (literal, _) => {
                let (value, after) = rest.split_once(literal)?;
                rest = after;
                value
            }
        };
        let is_plain = value.chars().all(|c| c.is_ascii_graphic());
        values.push((name.to_owned(), is_plain.then(|| value.to_owned())?));
    }
    rest.is_empty().then_some(values)
}

/// Adds what it says.
pub(super) fn observe(written: &Written, run: &RunText<'_>, host: Option<&Name>, sink: &mut Sink) {
    let fields = &written.fields;
    let lines: Vec<u32> = run.command_line.iter().map(|line| line.number).chain([written.line]).collect();
    let end = |ip: &Option<String>, port: Option<u16>| {
        let ip: IpAddr = ip.as_deref()?.parse().ok()?;
        Some(SocketAddr::new(ip, port?)).filter(|end| end.port() != 0)
    };
    let mut chain = Vec::new();
    for block in x509::pem::blocks((1..).zip(fields.certs.as_deref().unwrap_or_default().lines())) {
        let Ok(der) = &block.der else { continue };
        let (mut certificate, _) = x509::der::read(der);
        certificate.run = Some(run.number);
        chain.push(certificate.id().to_owned());
        sink.observe(Fact::Certificate(certificate), [written.line]);
    }
    let is_address = host.is_some_and(|host| host.ip().is_some());
    let sni = host.filter(|_| !is_address).map(ToString::to_string);
    let sni_state = match host {
        Some(_) if is_address => SniState::Absent,
        Some(_) => SniState::Sent,
        None => SniState::Unknown,
    };
    let handshake = Handshake {
        client: end(&fields.local_ip, fields.local_port),
        server: end(&fields.remote_ip, fields.remote_port),
        sni,
        sni_state,
        chain_state: if chain.is_empty() { ChainState::Missing } else { ChainState::Seen },
        chain,
        http_version: fields.http_version.clone().filter(|version| version != "0"),
        dialed: host.map(ToString::to_string),
        run: Some(run.number),
        ..Handshake::over(Transport::Text)
    };
    if written.url.starts_with("https:") && handshake.server.is_some() {
        sink.observe(Fact::TlsHandshake(handshake), lines.clone());
    }
    if let Some(status) = fields.http_code.filter(|status| *status != 0) {
        let url = super::split_url(&written.url).map(|(shown, ..)| shown);
        let it = HttpExchange {
            url,
            host: host.cloned(),
            status: Some(status),
            run: Some(run.number),
            ..HttpExchange::default()
        };
        sink.observe(Fact::HttpExchange(it), lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_gives_the_values_of_its_variables() {
        for (format, line, expected) in [
            ("%{http_code} %{remote_ip}", "403 192.0.2.10", Some(vec!["403", "192.0.2.10"])),
            ("status=%{http_code}; ip=%{remote_ip};", "status=403; ip=2001:db8::1;", Some(vec!["403", "2001:db8::1"])),
            ("%{http_code}", "403", Some(vec!["403"])),
            ("%{http_code}", "an error page", None),
            ("%{http_code}%{remote_ip}", "403192.0.2.10", None),
            ("%{http_code} %{remote_ip}", "403", None),
        ] {
            let found = fitted(format, line).map(|values| values.into_iter().map(|it| it.1).collect::<Vec<_>>());
            assert_eq!(
                found,
                expected.map(|values| values.into_iter().map(str::to_owned).collect()),
                "{format}: {line}"
            );
        }
    }

    #[test]
    fn a_status_and_an_address_are_facts() {
        let text = "$ curl -sk -o /dev/null -w '%{http_code} %{ssl_verify_result} %{remote_ip}\\n' \
                    https://www.example.com/a?k=v\n403 19 192.0.2.10\n";
        let reading = crate::saved::read("it.txt", text.as_bytes());
        let facts = || reading.observations.iter().map(|it| &*it.fact);
        let exchange = facts().find_map(|it| if let Fact::HttpExchange(it) = it { Some(it) } else { None }).unwrap();
        assert_eq!((exchange.status, exchange.url.as_deref()), (Some(403), Some("https://www.example.com/a")));
        let handshake = facts().find_map(|it| if let Fact::TlsHandshake(it) = it { Some(it) } else { None }).unwrap();
        assert_eq!(handshake.server, Some("192.0.2.10:443".parse().unwrap()));
        assert!(handshake.chain.is_empty(), "nothing is said of a certificate");
    }
}
