//! What DNS said of a host: [`Resolution`], the aliases from the asked name to its addresses.
//! [`super::answers`] finds them.

use std::net::IpAddr;

use smol_str::SmolStr;

use crate::evidence::ObservationId;
use crate::name::Name;
use crate::provenance::{SourceId, Time};

/// One answer set: the aliases from the asked name, and the addresses at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The name that it begins with: the question.
    pub start: Name,
    /// The aliases in order; empty when the name has its addresses itself.
    pub aliases: Vec<Alias>,
    /// The addresses at the end, with the answer that holds them.
    pub addresses: Vec<(IpAddr, ObservationId)>,
    /// The least time to live of its aliases and addresses, in seconds.
    pub ttl: Option<u32>,
    /// The response code, in its IANA spelling.
    pub rcode: Option<SmolStr>,
    /// The type asked for, where the evidence shows the question.
    pub asked: Option<SmolStr>,
    /// Who asked.
    pub client: Option<IpAddr>,
    /// Who answered.
    pub resolver: Option<std::net::SocketAddr>,
    /// When.
    pub time: Option<Time>,
    /// The source that holds it.
    pub source: Option<SourceId>,
    /// The run of a transcript that printed it.
    pub run: Option<u32>,
    /// The answer that it begins with.
    pub answer: ObservationId,
    /// The answers it was put together from, in the order of the walk; never empty.
    pub cites: Vec<ObservationId>,
}

/// One alias of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The owner.
    pub owner: Name,
    /// `CNAME` or `DNAME`.
    pub kind: SmolStr,
    /// The target.
    pub target: Name,
    /// The time to live in seconds.
    pub ttl: Option<u32>,
    /// The answer that holds it.
    pub cites: ObservationId,
}

impl Resolution {
    /// The name at the end of the aliases.
    pub fn last_target(&self) -> Option<&Name> {
        self.aliases.last().map(|alias| &alias.target)
    }

    /// Whether the answer set holds the address.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|(known, _)| *known == address)
    }
}
