//! The explaining matcher against rustls-webpki on generated names: they agree without exception.

use proptest::prelude::*;
use whycert::name::{Name, match_dns};

/// A label that a host name can hold.
fn label() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["www", "api", "example", "a", "x-1", "com", "net", "WWW", "0", "xn--bcher-kva"])
        .prop_map(str::to_owned)
}

fn host() -> impl Strategy<Value = String> {
    prop::collection::vec(label(), 2..5).prop_map(|labels| labels.join("."))
}

/// A presented identifier near the host: itself, a wildcard at some depth, or another name.
fn presented(host: &str) -> BoxedStrategy<String> {
    let labels: Vec<String> = host.split('.').map(str::to_owned).collect();
    let parents: Vec<String> = (0..labels.len()).map(|at| labels[at..].join(".")).collect();
    let wildcards: Vec<String> = parents.iter().map(|parent| format!("*.{parent}")).collect();
    prop_oneof![
        prop::sample::select(parents),
        prop::sample::select(wildcards),
        self::host(),
        self::host().prop_map(|name| format!("*.{name}")),
        Just(format!("{host}.")),
        Just(format!("w*.{}", labels.get(1..).unwrap_or_default().join("."))),
        Just(format!("*.*.{}", labels.get(2..).unwrap_or_default().join("."))),
    ]
    .boxed()
}

/// What rustls-webpki says of a certificate that presents only this name.
fn webpki_says(host: &str, presented: &str) -> Option<bool> {
    let parameters = rcgen::CertificateParams::new(vec![presented.to_owned()]).ok()?;
    let key = rcgen::KeyPair::generate().ok()?;
    let certificate = parameters.self_signed(&key).ok()?;
    let entity = webpki::EndEntityCert::try_from(certificate.der()).ok()?;
    let name = rustls_pki_types::ServerName::try_from(host.to_owned()).ok()?;
    Some(entity.verify_is_valid_for_subject_name(&name).is_ok())
}

/// What both refuse though it looks as if it fitted, with the reason; the property below has no exception.
const REFUSED_BY_BOTH: &[(&str, &str, &str)] = &[
    ("a wildcard over one label would cover a whole top-level domain", "example.com", "*.com"),
    ("identifiers never end in a dot", "www.example.com", "www.example.com."),
    ("a wildcard is the whole left-most label", "www.example.com", "w*.example.com"),
    ("there is one wildcard only", "www.example.com", "*.*.com"),
];

#[test]
fn what_looks_as_if_it_fitted_is_refused_by_both() {
    for (why, host, presented) in REFUSED_BY_BOTH {
        assert!(match_dns(&Name::parse(host).unwrap(), presented).is_err(), "{why}: ours");
        assert_ne!(webpki_says(host, presented), Some(true), "{why}: webpki's");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_matcher_agrees_with_webpki((host, presented) in host().prop_flat_map(|host| {
        let presented = presented(&host);
        (Just(host), presented)
    })) {
        let ours = match_dns(&Name::parse(&host).unwrap(), &presented).is_ok();
        if let Some(theirs) = webpki_says(&host, &presented) {
            prop_assert_eq!(ours, theirs, "{} against {}", host, presented);
        }
    }
}
