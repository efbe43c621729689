//! Causes that lie in the network the client is in.

pub mod block_page;
pub mod captive_portal;

/// Whether one of the words stands in one of the texts.
fn names_one<'w>(words: &[&'w str], texts: &[String]) -> Option<&'w str> {
    words.iter().copied().find(|word| texts.iter().any(|text| text.to_ascii_lowercase().contains(word)))
}

/// What a certificate says of itself: its names, its subject and its issuer.
fn texts(leaf: &crate::case::Leaf<'_>) -> Vec<String> {
    let certificate = leaf.certificate;
    let mut texts: Vec<String> = leaf.labels().into_iter().map(str::to_owned).collect();
    texts.extend(certificate.subject.clone());
    texts.extend(certificate.issuer.clone());
    texts
}
