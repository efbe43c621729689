//! The pages and the list of the rules.

use super::Exit;
use super::args::ListFormat;
use crate::rules;

/// The page of a rule.
pub(super) fn page(id: &str) -> super::Done {
    let rule = rules::find(id).ok_or_else(|| format!("no rule {id}"))?;
    let mut text = format!("{}: {}\n\n", rule.id, rule.summary);
    for line in rule.docs.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        text.push_str(line.strip_prefix("# ").unwrap_or(line));
        text.push('\n');
    }
    Ok((text, Exit::Clean, None))
}

/// All rules.
pub(super) fn table(format: ListFormat) -> String {
    match format {
        ListFormat::Text => {
            let width = rules::RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
            let rows = rules::RULES.iter().map(|rule| format!("{:width$}  {}\n", rule.id, rule.summary));
            rows.collect::<Vec<_>>().concat()
        }
        ListFormat::Json => {
            let rules: Vec<serde_json::Value> = rules::RULES
                .iter()
                .map(|rule| {
                    serde_json::json!({
                        "id": rule.id, "summary": rule.summary, "since": rule.since, "cap": rule.cap,
                        "docs": rule.docs,
                    })
                })
                .collect();
            serde_json::to_string_pretty(&rules).unwrap_or_default() + "\n"
        }
    }
}
