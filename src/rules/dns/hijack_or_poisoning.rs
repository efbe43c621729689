//! `dns.hijack_or_poisoning`: an answer leads to a server of somebody else.

use super::{served, served_right};
use crate::case::{Case, Resolution};
use crate::dns::Answer;
use crate::evidence::Fact;
use crate::name::Name;
use crate::rules::reach::View;
use crate::rules::view::{self, Shown};
use crate::rules::{Mark, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// An address that one resolver gives and another does not, whose server presents the certificate of
    /// an unrelated owner; or two different answers to one and the same query.
    ///
    /// # Why it matters
    ///
    /// A router, a provider or an attacker answers in place of the real name servers. Client and server
    /// are right; the way between them is not.
    ///
    /// # What it needs
    ///
    /// The answers of two resolvers, or both answers to one query, and the certificate. A right
    /// certificate at the other resolver's address makes it strong in a capture; a text does not show
    /// whether the first resolver only keeps an older answer (`dns.stale_answer`). It is ruled out when
    /// another resolver gives the same address.
    ///
    /// # What to do
    ///
    /// Use a resolver that can be trusted (DNS over TLS or HTTPS), look at the router's DNS settings, and
    /// compare with an answer from outside: `dig @1.1.1.1 HOST`.
    ///
    /// # References
    ///
    /// RFC 5452 (forged answers); RFC 3833.
    "dns.hijack_or_poisoning", "a DNS answer leads to a server of somebody else", since "0.1.0", cap 0.7, rank 350
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case).filter(|_| view::execute_api_targets(case).is_empty()) else {
        return Verdict::NotApplicable;
    };
    let foreign: Vec<Shown<'_, '_>> = reach::wrong(case)
        .into_iter()
        .filter(|it| !reach::is_same_owner(it.leaf, host) && !view::is_aws_default(it.leaf))
        .collect();
    let views = reach::views(case);
    for it in &foreign {
        let Some(address) = it.connection.server_ip() else { continue };
        if let Some((one, other)) = raced(case, address) {
            return race(case, host, it, one, other);
        }
        let here: Vec<&View<'_>> = views.iter().filter(|view| view.holds(address)).collect();
        let there = views.iter().find(|view| {
            !view.holds(address) && view.answers.iter().any(|answer| answer.addresses_like(address).next().is_some())
        });
        match (here.first(), there) {
            (Some(here), Some(there)) if !is_rotating(here, host) => return found(case, host, it, here, there),
            (Some(first), _) if here.len() > 1 => {
                let because = format!("{} resolvers give {address} for {host}", here.len());
                return Verdict::Clear { because, cites: first.cites() };
            }
            (Some(here), None) if view::is_private(address) => {
                return Verdict::Unknown {
                    missing: format!("what another resolver than {} answers for {host}", here.by),
                    ask: format!("dig @1.1.1.1 {host}"),
                };
            }
            _ => {}
        }
    }
    Verdict::NotApplicable
}

fn is_rotating(view: &View<'_>, host: &Name) -> bool {
    view.answers.iter().any(|it| it.is_rotating(host))
}

/// Two answers to one query, of which one holds the address and the other holds none of the first's.
fn raced<'c>(case: &'c Case<'_>, address: std::net::IpAddr) -> Option<(&'c Resolution, &'c Resolution)> {
    let answer = |it: &Resolution| match &*case.evidence.observation(it.answer)?.fact {
        Fact::DnsAnswer(answer) => Some(answer),
        _ => None,
    };
    let query = |answer: &Answer| Some((answer.id?, answer.client?, answer.server?));
    let held = case.resolutions.iter().find(|it| it.client.is_some() && it.has_address(address))?;
    let asked = query(answer(held)?)?;
    let other = case.resolutions.iter().find(|it| {
        it.answer != held.answer
            && answer(it).and_then(query) == Some(asked)
            && it.addresses_like(address).next().is_some()
            && !it.addresses.iter().any(|(other, _)| held.has_address(*other))
    })?;
    Some((held, other))
}

fn race(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>, held: &Resolution, other: &Resolution) -> Verdict {
    let right = reach::right(case);
    let right = right.iter().find(|it| it.connection.server_ip().is_some_and(|ip| other.has_address(ip)));
    let strength = if right.is_some() { Strength::Proven } else { Strength::Strong };
    let finding = served(host, it, strength)
        .because(
            format!("The query for {host} was answered twice, with different addresses. The client took the one that leads to a server of another owner."),
            "Use a resolver that can be trusted (DNS over TLS or HTTPS), and find who answers on the way.",
        )
        .verified_by(format!("dig @1.1.1.1 {host}"), "the address that serves the right certificate")
        .reason("one query, one answer", held.cites.clone())
        .reason("the same query, another answer", other.cites.clone())
        .mark(Mark::new(held.answer, it.connection.server_ip().map(|ip| ip.to_string()).unwrap_or_default(), Sign::Wrong, "one of two answers to one query"));
    match right {
        Some(right) => served_right(finding, host, right).found(),
        None => finding.found(),
    }
}

fn found(case: &Case<'_>, host: &Name, it: &Shown<'_, '_>, here: &View<'_>, there: &View<'_>) -> Verdict {
    let right = reach::right(case);
    let right = right.iter().find(|it| it.connection.server_ip().is_some_and(|ip| there.holds(ip)));
    let is_inside = it.connection.server_ip().is_some_and(view::is_private);
    let is_seen = here.answers.iter().any(|answer| answer.client.is_some());
    let strength = if right.is_some() && !is_inside && is_seen { Strength::Strong } else { Strength::Consistent };
    let address = it.connection.server_ip().map(|ip| ip.to_string()).unwrap_or_default();
    let id = here.answers.iter().find(|answer| !answer.addresses.is_empty()).map(|answer| answer.answer);
    let mut finding = served(host, it, strength)
        .because(
            format!("{} leads {host} to {address}, a server that presents the certificate of {}; {} gives other addresses.", here.by, it.label(), there.by),
            format!("Ask a resolver that can be trusted (DNS over TLS or HTTPS), look at the DNS settings of the router, and find out why {} answers {address}.", here.by),
        )
        .verified_by(format!("{}; dig @1.1.1.1 {host}", here.ask(host)), "the same answer")
        .reason(format!("{} answers {address}", here.by), here.cites())
        .reason(format!("{} answers otherwise", there.by), there.cites());
    if let Some(id) = id {
        finding = finding.mark(Mark::new(id, address, Sign::Wrong, format!("only from {}", here.by)));
    }
    match right {
        Some(right) => served_right(finding, host, right).found(),
        None => finding.found(),
    }
}
