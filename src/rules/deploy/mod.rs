//! Causes in how a certificate is rolled out: what they share is the leaves that the host was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::case::Case;
use crate::evidence::Says;
use crate::limits::VARIANTS_MAX;
use crate::provenance::Time;
use crate::rules::view::{self, Coverage, Shown};
use crate::tls::Transport;
use crate::x509::{Certificate, details};

pub mod dual_cert_variant;
pub mod nodes_differ;
pub mod renewed_not_loaded;

/// The certificates that clients which asked for the host were shown, in the order of the evidence.
pub(super) fn shown<'c, 'e>(case: &'c Case<'e>) -> Vec<Shown<'c, 'e>> {
    let Some(host) = &case.host else {
        return Vec::new();
    };
    let mut all = view::shown(case);
    all.retain(|it| it.connection.asks_for(host) || host.ip().is_some());
    bounds_of_each(all)
}

/// Of each certificate at each server the first handshake and the last: the ones between say no more.
fn bounds_of_each<'c, 'e>(all: Vec<Shown<'c, 'e>>) -> Vec<Shown<'c, 'e>> {
    let mut bounds: BTreeMap<(&str, Option<IpAddr>), (usize, usize)> = BTreeMap::new();
    for (at, it) in all.iter().enumerate() {
        let key = (it.leaf.certificate.id(), it.connection.server_ip());
        if bounds.len() < VARIANTS_MAX || bounds.contains_key(&key) {
            bounds.entry(key).and_modify(|known| known.1 = at).or_insert((at, at));
        }
    }
    let kept: BTreeSet<usize> = bounds.into_values().flat_map(|(first, last)| [first, last]).collect();
    let places = all.into_iter().enumerate();
    places.filter(|(at, _)| kept.contains(at)).map(|(_, it)| it).collect()
}

/// Whether two handshakes were shown different certificates: of those that only texts describe, something
/// that both say has to differ.
pub(super) fn differ(one: &Shown<'_, '_>, other: &Shown<'_, '_>) -> bool {
    let (one, other) = (one.leaf.certificate, other.leaf.certificate);
    if one.sha256.is_some() && other.sha256.is_some() {
        return one.id() != other.id();
    }
    let told = |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some() && one != other;
    let dated = |one: Option<Time>, other: Option<Time>| match (one, other) {
        (Some(one), Some(other)) => one.seconds != other.seconds,
        _ => false,
    };
    let is_named_otherwise = one.san.is_some() && other.san.is_some() && one.san != other.san
        || told(&one.subject, &other.subject)
        || is_without(one, other)
        || is_without(other, one);
    is_named_otherwise
        || told(&one.issuer, &other.issuer)
        || told(&one.serial, &other.serial)
        || dated(one.not_before, other.not_before)
        || dated(one.not_after, other.not_after)
}

/// Whether the identifiers of a certificate lack the common name that is all that is known of another one.
fn is_without(one: &Certificate, other: &Certificate) -> bool {
    let (Some(san), None, Some(common)) = (&one.san, &other.san, other.common_name()) else { return false };
    one.subject.is_none() && !san.dns.iter().any(|name| name.eq_ignore_ascii_case(common))
}

/// What makes one of several certificates the worse one: it covers less, or its dates do not hold.
pub(super) fn is_bad(case: &Case<'_>, it: &Shown<'_, '_>) -> bool {
    let certificate = it.leaf.certificate;
    let out_of_date = case.time_of(it.connection).is_some_and(|time| {
        certificate.not_after.is_some_and(|end| time.seconds > end.seconds)
            || certificate.not_before.is_some_and(|start| start.seconds > time.seconds)
    });
    let told = it.connection.handshake.transport == Transport::Text
        && case.verdicts.iter().any(|(_, said)| said.says == Says::Expired && said.run == it.connection.handshake.run);
    out_of_date || told || it.is_wrong()
}

/// `RSA` or `EC`, where the certificate's bytes are here.
pub(super) fn key_kind(it: &Shown<'_, '_>) -> Option<String> {
    let key = details::of(it.leaf.certificate)?.key;
    key.split(' ').next().map(str::to_owned)
}

/// `198.51.100.7 serves serial 0a1b, valid to 2027-11-15`.
pub(super) fn told(it: &Shown<'_, '_>) -> String {
    let certificate = it.leaf.certificate;
    let address = it.connection.server_ip().map_or_else(|| "one server".to_owned(), |ip: IpAddr| ip.to_string());
    let covers = match it.coverage {
        Coverage::Covers => "",
        Coverage::DoesNotCover | Coverage::ProviderDefault => ", which does not cover the host",
        Coverage::Unknown => ", whose names are not shown",
    };
    let name = it.label();
    let serial = certificate.serial.as_ref().map(|serial| format!(" with serial {serial}")).unwrap_or_default();
    let day = |end: Time| end.rfc3339().split('T').next().unwrap_or_default().to_owned();
    let end = certificate.not_after.map(|end| format!(", valid to {}", day(end))).unwrap_or_default();
    format!("{address} serves {name}{serial}{end}{covers}")
}
