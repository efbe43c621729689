//! What one direction of a handshake shows, message by message and record by record, each with the frames
//! that hold it: [`Seen`], an [`Event`] in its place.

use super::handshake::{ClientHello, EncryptedExtensions, Message, ServerHello};
use crate::provenance::{FrameNumber, Time};

/// What one direction showed, in stream order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub event: Event,
    /// The frames that hold its bytes.
    pub frames: Vec<FrameNumber>,
    /// When its first byte was captured.
    pub time: Option<Time>,
}

/// What one direction can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A ClientHello.
    ClientHello(Box<ClientHello>),
    /// A ServerHello or a HelloRetryRequest.
    ServerHello(Box<ServerHello>),
    /// What the server chose under encryption.
    EncryptedExtensions(EncryptedExtensions),
    /// The certificates of a Certificate message.
    Certificates(Vec<Vec<u8>>),
    /// The server asks for a certificate of the client.
    CertificateRequest,
    /// A ServerKeyExchange or ServerHelloDone: the handshake is a full one.
    FlightDone,
    /// The first bytes of a ClientKeyExchange.
    ClientKeyExchange(Vec<u8>),
    /// Finished, which only keys show.
    Finished,
    /// ChangeCipherSpec: what follows is encrypted.
    ChangeCipherSpec,
    /// An alert, in clear or opened: level and description.
    Alert(u8, u8),
    /// An encrypted record of type alert.
    EncryptedAlert,
    /// An encrypted handshake or application record.
    Encrypted,
    /// A message that cannot be read.
    Undecoded(String),
}

impl Event {
    /// What a message shows: nothing, or one thing and perhaps what is missing of it.
    pub fn of(message: Message) -> Vec<Self> {
        match message {
            Message::ClientHello(hello) => vec![Self::ClientHello(hello)],
            Message::ServerHello(hello) => vec![Self::ServerHello(hello)],
            Message::EncryptedExtensions(it) => vec![Self::EncryptedExtensions(it)],
            Message::Certificates(chain) => vec![Self::Certificates(chain)],
            Message::CertificatesInPart(chain, why) => vec![Self::Certificates(chain), Self::Undecoded(why)],
            Message::CertificateRequest => vec![Self::CertificateRequest],
            Message::FlightDone | Message::ServerKeyExchange => vec![Self::FlightDone],
            Message::ClientKeyExchange(bytes) => vec![Self::ClientKeyExchange(bytes)],
            Message::Finished => vec![Self::Finished],
            Message::Undecoded(why) => vec![Self::Undecoded(why)],
            Message::KeyUpdate | Message::Other => Vec::new(),
        }
    }
}
