//! What one direction of a TCP connection turns out to be: [`Sniffer`] looks at its first bytes and
//! hands them, and all that follow, to the reader for TLS, DNS or HTTP.

use crate::dns;
use crate::flow::{Interest, Origin, StreamReader};
use crate::http;
use crate::tls;

/// What a stream turned out to be.
#[derive(Default)]
pub(super) enum Sniffer {
    #[default]
    Unknown,
    Waiting(Vec<(Vec<u8>, Origin)>),
    Tls(Box<tls::record::Reader>),
    Dns(dns::tcp::Reader),
    Http(Box<http::Reader>),
    Nothing,
}

impl StreamReader for Sniffer {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        match self {
            Self::Tls(reader) => reader.feed(bytes, origin),
            Self::Dns(reader) => reader.feed(bytes, origin),
            Self::Http(reader) => reader.feed(bytes, origin),
            Self::Nothing => Interest::Done,
            Self::Unknown => match tls::record::is_start(bytes) {
                // Most streams: nothing has to wait.
                Some(true) => {
                    let mut reader: Box<tls::record::Reader> = Box::default();
                    let interest = reader.feed(bytes, origin);
                    *self = Self::Tls(reader);
                    interest
                }
                _ => self.sniff(bytes, origin),
            },
            Self::Waiting(_) => self.sniff(bytes, origin),
        }
    }

    fn hole(&mut self, missing: u64) -> Interest {
        match self {
            Self::Tls(reader) => reader.hole(missing),
            Self::Dns(reader) => reader.hole(missing),
            Self::Http(reader) => reader.hole(missing),
            _ => Interest::Done,
        }
    }

    fn held_bytes(&self) -> usize {
        match self {
            Self::Tls(reader) => size_of::<tls::record::Reader>().saturating_add(reader.held_bytes()),
            Self::Dns(reader) => reader.held_bytes(),
            Self::Http(reader) => size_of::<http::Reader>().saturating_add(reader.held_bytes()),
            Self::Waiting(parts) => parts.iter().map(|(bytes, _)| bytes.len().saturating_add(64)).sum(),
            Self::Unknown | Self::Nothing => 0,
        }
    }
}

impl Sniffer {
    fn sniff(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        let mut parts = match std::mem::take(self) {
            Self::Waiting(parts) => parts,
            _ => Vec::new(),
        };
        parts.push((bytes.to_vec(), origin));
        let start: Vec<u8> = parts.iter().flat_map(|(bytes, _)| bytes).copied().collect();
        *self = match tls::record::is_start(&start) {
            Some(true) => Self::Tls(Box::default()),
            None => Self::Waiting(Vec::new()),
            Some(false) => match (dns::tcp::is_start(&start), http::reader::is_start(&start)) {
                (Some(true), _) => Self::Dns(dns::tcp::Reader::default()),
                (_, Some(true)) => Self::Http(Box::default()),
                (Some(false), Some(false)) => Self::Nothing,
                _ => Self::Waiting(Vec::new()),
            },
        };
        if let Self::Waiting(waiting) = self {
            *waiting = parts;
            return Interest::More;
        }
        let mut interest = Interest::More;
        for (bytes, origin) in parts {
            interest = self.feed(&bytes, origin);
        }
        interest
    }
}
