//! Chains built offline: where they end, what is out of place, and that they agree with rustls-webpki.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, UnixTime};
use whycert::provenance::Time;
use whycert::x509::path::{self, End, OutOfDate, Proof};
use whycert::x509::roots::Roots;
use whycert::x509::{Certificate, der};

struct Made {
    der: Vec<u8>,
    parameters: CertificateParams,
    key: KeyPair,
}

fn parameters(name: &str, is_ca: bool) -> CertificateParams {
    let names = if is_ca { Vec::new() } else { vec![name.to_owned()] };
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = if is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::NoCa };
    parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2026, 12, 31);
    parameters
}

fn root(name: &str) -> Made {
    let (parameters, key) = (parameters(name, true), KeyPair::generate().unwrap());
    Made { der: parameters.self_signed(&key).unwrap().der().to_vec(), parameters, key }
}

fn issued(name: &str, is_ca: bool, by: &Made) -> Made {
    let (parameters, key) = (parameters(name, is_ca), KeyPair::generate().unwrap());
    let issuer = Issuer::from_params(&by.parameters, &by.key);
    Made { der: parameters.signed_by(&key, &issuer).unwrap().der().to_vec(), parameters, key }
}

fn read(ders: &[&[u8]]) -> Vec<Certificate> {
    ders.iter().map(|it| der::read(it).0).collect()
}

/// What rustls-webpki says of the chain in July 2026.
fn webpki_trusts(sent: &[&[u8]], root: &[u8]) -> bool {
    let root = CertificateDer::from(root.to_vec());
    let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
    let leaf = CertificateDer::from(sent[0].to_vec());
    let others: Vec<CertificateDer<'_>> = sent[1..].iter().map(|it| CertificateDer::from(it.to_vec())).collect();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(JULY_2026.unsigned_abs()));
    let entity = webpki::EndEntityCert::try_from(&leaf).unwrap();
    let usage = webpki::KeyUsage::server_auth();
    entity.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &others, time, usage, None, None).is_ok()
}

const JULY_2026: i64 = 1_782_864_000;

#[test]
fn chains_end_where_they_should() {
    let trusted = root("Root");
    let intermediate = issued("Intermediate", true, &trusted);
    let leaf = issued("www.example.com", false, &intermediate);
    let other = root("Other");
    let stranger = root("Root");
    let alone = root("www.example.com");
    let forged = issued("www.example.com", false, &stranger);
    let [root, middle, leaf, other, stranger, alone, forged] =
        [&trusted, &intermediate, &leaf, &other, &stranger, &alone, &forged].map(|made| made.der.as_slice());
    let is_root = || End::Root("CN=Root".to_owned());
    for (what, sent, order, extra, end) in [
        ("whole", vec![leaf, middle], vec![0, 1], vec![], is_root()),
        ("with its root", vec![leaf, middle, root], vec![0, 1, 2], vec![], is_root()),
        ("misordered", vec![leaf, root, middle], vec![0, 2, 1], vec![], is_root()),
        ("with an extra", vec![leaf, other, middle], vec![0, 2], vec![1], is_root()),
        ("with a repeat", vec![leaf, middle, middle], vec![0, 1], vec![2], is_root()),
        ("incomplete", vec![leaf], vec![0], vec![], End::Missing("CN=Intermediate".to_owned())),
        ("self-signed", vec![alone], vec![0], vec![], End::SelfSigned),
        ("a root's name, another key", vec![forged], vec![0], vec![], End::OtherKey("CN=Root".to_owned())),
        ("the same with its own root", vec![forged, stranger], vec![0, 1], vec![], End::OtherKey("CN=Root".to_owned())),
        ("nothing", vec![], vec![], vec![], End::Unreadable),
    ] {
        let roots = Roots::read("own.der", root).unwrap();
        let certificates = read(&sent);
        let found = path::build(&certificates.iter().collect::<Vec<_>>(), &roots);
        assert_eq!((&found.order, &found.extra, &found.end), (&order, &extra, &end), "{what}");
        assert_eq!(found.is_in_order(), what != "misordered", "{what}");
        if !sent.is_empty() {
            assert_eq!(matches!(found.end, End::Root(_)), webpki_trusts(&sent, root), "{what}: webpki");
        }
    }
    let certificates = read(&[forged, stranger]);
    let found = path::build(&certificates.iter().collect::<Vec<_>>(), &Roots::read("other.der", other).unwrap());
    assert_eq!(found.end, End::PrivateRoot("CN=Root".to_owned()));
}

#[test]
fn without_the_bytes_only_names_are_compared() {
    let trusted = root("Root");
    let intermediate = issued("Intermediate", true, &trusted);
    let leaf = issued("www.example.com", false, &intermediate);
    let mut told = read(&[&leaf.der, &intermediate.der]);
    for certificate in &mut told {
        certificate.der = None;
    }
    let found = path::build(&told.iter().collect::<Vec<_>>(), &Roots::read("own.der", &trusted.der).unwrap());
    assert_eq!((found.end, found.proof), (End::Root("CN=Root".to_owned()), Proof::Name));
}

#[test]
fn dates_are_those_of_the_evidence() {
    let trusted = root("Root");
    let leaf = issued("www.example.com", false, &trusted);
    let certificates = read(&[&leaf.der]);
    let sent: Vec<&Certificate> = certificates.iter().collect();
    let found = path::build(&sent, &Roots::read("own.der", &trusted.der).unwrap());
    for (seconds, expected) in [
        (JULY_2026, None),
        (JULY_2026 + 365 * 86_400, Some((0, OutOfDate::Expired))),
        (JULY_2026 - 365 * 86_400, Some((0, OutOfDate::NotYetValid))),
    ] {
        assert_eq!(found.first_out_of_date(&sent, Time::stated(seconds, 0)), expected, "{seconds}");
    }
}

#[test]
fn details_are_told_when_asked() {
    let leaf = root("www.example.com");
    let details = whycert::x509::details::of(&der::read(&leaf.der).0).unwrap();
    assert_eq!((details.key.as_str(), details.signature_algorithm.as_str()), ("EC prime256v1", "ecdsa-with-SHA256"));
    assert_eq!(details.scts, 0);
}
