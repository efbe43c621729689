//! Where no error heads a case: what is known and what is not, what to ask for, and what to do only when
//! that confirms a cause.

use super::layout::wrap;
use super::{BECAUSE_COLUMNS_MIN, LABEL_COLUMNS, Page, safe};
use crate::report::words;
use crate::report::{CaseEntry, FindingEntry, Outcome, Severity};

impl Page<'_> {
    /// What is known, and what is not; of a right certificate `checked` says it.
    pub(super) fn known(&mut self, case: &CaseEntry) {
        let first = case.headed_by().first().filter(|it| !words::is_beside(case, it));
        if let Some(finding) = first {
            let reasons: Vec<&str> = finding.reasons.iter().map(|it| it.text.as_str()).collect();
            self.wrapped("known", &format!("{}.", safe(&reasons.join("; "))));
        }
        let missing = case.undecided.iter().find(|it| it.rule.starts_with("insufficient."));
        if let Some(it) = missing {
            self.wrapped("unknown", &format!("{}.", words::capital(&safe(&it.missing))));
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
                self.command(label, &safe(&it.command));
            } else {
                self.wrapped(label, words::ANY_ONE);
                for (nth, command) in (1..).zip(std::iter::once(&it.command).chain(&it.or)) {
                    self.numbered(nth, &safe(command));
                }
            }
            self.wrapped("", &safe(&words::decides(it)));
            self.blank();
            label = "";
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
        if self.then(case) {
            label = "";
        }
        for finding in open.into_iter().take(headed) {
            match words::only_if(case, finding) {
                Some(only_if) => self.wrapped(label, &format!("{only_if} {}", safe(&finding.cause))),
                None => self.wrapped("cause", &safe(&finding.cause)),
            }
            self.blank();
            self.cure(finding);
            label = "or";
        }
        for finding in beside {
            self.beside(case, finding);
        }
    }

    /// What the certificate that is asked for would mean.
    fn then(&mut self, case: &CaseEntry) -> bool {
        let rows = words::then(case);
        let rules = rows.iter().map(|(_, rule, _)| rule.len()).max().unwrap_or(0);
        let mut label = "then";
        for (sign, rule, condition) in &rows {
            let condition = self.twin(&safe(condition)).into_owned();
            let left = self.style.width.saturating_sub(LABEL_COLUMNS + 2 + rules + 2);
            if left < BECAUSE_COLUMNS_MIN {
                self.wrapped(label, &format!("{sign} {rule} {condition}"));
                label = "";
                continue;
            }
            for (nth, row) in wrap(&condition, left).iter().enumerate() {
                let lead = if nth == 0 { format!("{sign} {rule}") } else { String::new() };
                let painted = self.paint("1", label);
                let gap = " ".repeat(LABEL_COLUMNS.saturating_sub(label.len()));
                let room = rules + 4;
                self.line(&format!("{painted}{gap}{lead:<room$}{row}"));
                label = "";
            }
        }
        if !rows.is_empty() {
            self.blank();
        }
        !rows.is_empty()
    }

    fn beside(&mut self, case: &CaseEntry, finding: &FindingEntry) {
        let label = if finding.severity == Severity::Note { "note" } else { "warning" };
        self.wrapped(label, &format!("{} ({}): {}", finding.rule, words::strength(finding), safe(&finding.cause)));
        // The cure of a side fact would be taken for that of what is broken, or for work that is to be done.
        if case.outcome == Outcome::Ok {
            self.wrapped("", &words::beside(finding));
        }
        self.blank();
    }
}
