//! A cause that was found ([`Finding`]): its words, its reasons with what proves each, how to draw the
//! proof, and the record to change.

use serde::Serialize;

use crate::evidence::ObservationId;

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
    /// What would prove it where nothing does yet, behind `if`: `the certificate is only for NAME`.
    pub confirmed_if: Option<String>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RecordChange {
    /// One sentence over the two.
    pub intro: String,
    /// The record to remove, as in a zone file.
    pub old: String,
    /// The record to put in its place.
    pub new: String,
    /// What is not known of the new one, or of who edits it; empty when all is known.
    pub unknown: String,
    /// Who answers for the zone, where the evidence says.
    pub operator: Option<String>,
    /// A Route 53 change batch that makes the change, ready to review; where Route 53 answers for the
    /// zone and the new record is known.
    pub batch: Option<String>,
}

impl Finding {
    /// A finding that says only its headline yet.
    pub fn new(headline: impl Into<String>, severity: Severity, strength: Strength) -> Self {
        Self {
            headline: headline.into(),
            severity,
            strength,
            cause: String::new(),
            remedy: String::new(),
            verify: String::new(),
            expect: None,
            confirmed_if: None,
            reasons: Vec::new(),
            marks: Vec::new(),
            change: None,
        }
    }

    /// With the cause and the cure, in sentences.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        self.cause = cause.into();
        self.remedy = remedy.into();
        self
    }

    /// With the command that shows that it is done, and what to expect of it.
    #[must_use]
    pub fn verified_by(mut self, command: impl Into<String>, expect: impl Into<String>) -> Self {
        self.verify = command.into();
        self.expect = Some(expect.into());
        self
    }

    /// With what would prove it where nothing does yet.
    #[must_use]
    pub fn confirmed_if(mut self, shows: impl Into<String>) -> Self {
        self.confirmed_if = Some(shows.into());
        self
    }

    /// With one more reason.
    #[must_use]
    pub fn reason(mut self, text: impl Into<String>, cites: impl IntoIterator<Item = ObservationId>) -> Self {
        let mut all: Vec<ObservationId> = Vec::new();
        for id in cites {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        self.reasons.push(Reason { text: text.into(), cites: all });
        self
    }

    /// With one more mark.
    #[must_use]
    pub fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    /// With the record to change.
    #[must_use]
    pub fn change(mut self, change: Option<RecordChange>) -> Self {
        self.change = change;
        self
    }

    /// The verdict that it is.
    pub fn found(self) -> super::Verdict {
        super::Verdict::Found(Box::new(self))
    }
}

impl Mark {
    /// A mark under these words of an observation.
    pub fn new(on: ObservationId, words: impl Into<String>, sign: Sign, label: impl Into<String>) -> Self {
        Self { on, beside: String::new(), words: words.into(), sign, label: label.into() }
    }
}
