//! `chain.misordered_or_extra`: certificates in the wrong order, or that belong to no chain of the leaf.

use super::trust;
use crate::case::Case;
use crate::rules::presented;
use crate::rules::view;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule};

declare_rule! {
    /// # What it finds
    ///
    /// A server that sends its certificates in another order than leaf, issuer, issuer's issuer, or sends
    /// some that issued none of them.
    ///
    /// # Why it matters
    ///
    /// Most clients sort them; strict ones, old ones and devices take them as they come and refuse. An
    /// extra certificate usually tells of a file put together by hand, where the right one is missing.
    ///
    /// # What it needs
    ///
    /// The chain as sent. It is a note unless a client refuses the chain. A chain in order rules it out; a
    /// refusal without the certificates leaves it unknown.
    ///
    /// # What to do
    ///
    /// Put the file together anew: leaf first, then its issuer, and so on, without the root. Verify with
    /// `openssl s_client -showcerts`, where each `i:` should be the next `s:`.
    ///
    /// # References
    ///
    /// RFC 5246 section 7.4.2; RFC 8446 section 4.4.2.
    "chain.misordered_or_extra", "the certificates sent are out of order, or some do not belong",
    since "0.1.0", cap 0.6, rank 621
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let chains = trust::of(case);
    let refused = presented::distrust(case);
    let faulty = chains.iter().find(|chain| !chain.path.is_in_order() || !chain.path.extra.is_empty());
    if let Some(chain) = faulty {
        let sent = chain.it.connection.map(|connection| connection.chain.as_slice()).unwrap_or_default();
        let names = |places: &[usize]| {
            let subjects = places.iter().filter_map(|at| sent.get(*at)?.certificate.subject.clone());
            subjects.collect::<Vec<_>>().join("; ")
        };
        let text = if chain.path.is_in_order() {
            format!("these certificates issued none of the chain: {}", names(&chain.path.extra))
        } else {
            format!("in the order of issuing they are: {}", names(&chain.path.order))
        };
        let odd = chain.path.extra.first().copied().or_else(|| first_out_of_place(&chain.path.order));
        let odd = odd.and_then(|at| sent.get(at)).unwrap_or(chain.it.leaf);
        let cites = view::cites(sent.iter().map(|leaf| leaf.id).chain(chain.it.connection.map(|it| it.id)));
        let finding = Finding::new(format!("{host} sends its certificates out of order, or more than its chain"), Severity::Note, Strength::Proven)
            .because(
                format!("The server sends {} certificates that are not simply the leaf and its issuers in order. Strict clients refuse such a chain.", sent.len()),
                "Put the certificate file together anew: the leaf first, then its issuer and that one's issuer, without the root and without anything else.",
            )
            .verified_by(view::ask_for_certificate(host), "each certificate's issuer is the subject of the next")
            .reason(text, cites.clone())
            .mark(Mark::new(odd.id, odd.certificate.common_name().unwrap_or_default(), Sign::Doubtful, "out of place"));
        return match refused {
            Some((id, words)) => Finding { severity: Severity::Error, strength: Strength::Consistent, ..finding }
                .reason(words, [id])
                .found(),
            None => finding.found(),
        };
    }
    let Some((_, words)) = refused else {
        return Verdict::NotApplicable;
    };
    match chains.first() {
        Some(chain) => Verdict::Clear {
            because: "each certificate sent is followed by its issuer".to_owned(),
            cites: trust::cites_of(chain),
        },
        None if !presented::of(case).is_empty() => Verdict::NotApplicable,
        None => Verdict::Unknown {
            missing: format!("the certificates that {host} sends, in their order: {words}"),
            ask: view::ask_for_certificate(host),
        },
    }
}

/// The first certificate of a chain that stands before one that it issued.
fn first_out_of_place(order: &[usize]) -> Option<usize> {
    order.windows(2).find_map(|pair| match pair {
        [one, next] if next < one => Some(*next),
        _ => None,
    })
}
