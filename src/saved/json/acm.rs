//! `aws acm`: `describe-certificate`, `list-certificates`, `get-certificate`.

use super::Shape;
use super::document::Object;
use crate::evidence::Mapping;
use crate::evidence::cloud::AcmCertificate;
use crate::saved::command;
use crate::x509;

/// `describe-certificate`, an item of `list-certificates`.
pub static DESCRIBED: Shape = Shape {
    id: "acm certificate",
    is: |object| object.has(&["CertificateArn", "DomainName"]),
    read: |object, _| {
        let names = [object.texts("SubjectAlternativeNames"), object.texts("SubjectAlternativeNameSummaries")].concat();
        Some(Mapping::AcmCertificate(AcmCertificate {
            arn: object.text("CertificateArn"),
            names: if names.is_empty() { object.text("DomainName").into_iter().collect() } else { names },
            status: object.text("Status"),
            not_before: object.time("NotBefore"),
            not_after: object.time("NotAfter"),
            serial: object.text("Serial").map(|serial| serial.replace(':', "").to_lowercase()),
            sha256: None,
        }))
    },
};

/// `get-certificate`: the certificate itself as PEM.
pub static GOTTEN: Shape = Shape {
    id: "acm certificate in PEM",
    is: |object| object.text("Certificate").is_some_and(|text| text.contains("-----BEGIN CERTIFICATE-----")),
    read: gotten,
};

fn gotten(object: &Object<'_>, words: &[String]) -> Option<Mapping> {
    let pem = object.text("Certificate")?;
    let block = x509::pem::blocks((1..).zip(pem.lines())).into_iter().next()?;
    let (certificate, _) = x509::der::read(&block.der.ok()?);
    let san = certificate.san.unwrap_or_default();
    Some(Mapping::AcmCertificate(AcmCertificate {
        arn: command::value(words, &["--certificate-arn"]).map(str::to_owned),
        names: san.dns,
        status: None,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        serial: certificate.serial,
        sha256: certificate.sha256,
    }))
}
