//! `dns.split_horizon`: resolvers inside and outside disagree about the host.

use super::{served, served_right};
use crate::case::Case;
use crate::name::Name;
use crate::rules::reach::View;
use crate::rules::view::Shown;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach, view};

declare_rule! {
    /// # What it finds
    ///
    /// Two resolvers that give different answers for the host: private addresses from one and public ones
    /// from the other, or different aliases; and a wrong certificate behind one of them.
    ///
    /// # Why it matters
    ///
    /// An internal zone leads clients inside to another server than the world, often one without the
    /// public certificate. The same URL works outside.
    ///
    /// # What it needs
    ///
    /// The answers of both resolvers. A wrong certificate behind one address makes it strong, a right one
    /// behind the other proves it. It is ruled out when the resolvers agree. Names below execute-api that
    /// a VPC endpoint captures are `apigw.private_dns_capture`.
    ///
    /// # What to do
    ///
    /// Make the internal zone agree with the public record, or give the internal server a certificate for
    /// the host. Compare with `dig @RESOLVER HOST`.
    ///
    /// # References
    ///
    /// RFC 8499 (split DNS); RFC 1918.
    "dns.split_horizon", "the resolvers inside and outside disagree about the host", since "0.1.0", cap 0.85, rank 340
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case).filter(|_| view::execute_api_targets(case).is_empty()) else {
        return Verdict::NotApplicable;
    };
    let views = reach::views(case);
    let wrong = reach::wrong(case);
    if let [only] = views.as_slice() {
        return alone(host, only, &wrong);
    }
    let difference = pairs(&views).find(|(one, other)| differ(one, other, host) && !is_own(one) && !is_own(other));
    let Some((one, other)) = difference else {
        return match views.first() {
            Some(first) if views.len() > 1 && pairs(&views).all(|(one, other)| agree(one, other)) => Verdict::Clear {
                because: format!("{} resolvers give the same answer for {host}", views.len()),
                cites: view::cites(first.cites().into_iter().chain(views.iter().skip(1).flat_map(View::cites))),
            },
            _ => Verdict::NotApplicable,
        };
    };
    let behind = wrong.iter().find_map(|it| {
        let address = reach::address_of(case, it.connection)?;
        let inside = if one.holds(address) { (one, other) } else { (other, one) };
        (inside.0.holds(address) && !inside.1.holds(address)).then_some((it, inside))
    });
    match behind {
        Some((it, (inside, outside))) => found(case, host, it, inside, outside),
        None if wrong.is_empty() && reach::right(case).is_empty() => unseen(host, one, other),
        None => Verdict::NotApplicable,
    }
}

/// Each two of a few views.
fn pairs<'v, 'c>(views: &'v [View<'c>]) -> impl Iterator<Item = (&'v View<'c>, &'v View<'c>)> {
    let few = views.iter().take(VIEWS_MAX);
    few.clone()
        .enumerate()
        .flat_map(move |(at, one)| views.iter().take(VIEWS_MAX).skip(at + 1).map(move |other| (one, other)))
}

fn agree(one: &View<'_>, other: &View<'_>) -> bool {
    let (here, there) = (one.addresses(), other.addresses());
    here.intersection(&there).next().is_some() || here.is_empty() || there.is_empty()
}

fn is_private(view: &View<'_>) -> bool {
    let addresses = view.addresses();
    !addresses.is_empty() && addresses.iter().all(|address| view::is_private(*address))
}

/// Private here and public there, or aliases that lead elsewhere.
fn differ(one: &View<'_>, other: &View<'_>, host: &Name) -> bool {
    if agree(one, other) {
        return false;
    }
    let target = |view: &View<'_>| view.answers.iter().find_map(|it| it.last_target().cloned());
    let is_rotating = one.answers.iter().any(|it| it.is_rotating(host));
    is_private(one) != is_private(other) || (target(one) != target(other) && !is_rotating)
}

/// Whether the answers come from the machine that they name, as those of multicast DNS do.
fn is_own(view: &View<'_>) -> bool {
    view.answers.iter().any(|it| it.resolver.is_some_and(|resolver| it.has_address(resolver.ip())))
}

fn alone(host: &Name, only: &View<'_>, wrong: &[Shown<'_, '_>]) -> Verdict {
    let inside =
        wrong.iter().find(|it| it.connection.server_ip().is_some_and(|ip| view::is_private(ip) && only.holds(ip)));
    match inside {
        Some(_) => Verdict::Unknown {
            missing: format!("what a resolver outside answers for {host}; {} gives a private address", only.by),
            ask: format!("dig @1.1.1.1 {host}"),
        },
        None => Verdict::NotApplicable,
    }
}

fn listed(view: &View<'_>) -> String {
    let mut names: Vec<String> =
        view.answers.iter().find_map(|it| it.last_target()).map(ToString::to_string).into_iter().collect();
    names.extend(view.addresses().iter().take(3).map(ToString::to_string));
    names.join(", ")
}

fn found(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>, inside: &View<'_>, outside: &View<'_>) -> Verdict {
    let right = reach::right(case);
    let right = right.iter().find(|it| reach::address_of(case, it.connection).is_some_and(|ip| outside.holds(ip)));
    let strength = match (right, reach::is_same_owner(it.leaf, host), is_private(inside)) {
        (Some(_), true, _) | (Some(_), _, true) => Strength::Proven,
        (None, true, _) => Strength::Strong,
        _ => Strength::Consistent,
    };
    let strength = if it.connection.server_ip().is_some() { strength } else { strength.max(Strength::Strong) };
    let finding = about(served(host, it, strength), host, inside, outside);
    match right {
        Some(right) => served_right(finding, host, right).found(),
        None => finding.found(),
    }
}

fn unseen(host: &Name, one: &View<'_>, other: &View<'_>) -> Verdict {
    let (inside, outside) = if is_private(one) { (one, other) } else { (other, one) };
    let finding = Finding::new(format!("resolvers disagree about {host}"), Severity::Warning, Strength::Consistent);
    about(finding, host, inside, outside).found()
}

fn about(finding: Finding, host: &Name, inside: &View<'_>, outside: &View<'_>) -> Finding {
    let address = inside.addresses().first().map(ToString::to_string).unwrap_or_default();
    let id = inside.answers.iter().find(|it| !it.addresses.is_empty()).map(|it| it.answer);
    let mut finding = finding
        .because(
            format!("{} answers {} for {host}, {} answers {}. Who asks the first reaches another server than who asks the second.", inside.by, listed(inside), outside.by, listed(outside)),
            format!("Make the zone that {} answers from agree with the other for {host}, or give the server at {address} a certificate for {host}.", inside.by),
        )
        .verified_by(both(inside, outside, host), "the same answer, or a right certificate at both")
        .reason(format!("{} answers {}", inside.by, listed(inside)), inside.cites())
        .reason(format!("{} answers {}", outside.by, listed(outside)), outside.cites());
    if let Some(id) = id {
        finding = finding.mark(Mark::new(id, address, Sign::Doubtful, format!("only from {}", inside.by)));
    }
    finding
}

/// The commands that ask both; one that is to be run at both places where neither address is known.
fn both(inside: &View<'_>, outside: &View<'_>, host: &Name) -> String {
    let (one, other) = (inside.ask(host), outside.ask(host));
    if one == other { one } else { format!("{one}; {other}") }
}

/// More resolvers than this are not compared pair by pair.
const VIEWS_MAX: usize = 8;
