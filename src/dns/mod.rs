//! What a DNS response said: [`Answer`], one per response message, with its records in wire order.
//!
//! A capture and a saved `dig` give the same type; what a text does not say is `None`. The wire
//! form is read in [`wire`], record by record, so that one bad record does not cost the rest; which
//! datagrams and streams are DNS is for [`datagram`] and [`tcp`]. Owner and target are RFC 1034's words.

mod data;
pub mod datagram;
pub mod encrypted;
pub mod endpoint;
mod extended_error;
pub mod iana;
pub mod queries;
mod svcb;
pub mod tcp;
pub mod wire;
mod wire_name;

use std::net::SocketAddr;

pub use extended_error::ExtendedError;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::name::Name;
use crate::provenance::Time;

/// One response message (RFC 1035 section 4.1), or what a text shows of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Answer {
    /// When it was received.
    pub time: Option<Time>,
    /// Who asked.
    #[schemars(with = "Option<String>")]
    pub client: Option<SocketAddr>,
    /// Who answered.
    #[schemars(with = "Option<String>")]
    pub server: Option<SocketAddr>,
    /// How it travelled.
    pub transport: Transport,
    /// The message id.
    pub id: Option<u16>,
    /// The response code in its IANA spelling, such as `NOERROR`.
    pub rcode: Option<SmolStr>,
    /// The header flags.
    pub flags: Option<Flags>,
    /// The question; `None` where a text does not show one.
    pub question: Option<Question>,
    /// The records of all sections, in order.
    pub records: Vec<Record>,
    /// Why the server says that it answered so (RFC 8914).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended_errors: Vec<ExtendedError>,
    /// Of an answer that a text shows: how it travelled, where the text says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Transport>,
    /// The run of the transcript that printed it, counted from 1 in its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// Whether records of its answer section are missing here: cut off in a capture, or left out of a text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl Answer {
    /// Whether it can hold records that are not seen: some are cut off here, or the server left them out (RFC 2181
    /// section 9).
    pub fn is_partial(&self) -> bool {
        self.is_cut || self.flags.is_some_and(|flags| flags.tc)
    }
}

/// How a DNS message travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP (RFC 7766).
    Tcp,
    /// DNS over TLS (RFC 7858).
    Dot,
    /// DNS over HTTPS (RFC 8484).
    Doh,
    /// DNS over QUIC (RFC 9250).
    Doq,
    /// Multicast DNS (RFC 6762).
    Mdns,
    /// Link-local multicast name resolution (RFC 4795).
    Llmnr,
    /// Known from a text.
    Text,
}

/// The header flags of RFC 1035 and RFC 4035.
#[expect(clippy::struct_excessive_bools, reason = "the wire has seven flag bits, and the contract names them")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Flags {
    /// A response.
    pub qr: bool,
    /// Authoritative answer.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion desired.
    pub rd: bool,
    /// Recursion available.
    pub ra: bool,
    /// Authentic data.
    pub ad: bool,
    /// Checking disabled.
    pub cd: bool,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Question {
    /// The name asked for.
    pub name: Name,
    /// The type asked for, in its IANA spelling, `TYPE65534` where it has none.
    #[serde(rename = "type")]
    pub kind: SmolStr,
}

/// One resource record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Record {
    /// The section it stood in.
    pub section: Section,
    /// The owner name.
    #[serde(rename = "name")]
    pub owner: Name,
    /// The type in its IANA spelling.
    #[serde(rename = "type")]
    pub kind: SmolStr,
    /// The time to live in seconds; `None` where a text does not show it.
    pub ttl: Option<u32>,
    /// The data in presentation form; names in it end with a dot and are lower-case.
    pub data: SmolStr,
}

impl Record {
    /// The target of a CNAME or DNAME record.
    pub fn target(&self) -> Option<Name> {
        matches!(self.kind.as_str(), "CNAME" | "DNAME").then(|| Name::parse(&self.data))?
    }

    /// The address of an A or AAAA record.
    pub fn address(&self) -> Option<std::net::IpAddr> {
        matches!(self.kind.as_str(), "A" | "AAAA").then(|| self.data.parse().ok())?
    }
}

/// The section of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Answer.
    Answer,
    /// Authority.
    Authority,
    /// Additional.
    Additional,
}
