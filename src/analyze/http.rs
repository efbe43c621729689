//! HTTP connections, and DNS inside encryption, become facts: in clear or as keys opened them.

use std::any::Any;
use std::net::SocketAddr;

use super::found::{Ends, Found};
use crate::dns;
use crate::evidence::{Fact, HttpExchange};
use crate::http::h3::{self, Stream};
use crate::http::inner::Inner;
use crate::http::{Reader, join};
use crate::provenance::GapReason;
use crate::quic::Told;
use crate::tls::{InnerReader, Side};

/// The exchanges of a connection in clear between two ends, whichever of them asks.
pub(super) fn exchanges(found: &mut Found, one: (SocketAddr, &Reader), other: (SocketAddr, &Reader)) {
    let asks = |reader: &Reader| reader.heads().iter().any(|head| head.fields.method.is_some());
    let (client, server) = if asks(other.1) && !asks(one.1) { (other, one) } else { (one, other) };
    let joined = join::join((client.0, Some(client.1)), (server.0, Some(server.1)), "http");
    observe(found, joined, (client.0, server.0));
}

/// What was said inside TLS.
pub(super) fn inside_tls(
    found: &mut Found,
    (client, server): (SocketAddr, SocketAddr),
    inner: Vec<(Side, Box<dyn InnerReader>)>,
) {
    let (mut from_client, mut from_server) = (Inner::default(), Inner::default());
    for (side, reader) in inner {
        let reader: Box<dyn Any> = reader;
        if let Ok(reader) = reader.downcast::<Inner>() {
            *(if side == Side::Client { &mut from_client } else { &mut from_server }) = *reader;
        }
    }
    answers(found, from_server.dns_messages(), (client, server), dns::Transport::Dot);
    if from_client.http().is_some() || from_server.http().is_some() {
        let joined = join::join((client, from_client.http()), (server, from_server.http()), "https");
        observe(found, joined, (client, server));
    }
}

/// What was said on the streams of a QUIC connection.
pub(super) fn streams(found: &mut Found, client: SocketAddr, server: SocketAddr, told: Vec<Told>) {
    let (mut requests, mut responses) = (Vec::new(), Vec::new());
    for Told { from, id, reader } in told {
        let reader: Box<dyn Any> = reader;
        let Ok(mut stream) = reader.downcast::<Stream>() else {
            continue;
        };
        if from == Side::Server {
            answers(found, stream.dns_messages(), (client, server), dns::Transport::Doq);
            responses.push((id, *stream));
        } else {
            requests.push((id, *stream));
        }
    }
    let ((requests, one), (responses, other)) = (h3::heads(&requests), h3::heads(&responses));
    let version = Some("HTTP/3".to_owned());
    let base = HttpExchange { client: Some(client), server: Some(server), version, ..HttpExchange::default() };
    let mut joined = join::pair(&requests, &responses, "https", &base);
    for (why, frames) in one.into_iter().chain(other) {
        joined.gaps.push((GapReason::Undecoded { what: "HTTP/3 message".to_owned(), why }, frames));
    }
    observe(found, joined, (client, server));
}

fn answers(
    found: &mut Found,
    messages: Vec<dns::tcp::Framed>,
    (client, server): (SocketAddr, SocketAddr),
    transport: dns::Transport,
) {
    for it in messages {
        found.answer(it.message, &Ends { time: it.time, client, server }, transport, it.frames);
    }
}

fn observe(found: &mut Found, joined: join::Joined, (client, server): (SocketAddr, SocketAddr)) {
    for it in joined.answers {
        found.answer(it.message, &Ends { time: it.time, client, server }, dns::Transport::Doh, it.frames);
    }
    for (exchange, frames) in joined.exchanges {
        found.observe(Fact::HttpExchange(exchange), frames);
    }
    for (reason, frames) in joined.gaps {
        found.gap(reason, frames);
    }
}
