//! What the two date causes share: a covering certificate, the handshake's own time, a client's words.

use std::collections::BTreeSet;

use crate::case::{Case, Leaf};
use crate::evidence::{ObservationId, Says};
use crate::provenance::{SourceId, Time};
use crate::rules::view::{self, Coverage, Shown};
use crate::rules::{Finding, Mark, Reason, Severity, Sign, Strength, Verdict, reach};
use crate::tls::Transport;
use crate::x509::Certificate;

/// A date of a certificate that a handshake's time can break.
pub(super) struct Date {
    /// The date of a certificate.
    pub(super) of: fn(&Certificate) -> Option<Time>,
    /// Whether it is broken: the handshake's time, then the date.
    pub(super) is_broken: fn(Time, Time) -> bool,
    /// What a client says when it is.
    pub(super) says: Says,
    /// `expired`, `is not valid before`.
    pub(super) verb: &'static str,
    /// What to do.
    pub(super) remedy: &'static str,
}

/// What the date says of a case.
pub(super) fn check(case: &Case<'_>, date: &Date) -> Verdict {
    let Some(host) = &case.host else {
        return Verdict::NotApplicable;
    };
    let mut clear: Option<Verdict> = None;
    let mut above: Option<Verdict> = None;
    let mut chains: BTreeSet<(SourceId, &[String], i64)> = BTreeSet::new();
    for it in view::shown(case) {
        let (Some(time), Some(limit)) = (case.time_of(it.connection), (date.of)(it.leaf.certificate)) else {
            continue;
        };
        // Thousands of handshakes with one chain say no more than the first.
        let is_new = above.is_none()
            && chains.insert((it.connection.source, it.connection.handshake.chain.as_slice(), time.seconds / 86_400));
        if let Some((leaf, is_needed)) = is_new.then(|| broken_above(case, &it, time, date)).flatten() {
            above.get_or_insert_with(|| found_above(case, host.as_str(), date, &it, leaf, is_needed, time));
        }
        if (date.is_broken)(time, limit) {
            let severity = severity(case, &it, date);
            let when = if case.known.as_of.is_some() { "it is judged at" } else { "the handshake was at" };
            let text = format!("the certificate {} {}, {when} {}", date.verb, day(limit), day(time));
            let cites = vec![it.leaf.id, it.connection.id];
            let is_behind = is_by_clock_behind(case, &it, date, (time, limit));
            let is_doubtful = is_behind || is_by_own_clock(case, &it, date, limit);
            let strength = if is_doubtful { Strength::Consistent } else { Strength::Proven };
            let found = found((case, host.as_str()), date, severity, strength, text, cites, &limit.to_string());
            return if is_behind { by_clock(found) } else { found };
        }
        clear.get_or_insert_with(|| Verdict::Clear {
            because: validity(it.leaf.certificate, limit),
            cites: vec![it.leaf.id, it.connection.id],
        });
    }
    if let Some((id, verdict)) = view::said(case, date.says).first() {
        if let Some(known) = above {
            return known;
        }
        let is = if date.says == Says::Expired { "has expired" } else { "is not yet valid" };
        let text = format!("the certificate {is}, says {}: {}", verdict.client, verdict.words);
        let strength = if date.says == Says::NotYetValid { Strength::Consistent } else { Strength::Strong };
        let found = found((case, host.as_str()), date, Severity::Error, strength, text, vec![*id], &verdict.words);
        return match &verdict.above {
            Some(subject) => of_chain(found, host.as_str(), date, subject),
            None if date.says == Says::NotYetValid => by_words(found, host.as_str()),
            None => found,
        };
    }
    above.or(clear).unwrap_or(Verdict::NotApplicable)
}

/// Whether only the client's own clock makes a certificate too young: a clock in the past looks the same.
fn is_by_own_clock(case: &Case<'_>, it: &Shown<'_, '_>, date: &Date, limit: Time) -> bool {
    let is_clients = it.connection.handshake.transport == Transport::Text && case.known.as_of.is_none();
    let mut others = case.exchanges.iter().filter_map(|(_, exchange)| reach::server_clock(exchange));
    date.says == Says::NotYetValid && is_clients && !others.any(|time| (date.is_broken)(time, limit))
}

/// Whether the capture's clock alone makes a certificate too young, by weeks: an authority issues one when its
/// validity begins, so that nobody can have presented it so much before.
fn is_by_clock_behind(case: &Case<'_>, it: &Shown<'_, '_>, date: &Date, (time, limit): (Time, Time)) -> bool {
    let is_captures = it.connection.handshake.transport != Transport::Text && case.known.as_of.is_none();
    let mut others = case.exchanges.iter().filter_map(|(_, exchange)| reach::server_clock(exchange));
    let is_long = limit.seconds.saturating_sub(time.seconds) > ISSUED_AHEAD_SECONDS;
    date.says == Says::NotYetValid && is_captures && is_long && !others.any(|time| (date.is_broken)(time, limit))
}

/// The finding, when the clock of the machine that captured is the likelier fault.
fn by_clock(verdict: Verdict) -> Verdict {
    let Verdict::Found(mut finding) = verdict else { return verdict };
    finding.cause = format!(
        "{} Authorities issue a certificate when its validity begins: the clock of the machine that captured is \
         likelier to be behind than the certificate to be so young.",
        finding.cause
    );
    "Look at the clock of the machine that captured, and of the client; if they are right, have the certificate issued again."
        .clone_into(&mut finding.remedy);
    Verdict::Found(finding)
}

/// The finding, when a client's words are all there is: its clock is behind, or the certificate too young.
fn by_words(verdict: Verdict, host: &str) -> Verdict {
    let Verdict::Found(mut finding) = verdict else { return verdict };
    finding.headline = format!("{host}: the client refuses the certificate as not yet valid");
    finding.cause = format!("{} The certificate is younger than that, or the client's clock is behind.", finding.cause);
    Verdict::Found(finding)
}

/// The certificate above the leaf whose date is broken, and whether a client that trusts the roots of the
/// case needs it. One that nobody needs counts only where a client complains.
fn broken_above<'c, 'e>(
    case: &'c Case<'e>,
    it: &Shown<'c, 'e>,
    time: Time,
    date: &Date,
) -> Option<(&'c Leaf<'e>, bool)> {
    let is_broken = |leaf: &Leaf<'_>| (date.of)(leaf.certificate).is_some_and(|limit| (date.is_broken)(time, limit));
    let chain = &it.connection.chain;
    if !chain.iter().skip(1).any(is_broken) {
        return None;
    }
    let path = case.around.path(chain, &case.known.roots);
    let complains = !view::said(case, date.says).is_empty();
    let mut above = path.order.iter().skip(1).filter_map(|at| Some((chain.get(*at)?, path.needs(*at))));
    above.find(|(leaf, is_needed)| is_broken(leaf) && (*is_needed || complains))
}

/// A date is a fault of a certificate that was meant for the host; of one that covers something else it is
/// a side fact.
fn severity(case: &Case<'_>, it: &Shown<'_, '_>, date: &Date) -> Severity {
    let is_called = || case.host.as_ref().is_some_and(|host| it.leaf.is_called(host));
    match it.coverage {
        Coverage::Covers => Severity::Error,
        Coverage::Unknown if is_called() || !view::said(case, date.says).is_empty() => Severity::Error,
        _ => Severity::Note,
    }
}

fn found_above(
    case: &Case<'_>,
    host: &str,
    date: &Date,
    it: &Shown<'_, '_>,
    leaf: &Leaf<'_>,
    is_needed: bool,
    time: Time,
) -> Verdict {
    let subject = leaf.certificate.subject.clone().unwrap_or_default();
    let limit = (date.of)(leaf.certificate).unwrap_or(time);
    let sent = if is_needed { "" } else { ", which is sent for clients that do not have the newer root" };
    let text = format!("{subject} in the chain {} {}{sent}; the handshake was at {}", date.verb, day(limit), day(time));
    let severity = severity(case, it, date);
    let strength = if is_needed { Strength::Proven } else { Strength::Strong };
    let cites = vec![leaf.id, it.connection.id];
    let verdict = found((case, host), date, severity, strength, text, cites, &limit.to_string());
    of_chain(verdict, host, date, &subject)
}

/// The finding, when it is about a certificate of the chain and not about the leaf.
fn of_chain(verdict: Verdict, host: &str, date: &Date, subject: &str) -> Verdict {
    let Verdict::Found(mut finding) = verdict else { return verdict };
    let what = if date.says == Says::Expired { "has expired" } else { "is not yet valid" };
    finding.headline = format!("{host} is served a chain in which {subject} {what}");
    if !finding.cause.contains(subject) {
        finding.cause = format!("{} It is {subject} in the chain, not the certificate of {host}.", finding.cause);
    }
    finding.remedy = format!(
        "Install the current chain of the authority, without {subject}; where the client has an old set of roots or an old TLS library, update those."
    );
    finding.verify = format!("openssl s_client -connect {host}:443 -servername {host} -showcerts </dev/null");
    finding.expect = Some(format!("a chain without {subject}"));
    Verdict::Found(finding)
}

fn validity(certificate: &Certificate, limit: Time) -> String {
    match (certificate.not_before, certificate.not_after) {
        (Some(from), Some(to)) => format!("valid {} to {}", day(from), day(to)),
        _ => format!("its date is {}", day(limit)),
    }
}

fn found(
    (case, host): (&Case<'_>, &str),
    date: &Date,
    severity: Severity,
    strength: Strength,
    text: String,
    cites: Vec<ObservationId>,
    words: &str,
) -> Verdict {
    let marks = cites.first().map(|id| Mark {
        on: *id,
        beside: String::new(),
        words: words.to_owned(),
        sign: Sign::Wrong,
        label: text.clone(),
    });
    Verdict::Found(Box::new(Finding {
        headline: headline(case, date),
        severity,
        strength,
        cause: format!("{}.", view::capitalised(text.trim_end_matches('.'))),
        remedy: date.remedy.to_owned(),
        verify: format!(
            "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -dates"
        ),
        expect: Some("notBefore lies before and notAfter after today".to_owned()),
        confirmed_if: None,
        marks: marks.into_iter().collect(),
        reasons: vec![Reason { text, cites }],
        change: None,
    }))
}

fn headline(case: &Case<'_>, date: &Date) -> String {
    let host = case.host.as_ref().map(ToString::to_string).unwrap_or_default();
    let (then, what) = if date.says == Says::Expired { ("had", "expired") } else { ("was", "not yet valid") };
    let when = match case.known.as_of {
        Some(time) => day(time),
        None => "the time of the handshake".to_owned(),
    };
    format!("{host} is served a certificate that {then} {what} at {when}")
}

/// Certificates are issued days before their validity begins at most.
const ISSUED_AHEAD_SECONDS: i64 = 31 * 86_400;

/// The calendar day of a time.
pub(super) fn day(time: Time) -> String {
    let text = time.rfc3339();
    text.split('T').next().unwrap_or_default().to_owned()
}
