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
