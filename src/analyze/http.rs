//! HTTP connections become facts: [`exchanges`], in clear or as keys opened them.

use std::net::SocketAddr;

use super::shard::{Ends, Found};
use crate::dns;
use crate::evidence::Fact;
use crate::http::{Reader, join};

/// What carried a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// TCP alone.
    Clear,
}

/// The exchanges of a connection between two ends, whichever of them asks.
pub(super) fn exchanges(found: &mut Found, one: (SocketAddr, &Reader), other: (SocketAddr, &Reader), carrier: Carrier) {
    let asks = |reader: &Reader| reader.heads().iter().any(|head| head.fields.method.is_some());
    let (client, server) = if asks(other.1) && !asks(one.1) { (other, one) } else { (one, other) };
    let scheme = match carrier {
        Carrier::Clear => "http",
    };
    let joined = join::join((client.0, Some(client.1)), (server.0, Some(server.1)), scheme);
    for it in joined.answers {
        let ends = Ends { time: it.time, client: client.0, server: server.0 };
        found.answer(it.message, &ends, dns::Transport::Doh, it.frames);
    }
    for (exchange, frames) in joined.exchanges {
        found.observe(Fact::HttpExchange(exchange), frames);
    }
    for (reason, frames) in joined.gaps {
        found.gap(reason, frames);
    }
}
