//! Trusted roots ([`Roots`]): those of Mozilla's programme, embedded, or those that a user brings.
//!
//! The crate that carries the embedded ones has no date of its own: its version stands for it. A root is
//! found by its name, and proves itself by its key ([`super::path`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use super::{der, pem};
use crate::limits::ROOTS_MAX;

/// The version of the crate with the embedded set; a test compares it with the lock file.
pub const VERSION: &str = "1.0.11";

/// A set of trusted roots.
#[derive(Clone, Debug)]
pub struct Roots {
    by_subject: Arc<BTreeMap<String, Vec<Vec<u8>>>>,
    /// The user's file; `None` for the embedded set.
    file: Option<String>,
}

/// Whether the organisation of a distinguished name is one that runs an embedded root: its
/// intermediates carry it too.
pub fn runs_a_root(name: &str) -> bool {
    organisation(name).is_some_and(|it| ORGANISATIONS.contains(it))
}

fn organisation(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once("O=").filter(|(before, _)| before.is_empty() || before.ends_with(", "))?;
    rest.split(", ").next()
}

static ORGANISATIONS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| EMBEDDED.keys().filter_map(|subject| organisation(subject)).map(str::to_owned).collect());

/// The embedded set.
pub fn embedded() -> Roots {
    Roots { by_subject: EMBEDDED.clone(), file: None }
}

impl Roots {
    /// Reads the certificates of a file, PEM or DER.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(bytes);
        let blocks = pem::blocks((1..).zip(text.lines()));
        let ders: Vec<Vec<u8>> = if blocks.is_empty() {
            vec![bytes.to_vec()]
        } else {
            let read: Result<Vec<_>, String> =
                blocks.into_iter().map(|it| it.der.map_err(|why| format!("line {}: {why}", it.first))).collect();
            read?
        };
        if ders.len() > ROOTS_MAX {
            return Err(format!("{} certificates, more than {ROOTS_MAX}", ders.len()));
        }
        let mut by_subject: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for (number, it) in (1..).zip(ders) {
            let (certificate, problem) = der::read(&it);
            let why = problem.unwrap_or_else(|| "no subject".to_owned());
            let subject = certificate.subject.ok_or_else(|| format!("certificate {number} cannot be read: {why}"))?;
            by_subject.entry(subject).or_default().push(it);
        }
        Ok(Self { by_subject: Arc::new(by_subject), file: Some(name.to_owned()) })
    }

    /// The roots of a name, as certificates give it here, in DER form.
    pub fn named(&self, subject: &str) -> &[Vec<u8>] {
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }

    /// Whether a root has this name.
    pub fn has(&self, subject: &str) -> bool {
        self.by_subject.contains_key(subject)
    }

    /// Whether it is the embedded set.
    pub fn is_embedded(&self) -> bool {
        self.file.is_none()
    }

    /// How many roots there are.
    pub fn entries(&self) -> usize {
        self.by_subject.values().map(Vec::len).sum()
    }

    /// The day or version of the set.
    pub fn as_of(&self) -> &str {
        self.file.as_deref().unwrap_or(VERSION)
    }

    /// Where it comes from.
    pub fn source(&self) -> String {
        self.file.as_ref().map_or_else(|| "crate webpki-root-certs".to_owned(), |_| "--roots".to_owned())
    }

    /// `webpki-root-certs 1.0.11`, or the name of the user's file.
    pub fn dated(&self) -> String {
        self.file.clone().unwrap_or_else(|| format!("webpki-root-certs {VERSION}"))
    }
}

static EMBEDDED: LazyLock<Arc<BTreeMap<String, Vec<Vec<u8>>>>> = LazyLock::new(|| {
    let mut by_subject: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        if let Some(subject) = der::read(root.as_ref()).0.subject {
            by_subject.entry(subject).or_default().push(root.as_ref().to_vec());
        }
    }
    Arc::new(by_subject)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_known() {
        assert!(embedded().has("C=US, O=Amazon, CN=Amazon Root CA 1"));
        assert!(!embedded().has("C=US, O=Amazon, CN=Amazon RSA 2048 M02"));
    }

    #[test]
    fn a_file_of_roots_is_read_whole_or_refused() {
        let root = embedded().named("C=US, O=Amazon, CN=Amazon Root CA 1").first().unwrap().clone();
        let own = Roots::read("own.der", &root).unwrap();
        assert_eq!((own.entries(), own.dated().as_str()), (1, "own.der"));
        for bad in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\nMAMC\n-----END CERTIFICATE-----\n"] {
            assert!(Roots::read("bad", bad).is_err(), "{bad:?}");
        }
    }
}
