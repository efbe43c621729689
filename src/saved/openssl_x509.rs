//! `openssl x509`: `-subject`, `-issuer`, `-dates`, `-serial`, `-fingerprint`, `-ext subjectAltName`, `-text`.

use super::grammar::{dn, time};
use super::{RunText, SavedFormat, Sink, command};
use crate::evidence::{Fact, Run, ServerName};
use crate::name::Name;
use crate::x509::{Certificate, San};

/// `openssl x509`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "openssl_x509",
    made_by: "openssl x509 -noout -subject -issuer -dates -ext subjectAltName, openssl x509 -text",
    is_command: |words| matches!(words, [tool, sub, ..] if tool == "openssl" && sub == "x509"),
    opens: |line| {
        line == "Certificate:"
            || line.starts_with("subject=")
            || line.starts_with("notBefore=")
            || line.trim() == "X509v3 Subject Alternative Name:"
    },
    repeats: false,
    read,
};

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let s_client = run
        .pipeline
        .iter()
        .find(|stage| matches!(stage.as_slice(), [tool, sub, ..] if tool == "openssl" && sub == "s_client"));
    let host = s_client.and_then(|words| {
        let connect =
            || command::value(words, &["-connect"]).map(|it| it.rsplit_once(':').map_or(it, |(host, _)| host));
        command::value(words, &["-servername"]).or_else(connect).and_then(Name::parse)
    });
    sink.observe(
        Fact::Run(Run {
            run: run.number,
            tool: "openssl x509".to_owned(),
            version: run.version.clone(),
            command: run.shown.clone(),
            vantage: run.vantage.clone(),
            time: None,
            host: host.filter(|host| host.ip().is_none()),
            server_name: ServerName::Unknown,
        }),
        [run.first_line()],
    );
    let mut certificate = Certificate {
        sha256: None,
        local_id: None,
        subject: None,
        issuer: None,
        san: None,
        not_before: None,
        not_after: None,
        serial: None,
        run: Some(run.number),
        der: None,
    };
    let mut lines = Vec::new();
    let mut names_follow = false;
    for line in run.lines {
        let text = line.text.trim();
        let is_used = if std::mem::take(&mut names_follow) {
            certificate.san = Some(san(text));
            true
        } else if text.starts_with("X509v3 Subject Alternative Name:") {
            names_follow = true;
            true
        } else {
            field(&mut certificate, text)
        };
        if is_used {
            lines.push(line.number);
        }
    }
    if let Some(first) = lines.first() {
        certificate.local_id = certificate.sha256.is_none().then(|| sink.local_id(*first));
        sink.observe(Fact::Certificate(certificate), lines);
    }
}

/// Takes one line; whether it said something.
fn field(certificate: &mut Certificate, text: &str) -> bool {
    let after = |names: &[&str]| names.iter().find_map(|name| text.strip_prefix(name)).map(str::trim);
    if let Some(value) = after(&["subject=", "Subject:"]) {
        certificate.subject = Some(dn::normal(value));
    } else if let Some(value) = after(&["issuer=", "Issuer:"]) {
        certificate.issuer = Some(dn::normal(value));
    } else if let Some(value) = after(&["notBefore=", "Not Before:"]) {
        certificate.not_before = time::certificate_date(value);
    } else if let Some(value) = after(&["notAfter=", "Not After :"]) {
        certificate.not_after = time::certificate_date(value);
    } else if let Some(value) = after(&["serial="]) {
        certificate.serial = Some(value.to_lowercase());
    } else if let Some(value) = after(&["sha256 Fingerprint=", "SHA256 Fingerprint="]) {
        certificate.sha256 = Some(value.replace(':', "").to_lowercase()).filter(|digits| digits.len() == 64);
    } else {
        return false;
    }
    true
}

/// `DNS:*.example.com, DNS:example.com, IP Address:192.0.2.1`.
fn san(text: &str) -> San {
    let mut san = San::default();
    for entry in text.split(", ") {
        match entry.trim().split_once(':') {
            Some(("DNS", name)) => san.dns.push(name.to_owned()),
            Some(("IP Address", address)) => san.ip.push(address.to_owned()),
            _ => san.other = san.other.saturating_add(1),
        }
    }
    san
}
