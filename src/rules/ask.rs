//! What to ask the customer for ([`AskFor`]): the commands that would decide what is open, each once, the
//! one that decides most first.
//!
//! Two looks at the certificate of one server are one look that shows the whole chain; a question to DNS
//! that another asks as well is not asked twice.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Rule, Verdict};
use crate::case::Case;

/// One command, with what it would decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AskFor {
    /// The command.
    pub command: String,
    /// Other commands, of which each would decide the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<String>,
    /// The causes that it would decide, by their ids.
    pub decides: Vec<&'static str>,
    /// What it would tell, in words, each once.
    pub tells: Vec<String>,
}

/// The commands that would decide the unknown verdicts, best first.
pub fn merged(verdicts: &[(&'static Rule, Verdict)]) -> Vec<AskFor> {
    let mut open: Vec<Open<'_>> = verdicts.iter().filter_map(|(rule, verdict)| Open::of(rule, verdict)).collect();
    let wholes = wholes(&open);
    for it in &mut open {
        it.probes = it.probes.iter().map(|probe| wholes.get(&probe.target()).unwrap_or(probe).clone()).collect();
    }
    let mut kept: Vec<Vec<&Open<'_>>> = Vec::new();
    let mut by_width: Vec<&Open<'_>> = open.iter().collect();
    by_width.sort_by_key(|it| std::cmp::Reverse(it.probes.iter().map(Probe::width).sum::<usize>()));
    for it in by_width {
        match kept.iter_mut().find(|group| group.first().is_some_and(|first| first.answers(it))) {
            Some(group) => group.push(it),
            None => kept.push(vec![it]),
        }
    }
    kept.sort_by_key(|group| {
        let is_basis = group.iter().any(|it| it.is_basis());
        let rank = group.iter().map(|it| it.rule.rank).min();
        (!is_basis, std::cmp::Reverse(group.len()), rank, group.first().map(|it| it.rule.id))
    });
    kept.iter().map(|group| together(group)).collect()
}

/// What to ask for where no cause is found and none is open: the whole way to the server.
pub fn everything(case: &Case<'_>) -> Option<AskFor> {
    let host = case.host.as_ref()?;
    let look = super::view::ask_for_certificate(host);
    let command = if host.ip().is_some() { look } else { format!("dig {host} A {host} AAAA; {look}") };
    let tells = vec![format!("where DNS sends {host}, and all that the server there sends")];
    Some(AskFor { command, or: Vec::new(), decides: Vec::new(), tells })
}

/// One unknown verdict, with the single commands that its command is made of.
struct Open<'v> {
    rule: &'static Rule,
    missing: &'v str,
    probes: Vec<Probe>,
}

impl<'v> Open<'v> {
    fn of(rule: &'static Rule, verdict: &'v Verdict) -> Option<Self> {
        let Verdict::Unknown { missing, ask } = verdict else { return None };
        Some(Self { rule, missing, probes: probes(ask) })
    }

    /// Whether it asks for the certificate itself, without which little can be said.
    fn is_basis(&self) -> bool {
        self.rule.id.starts_with("insufficient.")
    }

    /// Whether these commands tell all that the other's would.
    fn answers(&self, other: &Self) -> bool {
        other.probes.iter().all(|probe| self.probes.iter().any(|own| own.answers(probe)))
    }
}

fn together(group: &[&Open<'_>]) -> AskFor {
    let mut decides: Vec<&'static str> = group.iter().map(|it| it.rule.id).collect();
    decides.sort_unstable();
    let mut tells: Vec<String> = Vec::new();
    let mut telling: Vec<&&Open<'_>> = group.iter().collect();
    telling.sort_by_key(|it| (!it.is_basis(), it.rule.rank, it.rule.id));
    for it in telling {
        if !tells.iter().any(|known| known == it.missing) {
            tells.push(it.missing.to_owned());
        }
    }
    let probes = group.first().map(|it| &it.probes).into_iter().flatten();
    let commands: Vec<String> = probes.map(Probe::command).collect();
    AskFor { command: commands.join("; "), or: Vec::new(), decides, tells }
}

/// One single command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Probe {
    /// A question to DNS: server and options, name, type.
    Dig { by: Vec<String>, name: String, types: BTreeSet<String> },
    /// A look at a server's certificate: the options that make the handshake, and how it is shown.
    Look { options: Vec<String>, shows: Shows },
    /// Any other.
    Other(String),
}

/// How a look at a certificate is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shows {
    /// These options of `openssl x509`.
    Parts(String),
    /// What `openssl s_client` prints: the certificate and its checks.
    Plain,
    /// The whole chain.
    Chain,
}

impl Probe {
    fn of(command: &str) -> Self {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["openssl", "s_client", rest @ ..] => look(rest).unwrap_or_else(|| Self::Other(command.to_owned())),
            ["dig", rest @ ..] if !rest.contains(&"-x") => dig(rest).unwrap_or_else(|| Self::Other(command.to_owned())),
            _ => Self::Other(command.to_owned()),
        }
    }

    /// What two looks at the same certificate have in common; nothing of other commands.
    fn target(&self) -> Option<Vec<String>> {
        match self {
            Self::Look { options, .. } => Some(options.clone()),
            _ => None,
        }
    }

    /// How much it shows, to put the wider command first.
    fn width(&self) -> usize {
        match self {
            Self::Dig { types, .. } => types.len(),
            Self::Look { shows: Shows::Chain, .. } => 2,
            Self::Look { .. } | Self::Other(_) => 1,
        }
    }

    fn answers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Look { options, shows }, Self::Look { options: theirs, shows: wanted }) => {
                options == theirs && (shows == wanted || *shows == Shows::Chain)
            }
            (Self::Dig { by, name, types }, Self::Dig { by: theirs, name: wanted, types: kinds }) => {
                let follows_aliases = types.contains("A") || types.contains("AAAA");
                let is_told = |kind: &String| types.contains(kind) || (kind == "CNAME" && follows_aliases);
                by == theirs && name == wanted && kinds.iter().all(is_told)
            }
            _ => self == other,
        }
    }

    fn command(&self) -> String {
        match self {
            Self::Other(command) => command.clone(),
            Self::Look { options, shows } => {
                let start = format!("openssl s_client {}", options.join(" "));
                match shows {
                    Shows::Parts(parts) => format!("{start} </dev/null | openssl x509 -noout {parts}"),
                    Shows::Plain => format!("{start} </dev/null"),
                    Shows::Chain => format!("{start} -showcerts </dev/null"),
                }
            }
            Self::Dig { by, name, types } => {
                let only_addresses = types.len() == 1 && types.contains("A");
                let asked: Vec<String> = types.iter().map(|kind| format!("{name} {kind}")).collect();
                let asked = if only_addresses { name.clone() } else { asked.join(" ") };
                std::iter::once("dig")
                    .chain(by.iter().map(String::as_str))
                    .chain([asked.as_str()])
                    .collect::<Vec<_>>()
                    .join(" ")
            }
        }
    }
}

/// The single commands of a command line; a loop and what is no command stay whole.
fn probes(ask: &str) -> Vec<Probe> {
    let is_whole = ask.starts_with("for ") || ask.contains('\'') || ask.contains('"');
    if is_whole {
        return vec![Probe::Other(ask.to_owned())];
    }
    ask.split("; ").map(|command| Probe::of(command.trim())).collect()
}

fn look(words: &[&str]) -> Option<Probe> {
    let end = words.iter().position(|word| *word == "</dev/null")?;
    let (before, after) = words.split_at_checked(end)?;
    let is_chain = before.contains(&"-showcerts");
    let options = before.iter().filter(|word| **word != "-showcerts").map(|word| (*word).to_owned()).collect();
    let shows = match after {
        ["</dev/null"] if is_chain => Shows::Chain,
        ["</dev/null"] => Shows::Plain,
        ["</dev/null", "|", "openssl", "x509", "-noout", parts @ ..] if !parts.is_empty() => {
            Shows::Parts(parts.join(" "))
        }
        _ => return None,
    };
    Some(Probe::Look { options, shows })
}

fn dig(words: &[&str]) -> Option<Probe> {
    let is_option = |word: &&&str| word.starts_with(['@', '+']) && **word != "+short";
    let by = words.iter().filter(is_option).map(|word| (*word).to_owned()).collect();
    let asked: Vec<&str> = words.iter().filter(|word| !word.starts_with(['@', '+'])).copied().collect();
    let (name, first) = asked.split_first()?;
    let mut types = BTreeSet::new();
    let mut rest = first;
    loop {
        match rest {
            [kind, then @ ..] if is_type(kind) => {
                types.insert((*kind).to_owned());
                rest = then;
            }
            [again, then @ ..] if again == name => rest = then,
            [] => break,
            _ => return None,
        }
    }
    if types.is_empty() {
        types.insert("A".to_owned());
    }
    Some(Probe::Dig { by, name: (*name).to_owned(), types })
}

fn is_type(word: &str) -> bool {
    ["A", "AAAA", "CNAME", "HTTPS", "NS", "MX", "SOA", "TXT", "CAA"].contains(&word)
}

/// For each handshake that two differing looks are asked of: the one that shows what both do.
fn wholes(open: &[Open<'_>]) -> BTreeMap<Option<Vec<String>>, Probe> {
    let mut asked: BTreeMap<Vec<String>, BTreeSet<&Shows>> = BTreeMap::new();
    for probe in open.iter().flat_map(|it| &it.probes) {
        if let Probe::Look { options, shows } = probe {
            asked.entry(options.clone()).or_default().insert(shows);
        }
    }
    let several = asked.into_iter().filter(|(_, shows)| shows.len() > 1);
    several.map(|(options, _)| (Some(options.clone()), Probe::Look { options, shows: Shows::Chain })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    fn unknown(id: &str, ask: &str) -> (&'static Rule, Verdict) {
        (rules::find(id).unwrap(), Verdict::Unknown { missing: format!("what {id} needs"), ask: ask.to_owned() })
    }

    fn commands(asks: &[(&str, &str)]) -> Vec<(String, Vec<&'static str>)> {
        let verdicts: Vec<_> = asks.iter().map(|(id, ask)| unknown(id, ask)).collect();
        merged(&verdicts).into_iter().map(|it| (it.command, it.decides)).collect()
    }

    #[test]
    fn two_looks_at_one_certificate_are_one_that_shows_the_chain() {
        let look = "openssl s_client -connect a.example:443 -servername a.example </dev/null | openssl x509 -noout";
        let (names, issuer) = (format!("{look} -ext subjectAltName"), format!("{look} -issuer"));
        let found = commands(&[("cert.expired", &names), ("chain.private_ca", &issuer), ("sni.absent", &names)]);
        let whole = "openssl s_client -connect a.example:443 -servername a.example -showcerts </dev/null";
        assert_eq!(found, [(whole.to_owned(), vec!["cert.expired", "chain.private_ca", "sni.absent"])]);
    }

    #[test]
    fn looks_at_different_servers_or_names_stay_apart() {
        let at = |options: &str| format!("openssl s_client {options} -showcerts </dev/null");
        let named = at("-connect a.example:443 -servername a.example");
        let silent = at("-connect a.example:443 -noservername");
        assert_eq!(commands(&[("sni.absent", &silent), ("cert.expired", &named)]).len(), 2);
    }

    #[test]
    fn a_question_that_another_asks_as_well_is_not_asked_twice() {
        let found = commands(&[
            ("dns.stale_answer", "dig a.example"),
            ("dns.ipv6_differs", "dig a.example A a.example AAAA"),
            ("dns.split_horizon", "dig @192.0.2.1 a.example"),
            ("apigw.cname_to_stage_url", "dig +short a.example CNAME"),
        ]);
        let (first, decides) = &found[0];
        assert_eq!(first, "dig a.example A a.example AAAA");
        assert_eq!(*decides, ["apigw.cname_to_stage_url", "dns.ipv6_differs", "dns.stale_answer"]);
        assert_eq!(found[1].0, "dig @192.0.2.1 a.example");
    }

    #[test]
    fn what_shows_that_there_is_a_certificate_at_all_comes_first() {
        let found = commands(&[
            ("cert.expired", "dig a.example"),
            ("sni.absent", "dig a.example"),
            ("insufficient.no_certificate_seen", "openssl s_client -connect a.example:443 </dev/null"),
        ]);
        assert_eq!(found[0].1, ["insufficient.no_certificate_seen"]);
    }

    #[test]
    fn a_loop_and_what_is_quoted_stay_whole() {
        let whole = "for i in 1 2; do dig a.example; done";
        let found =
            commands(&[("cert.expired", whole), ("sni.absent", "date -u; curl -skI https://a/ | grep -i '^date:'")]);
        assert!(found.iter().any(|(command, _)| command == whole));
        assert!(found.iter().any(|(command, _)| command.starts_with("date -u; curl")));
    }
}
