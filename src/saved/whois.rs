//! `whois` of a domain: its registrar and name servers, in the layout of the gTLD registries
//! (`Name Server: X`) and in those of several ccTLD registries (`nserver: X`).

use super::{RunText, SavedFormat, Sink};
use crate::evidence::{CloudMapping, Fact, Mapping, Run, ServerName};
use crate::name::Name;
use crate::saved::grammar::address;

/// `whois`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "whois",
    made_by: "whois",
    is_command: |words| words.first().is_some_and(|word| word == "whois"),
    opens: |line| field(line).is_some_and(|(name, value)| name == "domain name" && value.contains('.')),
    repeats: false,
    read,
};

/// `   Name Server: NS-421.AWSDNS-52.COM`: the field in lower case and its value.
fn field(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.trim().split_once(':')?;
    let value = value.trim();
    (!value.is_empty() && name.len() < 40).then(|| (name.trim().to_lowercase(), value))
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let mut domain = None;
    let mut registrar = None;
    let mut servers: Vec<Name> = Vec::new();
    let mut lines = Vec::new();
    for line in run.lines {
        let Some((name, value)) = field(&line.text) else { continue };
        let first = value.split_whitespace().next().unwrap_or_default();
        match name.as_str() {
            "domain name" | "domain" if domain.is_none() => domain = address::host(first),
            "registrar" if registrar.is_none() => registrar = Some(value.to_owned()),
            "name server" | "nserver" | "nameserver" | "nameservers" => {
                let Some(server) = address::host(first).filter(|server| !servers.contains(server)) else { continue };
                servers.push(server);
            }
            _ => continue,
        }
        lines.push(line.number);
    }
    if !run.command.is_empty() {
        let it = Run {
            run: run.number,
            tool: "whois".to_owned(),
            version: None,
            command: run.shown.clone(),
            vantage: run.vantage.clone(),
            time: None,
            host: None,
            server_name: ServerName::Unknown,
        };
        sink.observe(Fact::Run(it), [run.first_line()]);
    }
    if let Some(domain) = domain.filter(|_| !servers.is_empty()) {
        let says = Mapping::NameServers { domain, servers, registrar };
        sink.observe(Fact::CloudMapping(CloudMapping { says, region: None, run: Some(run.number) }), lines);
    }
}
