//! `aws … --output yaml`: the block style that the CLI prints.
//!
//! Mappings and lists by indentation, plain and quoted scalars, literal blocks (`|`), `[]` and `{}`;
//! a list can stand at the column of its key. Anchors, tags and flow collections are not printed by the CLI.

use super::tree::Tree;
use crate::saved::Line;

/// Whether a line without a command opens such an output.
pub(super) fn opens(line: &str) -> bool {
    let key = line.trim_start_matches("- ").split(':').next().unwrap_or_default();
    OPENING_KEYS.contains(&key) && line.contains(':')
}

/// The documents in the lines; none when they are no YAML of this kind.
pub(super) fn read(lines: &[Line]) -> Option<Tree> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for line in lines {
        let text = line.text.trim_end();
        if text.is_empty() || text.trim_start().starts_with('#') || text == "---" {
            continue;
        }
        let content = text.trim_start_matches(' ');
        rows.push(Row { number: line.number, indent: text.len().saturating_sub(content.len()), text: content });
    }
    let first = rows.first()?;
    (first.text.starts_with("- ") || split_key(first.text).is_some()).then_some(())?;
    let mut reader = Reader { rows: &rows, at: 0 };
    let tree = reader.value(first.indent, 0);
    matches!(tree, Tree::List(_) | Tree::Object(_)).then_some(tree)
}

#[derive(Clone, Copy)]
struct Row<'t> {
    number: u32,
    indent: usize,
    text: &'t str,
}

struct Reader<'r, 't> {
    rows: &'r [Row<'t>],
    at: usize,
}

impl<'t> Reader<'_, 't> {
    fn row(&self) -> Option<Row<'t>> {
        self.rows.get(self.at).copied()
    }

    fn value(&mut self, indent: usize, depth: usize) -> Tree {
        match self.row() {
            Some(row) if depth < DEPTH_MAX && is_item(row.text) => self.list(indent, depth),
            Some(row) if depth < DEPTH_MAX && split_key(row.text).is_some() => self.object(indent, depth, None),
            Some(row) => {
                self.at = self.at.saturating_add(1);
                Tree::Scalar(row.number, unquoted(row.text))
            }
            None => Tree::Object(Vec::new()),
        }
    }

    fn list(&mut self, indent: usize, depth: usize) -> Tree {
        let mut items = Vec::new();
        while let Some(row) = self.row().filter(|row| row.indent == indent && is_item(row.text)) {
            self.at = self.at.saturating_add(1);
            let content = row.text.trim_start_matches('-').trim_start();
            let column = indent.saturating_add(row.text.len().saturating_sub(content.len()));
            if content.is_empty() {
                let inner = self.row().map_or(column, |next| next.indent);
                items.push(self.value(inner, depth.saturating_add(1)));
            } else if split_key(content).is_some() {
                let first = Row { number: row.number, indent: column, text: content };
                items.push(self.object(column, depth.saturating_add(1), Some(first)));
            } else {
                items.push(self.scalar(row.number, content, indent));
            }
        }
        Tree::List(items)
    }

    fn object(&mut self, indent: usize, depth: usize, first: Option<Row<'t>>) -> Tree {
        let mut pairs = Vec::new();
        let mut next = first;
        loop {
            let row = match next.take() {
                Some(row) => row,
                None => match self.row().filter(|row| row.indent == indent) {
                    Some(row) => {
                        self.at = self.at.saturating_add(1);
                        row
                    }
                    None => break,
                },
            };
            let Some((key, rest)) = split_key(row.text) else { break };
            let value = if rest.is_empty() {
                match self.row() {
                    Some(inner) if inner.indent > indent || (inner.indent == indent && is_item(inner.text)) => {
                        self.value(inner.indent, depth.saturating_add(1))
                    }
                    _ => Tree::Scalar(row.number, String::new()),
                }
            } else {
                self.scalar(row.number, rest, indent)
            };
            pairs.push((unquoted(key), value));
        }
        Tree::Object(pairs)
    }

    /// A scalar behind a key or a dash; a literal block, or one that goes on in deeper lines.
    fn scalar(&mut self, number: u32, text: &str, indent: usize) -> Tree {
        let is_literal = matches!(text, "|" | "|-" | "|+" | ">" | ">-");
        let mut parts: Vec<&str> = if is_literal { Vec::new() } else { vec![text] };
        while let Some(row) = self.row().filter(|row| row.indent > indent) {
            self.at = self.at.saturating_add(1);
            parts.push(row.text);
        }
        match text {
            "[]" => Tree::List(Vec::new()),
            "{}" => Tree::Object(Vec::new()),
            _ => Tree::Scalar(number, unquoted(&parts.join(if is_literal { "\n" } else { " " }))),
        }
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// `key: value`, `key:`.
fn split_key(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = match text.strip_suffix(':') {
        Some(key) if !key.contains(": ") => (key, ""),
        _ => text.split_once(": ")?,
    };
    let is_key = !key.is_empty() && !key.contains(' ') && !key.starts_with(['"', '-', '|', '{', '[']);
    is_key.then_some((key, rest.trim()))
}

fn unquoted(text: &str) -> String {
    if let Some(inner) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return inner.replace("''", "'");
    }
    if text.starts_with('"') && text.ends_with('"') {
        return serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches('"').to_owned());
    }
    text.to_owned()
}

/// The first keys of what the CLI prints for the commands that are read.
const OPENING_KEYS: &[&str] = &[
    "items",
    "Items",
    "domainName",
    "certificateUploadDate",
    "DomainNameConfigurations",
    "ApiMappingSelectionExpression",
    "ResourceRecordSets",
    "HostedZones",
    "HostedZone",
    "CertificateArn",
    "CertificateSummaryList",
    "DistributionList",
    "Distribution",
    "VpcEndpoints",
    "NetworkInterfaces",
    "LoadBalancers",
    "Listeners",
    "DelegationSet",
    "Nameserver",
    "DomainName",
    "AliasTarget",
];
const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lists_and_literals() {
        let text = "items:\n- domainName: www.example.com\n  endpointConfiguration:\n    types:\n    - REGIONAL\n  \
                    tags: {}\n- domainName: 'x: y'\nCertificate: |\n  -----BEGIN\n  abc\nTTL: 300\n";
        let lines: Vec<Line> = (1..).zip(text.lines()).map(|(at, line)| Line::new(at, line.to_owned())).collect();
        let tree = read(&lines).unwrap();
        let json: String = tree.lines().iter().map(|line| line.text.as_str()).collect();
        let found: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({
            "items": [
                {"domainName": "www.example.com", "endpointConfiguration": {"types": ["REGIONAL"]}, "tags": {}},
                {"domainName": "x: y"},
            ],
            "Certificate": "-----BEGIN\nabc",
            "TTL": 300,
        });
        assert_eq!(found, expected);
        let numbers: Vec<u32> = tree.lines().iter().map(|line| line.number).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}
