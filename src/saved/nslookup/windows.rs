//! The answers of Windows' nslookup, by layout and not by words, which are translated ([`answers`]).
//!
//! A name, its addresses, and aliases stand in a block, the addresses and aliases one under the
//! other. The name is the end of the chain; the aliases begin with the asked name and stand in
//! chain order as far as Windows keeps it. The records are those that the block implies.

use std::net::IpAddr;

use crate::dns::{Record, Section};
use crate::name::Name;
use crate::saved::Line;
use crate::saved::grammar::address;

/// One answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of its name.
    pub first: u32,
    /// All its lines.
    pub lines: Vec<u32>,
    /// What it implies.
    pub records: Vec<Record>,
}

/// `label: value` with the values below it.
struct Item<'l> {
    label: &'l str,
    values: Vec<&'l str>,
    lines: Vec<u32>,
}

/// All answers of a run.
pub fn answers(lines: &[Line]) -> Vec<Block> {
    let mut found = Vec::new();
    for (nth, group) in groups(lines).iter().enumerate() {
        let Some(at) = group.iter().position(|item| addresses(item).is_some()).filter(|at| *at > 0) else {
            continue;
        };
        let Some(named) = group.get(at - 1) else { continue };
        let aliases = group.get(at + 1).filter(|item| addresses(item).is_none() && item.label != "Name");
        let has_heading = group.iter().take(at).any(|item| item.values.is_empty());
        let is_answer = named.label == "Name" || aliases.is_some() || has_heading;
        let is_server = nth == 0 && !is_answer;
        // One name and one address read alike in every layout: the line machine takes them.
        let is_plain =
            named.label == "Name" && aliases.is_none() && group.get(at).is_some_and(|it| it.values.len() == 1);
        if is_server || is_plain || named.label == "Server" || named.values.len() != 1 {
            continue;
        }
        found.extend(block(named, group.get(at), aliases));
    }
    found
}

fn addresses(item: &Item<'_>) -> Option<Vec<IpAddr>> {
    let all: Option<Vec<IpAddr>> = item.values.iter().map(|value| value.parse().ok()).collect();
    all.filter(|all| !all.is_empty())
}

fn block(named: &Item<'_>, addressed: Option<&Item<'_>>, aliases: Option<&Item<'_>>) -> Option<Block> {
    let end = address::host(named.values.first()?).filter(|name| name.as_str().contains('.'))?;
    let mut chain: Vec<Name> =
        aliases.iter().flat_map(|item| &item.values).filter_map(|it| address::host(it)).collect();
    chain.push(end.clone());
    let record = |owner: &Name, kind: &str, data: String| Record {
        section: Section::Answer,
        owner: owner.clone(),
        kind: kind.into(),
        ttl: None,
        data: data.into(),
    };
    let mut records = Vec::new();
    for pair in chain.windows(2) {
        if let [owner, target] = pair {
            records.push(record(owner, "CNAME", format!("{target}.")));
        }
    }
    for address in addressed.and_then(addresses).unwrap_or_default() {
        records.push(record(&end, if address.is_ipv4() { "A" } else { "AAAA" }, address.to_string()));
    }
    let items = std::iter::once(named).chain(addressed).chain(aliases);
    let lines: Vec<u32> = items.flat_map(|item| item.lines.iter().copied()).collect();
    Some(Block { first: *lines.first()?, lines, records })
}

/// The items between blank lines. Values below an item are indented.
fn groups(lines: &[Line]) -> Vec<Vec<Item<'_>>> {
    let mut groups: Vec<Vec<Item<'_>>> = vec![Vec::new()];
    for line in lines {
        let text = line.text.as_str();
        if text.trim().is_empty() {
            groups.push(Vec::new());
            continue;
        }
        let Some(group) = groups.last_mut() else { continue };
        if text.starts_with([' ', '\t']) {
            let value = text.trim();
            if let Some(item) = group.last_mut().filter(|item| !item.values.is_empty() && !value.contains(' ')) {
                item.values.push(value);
                item.lines.push(line.number);
            }
        } else if let Some((label, value)) = item(text) {
            let values = if value.is_empty() { Vec::new() } else { vec![value] };
            group.push(Item { label, values, lines: vec![line.number] });
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// A label in any language, and one word behind it.
fn item(text: &str) -> Option<(&str, &str)> {
    let at = text.find(':')?;
    let (label, value) = (text.get(..at)?.trim(), text.get(at + 1..)?.trim());
    let is_label = !label.is_empty() && label.len() < 60 && !label.starts_with(['*', '>', '-', ';']);
    (is_label && !value.contains(char::is_whitespace)).then_some((label, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Vec<String>> {
        let lines: Vec<Line> =
            (1..).zip(text.lines()).map(|(number, line)| Line::new(number, line.to_owned())).collect();
        let shown = |it: &Record| format!("{} {} {}", it.owner, it.kind, it.data);
        answers(&lines).iter().map(|block| block.records.iter().map(shown).collect()).collect()
    }

    #[test]
    fn every_language_has_one_layout() {
        for (heading, name) in [
            ("Non-authoritative answer:", "Name:    "),
            ("Nicht autorisierende Antwort:", "Name:    "),
            ("R\u{e9}ponse ne faisant pas autorit\u{e9} :", "Nom :    "),
            ("\u{975e}\u{6743}\u{5a01}\u{5e94}\u{7b54}:", "\u{540d}\u{79f0}:    "),
        ] {
            let text = format!(
                "Server:  dns.corp.example.com\nAddress:  10.20.0.53\n\n{heading}\n{name}abc123.x.com\nAddresses:  \
                 203.0.113.10\n\t  203.0.113.11\nAliases:  chain.example.com\n          www.example.net\n"
            );
            let expected = [
                "chain.example.com CNAME www.example.net.",
                "www.example.net CNAME abc123.x.com.",
                "abc123.x.com A 203.0.113.10",
                "abc123.x.com A 203.0.113.11",
            ];
            assert_eq!(found(&text), [expected], "{heading}");
        }
        assert!(found("Server:  dns.corp.example.com\nAddress:  10.20.0.53\n").is_empty());
        assert!(found("Serveur :  dns.corp.example.com\nAddress:  10.20.0.53\n").is_empty());
    }
}
