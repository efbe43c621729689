//! What was seen of a host, as a report holds it: the answers of DNS ([`ResolutionEntry`]) and the handshakes
//! ([`ConnectionEntry`]) with their certificates, alerts and name checks.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde::Serialize;
use smol_str::SmolStr;

use crate::evidence::ObservationId;
use crate::name::Name;
use crate::provenance::Time;

/// One answer set: the chain from the asked name to its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ResolutionEntry {
    /// The aliases in order.
    pub steps: Vec<Step>,
    /// The addresses at the end.
    pub addresses: Vec<IpAddr>,
    /// The response code.
    pub rcode: Option<SmolStr>,
    /// Who answered.
    #[schemars(with = "Option<String>")]
    pub resolver: Option<SocketAddr>,
    /// When.
    pub time: Option<Time>,
    /// The answers it was put together from.
    pub cites: Vec<ObservationId>,
}

/// One alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Step {
    /// The owner.
    pub owner: Name,
    /// `CNAME` or `DNAME`.
    #[serde(rename = "type")]
    pub kind: SmolStr,
    /// The target.
    pub target: Name,
    /// The time to live.
    pub ttl: Option<u32>,
}

/// One TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ConnectionEntry {
    /// The client.
    #[schemars(with = "Option<String>")]
    pub client: Option<SocketAddr>,
    /// The server.
    #[schemars(with = "Option<String>")]
    pub server: Option<SocketAddr>,
    /// The server name asked for.
    pub sni: Option<String>,
    /// Whether one was sent.
    pub sni_state: crate::tls::SniState,
    /// The version chosen.
    pub version: Option<String>,
    /// Whether the chain is here.
    pub chain_state: crate::tls::ChainState,
    /// The chain, in wire order.
    pub chain: Vec<Arc<ChainEntry>>,
    /// The alerts of both sides.
    pub alerts: Vec<AlertEntry>,
    /// The presented identifiers against the host; `null` without a host or a certificate whose
    /// identifiers are known.
    pub name_check: Option<Arc<NameCheckEntry>>,
    /// The observations it was put together from.
    pub cites: Vec<ObservationId>,
}

/// One certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ChainEntry {
    /// Its digest; `null` when only a text describes it.
    pub sha256: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its issuer.
    pub issuer: Option<String>,
    /// Its presented identifiers; `null` where a text does not show them.
    pub san: Option<Vec<String>>,
    /// Start of validity.
    pub not_before: Option<Time>,
    /// End of validity.
    pub not_after: Option<Time>,
    /// Its serial number in lower-case hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its key, signature and timestamps; absent where a text describes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<crate::x509::details::Details>,
    /// The observation of the certificate.
    #[serde(skip)]
    pub observation: Option<ObservationId>,
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AlertEntry {
    /// Who sent it.
    pub from: crate::tls::Side,
    /// Its level.
    pub level: Option<String>,
    /// What it says.
    pub description: Option<String>,
}

/// The presented identifiers against the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct NameCheckEntry {
    /// Whether one covers the host.
    pub matches: bool,
    /// Each, in the certificate's order.
    pub tried: Vec<TriedEntry>,
}

/// One presented identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TriedEntry {
    /// As it stands in the certificate.
    pub presented: String,
    /// Why it does not cover the host; `null` when it does.
    pub rejected_because: Option<String>,
}
