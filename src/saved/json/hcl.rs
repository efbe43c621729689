//! Terraform's own text: `terraform state show`, `terraform show`, and what a plan leaves as it is or takes away,
//! as the JSON that the state would hold.
//!
//! Of a plan only what is in force now counts: what `+` adds is not there yet, and `~` shows the old value first.
//! A resource without `id` is a configuration that somebody wrote, and no state. Expressions are not evaluated.
//!
//! What Terraform prints resembles its language and is not of it: a plan has marks before its lines, and values are
//! `(known after apply)` or `(sensitive value)`. A parser of the language refuses it; here each value keeps its line.

use super::tree::Tree;
use crate::saved::Line;

/// Whether a line begins a resource.
pub(super) fn opens(line: &str) -> bool {
    resource(line).is_some()
}

/// What is in force of the resources, and the line of one of which nothing is.
pub(super) struct Resources {
    /// Their attributes, as the state's JSON has them.
    pub tree: Tree,
    /// The first resource that is only asked for, or that a plan changes.
    pub wished: Option<u32>,
}

/// Reads the resources of a text.
pub(super) fn read(lines: &[Line]) -> Option<Resources> {
    let mut found = Vec::new();
    let mut wished = None;
    let mut has_any = false;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at = at.saturating_add(1);
        let Some(mark) = resource(&line.text) else { continue };
        has_any = true;
        let mut reader = Reader { lines, at, depth: 0, has_change: matches!(mark, Mark::Added | Mark::Changed) };
        let pairs = reader.block();
        at = reader.at;
        let is_state = mark != Mark::Added && pairs.iter().any(|(key, _)| key == "id");
        if is_state {
            found.push(Tree::Object(pairs));
        }
        if !is_state || reader.has_change {
            wished = wished.or(Some(line.number));
        }
    }
    has_any.then_some(Resources { tree: Tree::List(found), wished })
}

/// What a plan does with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Kept,
    Added,
    Removed,
    Changed,
}

/// The mark at the begin of a line, and what stands behind it.
fn marked(text: &str) -> (Mark, &str) {
    let text = text.trim();
    for (sign, mark) in [
        ("-/+ ", Mark::Changed),
        ("+/- ", Mark::Changed),
        ("+ ", Mark::Added),
        ("- ", Mark::Removed),
        ("~ ", Mark::Changed),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (mark, rest.trim_start());
        }
    }
    (Mark::Kept, text)
}

/// `~ resource "aws_route53_record" "www" {`.
fn resource(line: &str) -> Option<Mark> {
    let (mark, text) = marked(line);
    let rest = text.strip_prefix("resource \"").or_else(|| text.strip_prefix("data \""))?;
    let (kind, rest) = rest.split_once("\" \"")?;
    let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_kind && rest.trim_end().ends_with('{')).then_some(mark)
}

/// Reads the lines behind the bracket that opened a block.
struct Reader<'l> {
    lines: &'l [Line],
    at: usize,
    depth: usize,
    /// A plan adds something or changes it.
    has_change: bool,
}

impl<'l> Reader<'l> {
    fn next(&mut self) -> Option<&'l Line> {
        let line = self.lines.get(self.at)?;
        self.at = self.at.saturating_add(1);
        Some(line)
    }

    /// The attributes of a block up to its end; blocks within it are lists, as the state keeps them.
    fn block(&mut self) -> Vec<(String, Tree)> {
        let mut pairs: Vec<(String, Tree)> = Vec::new();
        self.depth = self.depth.saturating_add(1);
        while let Some(line) = self.next() {
            let number = line.number;
            let (mark, text) = marked(&line.text);
            self.has_change |= matches!(mark, Mark::Added | Mark::Changed);
            if text.starts_with('}') || self.depth > DEPTH_MAX {
                break;
            }
            if let Some((key, value)) = text.split_once(" = ") {
                let value = self.value(value.trim(), mark, number);
                pairs.extend(value.filter(|_| mark != Mark::Added).map(|value| (key.trim().to_owned(), value)));
            } else if let Some(name) = text.strip_suffix('{').map(str::trim).filter(|name| is_word(name)) {
                let inner = Tree::Object(self.block());
                if mark == Mark::Added {
                    continue;
                }
                match pairs.iter_mut().find(|(key, _)| key == name) {
                    Some((_, Tree::List(items))) => items.push(inner),
                    _ => pairs.push((name.to_owned(), Tree::List(vec![inner]))),
                }
            }
        }
        self.depth = self.depth.saturating_sub(1);
        pairs
    }

    /// A value, which can take more lines.
    fn value(&mut self, text: &str, mark: Mark, number: u32) -> Option<Tree> {
        if text == "[" {
            return Some(Tree::List(self.list()));
        }
        if text == "{" {
            return Some(Tree::Object(self.block()));
        }
        if let Some(name) = text.strip_prefix("<<") {
            let name = name.trim_start_matches(['-', '~']).trim().to_owned();
            while self.next().is_some_and(|line| line.text.trim() != name) {}
            return None;
        }
        if text.ends_with('(') {
            // What a function encodes stands in brackets of its own.
            while self.next().is_some_and(|line| !marked(&line.text).1.starts_with(')')) {}
            return None;
        }
        let old = text.split(" -> ").next().filter(|_| mark == Mark::Changed).unwrap_or(text);
        if let Some(items) = old.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let items = items.split(',').filter_map(|item| scalar(item.trim(), number));
            return Some(Tree::List(items.collect()));
        }
        scalar(old, number)
    }

    fn list(&mut self) -> Vec<Tree> {
        let mut items = Vec::new();
        while let Some(line) = self.next() {
            let number = line.number;
            let (mark, text) = marked(&line.text);
            if text.starts_with(']') {
                break;
            }
            if text == "{" {
                let inner = Tree::Object(self.block());
                items.extend((mark != Mark::Added).then_some(inner));
                continue;
            }
            let old = text.split(" -> ").next().unwrap_or(text);
            items.extend(scalar(old.trim_end_matches(','), number).filter(|_| mark != Mark::Added));
        }
        items
    }
}

/// A value that stands in the text itself: no expression, nothing hidden or known later.
fn scalar(text: &str, line: u32) -> Option<Tree> {
    let text = text.split(" # ").next().unwrap_or(text).trim();
    if let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let is_plain = !inner.contains(['"', '\\']) && !inner.contains("${");
        return is_plain.then(|| Tree::Scalar(line, inner.to_owned()));
    }
    let is_literal = matches!(text, "true" | "false") || text.parse::<u32>().is_ok();
    is_literal.then(|| Tree::Scalar(line, text.to_owned()))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Blocks within blocks.
const DEPTH_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use crate::evidence::{Fact, Mapping};
    use crate::saved;

    /// The records that a text says are in force.
    fn records(text: &str) -> String {
        let observations = saved::read("ticket.txt", text.as_bytes()).observations;
        let found = observations.iter().filter_map(|it| match &*it.fact {
            Fact::CloudMapping(it) => match &it.says {
                Mapping::Record(it) => {
                    let alias = it.alias_target.as_ref().map(|target| format!(" alias {target}")).unwrap_or_default();
                    Some(format!("{} {} {}{alias}", it.owner, it.kind, it.values.join(",")))
                }
                _ => None,
            },
            _ => None,
        });
        found.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn only_what_is_in_force_is_a_record() {
        let head = "resource \"aws_route53_record\" \"www\" {\n";
        let rest = "    fqdn = \"www.example.com\"\n    name = \"www\"\n    type = \"CNAME\"\n    zone_id = \"Z1\"\n";
        for (what, text, expected) in [
            (
                "terraform state show",
                format!(
                    "# aws_route53_record.www:\n{head}    id = \"Z1_www\"\n{rest}    records = [\n        \"a.example.net\",\n    ]\n    ttl = 300\n}}\n"
                ),
                "www.example.com CNAME a.example.net",
            ),
            (
                "a change",
                format!(
                    "  ~ {head}    id = \"Z1_www\"\n{rest}      ~ records = [\n          - \"a.example.net\",\n          + \"b.example.net\",\n        ]\n    }}\n"
                ),
                "www.example.com CNAME a.example.net",
            ),
            (
                "a change of the name",
                format!(
                    "  ~ {head}    id = \"Z1_www\"\n      ~ fqdn = \"old.example.com\" -> (known after apply)\n      ~ type = \"A\" -> \"CNAME\" # forces replacement\n    zone_id = \"Z1\"\n    }}\n"
                ),
                "old.example.com A ",
            ),
            ("an addition", format!("  + {head}      + id = (known after apply)\n{rest}    }}\n"), ""),
            ("a configuration", format!("{head}{rest}  records = [aws_api_gateway_stage.x.invoke_url]\n}}\n"), ""),
            (
                "an alias",
                format!(
                    "{head}    id = \"x\"\n{rest}    alias {{\n        name = \"d-abc.execute-api.us-east-1.amazonaws.com\"\n        zone_id = \"Z2\"\n    }}\n}}\n"
                ),
                "www.example.com CNAME  alias d-abc.execute-api.us-east-1.amazonaws.com",
            ),
            (
                "a block that never ends",
                format!("{head}    id = \"x\"\n{rest}    x = [\n  x {{\n y = <<EOT\n"),
                "www.example.com CNAME ",
            ),
        ] {
            assert_eq!(records(&text), expected, "{what}: {text}");
        }
    }
}
