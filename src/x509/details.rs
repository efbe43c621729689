//! What of a certificate matters now and then ([`Details`]): its key, its signature algorithm, whether
//! it carries certificate timestamps. Read from the DER form when somebody asks.

use serde::Serialize;
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::Certificate;

/// The details of one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Details {
    /// The kind and size of its key: `RSA 2048`, `EC prime256v1`, or the algorithm's OID.
    pub key: String,
    /// The algorithm of its signature, such as `sha256WithRSAEncryption`.
    pub signature_algorithm: String,
    /// How many signed certificate timestamps it carries (RFC 6962).
    pub scts: usize,
}

/// Reads them; `None` when the certificate is known from a text only, or cannot be read.
pub fn of(certificate: &Certificate) -> Option<Details> {
    let der = certificate.der()?;
    let (_, parsed) = X509Certificate::from_der(&der).ok()?;
    let scts = parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SCT(list) => Some(list.len()),
        _ => None,
    });
    Some(Details {
        key: key(&parsed),
        signature_algorithm: short_name(&parsed.signature_algorithm.algorithm),
        scts: scts.unwrap_or(0),
    })
}

fn key(certificate: &X509Certificate<'_>) -> String {
    let info = certificate.public_key();
    let curve = || info.algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok());
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(_)) => curve().map_or_else(|| "EC".to_owned(), |oid| format!("EC {}", short_name(&oid))),
        _ => short_name(&info.algorithm.algorithm),
    }
}

fn short_name(oid: &x509_parser::oid_registry::Oid<'_>) -> String {
    oid2sn(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned)
}
