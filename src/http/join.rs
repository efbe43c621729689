//! Both directions of a connection become [`Joined`]: each request with its response, and the answers
//! of DNS over HTTPS.

use std::net::SocketAddr;

use super::{Exchange, Head, Reader};
use crate::dns::wire;
use crate::limits::HTTP_EXCHANGES_PER_CONNECTION_MAX;
use crate::name::Name;
use crate::provenance::{FrameNumber, GapReason, Time};

/// What a connection showed.
#[derive(Debug, Default)]
pub struct Joined {
    /// The exchanges, in the order of their requests.
    pub exchanges: Vec<(Exchange, Vec<FrameNumber>)>,
    /// The DNS answers.
    pub answers: Vec<Answered>,
    /// What could not be read.
    pub gaps: Vec<(GapReason, Vec<FrameNumber>)>,
}

/// A DNS message in the body of a response.
#[derive(Debug)]
pub struct Answered {
    /// The message.
    pub message: wire::Message,
    /// The frames of the response.
    pub frames: Vec<FrameNumber>,
    /// When the response began.
    pub time: Option<Time>,
}

/// Joins what client and server said; `scheme` is `http` or `https`.
pub fn join(client: (SocketAddr, Option<&Reader>), server: (SocketAddr, Option<&Reader>), scheme: &str) -> Joined {
    let heads = |reader: Option<&Reader>| reader.map(|it| it.heads().to_vec()).unwrap_or_default();
    let version = client.1.or(server.1).and_then(Reader::version).map(str::to_owned);
    let base = Exchange { client: Some(client.0), server: Some(server.0), version, ..Exchange::default() };
    let mut joined = pair(&heads(client.1), &heads(server.1), scheme, &base);
    for reader in [client.1, server.1].into_iter().flatten() {
        if let Some(why) = reader.trouble() {
            let frames = reader.heads().last().map(|head| head.frames.clone()).unwrap_or_default();
            joined.gaps.push((GapReason::Undecoded { what: "HTTP stream".to_owned(), why: why.to_owned() }, frames));
        }
    }
    joined
}

/// Pairs requests with responses by their stream.
pub fn pair(requests: &[Head], responses: &[Head], scheme: &str, base: &Exchange) -> Joined {
    let mut joined = Joined::default();
    for response in responses {
        dns_answer(&mut joined, response);
    }
    let lone = responses.iter().filter(|response| !requests.iter().any(|request| request.stream == response.stream));
    let pairs = requests.iter().map(|request| {
        let response = responses.iter().find(|response| response.stream == request.stream);
        (Some(request), response)
    });
    for (request, response) in
        pairs.chain(lone.map(|response| (None, Some(response)))).take(HTTP_EXCHANGES_PER_CONNECTION_MAX)
    {
        joined.exchanges.push(exchange(request, response, scheme, base));
    }
    joined
}

fn exchange(
    request: Option<&Head>,
    response: Option<&Head>,
    scheme: &str,
    base: &Exchange,
) -> (Exchange, Vec<FrameNumber>) {
    let heads = || request.into_iter().chain(response);
    let authority = request.and_then(|head| head.fields.authority.as_deref());
    let host = authority.and_then(host_of);
    let it = Exchange {
        time: heads().find_map(|head| head.time),
        url: host.as_ref().and(authority).map(|authority| format!("{scheme}://{}/", authority.to_ascii_lowercase())),
        host,
        status: response.and_then(|head| head.fields.status),
        headers: response.map(|head| head.fields.headers.clone()).unwrap_or_default(),
        ..base.clone()
    };
    let mut frames: Vec<FrameNumber> = heads().flat_map(|head| head.frames.iter().copied()).collect();
    frames.sort_unstable();
    frames.dedup();
    (it, frames)
}

/// The host of an authority, without its port.
pub(super) fn host_of(authority: &str) -> Option<Name> {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    Name::parse(host)
}

fn dns_answer(joined: &mut Joined, response: &Head) {
    if response.dns.is_empty() {
        return;
    }
    let frames = response.frames.clone();
    if let Some(message) = wire::decode(&response.dns) {
        joined.answers.push(Answered { message, frames, time: response.time });
    } else {
        let why = "the body is no DNS message".to_owned();
        joined.gaps.push((GapReason::Undecoded { what: "DNS over HTTPS".to_owned(), why }, frames));
    }
}
