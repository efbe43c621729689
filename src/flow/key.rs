//! Which connection a packet belongs to, and which way it goes: [`FlowKey`].

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Both ends of a connection, the smaller first: the same for both directions. Small, because one
/// is made of every packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowKey {
    is_v6: bool,
    low_port: u16,
    high_port: u16,
    low: Address,
    high: Address,
}

/// An IPv4 address stands in the second half.
type Address = [u64; 2];

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the smaller end.
    FromLow,
    /// From the greater end.
    FromHigh,
}

impl Way {
    /// The way back.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::FromLow => Self::FromHigh,
            Self::FromHigh => Self::FromLow,
        }
    }
}

impl FlowKey {
    /// The key of a packet, and its way.
    pub fn of(source: SocketAddr, destination: SocketAddr) -> (Self, Way) {
        Self::between((source.ip(), source.port()), (destination.ip(), destination.port()))
    }

    /// The key of a packet from an address and port to another.
    pub fn between(source: (IpAddr, u16), destination: (IpAddr, u16)) -> (Self, Way) {
        let is_v6 = source.0.is_ipv6() || destination.0.is_ipv6();
        let (source, destination) = ((bits(source.0), source.1), (bits(destination.0), destination.1));
        let is_low = source <= destination;
        let (low, high) = if is_low { (source, destination) } else { (destination, source) };
        let key = Self { is_v6, low_port: low.1, high_port: high.1, low: low.0, high: high.0 };
        (key, if is_low { Way::FromLow } else { Way::FromHigh })
    }

    /// The smaller end.
    pub fn low(&self) -> SocketAddr {
        socket(self.is_v6, self.low, self.low_port)
    }

    /// The greater end.
    pub fn high(&self) -> SocketAddr {
        socket(self.is_v6, self.high, self.high_port)
    }

    /// The ends of a packet that goes this way: who sent it, who it is for.
    pub fn ends(&self, way: Way) -> (SocketAddr, SocketAddr) {
        match way {
            Way::FromLow => (self.low(), self.high()),
            Way::FromHigh => (self.high(), self.low()),
        }
    }

    /// The shard of `count` that the connection belongs to; the same in every run.
    pub fn shard(&self, count: usize) -> usize {
        let hash = foldhash::fast::FixedState::with_seed(0x7768_7963).hash_one(self);
        let count = u64::try_from(count.max(1)).unwrap_or(1);
        usize::try_from((hash >> 32) % count).unwrap_or(0)
    }
}

impl Hash for FlowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64((u64::from(self.low_port) << 16) | u64::from(self.high_port));
        if self.is_v6 {
            state.write_u64(self.low[0]);
            state.write_u64(self.low[1]);
            state.write_u64(self.high[0]);
            state.write_u64(self.high[1]);
        } else {
            // Both are below 2^32.
            state.write_u64((self.low[1] << 32) | self.high[1]);
        }
    }
}

fn bits(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(v4) => [0, u64::from(v4.to_bits())],
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
            [half(bits >> 64), half(bits)]
        }
    }
}

fn socket(is_v6: bool, [high, low]: Address, port: u16) -> SocketAddr {
    let address = if is_v6 {
        IpAddr::V6(Ipv6Addr::from_bits((u128::from(high) << 64) | u128::from(low)))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(low).unwrap_or(0)))
    };
    SocketAddr::new(address, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_have_one_key_and_the_ends_come_back() {
        for (one, other) in [
            ("192.0.2.1:40000", "198.51.100.2:443"),
            ("[2001:db8::1]:443", "[2001:db8::2]:40000"),
            ("[::1]:7", "[::1]:8"),
            ("10.0.0.1:5", "10.0.0.1:5"),
        ] {
            let (one, other): (SocketAddr, SocketAddr) = (one.parse().unwrap(), other.parse().unwrap());
            let (key, way) = FlowKey::of(one, other);
            let (back, way_back) = FlowKey::of(other, one);
            assert_eq!(key, back);
            assert_eq!((key.ends(way), key.ends(way_back)), ((one, other), (other, one)));
            assert!(key.shard(16) < 16);
        }
    }
}
