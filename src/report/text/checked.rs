//! Of a right certificate: what was compared, each with its place, and what nobody looked at.

use super::{Page, safe};
use crate::report::checked::{comparisons, unseen};
use crate::report::{CaseEntry, Outcome, words};

impl Page<'_> {
    /// What was compared and what was not, where the certificate is right.
    pub(super) fn checked(&mut self, case: &CaseEntry) {
        if case.outcome != Outcome::Ok {
            return;
        }
        let mut label = "checked";
        for (what, found, at) in comparisons(self.report, case) {
            let place = at.and_then(|id| self.report.places_of(case, id).first()).map(words::place);
            let place = place.filter(|it| !it.is_empty()).map_or_else(String::new, |it| format!(" ({it})"));
            self.wrapped(label, &safe(&format!("✓ {what:<5}  {found}{place}")));
            label = "";
        }
        if label.is_empty() {
            self.blank();
        }
        let mut label = "not seen";
        for it in unseen(case) {
            self.wrapped(label, &safe(&it));
            label = "";
        }
        self.blank();
    }
}
