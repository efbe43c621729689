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
        let is_open = border == Some(depth);
        let own = boxes.iter_mut().rev().find(|it| it.depth == depth).filter(|_| is_open || border.is_none());
        let begins = match &own {
            Some(own) => is_open && !own.groups.is_empty() && is_title(&row),
            None => true,
        };
        match own {
            Some(own) if !begins => own.add(line.number, &row, is_open),
            _ => {
                let title = row.first().map(|it| it.trim().to_owned()).unwrap_or_default();
                boxes.push(Box { depth, title, groups: Vec::new() });
            }
        }
        border = None;
    }
    let (first, rest) = boxes.split_first()?;
    Some(first.tree(&mut rest.iter().peekable()))
}

type Row = (u32, Vec<String>);

struct Box {
    depth: usize,
    title: String,
    /// Its rows between borders: a header and the rows below it, or pairs, or a list.
    groups: Vec<Vec<Row>>,
}

impl Box {
    fn add(&mut self, line: u32, row: &[&str], is_after_border: bool) {
        let row = (line, row.iter().map(|cell| cell.trim().to_owned()).collect());
        match self.groups.last_mut().filter(|_| !is_after_border) {
            Some(group) => group.push(row),
            None => self.groups.push(vec![row]),
        }
    }

    fn tree<'b>(&self, rest: &mut std::iter::Peekable<impl Iterator<Item = &'b Box>>) -> Tree {
        let mut pairs: Vec<(String, Tree)> = Vec::new();
        let mut list: Vec<Tree> = Vec::new();
        match self.groups.as_slice() {
            [header, rows @ ..] if header.len() == 1 && !rows.is_empty() => {
                let names = header.first().map(|(_, names)| names.as_slice()).unwrap_or_default();
                list.extend(rows.iter().flatten().map(|row| named(names, row)));
            }
            groups => {
                for (line, cells) in groups.iter().flatten() {
                    match cells.as_slice() {
                        [key, cell] if !cell.is_empty() => {
                            pairs.push((key.clone(), Tree::Scalar(*line, cell.clone())));
                        }
                        [cell] => list.push(Tree::Scalar(*line, cell.clone())),
                        _ => {}
                    }
                }
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
        pairs.extend(inner.into_iter().filter_map(|(title, all)| Some((title.clone(), together(&title, all)?))));
        Tree::Object(pairs)
    }
}

/// A row below a header.
fn named(names: &[String], (line, cells): &Row) -> Tree {
    let fields = names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
    Tree::Object(fields.map(|(name, cell)| (name.clone(), Tree::Scalar(*line, cell.clone()))).collect())
}

/// The boxes under one title: a list when they are several, or the title is a plural.
fn together(title: &str, mut all: Vec<Tree>) -> Option<Tree> {
    let is_list = all.len() > 1 || (title.ends_with('s') && !SINGULAR.contains(&title));
    let other = all.pop()?;
    if all.is_empty() && (!is_list || matches!(other, Tree::List(_))) {
        return Some(other);
    }
    all.push(other);
    Some(Tree::List(all))
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

/// A title stands alone and in the middle; a value stands behind two blanks.
fn is_title(row: &[&str]) -> bool {
    let [cell] = row else { return false };
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
|||         records       |||
||+----------+------------+||
|||   Value  |    Kind    |||
||+----------+------------+||
|||  a       |  A         |||
|||  b       |            |||
||+----------+------------+||
";
        let lines: Vec<Line> = (1..).zip(text.lines()).map(|(at, line)| Line::new(at, line.to_owned())).collect();
        let tree = read(&lines).unwrap();
        let json: String = tree.lines().iter().map(|line| line.text.as_str()).collect();
        let found: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({"items": [
            {"domainName": "w.x.com", "endpointConfiguration": {"ipType": "ipv4", "types": ["REGIONAL"]}},
            {"domainName": "v.x.com", "records": [{"Value": "a", "Kind": "A"}, {"Value": "b"}]},
        ]});
        assert_eq!(found, expected);
    }
}
