//! What the two date causes share: a covering certificate, the handshake's own time, a client's words.

use crate::case::Case;
use crate::evidence::{ObservationId, Says};
use crate::provenance::Time;
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Reason, Severity, Sign, Strength, Verdict};

/// A date of a certificate that a handshake's time can break.
pub(super) struct Date {
    /// The date of a certificate.
    pub(super) of: fn(&crate::x509::Certificate) -> Option<Time>,
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
    for it in view::shown(case) {
        let (Some(time), Some(limit)) = (case.time_of(it.connection), (date.of)(it.leaf.certificate)) else {
            continue;
        };
        if (date.is_broken)(time, limit) {
            let severity = if it.coverage == Coverage::Covers { Severity::Error } else { Severity::Note };
            let when = if case.known.as_of.is_some() { "it is judged at" } else { "the handshake was at" };
            let text = format!("the certificate {} {}, {when} {}", date.verb, day(limit), day(time));
            let cites = vec![it.leaf.id, it.connection.id];
            return found((case, host.as_str()), date, severity, Strength::Proven, text, cites, &limit.to_string());
        }
        clear.get_or_insert_with(|| Verdict::Clear {
            because: validity(it.leaf.certificate, limit),
            cites: vec![it.leaf.id, it.connection.id],
        });
    }
    if let Some((id, verdict)) = view::said(case, date.says).first() {
        let text = format!("{} says: {}", verdict.client, verdict.words);
        return found((case, host.as_str()), date, Severity::Error, Strength::Strong, text, vec![*id], &verdict.words);
    }
    clear.unwrap_or(Verdict::NotApplicable)
}

fn validity(certificate: &crate::x509::Certificate, limit: Time) -> String {
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
        cause: format!("{}.", capitalised(&text)),
        remedy: date.remedy.to_owned(),
        verify: format!(
            "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -dates"
        ),
        expect: Some("notBefore lies before and notAfter after today".to_owned()),
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

/// The first letter in upper case.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The calendar day of a time.
pub(super) fn day(time: Time) -> String {
    let text = time.rfc3339();
    text.split('T').next().unwrap_or_default().to_owned()
}
