//! What a DNS tool's command line asks ([`Query`]): name, type, server, as dig, kdig, drill, delv,
//! host and nslookup write it.

use std::net::IpAddr;

use super::address;
use super::rr;
use crate::dns::Question;
use crate::evidence::{Fact, Override, OverrideKind};
use crate::name::Name;
use crate::saved::{RunText, Sink};

/// One query of a command line; dig and kdig take several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The name asked for.
    pub name: Option<Name>,
    /// The type asked for, when it is written.
    pub kind: Option<String>,
    /// The server, as written.
    pub server: Option<String>,
}

impl Query {
    /// The question, of type A unless the command says another.
    pub fn question(&self) -> Option<Question> {
        let kind = self.kind.clone().unwrap_or_else(|| "A".to_owned());
        self.name.clone().map(|name| Question { name, kind: kind.into() })
    }

    /// The server that the command names is no evidence of what others resolve.
    pub fn observe_server(&self, run: &RunText<'_>, sink: &mut Sink) {
        if let Some(server) = &self.server {
            let host = self.name.clone();
            let it = Override { by: OverrideKind::Server, host, to: Some(server.clone()), run: Some(run.number) };
            sink.observe(Fact::Override(it), [run.first_line()]);
        }
    }
}

/// `dig [@server] [name] [type] [class] [-x address] [+option…]`, and kdig, drill and delv after it.
pub fn dig(words: &[String]) -> Query {
    let mut query = Query::default();
    let tool = words.first().map_or("dig", String::as_str);
    let with_value = WITH_VALUE.iter().find(|(name, _)| *name == tool).map_or(OF_DIG, |(_, options)| *options);
    let is_drill = tool == "drill";
    let mut is_reverse = false;
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let upper = word.to_ascii_uppercase();
        if let Some(server) = word.strip_prefix('@') {
            query.server = query.server.or_else(|| Some(server.to_owned()));
        } else if let Some(option) = word.strip_prefix('-').filter(|option| !option.is_empty()) {
            match option {
                "t" if !is_drill => query.kind = words.next().map(|kind| kind.to_ascii_uppercase()).or(query.kind),
                "q" if !is_drill => query.name = words.next().and_then(|name| address::host(name)).or(query.name),
                // drill turns the name round, wherever it stands.
                "x" if is_drill => is_reverse = true,
                "x" => {
                    query.name = words.next().and_then(|address| reverse(address)).or(query.name);
                    query.kind = Some("PTR".to_owned());
                }
                letter if letter.len() == 1 && with_value.contains(letter) => {
                    words.next();
                }
                _ => {}
            }
        } else if rr::is_kind(&upper) || upper == "ANY" {
            query.kind = query.kind.or(Some(upper));
        } else if upper != "IN" && !word.starts_with('+') {
            query.name = query.name.or_else(|| address::host(word));
        }
    }
    if is_reverse { turned(query) } else { query }
}

/// The options with a value that says nothing of the question, by tool, one letter each.
const WITH_VALUE: &[(&str, &str)] =
    &[("dig", OF_DIG), ("kdig", "bcpkyEG"), ("delv", "abcdp"), ("drill", "IVfiwqbckoprdy")];
const OF_DIG: &str = "bcfkpy";

/// `host [-t type] name [server]`.
pub fn host(words: &[String]) -> Query {
    let mut query = Query::default();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-t" => query.kind = words.next().map(|kind| kind.to_ascii_uppercase()),
            "-c" | "-m" | "-N" | "-R" | "-W" | "-p" | "-f" | "-y" => {
                words.next();
            }
            option if option.starts_with('-') => {}
            name if query.name.is_none() => query.name = address::host(name),
            server => query.server = query.server.or_else(|| Some(server.to_owned())),
        }
    }
    turned(query)
}

/// `nslookup [-type=x] name [server]`.
pub fn nslookup(words: &[String]) -> Query {
    let mut query = Query::default();
    for word in words.iter().skip(1) {
        let lower = word.to_ascii_lowercase();
        if let Some(option) = lower.strip_prefix('-') {
            let kind = ["type=", "querytype=", "q=", "ty=", "query="].iter().find_map(|name| option.strip_prefix(name));
            query.kind = kind.map(str::to_ascii_uppercase).or(query.kind);
        } else if query.name.is_none() {
            query.name = address::host(word);
        } else {
            query.server = query.server.or_else(|| Some(word.clone()));
        }
    }
    turned(query)
}

/// An address that host and nslookup are asked for is looked up in reverse.
fn turned(mut query: Query) -> Query {
    if let Some(name) = query.name.as_ref().filter(|name| name.ip().is_some()) {
        query.name = reverse(name.as_str()).or_else(|| Some(name.clone()));
        query.kind = Some("PTR".to_owned());
    }
    query
}

/// The name of an address in `in-addr.arpa` or `ip6.arpa` (RFC 1035 section 3.5, RFC 3596 section 2.5).
pub fn reverse(address: &str) -> Option<Name> {
    let text = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let digits = v6.octets().into_iter().rev().map(|octet| format!("{:x}.{:x}", octet & 15, octet >> 4));
            format!("{}.ip6.arpa", digits.collect::<Vec<_>>().join("."))
        }
    };
    address::host(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_say_what_was_asked() {
        type Read = fn(&[String]) -> Query;
        type Expected<'t> = (&'t str, Option<&'t str>, Option<&'t str>);
        let rows: &[(Read, &str, Expected<'_>)] = &[
            (dig, "dig www.example.com", ("www.example.com", None, None)),
            (
                dig,
                "dig @192.0.2.1 -t cname +short www.example.com",
                ("www.example.com", Some("CNAME"), Some("192.0.2.1")),
            ),
            (dig, "dig -x 203.0.113.10", ("10.113.0.203.in-addr.arpa", Some("PTR"), None)),
            (dig, "kdig +tls AAAA www.example.com", ("www.example.com", Some("AAAA"), None)),
            (dig, "dig -r -u www.example.com", ("www.example.com", None, None)),
            (dig, "kdig -d www.example.com", ("www.example.com", None, None)),
            (dig, "delv -i -d 3 www.example.com", ("www.example.com", None, None)),
            (dig, "drill -t www.example.com AAAA", ("www.example.com", Some("AAAA"), None)),
            (dig, "drill -V 5 -q query.bin www.example.com", ("www.example.com", None, None)),
            (dig, "drill 203.0.113.10 -x", ("10.113.0.203.in-addr.arpa", Some("PTR"), None)),
            (dig, "delv -a bind.keys www.example.com", ("www.example.com", None, None)),
            (host, "host -t CNAME www.example.com 192.0.2.54", ("www.example.com", Some("CNAME"), Some("192.0.2.54"))),
            (host, "host 203.0.113.10", ("10.113.0.203.in-addr.arpa", Some("PTR"), None)),
            (
                nslookup,
                "nslookup -type=CNAME www.example.com dns.google",
                ("www.example.com", Some("CNAME"), Some("dns.google")),
            ),
        ];
        for (read, command, expected) in rows {
            let found = read(&shlex::split(command).unwrap());
            let found = (found.name.as_ref().map_or("", Name::as_str), found.kind.as_deref(), found.server.as_deref());
            assert_eq!(found, *expected, "{command}");
        }
    }
}
