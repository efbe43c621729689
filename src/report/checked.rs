//! Of a right certificate: what was compared, each with the observation that shows it, and what nobody
//! looked at.

use std::net::IpAddr;

use serde_json::Value;

use super::{CaseEntry, ConnectionEntry, ObservationEntry, Report};
use crate::evidence::ObservationId;
use crate::provenance::{Time, Zone};
use crate::tls::SniState;

/// What was compared, what came of it, and the observation that shows it.
pub(super) type Compared = (&'static str, String, Option<ObservationId>);

/// What was compared, what came of it, and the observation that shows it.
pub(super) fn comparisons(report: &Report, case: &CaseEntry) -> Vec<Compared> {
    let mut all = Vec::new();
    let host = case.host.clone().unwrap_or_default();
    let covering = case.connections.iter().find_map(|it| {
        let tried = it.name_check.as_ref()?.tried.iter().find(|tried| tried.rejected_because.is_none())?;
        Some((it, tried))
    });
    if let Some((connection, tried)) = covering {
        let leaf = connection.chain.first();
        all.push(("name", format!("{} covers {host}", tried.presented), leaf.and_then(|it| it.observation)));
        all.extend(dates(report, connection));
        all.extend(address(report, case, connection));
    }
    all.extend(trust(report, &host));
    all
}

/// The dates of the certificate, when the time of its handshake is stated and lies between them.
fn dates(report: &Report, connection: &ConnectionEntry) -> Option<Compared> {
    let leaf = connection.chain.first()?;
    let time = connection.cites.iter().filter_map(|id| report.observation(*id)).find_map(|it| {
        let time = it.fact.get("time")?;
        let stated = time.get("zone").and_then(Value::as_str) == Some("stated");
        Time::parse_rfc3339(time.get("utc")?.as_str()?, Zone::Stated).filter(|_| stated)
    })?;
    let (begins, ends) = (leaf.not_before?, leaf.not_after?);
    let is_within = (begins.seconds..=ends.seconds).contains(&time.seconds);
    let day = |time: Time| time.rfc3339().chars().take(10).collect::<String>();
    is_within.then(|| ("dates", format!("{} to {}", day(begins), day(ends)), leaf.observation))
}

/// The clients that accept the chain, in their own words.
fn trust(report: &Report, host: &str) -> Option<Compared> {
    let text =
        |it: &ObservationEntry, name: &str| it.fact.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let says = report.observations.iter().filter(|it| it.kind == "client.verdict");
    let accept = says.filter(|it| text(it, "says") == "chain-trusted" && text(it, "host") == host);
    let mut clients: Vec<String> = Vec::new();
    let mut first = None;
    for it in accept {
        let client = text(it, "client");
        first = first.or(Some(it.id));
        if !clients.contains(&client) {
            clients.push(client);
        }
    }
    let verb = if clients.len() == 1 { "accepts" } else { "accept" };
    (!clients.is_empty()).then(|| ("trust", format!("{} {verb} the chain", clients.join(", ")), first))
}

/// That DNS gave the address that was contacted.
fn address(report: &Report, case: &CaseEntry, connection: &ConnectionEntry) -> Option<Compared> {
    let ip = ip_of(connection)?;
    let resolution = case.resolutions.iter().find(|it| it.addresses.contains(&ip))?;
    let holds = |id: &&ObservationId| {
        let records = report.observation(**id).and_then(|it| it.fact.get("records")?.as_array()).into_iter().flatten();
        records.into_iter().any(|it| it.get("data").and_then(Value::as_str).and_then(|it| it.parse().ok()) == Some(ip))
    };
    let cited = resolution.cites.iter().find(holds).or(resolution.cites.first());
    Some(("DNS", format!("the answer holds {ip}, which was contacted"), cited.copied()))
}

fn ip_of(connection: &ConnectionEntry) -> Option<IpAddr> {
    connection.server.map(|it| it.ip())
}

/// What nobody looked at.
pub(super) fn unseen(case: &CaseEntry) -> Vec<String> {
    let contacted: Vec<IpAddr> = case.connections.iter().filter_map(ip_of).collect();
    let mut others: Vec<IpAddr> = Vec::new();
    for address in case.resolutions.iter().flat_map(|it| it.addresses.iter().copied()) {
        if !contacted.contains(&address) && !others.contains(&address) {
            others.push(address);
        }
    }
    let shown: Vec<String> = others.iter().take(ADDRESSES_SHOWN).map(IpAddr::to_string).collect();
    let mut all = Vec::new();
    match (shown.as_slice(), others.len().saturating_sub(ADDRESSES_SHOWN)) {
        ([], _) => {}
        ([one], _) => all.push(format!("{one}, another address: nobody connected to it")),
        (some, 0) => all.push(format!("{}: nobody connected to these addresses", some.join(", "))),
        (some, more) => all.push(format!("{} and {more} more: nobody connected to these addresses", some.join(", "))),
    }
    all.push("other resolvers".to_owned());
    if !case.connections.iter().any(|it| it.sni_state == SniState::Absent) {
        all.push("clients that send no server name".to_owned());
    }
    all
}

const ADDRESSES_SHOWN: usize = 4;
