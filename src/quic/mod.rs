//! What a TLS handshake inside QUIC shows: the same [`crate::tls::Handshake`], with transport `quic`.
//!
//! The Initial packets of versions 1 and 2 and of the drafts are opened with keys that everybody can
//! derive (RFC 9001 section 5.2): they hold both hellos, so SNI, ALPN and version, and an alert that
//! ends the handshake early. Certificates travel in Handshake packets, which the secrets of a key log
//! open; without one the chain is encrypted, as in TLS 1.3 over TCP. With one the streams are read
//! too ([`stream`]). Early data is passed over.
//!
//! [`packet`] cuts datagrams, [`protect`] opens packets, [`frame`] reads them, [`crypto`] puts the
//! messages together, [`connection`] knows one connection and [`flow`] all those between two ports.
//! Connection ids tell connections of one pair of ports apart, and change while one lasts. A
//! connection that moves to another pair of ports (RFC 9000 section 9) has its handshake behind it,
//! so nothing of the handshake is lost where it moves.

pub mod connection;
pub mod crypto;
pub mod flow;
pub mod frame;
pub mod packet;
pub mod protect;
pub mod stream;
pub mod version;

pub use flow::{Datagram, Flow, Shown};
pub use packet::{google, looks_like};
pub use stream::Told;
pub use version::Version;

use crate::tls::keylog::Keys;

/// What opens packets beyond the first, and reads what they carry.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'k> {
    /// The secrets of key logs.
    pub keys: &'k Keys,
    /// Makes what reads a stream.
    pub stream: stream::MakeReader,
}
