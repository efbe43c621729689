//! `dns.search_suffix_wildcard`: the resolver's search list made another name of the host.

use super::served;
use crate::case::{Case, Connection, Origin, Resolution};
use crate::name::Name;
use crate::rules::view::{self, Shown};
use crate::rules::{Mark, Sign, Strength, Verdict, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A DNS question for the host with a search suffix behind it, answered with addresses (mostly by a
    /// wildcard record), and a connection that goes there.
    ///
    /// # Why it matters
    ///
    /// With `ndots:5`, as in Kubernetes, a resolver tries `api.example.net.SUFFIX` before
    /// `api.example.net`. A wildcard below the suffix answers, and every outside name leads to the
    /// suffix owner's server.
    ///
    /// # What it needs
    ///
    /// The question on the wire, which is not the name that the client meant, and its answer. A
    /// connection to that address proves it. A question for the host itself whose answer holds the
    /// address rules it out.
    ///
    /// # What to do
    ///
    /// Lower `ndots`, end the name with a dot, or remove the wildcard or the search suffix. Verify with
    /// `dig +search +showsearch HOST`.
    ///
    /// # References
    ///
    /// resolv.conf(5), `search` and `ndots`; RFC 4592 (wildcards); RFC 1535.
    "dns.search_suffix_wildcard", "the resolver's search list made another name of the host",
    since "0.1.0", cap 0.95, rank 300
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case).filter(|host| host.as_str().contains('.')) else {
        return Verdict::NotApplicable;
    };
    if case.suffixed.is_empty() {
        return Verdict::NotApplicable;
    }
    let mut other = None;
    for connection in case.distinct().filter(|it| it.asks_for(host)) {
        let origin = case.origin(connection);
        if let Some(Origin::Answered(it)) = origin {
            let because = format!("the question that gave the address is {host} itself");
            other = other.or(Some(Verdict::Clear { because, cites: view::cites([it.answer, connection.id]) }));
            continue;
        }
        let Some(address) = connection.server_ip() else {
            let known =
                case.suffixed.iter().find(|it| case.resolutions.is_empty() && it.source == Some(connection.source));
            let shown = reach::wrong(case).into_iter().find(|shown| shown.connection.id == connection.id);
            if let (Some(it), Some(shown)) = (known.filter(|it| !it.addresses.is_empty()), shown) {
                return found(host, &shown, it, Strength::Strong);
            }
            continue;
        };
        let suffixed = case.suffixed.iter().find(|it| is_of(it, connection) && it.has_address(address));
        let shown = reach::wrong(case).into_iter().find(|shown| shown.connection.id == connection.id);
        match (suffixed, shown) {
            (Some(it), Some(shown)) => return found(host, &shown, it, Strength::Proven),
            (Some(it), None) if !reach::is_right(connection) => {
                other = other.or(Some(Verdict::Unknown {
                    missing: format!("whether {} is an alias of {host} or its name with a search suffix", it.start),
                    ask: format!("dig +search +showsearch {host}; cat /etc/resolv.conf"),
                }));
                continue;
            }
            (Some(_), None) => continue,
            (None, _) => {}
        }
        if matches!(origin, Some(Origin::Unanswered)) {
            other = other.or(Some(Verdict::Unknown {
                missing: format!("which question led {host} to {address}: the resolver has a search list"),
                ask: format!("dig +search +showsearch {host}; cat /etc/resolv.conf"),
            }));
        }
    }
    other.unwrap_or(Verdict::NotApplicable)
}

fn is_of(resolution: &Resolution, connection: &Connection<'_>) -> bool {
    match (resolution.client, connection.client_ip()) {
        (Some(one), Some(other)) => one == other && resolution.source == Some(connection.source),
        _ => true,
    }
}

fn found(host: &Name, it: &Shown<'_, '_>, answer: &Resolution, strength: Strength) -> Verdict {
    let question = answer.start.clone();
    let suffix = question.as_str().strip_prefix(host.as_str()).unwrap_or_default().trim_start_matches('.').to_owned();
    let connection = it.connection;
    served(host, it, strength)
        .because(
            format!("The client meant {host}; its resolver asked for {question}, from the search suffix {suffix}, and was answered. The connection goes to a server of {suffix}, not to one of {host}."),
            format!("Lower ndots in resolv.conf (Kubernetes: dnsConfig), write the name with a final dot ({host}.), or remove the record that answers below {suffix}."),
        )
        .verified_by(format!("dig +search +showsearch {host}"), format!("the answer to {host}, and none to {question}"))
        .reason(format!("the question is {question}, and it is answered with addresses"), answer.cites.clone())
        .reason(format!("the connection to {} asks for {host}", reach::server(connection)), [connection.id])
        .mark(Mark::new(answer.answer, question.as_str(), Sign::Wrong, format!("{host} with the search suffix {suffix}")))
        .found()
}
