//! A [`Certificate`] from its DER form.
//!
//! Follows RFC 5280 section 4.1. A certificate that the grammar refuses keeps its digest and says
//! why. Values are escaped so that one line stays one line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate, X509Name};

use super::{Certificate, San};
use crate::limits::SAN_ENTRIES_MAX;
use crate::provenance::Time;

/// Reads a certificate, and says what could not be read of it.
pub fn read(der: &[u8]) -> (Certificate, Option<String>) {
    let mut certificate = Certificate {
        sha256: Some(digest(der)),
        local_id: None,
        subject: None,
        issuer: None,
        san: None,
        not_before: None,
        not_after: None,
        serial: None,
        run: None,
        der: Some(STANDARD.encode(der)),
    };
    match X509Certificate::from_der(der) {
        Ok((_, parsed)) => {
            certificate.subject = Some(distinguished_name(parsed.subject()));
            certificate.issuer = Some(distinguished_name(parsed.issuer()));
            certificate.san = Some(alternative_names(&parsed));
            certificate.not_before = Some(Time::stated(parsed.validity().not_before.timestamp(), 0));
            certificate.not_after = Some(Time::stated(parsed.validity().not_after.timestamp(), 0));
            certificate.serial = Some(serial(parsed.raw_serial()));
            (certificate, None)
        }
        Err(error) => (certificate, Some(error.to_string())),
    }
}

/// The digest of a certificate, by which handshakes name it.
pub fn digest(der: &[u8]) -> String {
    hex(&Sha256::digest(der))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

fn serial(bytes: &[u8]) -> String {
    let digits = hex(bytes);
    let short = digits.strip_prefix("00").filter(|rest| !rest.is_empty());
    short.unwrap_or(&digits).to_owned()
}

fn alternative_names(certificate: &X509Certificate<'_>) -> San {
    let mut san = San::default();
    let mut left = SAN_ENTRIES_MAX;
    for extension in certificate.extensions() {
        let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else {
            continue;
        };
        for name in &names.general_names {
            match name {
                GeneralName::DNSName(dns) if left > 0 => san.dns.push(clean(dns)),
                GeneralName::IPAddress(ip) if left > 0 => match address(ip) {
                    Some(ip) => san.ip.push(ip),
                    None => san.other = san.other.saturating_add(1),
                },
                _ => san.other = san.other.saturating_add(1),
            }
            left = left.saturating_sub(1);
        }
    }
    san
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| std::net::Ipv6Addr::from(v6).to_string())
}

/// A distinguished name as `C=US, O=Amazon, CN=x`; a comma within a value is escaped.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let relative = name.iter_rdn().map(|rdn| {
        let parts: Vec<String> = rdn
            .iter()
            .map(|part| {
                let known = x509_parser::objects::oid2abbrev(part.attr_type(), x509_parser::objects::oid_registry());
                let kind = known.map_or_else(|_| part.attr_type().to_id_string(), str::to_owned);
                let value = part.as_str().map_or_else(|_| hex(part.as_slice()), |text| clean(text).replace(',', "\\,"));
                format!("{kind}={value}")
            })
            .collect();
        parts.join(" + ")
    });
    relative.collect::<Vec<_>>().join(", ")
}

/// Control characters become `\DDD`.
fn clean(text: &str) -> String {
    text.chars().fold(String::new(), |mut clean, c| {
        if c.is_control() {
            clean.push_str(format!("\\{:03}", u32::from(c)).as_str());
        } else {
            clean.push(c);
        }
        clean
    })
}
