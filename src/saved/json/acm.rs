//! `aws acm`: `describe-certificate`, `list-certificates`, `get-certificate`.

use super::Shape;
use super::document::Object;
use crate::evidence::Mapping;
use crate::evidence::cloud::AcmCertificate;
use crate::saved::command;
use crate::x509::{self, Certificate};

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
    Some(of_certificate(x509::der::read(&block.der.ok()?).0, words))
}

/// What a certificate that AWS printed says of ACM; that a server presents it is not said.
pub(super) fn of_certificate(certificate: Certificate, words: &[String]) -> Mapping {
    let san = certificate.san.unwrap_or_default();
    Mapping::AcmCertificate(AcmCertificate {
        arn: command::value(words, &["--certificate-arn"]).map(str::to_owned),
        names: san.dns,
        status: None,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        serial: certificate.serial,
        sha256: certificate.sha256,
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use crate::evidence::Fact;
    use crate::saved;

    fn facts(text: &str) -> (usize, usize) {
        let observations = saved::read("ticket.txt", text.as_bytes()).observations;
        let count = |test: fn(&Fact) -> bool| observations.iter().filter(|it| test(&it.fact)).count();
        (count(|it| matches!(it, Fact::CloudMapping(_))), count(|it| matches!(it, Fact::Certificate(_))))
    }

    #[test]
    fn a_certificate_that_aws_prints_is_no_presented_one() {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["www.example.com".to_owned()];
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let body = base64::engine::general_purpose::STANDARD.encode(certificate.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        let text = format!("$ aws acm get-certificate --certificate-arn arn:aws:acm:x --output text\n{pem}\n");
        assert_eq!(facts(&text), (1, 0));
        let served = format!(
            "$ openssl s_client -connect www.example.com:443\nCONNECTED(00000003)\nServer certificate\n{pem}\n"
        );
        assert_eq!(facts(&served), (0, 1));
        assert_eq!(facts(&format!("{text}{served}")), (1, 1));
        assert_eq!(facts(&pem), (0, 1), "of a file alone nothing says whose it is");
    }
}
