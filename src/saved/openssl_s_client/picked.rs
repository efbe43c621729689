//! The certificates that are left of an output of which `grep` or `findstr` picked lines: their names without
//! the list that they stood in.

use super::{Entry, chain_subject};
use crate::saved::grammar::dn;
use crate::saved::{Line, RunText};

/// From the list, else from the names of the leaf, else from the way of the verification.
pub(super) fn entries(run: &RunText<'_>) -> Vec<Entry> {
    let listed = listed(run.lines);
    if !listed.is_empty() {
        return listed;
    }
    named(run.lines, "subject=", "issuer=").or_else(|| verified(run.lines)).into_iter().collect()
}

/// ` 0 s:CN = x` and `   i:CN = y`.
fn listed(lines: &[Line]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines {
        let text = line.text.trim_start();
        if let Some(subject) = chain_subject(text) {
            entries.push(Entry { subject: Some(dn::normal(subject)), lines: vec![line.number], ..Entry::default() });
        } else if let (Some(issuer), Some(entry)) = (text.strip_prefix("i:"), entries.last_mut()) {
            entry.issuer = Some(dn::normal(issuer));
            entry.lines.push(line.number);
        }
    }
    entries
}

/// `subject=CN = x` and `issuer=CN = y`, or what else goes before the two.
fn named(lines: &[Line], subject: &str, issuer: &str) -> Option<Entry> {
    let after = |prefix: &str| {
        let found = |line: &Line| Some((line.number, dn::normal(line.text.trim().strip_prefix(prefix)?)));
        lines.iter().find_map(found)
    };
    let (first, subject) = after(subject)?;
    let issuer = after(issuer);
    let lines = std::iter::once(first).chain(issuer.as_ref().map(|it| it.0)).collect();
    Some(Entry { subject: Some(subject), issuer: issuer.map(|it| it.1), lines, ..Entry::default() })
}

/// `depth=0 CN = x`, whose issuer is at `depth=1`.
fn verified(lines: &[Line]) -> Option<Entry> {
    named(lines, "depth=0 ", "depth=1 ")
}

#[cfg(test)]
mod tests {
    use crate::evidence::Fact;

    const LOOK: &str = "$ openssl s_client -connect www.example.com:443 -servername www.example.com </dev/null 2>&1 | ";

    fn read(output: &str) -> (Option<String>, Option<String>, usize) {
        let reading = crate::saved::read("it.txt", format!("{LOOK}{output}").as_bytes());
        let certificates: Vec<_> = reading
            .observations
            .iter()
            .filter_map(|it| if let Fact::Certificate(it) = &*it.fact { Some(it) } else { None })
            .collect();
        let first = certificates.first().unwrap();
        (first.subject.clone(), first.issuer.clone(), certificates.len())
    }

    #[test]
    fn picked_lines_name_the_certificates() {
        let own = (Some("CN=*.example.org".to_owned()), Some("CN=Example CA".to_owned()));
        for (output, count) in [
            (
                "grep -E 's:|i:'\n 0 s:CN = *.example.org\n   i:CN = Example CA\n 1 s:CN = Example CA\n   i:CN = Root\n",
                2,
            ),
            ("grep -E 'subject|issuer'\nsubject=CN = *.example.org\nissuer=CN = Example CA\n", 1),
            ("grep depth\ndepth=1 CN = Example CA\ndepth=0 CN = *.example.org\n", 1),
        ] {
            let (subject, issuer, certificates) = read(output);
            assert_eq!(((subject, issuer), certificates), (own.clone(), count), "{output}");
        }
    }
}
