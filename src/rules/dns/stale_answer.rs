//! `dns.stale_answer`: the client used an answer that a newer one has replaced.

use super::served;
use crate::case::{Case, Connection, Origin, Resolution};
use crate::name::Name;
use crate::provenance::Time;
use crate::rules::view::Shown;
use crate::rules::{Mark, Sign, Strength, Verdict, declare_rule, reach, view};

declare_rule! {
    /// # What it finds
    ///
    /// A connection to an address that an older DNS answer for the host holds and the newest does not,
    /// and that serves a certificate which does not cover the host.
    ///
    /// # Why it matters
    ///
    /// After a move the old server still answers, with whatever certificate it has. Caches, long-running
    /// processes and proxies that resolve once go on calling it.
    ///
    /// # What it needs
    ///
    /// Two answers with their times, and the connection. Targets that change their addresses all the
    /// time (execute-api, CloudFront, load balancers) are left out while owner and target are the same. It
    /// is ruled out when the newest answer before the connection holds the address.
    ///
    /// # What to do
    ///
    /// Flush the caches, restart the process or proxy that resolved once, and lower the TTL before the
    /// next move. Verify with `dig HOST`.
    ///
    /// # References
    ///
    /// RFC 1034 section 3.6; RFC 2181 section 8 (TTL).
    "dns.stale_answer", "the client used an answer that a newer one has replaced", since "0.1.0", cap 0.75, rank 320
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let mut other: Option<Verdict> = None;
    for it in reach::wrong(case) {
        if let Some(verdict) = of_another_cache(case, host, &it) {
            other = Some(verdict);
        }
        let verdict = match case.origin(it.connection) {
            Some(Origin::Outdated { held, current }) if !is_neutral(held, current, host) => {
                found(case, host, &it, held, current)
            }
            Some(Origin::Elsewhere(held)) => match newest_other(case, it.connection, held) {
                Some(current) if !is_neutral(held, current, host) => found(case, host, &it, held, current),
                _ => continue,
            },
            Some(Origin::Answered(held)) => match outlived(held, it.connection) {
                Some(seconds) if !held.is_rotating(host) => Verdict::Unknown {
                    missing: format!(
                        "what DNS answers for {host} now: the address came from an answer whose TTL had ended {seconds} s before"
                    ),
                    ask: format!("dig {host}"),
                },
                _ if !has_other(case, it.connection) => continue,
                _ if let Some((later, right)) = moved_since(case, host, &it, held) => {
                    moved(host, &it, held, later, &right)
                }
                _ => Verdict::Clear {
                    because: format!("{} is in the newest answer for {host}", reach::server(it.connection)),
                    cites: view::cites([held.answer, it.connection.id]),
                },
            },
            _ => continue,
        };
        if matches!(verdict, Verdict::Found(_)) {
            return verdict;
        }
        other = match other {
            Some(kept @ Verdict::Found(_)) => Some(kept),
            kept => kept.or(Some(verdict)),
        };
    }
    other.unwrap_or(Verdict::NotApplicable)
}

/// Two resolvers that a text asks, both with public addresses, and nothing that speaks for the first: it may
/// keep what the second does not have any more, or answer for itself.
fn of_another_cache(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>) -> Option<Verdict> {
    let address = it.connection.server_ip().filter(|ip| !view::is_private(*ip))?;
    let views = reach::views(case);
    let here = views.iter().find(|view| view.holds(address))?;
    let is_own = |answer: &&Resolution| answer.client.is_some() || answer.is_rotating(host);
    let right = reach::right(case);
    let served = right.iter().find_map(|right| {
        let good = right.connection.server_ip().filter(|ip| !here.holds(*ip) && !view::is_private(*ip))?;
        let there = views.iter().find(|view| view.by != here.by && view.holds(good) && !view.holds(address))?;
        Some((there, Some(right)))
    });
    let is_public = |view: &&reach::View<'_>| {
        let mut like = view.answers.iter().flat_map(|it| it.addresses_like(address)).peekable();
        like.peek().is_some() && like.all(|ip| !view::is_private(ip))
    };
    let unserved = || {
        let other = views.iter().filter(|view| view.by != here.by && !view.holds(address)).find(is_public);
        other.filter(|_| right.is_empty()).map(|there| (there, None))
    };
    let (there, right) = served.or_else(unserved)?;
    if here.answers.iter().any(is_own) {
        return None;
    }
    let finding = super::served(host, it, Strength::Consistent)
        .because(
            format!("{} gives {address} for {host}, {} does not: after a move of {host} the first may keep an older answer. The server at {address} does not have the certificate of {host}.", here.by, there.by),
            format!("Compare with the zone's own name servers (dig +trace {host}); then flush the caches of {}, or wait for the TTL.", here.by),
        )
        .verified_by(format!("dig +trace {host}"), "the same addresses as the resolver's")
        .reason(format!("{} answers {address}", here.by), here.cites())
        .reason(format!("{} answers otherwise", there.by), there.cites());
    Some(match right {
        Some(right) => super::served_right(finding, host, right).found(),
        None => finding.found(),
    })
}

/// Whether some answer has addresses of the family without the one that was used.
fn has_other(case: &Case<'_>, connection: &Connection<'_>) -> bool {
    connection.server_ip().is_some_and(|address| {
        case.resolutions.iter().any(|it| it.addresses_like(address).next().is_some() && !it.has_address(address))
    })
}

/// Whether another address of the same rotating target says nothing.
fn is_neutral(held: &Resolution, current: &Resolution, host: &Name) -> bool {
    held.last_target() == current.last_target() && held.is_rotating(host)
}

/// A later answer without the address, whose server presents a right certificate: the record was moved
/// while the evidence was taken.
fn moved_since<'c, 'e>(
    case: &'c Case<'e>,
    host: &Name,
    it: &Shown<'_, '_>,
    held: &Resolution,
) -> Option<(&'c Resolution, Shown<'c, 'e>)> {
    let (address, held_at) = (it.connection.server_ip()?, held.time?);
    let later = case.resolutions.iter().filter(|other| {
        let is_later = other.time.is_some_and(|time| time.seconds >= held_at.seconds && other.answer > held.answer);
        is_later && other.resolver == held.resolver && !other.has_address(address) && !other.is_rotating(host)
    });
    let right = reach::right(case);
    later.into_iter().find_map(|later| {
        let good = right.iter().find(|it| it.connection.server_ip().is_some_and(|ip| later.has_address(ip)))?;
        Some((later, *good))
    })
}

fn moved(host: &Name, it: &Shown<'_, '_>, held: &Resolution, later: &Resolution, right: &Shown<'_, '_>) -> Verdict {
    let server = reach::server(it.connection);
    let listed: Vec<String> = later.addresses.iter().map(|address| address.0.to_string()).collect();
    let now = listed.join(", ");
    let finding = served(host, it, Strength::Strong)
        .because(
            format!("The client went to {server}, which DNS gave for {host} then and does not give any more: the record has moved since to {now}. The server left behind does not have the certificate of {host}."),
            format!("Nothing more at the record; flush the caches of clients that still go to {server}, and keep a right certificate there until the old TTL has passed."),
        )
        .verified_by(format!("dig +short {host}"), format!("{now}, and connections that go there"))
        .reason(format!("the answer for {host} then holds the address of {server}"), held.cites.clone())
        .reason(format!("a later answer of the same resolver holds {now} instead"), later.cites.clone())
        .mark(Mark::new(later.answer, listed.first().cloned().unwrap_or_default(), Sign::Confirms, "the later answer"));
    super::served_right(finding, host, right).found()
}

/// An answer that is newer than the one that holds the address, of any source, before the connection.
fn newest_other<'c>(case: &'c Case<'_>, connection: &Connection<'_>, held: &Resolution) -> Option<&'c Resolution> {
    let (held_at, address) = (held.time?, connection.server_ip()?);
    let before = |time: Time| connection.handshake.time.is_none_or(|opened| time.seconds <= opened.seconds);
    let newer = |it: &&Resolution| {
        it.time.is_some_and(|time| time.seconds > held_at.seconds && before(time))
            && it.addresses_like(address).next().is_some()
            && !it.has_address(address)
    };
    case.resolutions.iter().filter(newer).max_by_key(|it| it.time)
}

/// For how long the answer had ended when the connection began, where that is more than a cache's
/// grace.
fn outlived(held: &Resolution, connection: &Connection<'_>) -> Option<i64> {
    let ended = held.expires().filter(|_| held.client.is_some())?;
    let late = connection.handshake.time?.seconds.checked_sub(ended)?;
    (late > GRACE_SECONDS).then_some(late)
}

fn found(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>, held: &Resolution, current: &Resolution) -> Verdict {
    let right = reach::right(case);
    let right = right.iter().find(|it| it.connection.server_ip().is_some_and(|address| current.has_address(address)));
    let strength = match right {
        Some(_) => Strength::Proven,
        None => Strength::Strong,
    };
    let server = reach::server(it.connection);
    let listed: Vec<String> = current.addresses.iter().map(|address| address.0.to_string()).collect();
    let now = listed.join(", ");
    let mut finding = served(host, it, strength)
        .because(
            format!("The client went to {server}, which DNS gave for {host} before and does not give any more. The server there does not have the certificate of {host}."),
            format!("Flush the client's DNS caches and restart the process or proxy that resolved {host} once; DNS now gives {now}. Lower the TTL before the next move."),
        )
        .verified_by(format!("dig +short {host}"), format!("{now}, and connections that go there"))
        .reason(format!("an older answer for {host} holds the address of {server}"), held.cites.clone())
        .reason(format!("a newer answer holds {now} instead"), current.cites.clone())
        .mark(Mark::new(held.answer, it.connection.server_ip().map(|ip| ip.to_string()).unwrap_or_default(), Sign::Wrong, "the older answer"))
        .mark(Mark::new(current.answer, listed.first().cloned().unwrap_or_default(), Sign::Confirms, "the newer answer"));
    if let Some(right) = right {
        finding = super::served_right(finding, host, right);
    }
    finding.found()
}

/// The C library and resolvers keep answers a little longer than their TTL (RFC 8767).
const GRACE_SECONDS: i64 = 20;
