//! Which findings a report tells: [`Selection`] keeps the chosen rules and takes the ignored ones off the
//! findings, never out of sight: each stands under `ignored` with its reason.
//!
//! An ignore that has expired no longer counts. Whether it has is decided by the evidence's own time.

use super::{CaseEntry, Ignored, Outcome, Report, Severity};
use crate::provenance::Time;
use crate::rules::RULES;

/// Which findings a report tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Rules, or families of rules; empty: all.
    pub select: Vec<String>,
    /// What to take off the findings.
    pub ignore: Vec<Ignore>,
}

/// A rule whose finding is known and accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The rule, or a family of rules.
    pub rule: String,
    /// Only of this host; of every host without one.
    pub host: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when, exclusively.
    pub until: Option<Time>,
}

/// Whether a pattern names a rule or a family of rules (`apigw` or `apigw.*`).
pub fn is_known(pattern: &str) -> bool {
    RULES.iter().any(|rule| names(pattern, rule.id))
}

fn names(pattern: &str, rule: &str) -> bool {
    let family = pattern.strip_suffix(".*").unwrap_or(pattern);
    pattern == rule || rule.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'))
}

impl Selection {
    /// Applies it to a report. What comes back are the ignores that no longer count, of findings that are
    /// there, and those of which nothing tells whether they still do.
    pub fn apply(&self, report: &mut Report) -> Vec<String> {
        let now = report.sources.iter().filter_map(|source| source.last.or(source.first)).max();
        for case in &mut report.cases {
            self.ignore_in(case, now);
        }
        // What is accepted stands behind what is not, before what is right.
        report.cases.sort_by_key(|case| {
            let outcome = if case.accepted { Outcome::Inconclusive } else { case.outcome };
            (outcome, case.accepted)
        });
        if !self.select.is_empty() {
            let is_selected = |rule: &str| self.select.iter().any(|pattern| names(pattern, rule));
            for case in &mut report.cases {
                case.findings.retain(|finding| is_selected(finding.rule));
            }
            let keeps = |case: &CaseEntry| {
                !case.findings.is_empty()
                    || case.undecided.iter().any(|it| it.rule.starts_with("insufficient.") && is_selected(it.rule))
            };
            let judged = report.cases.len();
            report.cases.retain(keeps);
            report.left_out = Some(judged.saturating_sub(report.cases.len())).filter(|left| *left > 0);
        }
        self.expired(report, now)
    }

    fn expired(&self, report: &Report, now: Option<Time>) -> Vec<String> {
        let concerns = |it: &&Ignore| {
            let cases = report.cases.iter().filter(|case| it.host.is_none() || it.host == case.host);
            let rules = cases
                .flat_map(|case| case.findings.iter().map(|it| it.rule).chain(case.ignored.iter().map(|it| it.rule)));
            rules.into_iter().any(|rule| names(&it.rule, rule))
        };
        let says = |it: &Ignore| {
            let until = it.until?;
            let day = day_of(until);
            let of = it.host.as_ref().map_or_else(String::new, |host| format!(" of {host}"));
            let what = format!("the ignore of {}{of} ({})", it.rule, it.reason);
            match now {
                None => Some(format!("{what} ends {day}; the evidence has no time, so it counts")),
                Some(now) if now.seconds >= until.seconds => Some(format!("{what} ended {day} and no longer counts")),
                Some(_) => None,
            }
        };
        self.ignore.iter().filter(concerns).filter_map(says).collect()
    }

    fn ignore_in(&self, case: &mut CaseEntry, now: Option<Time>) {
        let host = case.host.clone();
        let applies = |it: &&Ignore| {
            let is_current = match (it.until, now) {
                (Some(until), Some(now)) => now.seconds < until.seconds,
                _ => true,
            };
            is_current && (it.host.is_none() || it.host == host)
        };
        let rules: Vec<&Ignore> = self.ignore.iter().filter(applies).collect();
        let mut kept = Vec::new();
        for finding in std::mem::take(&mut case.findings) {
            match rules.iter().find(|it| names(&it.rule, finding.rule)) {
                Some(it) => case.ignored.push(Ignored {
                    rule: finding.rule,
                    severity: finding.severity,
                    headline: finding.headline,
                    reason: it.reason.clone(),
                    until: it.until.map(day_of),
                    is_undated: it.until.is_some() && now.is_none(),
                    cites: finding.reasons.iter().flat_map(|it| it.cites.iter().copied()).collect(),
                }),
                None => kept.push(finding),
            }
        }
        case.findings = kept;
        let is_error = |severity: Severity| severity == Severity::Error;
        case.accepted = case.ignored.iter().any(|it| is_error(it.severity))
            && !case.findings.iter().any(|it| is_error(it.severity));
    }
}

/// The calendar day of a time.
fn day_of(time: Time) -> String {
    time.rfc3339().chars().take(10).collect()
}

impl CaseEntry {
    /// Whether all that is wrong with the host is accepted.
    pub fn is_accepted(&self) -> bool {
        self.accepted
    }
}

#[cfg(test)]
mod tests {
    use super::{is_known, names};

    #[test]
    fn families_are_named_by_their_prefix() {
        for (pattern, rule, expected) in [
            ("sni.absent", "sni.absent", true),
            ("sni", "sni.absent", true),
            ("sni.*", "sni.absent", true),
            ("sn", "sni.absent", false),
            ("sni.abs", "sni.absent", false),
            ("cert", "chain.incomplete", false),
        ] {
            assert_eq!(names(pattern, rule), expected, "{pattern} {rule}");
        }
        assert!(is_known("apigw") && !is_known("apigateway"));
    }
}
