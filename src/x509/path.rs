//! The chain of a leaf, built offline from what was sent and a set of roots ([`build`], [`Path`]).
//!
//! It decides which certificate issued which: by name (RFC 5280 section 6.1), and by signature where
//! both are here in DER form and the algorithm is known. It says where the chain ends ([`End`]), what
//! stands in the wrong place and what belongs to no chain. Dates are asked for on their own
//! ([`Path::first_out_of_date`]), at the time that the evidence states. Trust is the client's: a chain
//! that ends in no root of the set is told, not judged.

use x509_parser::error::X509Error;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::Certificate;
use super::roots::Roots;
use crate::provenance::Time;

/// A chain, in places of the certificates as they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The leaf, its issuer, and so on, as far as they were sent; begins with 0.
    pub order: Vec<usize>,
    /// What belongs to no chain of the leaf: unrelated certificates and repeats.
    pub extra: Vec<usize>,
    /// Where the chain ends.
    pub end: End,
    /// How many of `order` lead to a root of the set: what stands above is sent for other clients.
    pub anchored: Option<usize>,
    /// How the last step was told.
    pub proof: Proof,
}

/// Where a chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At a root of the set.
    Root(String),
    /// The leaf signed itself.
    SelfSigned,
    /// At a self-signed certificate that is sent and is no root of the set.
    PrivateRoot(String),
    /// An issuer that has the name of a root of the set and another key.
    OtherKey(String),
    /// This issuer is neither sent nor a root of the set.
    Missing(String),
    /// The names cannot be read.
    Unreadable,
}

/// How an issuer was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its key verifies the signature.
    Signature,
    /// Its name is the issuer's; a certificate is not here in DER form, or the algorithm is unknown.
    Name,
}

/// Which date of a certificate of the chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfDate {
    /// Its notAfter lies before the time.
    Expired,
    /// Its notBefore lies after the time.
    NotYetValid,
}

impl Path {
    /// Whether the issuers stand behind what they issued, as they should (RFC 8446 section 4.4.2).
    pub fn is_in_order(&self) -> bool {
        self.order.is_sorted()
    }

    /// Whether a client that trusts the set needs a certificate sent for its chain; all where the chain
    /// ends in no root of the set.
    pub fn needs(&self, at: usize) -> bool {
        let nth = self.order.iter().position(|it| *it == at);
        nth.is_some_and(|nth| self.anchored.is_none_or(|anchored| nth < anchored))
    }

    /// The first certificate of the chain, from the leaf on, that is out of date.
    pub fn first_out_of_date(&self, sent: &[&Certificate], time: Time) -> Option<(usize, OutOfDate)> {
        self.order.iter().find_map(|at| {
            let certificate = sent.get(*at)?;
            if certificate.not_after.is_some_and(|end| time.seconds > end.seconds) {
                return Some((*at, OutOfDate::Expired));
            }
            let early = certificate.not_before.is_some_and(|start| start.seconds > time.seconds);
            early.then_some((*at, OutOfDate::NotYetValid))
        })
    }
}

/// Builds the chain of the first certificate sent.
pub fn build(sent: &[&Certificate], roots: &Roots) -> Path {
    let ders: Vec<Option<Vec<u8>>> = sent.iter().map(|it| it.der()).collect();
    let walk = Walk { sent, ders, roots };
    let order = walk.order();
    let extra = (0..sent.len()).filter(|at| !order.contains(at)).collect();
    let anchored = order.iter().position(|at| walk.root_above(*at).is_some()).map(|nth| nth.saturating_add(1));
    let (end, proof) = walk.end(&order);
    Path { order, extra, end, anchored, proof }
}

struct Walk<'s> {
    sent: &'s [&'s Certificate],
    ders: Vec<Option<Vec<u8>>>,
    roots: &'s Roots,
}

impl Walk<'_> {
    /// The certificates sent that lead up from the leaf.
    fn order(&self) -> Vec<usize> {
        let mut order = Vec::new();
        let mut next = (!self.sent.is_empty()).then_some(0);
        while let Some(at) = next {
            order.push(at);
            next = self.issuer_of(at, &order);
        }
        order
    }

    fn issuer_of(&self, at: usize, used: &[usize]) -> Option<usize> {
        let child = self.sent.get(at)?;
        if child.subject == child.issuer {
            return None;
        }
        let is_named = |other: usize| {
            let named = self.sent.get(other).is_some_and(|it| it.subject.is_some() && it.subject == child.issuer);
            named && !used.contains(&other)
        };
        let signed = |other: usize| self.verify(at, self.ders.get(other).and_then(Option::as_deref));
        let candidates: Vec<usize> = (0..self.sent.len()).filter(|other| is_named(*other)).collect();
        let proven = candidates.iter().find(|other| signed(**other) == Some(true));
        proven.or_else(|| candidates.iter().find(|other| signed(**other).is_none())).copied()
    }

    /// Whether an issuer's key verifies a certificate's signature; `None` where it cannot be told.
    fn verify(&self, child: usize, issuer: Option<&[u8]>) -> Option<bool> {
        verify(self.ders.get(child)?.as_deref()?, issuer?)
    }

    fn end(&self, order: &[usize]) -> (End, Proof) {
        for at in order {
            if let Some(found) = self.root_above(*at) {
                return found;
            }
        }
        let Some(top) = order.last().and_then(|at| self.sent.get(*at)) else {
            return (End::Unreadable, Proof::Name);
        };
        let (Some(subject), Some(issuer)) = (&top.subject, &top.issuer) else {
            return (End::Unreadable, Proof::Name);
        };
        let other_key = order.iter().filter_map(|at| self.sent.get(*at)?.issuer.as_ref());
        if let Some(name) = other_key.into_iter().find(|name| self.roots.has(name)) {
            return (End::OtherKey(name.clone()), Proof::Signature);
        }
        let own = order.last().map(|at| self.verify(*at, self.ders.get(*at).and_then(Option::as_deref)));
        let proof = if own == Some(Some(true)) { Proof::Signature } else { Proof::Name };
        match (subject == issuer, order.len()) {
            (true, 1) => (End::SelfSigned, proof),
            (true, _) => (End::PrivateRoot(subject.clone()), proof),
            (false, _) => (End::Missing(issuer.clone()), Proof::Name),
        }
    }

    /// The root of the set that a certificate is, or that issued it.
    fn root_above(&self, at: usize) -> Option<(End, Proof)> {
        let certificate = self.sent.get(at)?;
        let der = self.ders.get(at)?.as_ref();
        let (subject, issuer) = (certificate.subject.as_ref()?, certificate.issuer.as_ref()?);
        if let Some(der) = der
            && self.roots.named(subject).iter().any(|root| root == der || has_key_of(root, der))
        {
            return Some((End::Root(subject.clone()), Proof::Signature));
        }
        let told: Vec<Option<bool>> = self.roots.named(issuer).iter().map(|root| verify(der?, root)).collect();
        if told.contains(&Some(true)) {
            return Some((End::Root(issuer.clone()), Proof::Signature));
        }
        told.contains(&None).then(|| (End::Root(issuer.clone()), Proof::Name))
    }
}

/// Whether an issuer's key verifies a certificate's signature; `None` for an algorithm, a key size or a
/// form that cannot be judged.
pub fn verify(child: &[u8], issuer: &[u8]) -> Option<bool> {
    let (_, child) = X509Certificate::from_der(child).ok()?;
    let (_, issuer) = X509Certificate::from_der(issuer).ok()?;
    match child.verify_signature(Some(issuer.public_key())) {
        Ok(()) => Some(true),
        Err(X509Error::SignatureVerificationError) if is_judged(&issuer) => Some(false),
        Err(_) => None,
    }
}

/// Whether a failed verification means anything: short RSA keys are refused unread.
fn is_judged(issuer: &X509Certificate<'_>) -> bool {
    match issuer.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => key.key_size() >= RSA_BITS_MIN,
        Ok(PublicKey::EC(_)) => true,
        _ => false,
    }
}

/// Whether a certificate has the key of a root: the same root, issued anew or cross-signed.
fn has_key_of(root: &[u8], der: &[u8]) -> bool {
    let (Ok((_, root)), Ok((_, other))) = (X509Certificate::from_der(root), X509Certificate::from_der(der)) else {
        return false;
    };
    root.public_key().raw == other.public_key().raw
}

/// The shortest RSA key that signatures are verified with.
const RSA_BITS_MIN: usize = 2048;
