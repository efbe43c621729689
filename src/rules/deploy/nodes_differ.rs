//! `deploy.nodes_differ`: servers behind one name present different certificates.

use super::{differ, is_bad, key_kind, shown, told};
use crate::case::Case;
use crate::name::Name;
use crate::rules::view::Shown;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// Clients that asked for the host were shown different certificates: by different addresses of one
    /// family, or in turn at one address.
    ///
    /// # Why it matters
    ///
    /// A new certificate reached some of the servers only, or one of them was never part of the rollout, so
    /// the fault comes and goes.
    ///
    /// # What it needs
    ///
    /// Two handshakes for the host with their certificates. It is a note while both are good. One
    /// certificate at two addresses rules it out; with one address tested it is unknown. Different kinds of
    /// keys are `deploy.dual_cert_variant`, a provider's own certificate at one address is
    /// `hosting.stale_ip_record`, IPv4 and IPv6 apart are `dns.ipv6_differs`.
    ///
    /// # What to do
    ///
    /// Compare the serial of each address with
    /// `openssl s_client -connect ADDRESS:443 -servername HOST | openssl x509 -noout -serial -dates` and
    /// deploy the same certificate everywhere.
    ///
    /// # References
    ///
    /// RFC 9525 section 6.
    "deploy.nodes_differ", "servers behind one name present different certificates",
    since "0.1.0", cap 0.9, rank 580
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let all = shown(case);
    let pairs = || all.iter().enumerate().flat_map(|(at, one)| all.iter().skip(at + 1).map(move |other| (one, other)));
    let eligible = |(one, other): &(&Shown<'_, '_>, &Shown<'_, '_>)| {
        differ(one, other)
            && are_of_one_family(one, other)
            && has_same_key_kind(one, other)
            && !is_foreign(case, one, other)
    };
    let mut differing: Vec<_> = pairs().filter(eligible).collect();
    differing.sort_by_key(|(one, other)| is_bad(case, one) == is_bad(case, other));
    if let Some((one, other)) =
        differing.iter().find(|(one, other)| is_apart(one, other) || alternates(&all, one, other))
    {
        return found(case, host, one, other);
    }
    if let Some((one, other)) = differing.first() {
        return Verdict::Unknown {
            missing: format!(
                "whether both certificates are served at the same time: first {}, then {}",
                told(one),
                told(other)
            ),
            ask: format!(
                "for i in 1 2 3 4 5; do {} | openssl x509 -noout -serial; done",
                super::super::view::ask_for_certificate(host)
            ),
        };
    }
    let same = pairs().find(|(one, other)| !differ(one, other) && is_apart(one, other));
    if let Some((one, other)) = same {
        let because = "different addresses serve the same certificate".to_owned();
        return Verdict::Clear { because, cites: vec![one.connection.id, other.connection.id] };
    }
    untested(case, host, &all)
}

/// Several addresses in DNS, one of them tested, and a fault or a complaint that the others could explain.
fn untested(case: &Case<'_>, host: &Name, all: &[Shown<'_, '_>]) -> Verdict {
    let Some(bad) =
        all.iter().find(|it| is_bad(case, it) && case.known.providers.of_certificate(it.leaf.certificate).is_none())
    else {
        return Verdict::NotApplicable;
    };
    let tested = bad.connection.server_ip();
    let same_family = |ip: &std::net::IpAddr| tested.is_some_and(|own| own.is_ipv4() == ip.is_ipv4() && own != *ip);
    let addresses = case.resolutions.iter().flat_map(|it| &it.addresses).map(|(ip, _)| *ip);
    match addresses.into_iter().find(same_family) {
        Some(other) => Verdict::Unknown {
            missing: format!("whether {other}, another address of {host}, serves the same certificate"),
            ask: format!(
                "openssl s_client -connect {other}:443 -servername {host} </dev/null | openssl x509 -noout -serial -dates"
            ),
        },
        None => Verdict::NotApplicable,
    }
}

fn are_of_one_family(one: &Shown<'_, '_>, other: &Shown<'_, '_>) -> bool {
    let v4 = |it: &Shown<'_, '_>| it.connection.server_ip().map(|ip| ip.is_ipv4());
    v4(one).is_none() || v4(other).is_none() || v4(one) == v4(other)
}

fn has_same_key_kind(one: &Shown<'_, '_>, other: &Shown<'_, '_>) -> bool {
    match (key_kind(one), key_kind(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Whether one of two is somebody else's certificate: then the record is the fault, not the rollout.
fn is_foreign(case: &Case<'_>, one: &Shown<'_, '_>, other: &Shown<'_, '_>) -> bool {
    let names = |it: &Shown<'_, '_>| it.leaf.labels().iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
    let share = names(one)
        .iter()
        .any(|name| names(other).iter().any(|own| own == name || crate::provider::suffix::have_one_owner(own, name)));
    let of_provider = |it: &Shown<'_, '_>| case.known.providers.of_certificate(it.leaf.certificate).is_some();
    let server = |it: &Shown<'_, '_>| it.connection.handshake.server;
    let is_one_server = server(one).is_some() && server(one) == server(other);
    !is_one_server && (of_provider(one) != of_provider(other) || !share)
}

/// Whether two handshakes went to two known addresses.
fn is_apart(one: &Shown<'_, '_>, other: &Shown<'_, '_>) -> bool {
    matches!((one.connection.server_ip(), other.connection.server_ip()), (Some(one), Some(other)) if one != other)
}

/// Whether one of two certificates came before and after the other.
fn alternates(all: &[Shown<'_, '_>], one: &Shown<'_, '_>, other: &Shown<'_, '_>) -> bool {
    let last = all.iter().rposition(|it| it.leaf.certificate.id() == one.leaf.certificate.id());
    let between = all.iter().position(|it| it.connection.id == other.connection.id);
    matches!((last, between), (Some(last), Some(between)) if last > between)
}

fn found(case: &Case<'_>, host: &Name, one: &Shown<'_, '_>, other: &Shown<'_, '_>) -> Verdict {
    let (bad, good) = if is_bad(case, other) { (other, one) } else { (one, other) };
    let is_fault = is_bad(case, bad);
    let severity = if is_fault { Severity::Error } else { Severity::Note };
    let near = match (one.connection.stated_time(), other.connection.stated_time()) {
        (Some(one), Some(other)) => one.seconds.abs_diff(other.seconds) <= NEAR_SECONDS,
        _ => false,
    };
    let strength = if near { Strength::Proven } else { Strength::Strong };
    let place = bad.connection.server_ip().map_or_else(|| "the other server".to_owned(), |ip| ip.to_string());
    let finding = Finding::new(format!("{host} is served different certificates by its servers"), severity, strength)
        .because(
            format!("The servers behind {host} do not present the same certificate: {}; {}.", told(one), told(other)),
            format!("Deploy the same certificate to every server behind {host} and reload them; look at {place} first."),
        )
        .verified_by(
            format!("openssl s_client -connect {place}:443 -servername {host} </dev/null | openssl x509 -noout -serial -dates"),
            "the same serial at every address",
        )
        .reason(told(good), [good.connection.id, good.leaf.id])
        .reason(told(bad), [bad.connection.id, bad.leaf.id])
        .mark(Mark::new(good.leaf.id, good.label(), Sign::Confirms, "one server"))
        .mark(Mark::new(bad.leaf.id, bad.label(), if is_fault { Sign::Wrong } else { Sign::Doubtful }, "the other server"));
    finding.found()
}

/// Handshakes within an hour are of one time: a rollout takes minutes.
const NEAR_SECONDS: u64 = 3600;
