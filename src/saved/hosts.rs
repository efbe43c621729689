//! Hosts files: each name is an [`Override`], and no evidence of DNS.

use std::net::IpAddr;

use super::{RunText, SavedFormat, Sink};
use crate::evidence::{Fact, Override, OverrideKind, ServerName};
use crate::name::Name;
use crate::saved::grammar::address;

/// A hosts file.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "hosts",
    made_by: "cat /etc/hosts, type C:\\Windows\\System32\\drivers\\etc\\hosts",
    is_command: |words| {
        let shows = words.first().is_some_and(|word| {
            matches!(
                word.to_ascii_lowercase().as_str(),
                "cat" | "type" | "more" | "less" | "get-content" | "grep" | "gc"
            )
        });
        shows
            && words
                .iter()
                .skip(1)
                .any(|word| word.ends_with("/etc/hosts") || word.to_lowercase().ends_with("\\etc\\hosts"))
    },
    opens: |line| {
        entry(line).is_some_and(|(address, names)| {
            address.is_loopback() && names.iter().any(|name| name.as_str().starts_with("localhost"))
        })
    },
    repeats: false,
    read,
};

/// `203.0.113.77 www.example.com www # old box`.
fn entry(line: &str) -> Option<(IpAddr, Vec<Name>)> {
    let mut words = line.split('#').next()?.split_whitespace();
    let address = words.next()?.split('%').next()?.parse().ok()?;
    let names: Vec<Name> = words.filter_map(address::host).collect();
    (!names.is_empty()).then_some((address, names))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    sink.observe(run.fact("hosts", None, None, ServerName::Unknown), [run.first_line()]);
    for line in run.lines {
        let Some((address, names)) = entry(&line.text) else { continue };
        for name in names.into_iter().filter(|name| !is_machine(name)) {
            let to = Some(address.to_string());
            let it = Override { by: OverrideKind::Hosts, host: Some(name), to, run: Some(run.number) };
            sink.observe(Fact::Override(it), [line.number]);
        }
    }
}

/// The names that every machine has for itself and its network.
fn is_machine(name: &Name) -> bool {
    let name = name.as_str();
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || name.starts_with("localhost") || matches!(last, "localdomain" | "local")
}
