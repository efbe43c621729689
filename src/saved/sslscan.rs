//! `sslscan`, as text and as XML: the address, the SNI it says it used, and the leaf.

use std::net::{IpAddr, SocketAddr};

use super::connection::{self, Connection};
use super::grammar::{address, dn, time};
use super::openssl_x509::san;
use super::{RunText, SavedFormat, Sink};
use crate::evidence::ServerName;
use crate::name::Name;
use crate::x509::{self, Certificate};

/// `sslscan`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "sslscan",
    made_by: "sslscan, as text or --xml",
    is_command: |words| words.first().is_some_and(|word| word == "sslscan"),
    opens: |line| {
        line.starts_with("Testing SSL server ")
            || line.starts_with("<document title=\"SSLScan Results\"")
            || line.trim_start().starts_with("<ssltest host=")
            || (line.starts_with("Connected to ")
                && line.trim_end().rsplit(' ').next().is_some_and(|it| it.parse::<IpAddr>().is_ok()))
    },
    repeats: false,
    read,
};

/// What the head of the output says.
#[derive(Default)]
struct Head {
    address: Option<IpAddr>,
    host: Option<Name>,
    port: Option<u16>,
    sni: Option<Name>,
    lines: Vec<u32>,
}

impl Head {
    fn take(&mut self, text: &str) -> bool {
        if let Some(address) = text.strip_prefix("Connected to ") {
            self.address = address.trim().parse().ok();
        } else if let Some(rest) = text.strip_prefix("Testing SSL server ") {
            let (host, rest) = rest.split_once(" on port ").unwrap_or((rest, ""));
            let (port, sni) = rest.split_once(" using SNI name ").unwrap_or((rest, ""));
            self.host = address::host(host);
            self.port = port.trim().parse().ok();
            self.sni = address::host(sni.trim());
        } else if text.starts_with("<ssltest ") {
            let attribute = |name: &str| Some(text.split_once(&format!("{name}=\""))?.1.split('"').next()?.to_owned());
            self.host = attribute(" host").and_then(|it| address::host(&it));
            self.sni = attribute("sniname").and_then(|it| address::host(&it));
            self.port = attribute("port").and_then(|it| it.parse().ok());
        } else {
            return false;
        }
        true
    }
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let mut head = Head::default();
    let mut certificate = connection::described(run, run.first_line(), sink);
    let mut lines = Vec::new();
    for line in run.lines {
        let text = line.text.trim();
        if head.take(text) {
            head.lines.push(line.number);
        } else if field(&mut certificate, &plain(text)) {
            lines.push(line.number);
        }
    }
    for block in x509::pem::blocks(run.lines.iter().map(|line| (line.number, line.text.as_str()))) {
        if let Ok(der) = &block.der {
            certificate = connection::whole(run, der);
            lines.extend(block.first..=block.last);
            break;
        }
    }
    // It sends the name it was given, and says so; an address sends none.
    let server_name = match (&head.sni, &head.host) {
        (Some(sni), _) if sni.ip().is_none() => ServerName::Yes(sni.to_string()),
        (_, Some(host)) if host.ip().is_some() => ServerName::No,
        _ => ServerName::Unknown,
    };
    let host = head.sni.clone().filter(|name| name.ip().is_none()).or_else(|| head.host.clone());
    sink.observe(run.fact("sslscan", None, host, server_name.clone()), [run.first_line()]);
    if lines.is_empty() {
        return;
    }
    let server = head.address.map(|address| SocketAddr::new(address, head.port.unwrap_or(443)));
    let dialed = head.host.map(|host| host.to_string());
    let chain = vec![(certificate, lines)];
    Connection { server, dialed, server_name, chain, lines: head.lines, ..Connection::default() }.observe(run, sink);
}

/// `<subject><![CDATA[x]]></subject>` as `Subject:  x`.
fn plain(text: &str) -> String {
    for (tag, label) in TAGS {
        let inner = text.strip_prefix(&format!("<{tag}>")).and_then(|rest| rest.strip_suffix(&format!("</{tag}>")));
        if let Some(inner) = inner {
            let value = inner.trim_start_matches("<![CDATA[").trim_end_matches("]]>");
            return format!("{label} {value}");
        }
    }
    text.to_owned()
}

fn field(certificate: &mut Certificate, text: &str) -> bool {
    let Some((label, value)) = text.split_once(':') else { return false };
    let value = value.trim();
    match label {
        "Subject" => certificate.subject = Some(name(value)),
        "Issuer" => certificate.issuer = Some(name(value)),
        "Altnames" => certificate.san = Some(san(value)),
        "Not valid before" => certificate.not_before = time::certificate_date(value),
        "Not valid after" => certificate.not_after = time::certificate_date(value),
        _ => return false,
    }
    true
}

/// A whole name, or the common name that the short form prints alone.
fn name(value: &str) -> String {
    if value.starts_with('/') || value.contains('=') { dn::normal(value) } else { dn::type_and_value("CN", value) }
}

const TAGS: &[(&str, &str)] = &[
    ("subject", "Subject:"),
    ("issuer", "Issuer:"),
    ("altnames", "Altnames:"),
    ("not-valid-before", "Not valid before:"),
    ("not-valid-after", "Not valid after:"),
];
