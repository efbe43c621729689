//! What a TLS handshake shows: [`Handshake`], one per attempt, and [`Alert`].
//!
//! Names are RFC 8446's. A chain that is not there says why ([`ChainState`]), never an empty list
//! that could mean three things. The record layer is in [`record`], the messages in [`handshake`].

pub mod alert;
#[cfg(test)]
mod builder;
mod cbc;
mod certificates;
pub mod connection;
pub mod decrypt;
pub mod dtls;
pub mod event;
mod extension;
pub mod handshake;
pub mod join;
pub mod key_schedule;
pub mod keylog;
mod lone;
pub mod messages;
pub mod preamble;
pub mod record;
mod session;
mod sslv2;
pub mod suite;

use std::any::Any;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::flow::StreamReader;
use crate::provenance::Time;

/// What reads the application data of one direction, once keys have opened it: bytes in stream
/// order, each chunk with the frame in which its record ends. Whoever made it gets it back with the
/// connection and knows its type (`Box<dyn Any>`). Without keys none is made.
pub trait InnerReader: StreamReader + Any + Send + Sync {}

impl<T: StreamReader + Any + Send + Sync> InnerReader for T {}

/// One TLS handshake attempt of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Handshake {
    /// When the ClientHello was captured; the ServerHello when there is none.
    pub time: Option<Time>,
    /// The client.
    #[schemars(with = "Option<String>")]
    pub client: Option<SocketAddr>,
    /// The server.
    #[schemars(with = "Option<String>")]
    pub server: Option<SocketAddr>,
    /// How it travelled.
    pub transport: Transport,
    /// The server name the client asked for (RFC 6066), escaped as in RFC 1035.
    pub sni: Option<String>,
    /// Whether the client sent one, as far as the evidence says.
    pub sni_state: SniState,
    /// The protocols the client offered (RFC 7301).
    pub alpn: Vec<String>,
    /// The versions the client offered, best first, such as `TLS 1.3`.
    pub versions: Vec<String>,
    /// The version the server chose.
    pub version: Option<String>,
    /// The cipher suite the server chose, in its IANA spelling.
    pub cipher: Option<String>,
    /// Whether the server's chain is in the evidence, and if not, why.
    pub chain_state: ChainState,
    /// The certificates the server sent, in wire order: digests, or local ids of a text.
    pub chain: Vec<String>,
    /// At which of the frames of the handshake, counted from 0, the server's Certificate message begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_from: Option<u32>,
    /// The session was resumed.
    pub resumed: bool,
    /// The server sent a HelloRetryRequest.
    pub hrr: bool,
    /// Encrypted ClientHello: `offered` where the extension is there, which says nothing of whether
    /// it is real (GREASE looks the same); `refused` where the server sent other configurations.
    pub ech: Option<String>,
    /// The number of the configuration that an Encrypted ClientHello names; the one that DNS
    /// published for the outer name has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ech_config: Option<u8>,
    /// Data that the client sent before the server answered (0-RTT): `offered`; where the server's
    /// answer is opened, `accepted` or `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_data: Option<String>,
    /// The protocol whose STARTTLS came before.
    pub starttls: Option<String>,
    /// The host of an HTTP CONNECT or a SOCKS request that came before.
    pub proxy_host: Option<String>,
    /// The HTTP version spoken inside, where it is known.
    pub http_version: Option<String>,
    /// The server asked for a certificate of the client.
    #[serde(default, skip_serializing_if = "is_false")]
    pub certificate_requested: bool,
    /// The certificates the client sent, in wire order: digests. Never part of `chain`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_chain: Vec<String>,
    /// The source whose keys opened the handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<String>,
    /// The lengths in bytes of the client's first encrypted records, where no key opened them
    /// (TLS 1.3). The first one ends a handshake or is an alert: see [`Handshake::looks_refused`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_records: Vec<u16>,
    /// The host name that a tool was told to connect to; only known from a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialed: Option<String>,
    /// The run of the transcript that printed it, counted from 1 in its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
}

impl Handshake {
    /// A handshake of which only this is known.
    pub fn over(transport: Transport) -> Self {
        Self {
            time: None,
            client: None,
            server: None,
            transport,
            sni: None,
            sni_state: SniState::Unknown,
            alpn: Vec::new(),
            versions: Vec::new(),
            version: None,
            cipher: None,
            chain_state: ChainState::Missing,
            chain: Vec::new(),
            chain_from: None,
            resumed: false,
            hrr: false,
            ech: None,
            ech_config: None,
            early_data: None,
            starttls: None,
            proxy_host: None,
            http_version: None,
            certificate_requested: false,
            client_chain: Vec::new(),
            keys: None,
            client_records: Vec::new(),
            dialed: None,
            run: None,
        }
    }

    /// Whether the client answered the encrypted flight of the server with a record that has the
    /// length of an alert, where the end of the handshake would be longer: it gave up. What the alert
    /// says stays sealed.
    pub fn looks_refused(&self) -> bool {
        self.client_records.first() == Some(&SEALED_ALERT_BYTES)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

/// An alert of two bytes, its true type and a tag (RFC 8446 section 5.2). A Finished has 32 bytes
/// and more.
pub const SEALED_ALERT_BYTES: u16 = 2 + 1 + 16;

/// How a handshake travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TLS records over TCP.
    Tcp,
    /// QUIC CRYPTO frames.
    Quic,
    /// Known from a text.
    Text,
}

/// Whether the client sent a server name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SniState {
    /// It did; `sni` holds it.
    Sent,
    /// It did not: the ClientHello is here, or the tool is known to send none.
    Absent,
    /// The evidence does not say.
    Unknown,
}

/// Whether the server's certificate chain is in the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChainState {
    /// It is; `chain` holds it.
    Seen,
    /// TLS 1.3 encrypted it.
    Encrypted,
    /// The session was resumed, the server sent none.
    Resumed,
    /// Not in the evidence; a gap or an alert says why.
    Missing,
}

/// An alert of one side (RFC 8446 section 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Alert {
    /// When it was captured.
    pub time: Option<Time>,
    /// The client of the connection.
    #[schemars(with = "Option<String>")]
    pub client: Option<SocketAddr>,
    /// The server of the connection.
    #[schemars(with = "Option<String>")]
    pub server: Option<SocketAddr>,
    /// How it travelled.
    pub transport: Transport,
    /// Who sent it.
    pub from: Side,
    /// `warning` or `fatal`; `None` when it is encrypted.
    pub level: Option<String>,
    /// The description in RFC 8446's spelling; `None` when it is encrypted.
    pub description: Option<String>,
    /// Only the record type shows.
    pub encrypted: bool,
    /// The run of the transcript that printed it, counted from 1 in its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
}

/// One side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who opened it.
    Client,
    /// Who answered.
    Server,
}
