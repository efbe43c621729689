//! Files of one ASN.1 structure (DER, ITU-T X.690): [`read`] takes a certificate (`.cer`, `.crt`, `.der`) or a
//! PKCS#7 bundle of some (`.p7b`), and of a PKCS#12 store says what to send instead.

use crate::x509::{self, Certificate};

/// What such a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Binary {
    /// A certificate.
    Certificate(Box<Certificate>),
    /// The certificates of a PKCS#7 bundle.
    Bundle(Vec<Certificate>),
    /// A store, and what to send instead.
    Store(&'static str),
}

/// Reads a file that is one sequence from its first to its last byte; `None` when it is something else.
pub(super) fn read(bytes: &[u8]) -> Option<Binary> {
    let body = sequence(bytes)?;
    if body.starts_with(PKCS12_VERSION) {
        return Some(Binary::Store(
            "a PKCS#12 store, which can hold a private key; send the output of \
             openssl pkcs12 -in FILE -nokeys | openssl x509 -noout -text",
        ));
    }
    if let Some(bundle) = x509::pkcs7::certificates(bytes) {
        return Some(Binary::Bundle(bundle.into_iter().map(|der| x509::der::read(der).0).collect()));
    }
    match x509::der::read(bytes) {
        (certificate, None) => Some(Binary::Certificate(Box::new(certificate))),
        _ => None,
    }
}

/// What is within the sequence that the bytes are.
fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (&0x30, rest) = bytes.split_first()? else { return None };
    let (first, rest) = rest.split_first()?;
    let (length, body) = match first {
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), rest.get(2..)?),
        0x83 => {
            let [high, middle, low] = *rest.first_chunk()?;
            (usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()?, rest.get(3..)?)
        }
        short if *short < 0x80 => (usize::from(*short), rest),
        _ => return None,
    };
    (body.len() == length).then_some(body)
}

/// RFC 7292 section 4: version 3.
const PKCS12_VERSION: &[u8] = &[0x02, 0x01, 0x03];

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82][..], &length, body].concat()
    }

    #[test]
    fn certificates_are_read_and_stores_named() {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["www.example.com".to_owned()];
        let der = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().to_vec();
        let Some(Binary::Certificate(it)) = read(&der) else { panic!("no certificate") };
        assert_eq!(it.san.unwrap().dns, ["www.example.com"]);
        assert_eq!(read(&der[..der.len() - 1]), None);
        assert_eq!(read(&[&der[..], b"\n"].concat()), None);
        let Some(Binary::Store(words)) = read(&wrapped(&[PKCS12_VERSION, &[0; 300]].concat())) else { panic!() };
        assert!(words.contains("pkcs12"), "{words}");
        for other in [&b""[..], b"0", b"0\x82", b"0\x03\x02\x01\x05", b"0 plain text", &wrapped(&[0; 400])] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
