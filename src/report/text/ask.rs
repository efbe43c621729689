//! Where no error heads a case: what is known and what is not, what to ask for, and what to do only when
//! that confirms a cause.

use super::{Page, safe};
use crate::report::words;
use crate::report::{CaseEntry, FindingEntry, Outcome, Severity};

impl Page<'_> {
    /// What is known, and what is not; of a right certificate `checked` says it.
    pub(super) fn known(&mut self, case: &CaseEntry) {
        let first = case.headed_by().first().filter(|it| !words::is_beside(case, it));
        if let Some(finding) = first {
            let reasons: Vec<&str> = finding.reasons.iter().map(|it| it.text.as_str()).collect();
            self.wrapped("known", &safe(&reasons.join("; ")));
        }
        let missing = case.undecided.iter().find(|it| it.rule.starts_with("insufficient."));
        if let Some(it) = missing {
            self.wrapped("unknown", &format!("{}.", safe(&it.missing)));
        }
        if first.is_some() || missing.is_some() {
            self.blank();
        }
    }

    /// The commands to ask for, with what each decides.
    pub(super) fn ask_for(&mut self, case: &CaseEntry) {
        let mut label = "ask for";
        for it in &case.ask_for {
            if it.or.is_empty() {
                self.wrapped(label, &safe(&it.command));
            } else {
                self.wrapped(label, words::ANY_ONE);
                for (nth, command) in (1..).zip(std::iter::once(&it.command).chain(&it.or)) {
                    self.numbered(nth, &safe(command));
                }
            }
            self.wrapped("", &safe(&words::decides(it)));
            label = "";
        }
        if !case.ask_for.is_empty() {
            self.blank();
        }
    }

    /// The findings of a case without an error: what to do only when it is confirmed, and what is beside it.
    pub(super) fn without_error(&mut self, case: &CaseEntry) {
        let (beside, open): (Vec<&FindingEntry>, Vec<&FindingEntry>) =
            case.findings.iter().partition(|it| words::is_beside(case, it));
        let mut label = "then";
        let headed = case.headed_by().len();
        for finding in open.iter().skip(headed) {
            self.wrapped("also", &format!("{} ({}): {}", finding.rule, words::strength(finding), safe(&finding.cause)));
            self.blank();
        }
        for finding in open.into_iter().take(headed) {
            let says = format!("{} {}", words::only_if(case, finding.rule), safe(&finding.cause));
            self.wrapped(label, &says);
            self.blank();
            self.cure(finding);
            label = "or";
        }
        for finding in beside {
            self.beside(case, finding);
        }
    }

    fn beside(&mut self, case: &CaseEntry, finding: &FindingEntry) {
        let label = if finding.severity == Severity::Note { "note" } else { "warning" };
        self.wrapped(label, &format!("{} ({}): {}", finding.rule, words::strength(finding), safe(&finding.cause)));
        // Where something is broken, the cure of a side fact would be taken for its cure.
        if case.outcome == Outcome::Ok {
            self.wrapped("", &format!("{} {}", words::BESIDE, safe(&finding.remedy)));
            self.wrapped("", &format!("Check: {}", safe(&finding.verify)));
            if let Some(expect) = &finding.expect {
                self.wrapped("", &format!("expect {}", safe(expect)));
            }
        }
        self.blank();
    }
}
