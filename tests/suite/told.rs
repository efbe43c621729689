//! One line that tells all facts of a source, short enough to be read beside the file: for tables of facts.

use std::collections::BTreeMap;

use whycert::dns::Answer;
use whycert::evidence::{ClientVerdict, Evidence, Fact, Mapping, Run, ServerName};
use whycert::http::Exchange;
use whycert::tls::Handshake;
use whycert::x509::Certificate;

/// The facts in order, then what could not be read, then how many lines no reader knew.
pub fn told(evidence: &Evidence) -> String {
    let facts = evidence.observations.iter().map(|it| fact(&it.fact));
    let gaps = evidence.gaps.iter().map(|gap| format!("gap: {}", gap.reason));
    let unknown: u64 = evidence.sources.iter().filter_map(|source| source.unknown_lines).sum();
    let unknown = (unknown > 0).then(|| format!("unknown lines {unknown}"));
    let all: Vec<String> = facts.chain(gaps).chain(unknown).collect();
    all.join(" | ").replace(['\t', '\n', '\r'], " ")
}

fn fact(fact: &Fact) -> String {
    match fact {
        Fact::DnsAnswer(it) => answer(it),
        Fact::TlsHandshake(it) => handshake(it),
        Fact::TlsAlert(it) => format!("alert {:?} {}", it.from, or_dash(it.description.as_ref())).to_lowercase(),
        Fact::Certificate(it) => certificate(it),
        Fact::HttpExchange(it) => exchange(it),
        Fact::Override(it) => {
            format!("forced {:?} {} to {}", it.by, or_dash(it.host.as_ref()), or_dash(it.to.as_ref())).to_lowercase()
        }
        Fact::ClientVerdict(it) => verdict(it),
        Fact::CloudMapping(it) => {
            let region = it.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
            format!("cloud{region} {}", mapping(&it.says))
        }
        Fact::Run(it) => run(it),
    }
}

fn run(it: &Run) -> String {
    let server_name = match &it.server_name {
        ServerName::Yes(name) => format!(" sends {name}"),
        ServerName::No => " sends none".to_owned(),
        ServerName::Unknown => String::new(),
    };
    let version = it.version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
    let vantage = it.vantage.as_ref().map(|vantage| format!(" at {vantage}")).unwrap_or_default();
    let host = it.host.as_ref().map(|host| format!(" for {host}")).unwrap_or_default();
    format!("run {}{version}{vantage}{host}{server_name}", it.tool)
}

fn answer(it: &Answer) -> String {
    let question = it.question.as_ref().map_or("?".to_owned(), |it| format!("{}/{}", it.name, it.kind));
    let flags = it.flags.map(|it| format!("{}{}", if it.aa { " aa" } else { "" }, if it.tc { " tc" } else { "" }));
    let mut data: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut chain = Vec::new();
    for record in &it.records {
        match record.kind.as_str() {
            "CNAME" => chain.push(format!("{}>{}", record.owner, record.data)),
            kind @ ("A" | "AAAA" | "PTR" | "NS") => {
                data.entry((kind, record.owner.to_string())).or_default().push(&record.data);
            }
            kind => *counts.entry(kind).or_default() += 1,
        }
    }
    let data = data.into_iter().map(|((kind, owner), mut data)| {
        data.sort_unstable();
        format!("{owner} {kind} {}", data.join(","))
    });
    let counts = counts.into_iter().map(|(kind, count)| format!("{kind}*{count}"));
    let records: Vec<String> = chain.into_iter().chain(data).chain(counts).collect();
    let (rcode, server) = (or_dash(it.rcode.as_ref()), or_dash(it.server.as_ref()));
    format!("dns {question} {rcode}{} from {server}: {}", flags.unwrap_or_default(), records.join("; "))
}

fn handshake(it: &Handshake) -> String {
    let sni = it.sni.clone().unwrap_or_else(|| format!("{:?}", it.sni_state).to_lowercase());
    let dialed = it.dialed.as_ref().map(|dialed| format!(" dialed {dialed}")).unwrap_or_default();
    let proxy = it.proxy_host.as_ref().map(|proxy| format!(" for {proxy} by proxy")).unwrap_or_default();
    let (server, version) = (or_dash(it.server.as_ref()), or_dash(it.version.as_ref()));
    format!("tls sni {sni}{dialed}{proxy} to {server} {version} {:?}*{}", it.chain_state, it.chain.len())
}

fn certificate(it: &Certificate) -> String {
    let names = it.san.as_ref().map_or("?".to_owned(), |san| [&san.dns[..], &san.ip[..]].concat().join(","));
    let kind = it.sha256.as_ref().map_or("text", |sha256| &sha256[..8]);
    let (from, until) = (or_dash(it.not_before.as_ref()), or_dash(it.not_after.as_ref()));
    let issuer = it.issuer.as_deref().map(|issuer| issuer.strip_prefix("CN=").unwrap_or(issuer));
    let issuer = issuer.map(|issuer| issuer.rsplit(", CN=").next().unwrap_or(issuer));
    let subject = it.common_name().or(it.subject.as_deref()).unwrap_or("-");
    format!("cert {kind} {subject} by {} san {names} {from}..{until}", issuer.unwrap_or("-"))
}

fn exchange(it: &Exchange) -> String {
    let headers: Vec<&str> = it.headers.keys().map(String::as_str).collect();
    let status = or_dash(it.status.as_ref());
    format!("http {} host {} {status} {}", or_dash(it.url.as_ref()), or_dash(it.host.as_ref()), headers.join(","))
}

fn verdict(it: &ClientVerdict) -> String {
    let presented = (!it.presented.is_empty()).then(|| format!(" presented {}", it.presented.join(",")));
    let host = it.host.as_ref().map(|host| format!(" for {host}")).unwrap_or_default();
    let above = it.above.as_ref().map(|above| format!(" above {above}")).unwrap_or_default();
    let code = or_dash(it.code.as_ref());
    format!("verdict {} {:?} {code}{host}{}{above}", it.client, it.says, presented.unwrap_or_default())
}

fn mapping(says: &Mapping) -> String {
    without_null(serde_json::to_value(says).unwrap()).to_string().replace('"', "")
}

fn without_null(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().map(|(key, value)| (key, without_null(value)));
            Value::Object(kept.filter(|(_, value)| !value.is_null() && *value != serde_json::json!([])).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_null).collect()),
        other => other,
    }
}

fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or("-".to_owned(), ToString::to_string)
}
