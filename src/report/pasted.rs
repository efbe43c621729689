//! Commands that can be pasted into a shell whatever the evidence holds: a label that would be more there than
//! a part of a name stands as `LABEL`.
//!
//! A server name, a DNS answer and a certificate can hold any byte, `$(…)` and `;` included, and rules put
//! names into the commands that they ask for.

use std::collections::BTreeSet;

use crate::case::Case;
use crate::evidence::{Evidence, Fact};
use crate::name::Name;
use crate::rules::RecordChange;

/// The labels of a case that are no more than text in a report, and more in a shell.
#[derive(Clone, Debug, Default)]
pub(super) struct Unpasted(Vec<String>);

/// So many labels of the whole evidence are kept; a flood of them would cost each command a search for each.
/// Those of the case itself always are.
const LABELS_MAX: usize = 200;

impl Unpasted {
    /// Those of all hosts in the evidence: a rule can name another host than that of the case.
    pub(super) fn everywhere(evidence: &Evidence) -> Self {
        let mut found = Self::default();
        for it in &evidence.observations {
            match &*it.fact {
                Fact::DnsAnswer(answer) => {
                    found.add(answer.question.as_ref().map(|it| it.name.as_str()));
                    found.add(answer.records.iter().map(|it| it.owner.as_str()));
                }
                Fact::TlsHandshake(it) => found.add(it.sni.as_deref()),
                _ => {}
            }
            if found.0.len() > LABELS_MAX {
                break;
            }
        }
        found.0.sort();
        found.0.dedup();
        found
    }

    /// Those and all of a case.
    pub(super) fn with(&self, case: &Case<'_>) -> Self {
        let mut found = self.clone();
        let mut read = BTreeSet::new();
        found.add_names(&case.host);
        let owners = case.host.as_ref().map(|host| case.around.records.aliases_of(host)).unwrap_or_default();
        found.add_names(owners.iter().map(|(owner, _)| owner));
        let resolutions = case.resolutions.iter().chain(&case.suffixed);
        found.add_names(resolutions.flat_map(|it| &it.aliases).flat_map(|it| [&it.owner, &it.target]));
        found.add(case.connections.iter().filter_map(|it| it.handshake.sni.as_deref()));
        let leaves = case.connections.iter().filter_map(|it| it.leaf()).chain(&case.certificates);
        for leaf in leaves.filter(|leaf| read.insert(leaf.id)) {
            found.add(leaf.labels());
        }
        found.add(case.verdicts.iter().flat_map(|(_, it)| &it.presented).map(String::as_str));
        found.0.sort_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        found.0.dedup();
        found
    }

    /// A name in a command is written as DNS writes it in text.
    fn add_names<'n>(&mut self, names: impl IntoIterator<Item = &'n Name>) {
        for name in names.into_iter().filter(|name| !is_harmless(name.as_str())) {
            self.add([name.to_string().as_str()]);
        }
    }

    fn add<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names.into_iter().filter(|name| !is_harmless(name)) {
            let labels = name.split('.').filter(|label| !label.is_empty() && !label.chars().all(is_plain));
            if name.contains('.') {
                self.0.extend(labels.flat_map(|label| [format!("{label}."), format!(".{label}")]));
            } else {
                self.0.extend(labels.map(ToOwned::to_owned));
            }
            // To a program a leading hyphen is an option.
            self.0.extend(name.starts_with('-').then(|| name.to_owned()));
        }
    }

    /// A command, or words that hold one.
    pub(super) fn without(&self, command: &str) -> String {
        let command = self.0.iter().fold(command.to_owned(), |command, label| {
            let begins = if label.starts_with('.') { "." } else { "" };
            let ends = if label.ends_with('.') { "." } else { "" };
            command.replace(label.as_str(), &format!("{begins}LABEL{ends}"))
        });
        // No command of a rule substitutes anything.
        command.replace("$(", "(").replace("${", "{")
    }

    /// The change of a record: the records stay as they are, what is to be run does not.
    pub(super) fn change(&self, change: &RecordChange) -> RecordChange {
        let mut change = change.clone();
        change.unknown = self.without(&change.unknown);
        change.batch = change.batch.map(|batch| self.without(&batch));
        change
    }
}

/// Whether no label of a name needs a look: so are nearly all.
fn is_harmless(name: &str) -> bool {
    !name.starts_with('-') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*:.".contains(&byte))
}

/// What no shell gives a meaning. `*` stands in quotes where a command holds it, `:` in addresses.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_*:".contains(c)
}
