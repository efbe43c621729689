//! Causes that lie in the network the client is in.

pub mod block_page;
pub mod captive_portal;

/// Whether a certificate is that of a portal or of a filter, by its words.
pub(super) fn is_of_network(leaf: &crate::case::Leaf<'_>) -> bool {
    let texts = texts(leaf);
    names_one(captive_portal::PORTALS, &texts).or_else(|| names_one(block_page::FILTERS, &texts)).is_some()
}

/// Whether one of the words stands in one of the texts, both in lower case.
fn names_one<'w>(words: &[&'w str], texts: &[String]) -> Option<&'w str> {
    words.iter().copied().find(|word| texts.iter().any(|text| text.contains(word)))
}

/// What a certificate says of itself, in lower case: its names, its subject and its issuer.
fn texts(leaf: &crate::case::Leaf<'_>) -> Vec<String> {
    let certificate = leaf.certificate;
    let described = [&certificate.subject, &certificate.issuer].into_iter().flatten().map(String::as_str);
    leaf.labels().into_iter().chain(described).map(str::to_ascii_lowercase).collect()
}
