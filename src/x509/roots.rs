//! The root certificates that Mozilla's programme trusts, embedded ([`is_root`]); only their subjects
//! are used. The crate that carries them has no date of its own: its version stands for it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::der;

/// The version of the embedded set.
pub const VERSION: &str = "webpki-root-certs 1.0";

/// Whether a distinguished name, as certificates give it here, is a trusted root's subject.
pub fn is_root(name: &str) -> bool {
    SUBJECTS.contains(name)
}

/// Whether the organisation of a distinguished name is one that runs a trusted root: its intermediates
/// carry it too.
pub fn runs_a_root(name: &str) -> bool {
    organisation(name).is_some_and(|it| ORGANISATIONS.contains(it))
}

fn organisation(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once("O=").filter(|(before, _)| before.is_empty() || before.ends_with(", "))?;
    rest.split(", ").next()
}

static ORGANISATIONS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| SUBJECTS.iter().filter_map(|subject| organisation(subject)).map(str::to_owned).collect());

static SUBJECTS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|root| der::read(root.as_ref()).0.subject).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_known() {
        assert!(is_root("C=US, O=Amazon, CN=Amazon Root CA 1"));
        assert!(!is_root("C=US, O=Amazon, CN=Amazon RSA 2048 M02"));
    }
}
