//! `JSON.stringify(socket.getPeerCertificate())` of Node.js: a certificate with its bytes as a list of numbers.
//!
//! Where the bytes are whole the certificate is what they say; else it is what the fields say. The program that
//! printed it knows the server name, the JSON does not.

use super::document::{Document, Object};
use crate::saved::connection::{self, Connection};
use crate::saved::grammar::{dn, time};
use crate::saved::peer_certificate;
use crate::saved::{RunText, Sink};
use crate::x509::{Certificate, San};

/// Reads a document of one certificate; whether it is one.
pub(super) fn read(document: &Document<'_>, run: &RunText<'_>, sink: &mut Sink) -> bool {
    let Some(root) = document.root() else { return false };
    let Some(object) = Object::of(root).filter(is_certificate) else { return false };
    let lines = document.lines_of(root);
    let first = *lines.start();
    let certificate = whole(&object, run).unwrap_or_else(|| told(&object, connection::described(run, first, sink)));
    let (server_name, dialed) = peer_certificate::asked(run);
    let at = run.command_line.map_or(first, |line| line.number);
    sink.observe(run.fact("node", None, dialed.clone(), server_name.clone()), [at]);
    let dialed = dialed.map(|name| name.to_string());
    Connection { server_name, dialed, chain: vec![(certificate, lines.collect())], ..Connection::default() }
        .observe(run, sink);
    true
}

fn is_certificate(object: &Object<'_>) -> bool {
    object.has(&["subject", "issuer", "valid_from", "valid_to", "fingerprint256"])
}

/// `"raw": {"type": "Buffer", "data": [48, 130, …]}`.
fn whole(object: &Object<'_>, run: &RunText<'_>) -> Option<Certificate> {
    let raw = object.object("raw")?;
    let bytes: Vec<u8> = raw.number("data")?;
    let certificate = connection::whole(run, &bytes);
    let digest = object.text("fingerprint256")?.replace(':', "").to_lowercase();
    (certificate.sha256.as_ref() == Some(&digest)).then_some(certificate)
}

/// What the fields say.
fn told(object: &Object<'_>, described: Certificate) -> Certificate {
    let digest = object.text("fingerprint256").map(|text| text.replace(':', "").to_lowercase());
    let sha256 = digest.filter(|it| it.len() == SHA256_DIGITS && it.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let date = |key: &str| time::certificate_date(&object.text(key)?);
    let common_name = |key: &str| object.object(key)?.text("CN").map(|name| dn::type_and_value("CN", &name));
    let names = object.text("subjectaltname").map(|text| peer_certificate::names(&text));
    Certificate {
        local_id: if sha256.is_some() { None } else { described.local_id.clone() },
        sha256,
        subject: common_name("subject"),
        issuer: common_name("issuer"),
        san: names.or_else(|| (!object.has(&["subjectaltname"])).then(San::default)),
        not_before: date("valid_from"),
        not_after: date("valid_to"),
        serial: object.text("serialNumber").map(|text| text.to_lowercase()),
        ..described
    }
}

const SHA256_DIGITS: usize = 64;
