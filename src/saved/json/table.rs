//! `aws … --output table`: boxes in boxes, a title over each.
//!
//! How deep a box lies is told by the bars at the left. A box holds pairs of a key and a value, or
//! a list under its title; keys with an empty cell have no value. Whether a box that stands alone is
//! an object or the only item of a list is told by its title, a plural or not.

use super::tree::Tree;
use crate::saved::Line;

/// Whether a line without a command opens such an output: the title of the whole.
pub(super) fn opens(line: &str) -> bool {
    cells(line).is_some_and(|(depth, cells)| match cells.as_slice() {
        [title] => depth == 1 && OPERATIONS.contains(&title.trim()),
        _ => false,
    })
}

/// The outer box.
pub(super) fn read(lines: &[Line]) -> Option<Tree> {
    let mut boxes: Vec<Box> = Vec::new();
    let mut border: Option<usize> = None;
    for line in lines {
        let Some((depth, row)) = cells(&line.text) else {
            border = border_depth(&line.text).or(border);
            continue;
        };
        let is_title = row.len() == 1 && border != Some(depth) || boxes.is_empty();
        if is_title && row.len() == 1 {
            boxes.push(Box {
                depth,
                title: row.first().map(|it| it.trim().to_owned()).unwrap_or_default(),
                rows: Vec::new(),
            });
        } else if let Some(last) = boxes.iter_mut().rev().find(|it| it.depth == depth) {
            let is_centred = row.iter().all(|cell| is_centred(cell));
            let begins_box = row.len() == 1 && is_centred && !last.rows.is_empty() && border == Some(depth);
            if begins_box && last.rows.iter().all(|(_, cells)| cells.len() == 1 && is_centred_row(cells)) {
                last.rows.clear();
            }
            if begins_box && !last.rows.is_empty() {
                let title = row.first().map(|it| it.trim().to_owned()).unwrap_or_default();
                boxes.push(Box { depth, title, rows: Vec::new() });
            } else {
                last.rows.push((line.number, row.iter().map(|cell| (*cell).to_owned()).collect()));
            }
        }
        border = None;
    }
    let (first, rest) = boxes.split_first()?;
    Some(first.tree(&mut rest.iter().peekable()))
}

struct Box {
    depth: usize,
    title: String,
    rows: Vec<(u32, Vec<String>)>,
}

impl Box {
    fn tree<'b>(&self, rest: &mut std::iter::Peekable<impl Iterator<Item = &'b Box>>) -> Tree {
        let mut pairs: Vec<(String, Tree)> = Vec::new();
        let mut list: Vec<Tree> = Vec::new();
        let header = self.rows.first().filter(|(_, cells)| is_centred_row(cells) && self.rows.len() > 1);
        for (line, cells) in self.rows.iter().skip(usize::from(header.is_some())) {
            let value = |cell: &String| Tree::Scalar(*line, cell.trim().to_owned());
            match (header, cells.as_slice()) {
                (Some((_, names)), cells) if names.len() == cells.len() => {
                    let fields = names.iter().zip(cells).map(|(name, cell)| (name.trim().to_owned(), value(cell)));
                    list.push(Tree::Object(fields.collect()));
                }
                (_, [key, cell]) if !cell.trim().is_empty() => pairs.push((key.trim().to_owned(), value(cell))),
                (_, [cell]) => list.push(value(cell)),
                _ => {}
            }
        }
        let mut inner: Vec<(String, Vec<Tree>)> = Vec::new();
        while let Some(child) = rest.next_if(|child| child.depth > self.depth) {
            let tree = child.tree(rest);
            match inner.iter_mut().find(|(title, _)| *title == child.title) {
                Some((_, all)) => all.push(tree),
                None => inner.push((child.title.clone(), vec![tree])),
            }
        }
        if pairs.is_empty() && inner.is_empty() && !list.is_empty() {
            return Tree::List(list);
        }
        for (title, mut all) in inner {
            let is_list = all.len() > 1 || (title.ends_with('s') && !SINGULAR.contains(&title.as_str()));
            let value = match all.pop() {
                Some(only) if all.is_empty() && (!is_list || matches!(only, Tree::List(_))) => only,
                Some(other) => {
                    all.push(other);
                    Tree::List(all)
                }
                None => continue,
            };
            pairs.push((title, value));
        }
        Tree::Object(pairs)
    }
}

/// The cells of a row and how many bars stand before it.
fn cells(line: &str) -> Option<(usize, Vec<&str>)> {
    let line = line.trim_end();
    let inner = line.trim_start_matches('|');
    let depth = line.len().checked_sub(inner.len()).filter(|depth| *depth > 0)?;
    let inner = inner.strip_suffix(&"|".repeat(depth))?;
    (!inner.starts_with('+') && !inner.starts_with('-')).then(|| (depth, inner.split('|').collect()))
}

/// `|+----+----+|`: the depth of the box that it belongs to.
fn border_depth(line: &str) -> Option<usize> {
    let inner = line.trim_start_matches('|');
    inner.starts_with('+').then(|| line.len().saturating_sub(inner.len()).saturating_add(1))
}

fn is_centred_row(cells: &[String]) -> bool {
    cells.iter().all(|cell| is_centred(cell))
}

/// A title and a header stand in the middle; values and keys behind two blanks.
fn is_centred(cell: &str) -> bool {
    let before = cell.len().saturating_sub(cell.trim_start().len());
    let after = cell.len().saturating_sub(cell.trim_end().len());
    !cell.trim().is_empty() && before.abs_diff(after) <= 1 && before != VALUE_INDENT
}

const VALUE_INDENT: usize = 2;
/// Titles that end with an s and are one object.
const SINGULAR: &[&str] = &["Aliases", "Status", "TrustedSigners", "TrustedKeyGroups", "CustomErrorResponses", "tags"];
/// The operations that are read, as the CLI titles their tables.
const OPERATIONS: &[&str] = &[
    "GetDomainName",
    "GetDomainNames",
    "GetApis",
    "GetApi",
    "GetRestApis",
    "GetRestApi",
    "GetBasePathMappings",
    "GetApiMappings",
    "ListResourceRecordSets",
    "ListHostedZones",
    "ListHostedZonesByName",
    "GetHostedZone",
    "TestDNSAnswer",
    "GetDomainDetail",
    "DescribeCertificate",
    "ListCertificates",
    "GetCertificate",
    "ListDistributions",
    "GetDistribution",
    "DescribeVpcEndpoints",
    "DescribeNetworkInterfaces",
    "DescribeLoadBalancers",
    "DescribeListeners",
    "DescribeListenerCertificates",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_become_objects_and_lists() {
        let text = "\
-----------------------------
|       GetDomainNames      |
+---------------------------+
||          items          ||
|+--------------+----------+|
||  domainName  |  w.x.com ||
||  status      |          ||
|+--------------+----------+|
||| endpointConfiguration |||
||+-------------+---------+||
|||  ipType     |  ipv4   |||
||+-------------+---------+||
||||        types        ||||
|||+---------------------+|||
||||  REGIONAL           ||||
|||+---------------------+|||
||          items          ||
|+--------------+----------+|
||  domainName  |  v.x.com ||
|+--------------+----------+|
";
        let lines: Vec<Line> = (1..).zip(text.lines()).map(|(at, line)| Line::new(at, line.to_owned())).collect();
        let tree = read(&lines).unwrap();
        let json: String = tree.lines().iter().map(|line| line.text.as_str()).collect();
        let found: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({"items": [
            {"domainName": "w.x.com", "endpointConfiguration": {"ipType": "ipv4", "types": ["REGIONAL"]}},
            {"domainName": "v.x.com"},
        ]});
        assert_eq!(found, expected);
    }
}
