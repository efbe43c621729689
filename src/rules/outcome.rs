//! What came of a case: [`Outcome`], from what was seen, before any cause is named.

use std::collections::BTreeSet;

use serde::Serialize;

use super::view::{self, Coverage, Shown};
use super::{Finding, Rule, Severity, Strength, Verdict, h2, issuers, presented};
use crate::case::{Case, Connection, Leaf};
use crate::evidence::Says;
use crate::provenance::{Place, SourceId, Time};
use crate::tls::Side;
use crate::tls::alert::is_about_certificate;

/// What came of a case; the order is worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A certificate was seen that does not cover the host.
    WrongCertificate,
    /// A certificate was seen that covers the host and fails otherwise.
    InvalidCertificate,
    /// An alert or a close came before a certificate.
    HandshakeFailed,
    /// Only DNS, configuration or a certificate of a file is here.
    NoHandshake,
    /// A handshake whose certificate is not visible, or evidence that does not suffice.
    Inconclusive,
    /// A right certificate was seen.
    Ok,
}

/// The outcome of a case.
pub fn of(case: &Case<'_>) -> Outcome {
    if case.host.is_none() {
        return of_nobody(case);
    }
    if view::is_of_files(case) {
        return Outcome::NoHandshake;
    }
    let shown = view::shown(case);
    let bare = view::shown_without_handshake(case);
    let wrong = shown.iter().any(Shown::is_wrong)
        || bare.iter().any(|(_, coverage)| matches!(coverage, Coverage::DoesNotCover | Coverage::ProviderDefault));
    if wrong || !view::said(case, Says::NameMismatch).is_empty() {
        return Outcome::WrongCertificate;
    }
    if is_invalid(case, &shown) {
        return Outcome::InvalidCertificate;
    }
    if case.connections.iter().any(is_refused) {
        return Outcome::HandshakeFailed;
    }
    let covered = shown.iter().any(|it| it.coverage == Coverage::Covers)
        || bare.iter().any(|(_, coverage)| *coverage == Coverage::Covers)
        || !view::said(case, Says::NameMatches).is_empty()
        || h2::connection_coalescing::shared_with(case).is_some();
    if covered {
        return Outcome::Ok;
    }
    if !view::said(case, Says::HandshakeFailed).is_empty() {
        return Outcome::HandshakeFailed;
    }
    if case.connections.is_empty() && case.verdicts.is_empty() && case.certificates.is_empty() {
        let nothing = case.resolutions.is_empty() && case.runs.is_empty();
        return if nothing { Outcome::Inconclusive } else { Outcome::NoHandshake };
    }
    Outcome::Inconclusive
}

/// The outcome where no host is named: what a client says of its certificate, or a server's alert, holds whatever
/// the host was, as long as all of it is about one handshake.
fn of_nobody(case: &Case<'_>) -> Outcome {
    let mut spoken: BTreeSet<(Option<SourceId>, Option<u32>)> =
        case.connections.iter().map(|it| (Some(it.source), it.handshake.run)).collect();
    let source = |id| case.evidence.observation(id)?.at.first().map(Place::source);
    spoken.extend(case.verdicts.iter().map(|(id, it)| (source(*id), it.run)));
    let told = case.verdicts.iter().filter_map(|(_, it)| match it.says {
        Says::NameMismatch => Some(Outcome::WrongCertificate),
        Says::Expired | Says::NotYetValid | Says::DateInvalid => Some(Outcome::InvalidCertificate),
        Says::ChainUntrusted if presented::is_about_trust(it) => Some(Outcome::InvalidCertificate),
        Says::HandshakeFailed => Some(Outcome::HandshakeFailed),
        _ => None,
    });
    let alerts = case.connections.iter().filter(|it| is_refused(it)).map(|_| Outcome::HandshakeFailed);
    let told: BTreeSet<Outcome> = told.chain(alerts).collect();
    let is_one = spoken.len() == 1 && told.len() == 1 && case.connections.len() <= 1;
    told.into_iter().next().filter(|_| is_one).unwrap_or(Outcome::Inconclusive)
}

/// The outcome, where what was found says more than what was seen: a certificate that covers the host and has a
/// fault, or one whose names are not shown and that no client takes, whatever they are.
pub fn with_findings(outcome: Outcome, verdicts: &[(&'static Rule, Verdict)]) -> Outcome {
    let is_found = |fits: fn(&Rule, &Finding) -> bool| {
        let found = verdicts.iter().filter_map(|(rule, it)| match it {
            Verdict::Found(finding) if finding.severity == Severity::Error => Some((*rule, finding)),
            _ => None,
        });
        found.into_iter().any(|(rule, finding)| fits(rule, finding))
    };
    let invalidates = |rule: &Rule, finding: &Finding| {
        finding.strength <= Strength::Strong && INVALIDATING.iter().any(|family| rule.id.starts_with(family))
    };
    match outcome {
        Outcome::Ok if is_found(|_, _| true) => Outcome::InvalidCertificate,
        Outcome::Inconclusive if is_found(invalidates) => Outcome::InvalidCertificate,
        outcome => outcome,
    }
}

/// Families of causes that make a certificate invalid whatever names it presents.
const INVALIDATING: &[&str] = &["acme.", "cdn.", "cert.", "chain.", "deploy.renewed", "mitm."];

/// Whether a certificate that covers the host, or that a client did not get to compare, fails
/// otherwise: by its dates at the time of the handshake, or in the client's own words.
fn is_invalid(case: &Case<'_>, shown: &[Shown<'_, '_>]) -> bool {
    let dated = shown.iter().filter(|it| it.coverage == Coverage::Covers).any(|it| {
        let out_of_date = case
            .time_of(it.connection)
            .is_some_and(|time| is_out_of_date(it.leaf, time) || is_chain_out_of_date(case, it.connection, time));
        out_of_date || is_refused_by_client(it.connection)
    });
    let chains = presented::distinct(shown.iter().filter(|it| it.coverage == Coverage::Covers).copied().collect());
    let dated = dated
        || chains
            .iter()
            .any(|it| case.time_of(it.connection).is_some_and(|time| is_chain_out_of_date(case, it.connection, time)));
    let untrusted = presented::of(case).iter().any(|it| issuers::is_untrusted_by_all(case, it));
    let told = case.verdicts.iter().any(|(_, verdict)| match verdict.says {
        Says::Expired | Says::NotYetValid | Says::DateInvalid => true,
        Says::ChainUntrusted => presented::is_about_trust(verdict),
        _ => false,
    });
    dated || untrusted || is_unanchored(case) || told
}

fn is_out_of_date(leaf: &Leaf<'_>, time: Time) -> bool {
    let certificate = leaf.certificate;
    certificate.not_after.is_some_and(|end| is_after(time, end))
        || certificate.not_before.is_some_and(|start| is_after(start, time))
}

/// Whether a certificate above the leaf is out of date that clients need for the chain.
fn is_chain_out_of_date(case: &Case<'_>, connection: &Connection<'_>, time: Time) -> bool {
    if !connection.chain.iter().skip(1).any(|leaf| is_out_of_date(leaf, time)) {
        return false;
    }
    let sent: Vec<_> = connection.chain.iter().map(|leaf| leaf.certificate).collect();
    let path = case.around.path(&connection.chain, &case.known.roots);
    path.first_out_of_date(&sent, time).is_some_and(|(at, _)| path.needs(at))
}

/// Whether the user says whom clients trust, and a covering certificate leads to none of them.
fn is_unanchored(case: &Case<'_>) -> bool {
    let is_loose = |it: &presented::Presented<'_, '_>| {
        it.coverage == Coverage::Covers && it.connection.is_some() && !it.is_publicly_issued(case)
    };
    !case.known.roots.is_embedded() && presented::of(case).iter().any(is_loose)
}

/// Whether one time lies after another, by seconds.
pub fn is_after(one: Time, other: Time) -> bool {
    one.seconds > other.seconds
}

/// Whether the server ended the handshake with a fatal alert: before a certificate, or for want of the
/// client's.
fn is_refused(connection: &Connection<'_>) -> bool {
    connection.alerts.iter().any(|(_, alert)| alert.from == Side::Server && alert.level.as_deref() == Some("fatal"))
}

/// Whether the client answered the certificate with a fatal alert about it (RFC 8446 section 6.2).
fn is_refused_by_client(connection: &Connection<'_>) -> bool {
    connection
        .alerts
        .iter()
        .any(|(_, alert)| alert.from == Side::Client && alert.description.as_deref().is_some_and(is_about_certificate))
}
