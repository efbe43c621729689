//! Where a connection got its address from ([`Origin`]): which answer of which client and resolver
//! holds it, and whether a newer one has taken its place.
//!
//! A connection of a capture is held against the answers that its own client had before it. A saved
//! output shows no client and no order that counts: there every answer of the same source is current.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Case, Connection, Resolution};
use crate::name::Name;
use crate::provenance::Time;
use crate::provider::{cloudfront, elb, execute_api};

/// Where the address of a connection came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin<'c> {
    /// The newest answer that the client had from some resolver holds it.
    Answered(&'c Resolution),
    /// An older answer holds it, and a newer one from the same resolver does not.
    Outdated {
        /// The answer that holds it.
        held: &'c Resolution,
        /// The newer one.
        current: &'c Resolution,
    },
    /// Only an answer to another client, from another source, or after the connection, holds it.
    Elsewhere(&'c Resolution),
    /// Addresses of the host are here, for this client, and none of any answer is this one.
    NotAmong(&'c Resolution),
    /// No answer with an address of the host is here.
    Unanswered,
}

impl Case<'_> {
    /// Where the address of a connection came from; `None` when the connection shows no address.
    pub fn origin<'c>(&'c self, connection: &Connection<'_>) -> Option<Origin<'c>> {
        let address = connection.server_ip()?;
        let mut of_resolvers: BTreeMap<Option<IpAddr>, Known<'c>> = BTreeMap::new();
        let mut elsewhere: Option<&Resolution> = None;
        for it in &self.resolutions {
            let has_family = it.addresses_like(address).next().is_some();
            if has_family && is_of_vantage(it, connection) && came_before(it, connection) {
                let resolver = it.resolver.map(|resolver| resolver.ip()).filter(|_| it.client.is_some());
                of_resolvers.entry(resolver).or_default().take(it, it.has_address(address));
            } else if it.has_address(address) {
                elsewhere = elsewhere.or(Some(it));
            }
        }
        let mut outdated = None;
        for known in of_resolvers.values() {
            match (known.held, known.other) {
                (Some(held), Some(current)) if is_newer(current, held) => {
                    outdated = outdated.or(Some(Origin::Outdated { held, current }));
                }
                (Some(held), _) => return Some(Origin::Answered(held)),
                (None, _) => {}
            }
        }
        let not_among = of_resolvers.values().find_map(|known| known.other).map(Origin::NotAmong);
        Some(outdated.or(elsewhere.map(Origin::Elsewhere)).or(not_among).unwrap_or(Origin::Unanswered))
    }
}

/// The last answers of one resolver: one that holds an address, and one that does not.
#[derive(Default)]
struct Known<'c> {
    held: Option<&'c Resolution>,
    other: Option<&'c Resolution>,
}

impl<'c> Known<'c> {
    fn take(&mut self, it: &'c Resolution, holds: bool) {
        let place = if holds { &mut self.held } else { &mut self.other };
        if place.is_none_or(|known| !is_newer(known, it)) {
            *place = Some(it);
        }
    }
}

/// Whether a resolution was seen where the connection was.
fn is_of_vantage(resolution: &Resolution, connection: &Connection<'_>) -> bool {
    let same_client = match (resolution.client, connection.client_ip()) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    resolution.source == Some(connection.source) && same_client
}

/// Whether a resolution came before a connection, as far as both times are known.
fn came_before(resolution: &Resolution, connection: &Connection<'_>) -> bool {
    match (resolution.time, connection.handshake.time) {
        (Some(answered), Some(opened)) => !is_after(answered, opened),
        _ => true,
    }
}

fn is_newer(one: &Resolution, other: &Resolution) -> bool {
    matches!((one.time, other.time), (Some(one), Some(other)) if is_after(one, other))
}

fn is_after(one: Time, other: Time) -> bool {
    (one.seconds, one.nanos) > (other.seconds, other.nanos)
}

impl Resolution {
    /// Whether the address is one of those that its provider changes all the time: another address of
    /// the same target at another time says nothing.
    pub fn is_rotating(&self, host: &Name) -> bool {
        let name = self.last_target().unwrap_or(host);
        execute_api::host(name).is_some() || cloudfront::is_distribution(name) || elb::is_balancer(name)
    }

    /// When the answer ceases to hold, by its least time to live; `None` when a text does not say.
    pub fn expires(&self) -> Option<i64> {
        let ttl = self.ttl?;
        Some(self.time?.seconds.saturating_add(i64::from(ttl)))
    }

    /// The addresses of one family.
    pub fn addresses_like(&self, address: IpAddr) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().map(|it| it.0).filter(move |it| it.is_ipv4() == address.is_ipv4())
    }
}
