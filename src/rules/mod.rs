//! Causes of a wrong certificate: [`Rule`], one pure function each over a [`Case`], and [`RULES`].
//!
//! A rule says found, clear (ruled out by evidence that it cites), unknown (with the command that
//! would decide) or not applicable. It never concludes from absence. [`judge`] runs them all on a
//! case and adds the [`outcome`].

use serde::Serialize;

use crate::case::Case;
use crate::evidence::ObservationId;

pub mod apigw;
pub mod cert;
pub mod insufficient;
pub mod none;
pub mod outcome;
pub mod sni;
pub mod tool;
pub mod view;

pub use outcome::Outcome;

/// One cause: data and one pure function.
#[derive(Debug)]
pub struct Rule {
    /// Its id, released for good.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The page that `whycert explain` prints.
    pub docs: &'static str,
    /// The version that brought it.
    pub since: &'static str,
    /// The confidence of a proven finding.
    pub cap: f64,
    /// Where it stands in the order of judging, smaller first: artifacts of the test before faults
    /// of the server.
    pub rank: u16,
    /// What it says of a case.
    pub check: fn(&Case<'_>) -> Verdict,
}

/// What a rule says of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The case is not of its kind.
    NotApplicable,
    /// The evidence does not decide.
    Unknown {
        /// What is missing.
        missing: String,
        /// The command that would decide.
        ask: String,
    },
    /// Evidence excludes it.
    Clear {
        /// The counter-evidence, in words.
        because: String,
        /// The observations that hold it; never empty.
        cites: Vec<ObservationId>,
    },
    /// The cause was found.
    Found(Box<Finding>),
}

impl Verdict {
    /// Its name in `expected.verdicts`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Unknown { .. } => "unknown",
            Self::Clear { .. } => "clear",
            Self::Found(_) => "found",
        }
    }
}

/// A cause that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The headline in plain words: `HOST is served the certificate of NAME`.
    pub headline: String,
    /// How bad it is.
    pub severity: Severity,
    /// How well it is supported.
    pub strength: Strength,
    /// The cause, in sentences.
    pub cause: String,
    /// What to do, in a sentence.
    pub remedy: String,
    /// The command that shows that it is done.
    pub verify: String,
    /// What to expect of that command.
    pub expect: Option<String>,
    /// Why; never empty.
    pub reasons: Vec<Reason>,
    /// How to draw the proof.
    pub marks: Vec<Mark>,
    /// The record to change.
    pub change: Option<RecordChange>,
}

/// One reason of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The reason in words.
    pub text: String,
    /// The observations that prove it; never empty.
    pub cites: Vec<ObservationId>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A wrong or invalid certificate was seen, or a handshake failed.
    Error,
    /// A fault in DNS or configuration alone.
    Warning,
    /// A side fact.
    Note,
}

/// How well a cause is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Every deciding observable was seen.
    Proven,
    /// One of them is inferred.
    Strong,
    /// It fits, and another cause fits too.
    Consistent,
}

impl Strength {
    /// The share of a rule's cap that a finding of this strength is worth.
    pub fn share(self) -> f64 {
        match self {
            Self::Proven => 1.0,
            Self::Strong => 0.8,
            Self::Consistent => 0.5,
        }
    }
}

/// Words in the evidence that the proof underlines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The observation whose places hold the words.
    pub on: ObservationId,
    /// A word that must stand on the same line or row, such as the owner of a record; empty: none.
    pub beside: String,
    /// The words to underline.
    pub words: String,
    /// What the line under them means.
    pub sign: Sign,
    /// What to say about them.
    pub label: String,
}

/// What an underline means; colour only repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `^^^^`: wrong.
    Wrong,
    /// `----`: right.
    Right,
    /// `~~~~`: doubtful.
    Doubtful,
    /// `++++`: what should be, or what confirms.
    Confirms,
}

/// A DNS record as it is and as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// One sentence over the two.
    pub intro: String,
    /// The record to remove, as in a zone file.
    pub old: String,
    /// The record to put in its place.
    pub new: String,
    /// What is not known of the new one; empty when it is whole.
    pub unknown: String,
}

/// What all rules say of one case.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What came of the case.
    pub outcome: Outcome,
    /// The verdict of every rule, in the order of [`RULES`].
    pub verdicts: Vec<(&'static Rule, Verdict)>,
}

impl Judgement {
    /// The findings, best first: by severity, strength, confidence, id. A note never heads a case.
    pub fn findings(&self) -> Vec<(&'static Rule, &Finding)> {
        let mut found: Vec<(&'static Rule, &Finding)> = self
            .verdicts
            .iter()
            .filter_map(|(rule, verdict)| match verdict {
                Verdict::Found(finding) => Some((*rule, finding.as_ref())),
                _ => None,
            })
            .collect();
        found.sort_by(|(rule, finding), (other, than)| {
            let key = (finding.severity, finding.strength);
            key.cmp(&(than.severity, than.strength))
                .then(confidence(other, than).total_cmp(&confidence(rule, finding)))
                .then(rule.rank.cmp(&other.rank))
                .then(rule.id.cmp(other.id))
        });
        found
    }
}

/// The confidence of a finding: its strength's share of the rule's cap, in hundredths.
pub fn confidence(rule: &Rule, finding: &Finding) -> f64 {
    (rule.cap * finding.strength.share() * 100.0).round() / 100.0
}

/// Judges one case.
pub fn judge(case: &Case<'_>) -> Judgement {
    let verdicts: Vec<(&'static Rule, Verdict)> = RULES.iter().map(|rule| (*rule, (rule.check)(case))).collect();
    Judgement { outcome: outcome::of(case), verdicts }
}

/// The version of the set of rules: it grows with every rule or changed verdict.
pub const VERSION: &str = "1";

/// Declares a rule. The doc comment is the rule's only documentation: `whycert explain` prints it.
macro_rules! declare_rule {
    ($(#[doc = $line:literal])+ $id:literal, $summary:literal, since $since:literal, cap $cap:literal, rank $rank:literal) => {
        $(#[doc = $line])+
        pub static RULE: crate::rules::Rule = crate::rules::Rule {
            id: $id,
            summary: $summary,
            docs: concat!($($line, "\n"),+),
            since: $since,
            cap: $cap,
            rank: $rank,
            check,
        };
    };
}
pub(crate) use declare_rule;

/// All rules, by id.
pub static RULES: &[&Rule] = &[
    &apigw::cname_to_stage_url::RULE,
    &apigw::d_name_not_configured::RULE,
    &cert::expired::RULE,
    &cert::not_yet_valid::RULE,
    &insufficient::no_certificate_seen::RULE,
    &insufficient::tls13_encrypted::RULE,
    &none::certificate_ok::RULE,
    &sni::absent::RULE,
    &tool::no_servername::RULE,
];

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
