//! Causes that lie in the network the client is in.

use std::collections::BTreeSet;

use crate::provider::suffix;

pub mod block_page;
pub mod captive_portal;

/// Whether a certificate is that of a portal or of a filter, by its words.
pub(super) fn is_of_network(leaf: &crate::case::Leaf<'_>) -> bool {
    let texts = texts(leaf);
    names_one(captive_portal::PORTALS, &texts).or_else(|| names_one(block_page::FILTERS, &texts)).is_some()
}

/// Whether one of the words stands in one of the texts, both in lower case.
fn names_one<'w>(words: &[&'w str], texts: &[String]) -> Option<&'w str> {
    words.iter().copied().find(|word| texts.iter().any(|text| holds(text, word)))
}

/// Whether a word stands in a text on its own: `captive` is none of `captivelead.com`.
fn holds(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (text.get(..at), text.get(at.saturating_add(word.len())..));
        let ends = [before.and_then(|it| it.chars().next_back()), behind.and_then(|it| it.chars().next())];
        !ends.into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// What a certificate says of itself, in lower case: its names, its subject and its issuer. The names of
/// one that many owners share say nothing of who presents it.
fn texts(leaf: &crate::case::Leaf<'_>) -> Vec<String> {
    let certificate = leaf.certificate;
    let described = [&certificate.subject, &certificate.issuer].into_iter().flatten().map(String::as_str);
    let labels = leaf.labels();
    let owners: BTreeSet<String> = labels.iter().map(|label| suffix::owner(label)).collect();
    let own = labels.into_iter().filter(|_| owners.len() <= OWNERS_OF_ONE);
    own.chain(described).map(str::to_ascii_lowercase).collect()
}

/// A portal or a filter presents names of its own; a certificate of a content network those of many.
const OWNERS_OF_ONE: usize = 3;
