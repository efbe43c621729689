//! `dns.wildcard_record`: a wildcard record answers for a name that nobody configured.

use super::served;
use crate::case::Case;
use crate::evidence::ObservationId;
use crate::name::Name;
use crate::rules::view::{self, Coverage};
use crate::rules::{Mark, Sign, Strength, Verdict, config, declare_rule, reach};

declare_rule! {
    /// # What it finds
    ///
    /// A host without a record of its own: a wildcard record answers for it, and the server presents
    /// the certificate of another site.
    ///
    /// # Why it matters
    ///
    /// A mistyped or forgotten name resolves like all others below the wildcard, so it looks configured.
    /// The server has no certificate for it and presents its default.
    ///
    /// # What it needs
    ///
    /// The wildcard: from the hosted zone, or from a question for `*` itself, with the same data as the
    /// host has. A record of the host's own in the hosted zone rules it out.
    ///
    /// # What to do
    ///
    /// Correct the name, or give the host a record and a certificate of its own, or remove the wildcard.
    /// Verify with `dig '*.PARENT'`.
    ///
    /// # References
    ///
    /// RFC 4592; RFC 1034 section 4.3.3.
    "dns.wildcard_record", "a wildcard record answers for a name that nobody configured", since "0.1.0", cap 0.7, rank 360
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case).filter(|host| host.labels().count() > 2) else {
        return Verdict::NotApplicable;
    };
    let wrong = reach::wrong(case);
    let Some(it) = wrong.iter().find(|it| it.coverage == Coverage::DoesNotCover && !view::is_aws_default(it.leaf))
    else {
        return Verdict::NotApplicable;
    };
    if let Some((id, set)) = config::records(case).into_iter().next() {
        if set.owner == *host {
            return Verdict::Clear {
                because: format!("the hosted zone holds a record of {host} itself"),
                cites: vec![id],
            };
        }
        return found(host, it, &set.owner, id, Strength::Strong);
    }
    let held = case.around.records.wildcard_above(host);
    let same = held.as_ref().and_then(|(wildcard, held)| {
        let own = |data: &str| {
            let address = data.parse().is_ok_and(|address| case.resolutions.iter().any(|it| it.has_address(address)));
            let target = Name::parse(data);
            address
                || case.resolutions.iter().any(|it| it.aliases.first().map(|alias| &alias.target) == target.as_ref())
        };
        held.iter().find(|(_, data)| own(data)).map(|(id, _)| (wildcard.clone(), *id))
    });
    match (same, held) {
        (Some((wildcard, id)), _) => found(host, it, &wildcard, id, Strength::Strong),
        (None, Some((wildcard, held))) if !case.resolutions.is_empty() => Verdict::Clear {
            because: format!("{wildcard} holds other data than {host}"),
            cites: held.iter().map(|(id, _)| *id).collect(),
        },
        _ => unknown(case, host, it),
    }
}

/// A sibling that resolves alike and whose certificate comes back is a hint, and no more.
fn unknown(case: &Case<'_>, host: &Name, it: &view::Shown<'_, '_>) -> Verdict {
    let parent = host.as_str().split_once('.').map_or("", |(_, parent)| parent);
    let mut addresses = case.resolutions.iter().flat_map(|it| &it.addresses);
    let has_sibling = addresses.any(|(address, _)| {
        let mut others = case.around.answers.hosts_at(*address);
        others.any(|other| {
            other != host
                && other.as_str().split_once('.').is_some_and(|(_, of)| of == parent)
                && view::coverage(it.leaf, other) == Coverage::Covers
        })
    });
    if has_sibling {
        Verdict::Unknown {
            missing: format!("whether {host} has a record of its own or a wildcard answers for it"),
            ask: format!("dig '*.{parent}'"),
        }
    } else {
        Verdict::NotApplicable
    }
}

fn found(host: &Name, it: &view::Shown<'_, '_>, wildcard: &Name, id: ObservationId, strength: Strength) -> Verdict {
    served(host, it, strength)
        .because(
            format!("{host} has no record of its own; {wildcard} answers for it. The server that it leads to has no certificate for {host} and presents {}.", it.label()),
            format!("If the name is mistyped, correct it. If it is meant, give {host} a record and a certificate; otherwise remove {wildcard}."),
        )
        .verified_by(format!("dig '{wildcard}'; dig {host}"), format!("a record of {host} that differs, or none"))
        .reason(format!("{wildcard} exists and holds what {host} is answered with"), [id])
        .mark(Mark::new(id, wildcard.as_str(), Sign::Wrong, format!("answers for {host}")))
        .found()
}
