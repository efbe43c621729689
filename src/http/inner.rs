//! What is said inside TLS, once keys have opened it: [`Inner`] reads HTTP, or DNS over TLS (RFC 7858).

use super::reader::{self, Reader};
use crate::dns;
use crate::flow::{Beginning, Interest, Origin, StreamReader};

/// Reads the application data of one direction.
#[derive(Debug, Default)]
pub struct Inner {
    beginning: Beginning,
    spoken: Spoken,
}

#[derive(Debug, Default)]
enum Spoken {
    #[default]
    Unknown,
    Http(Box<Reader>),
    Dns(Box<dns::tcp::Reader>),
    Nothing,
}

impl StreamReader for Inner {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        match &mut self.spoken {
            Spoken::Http(reader) => return reader.feed(bytes, origin),
            Spoken::Dns(reader) => return reader.feed(bytes, origin),
            Spoken::Nothing => return Interest::Done,
            Spoken::Unknown => self.beginning.push(bytes, origin),
        }
        let start = self.beginning.bytes();
        self.spoken = match (reader::is_start(&start), dns::tcp::is_start(&start)) {
            (Some(true), _) => Spoken::Http(Box::default()),
            (_, Some(true)) => Spoken::Dns(Box::default()),
            (Some(false), Some(false)) => Spoken::Nothing,
            _ => return Interest::More,
        };
        std::mem::take(&mut self.beginning).bring_to(self)
    }

    fn hole(&mut self, missing: u64) -> Interest {
        match &mut self.spoken {
            Spoken::Http(reader) => reader.hole(missing),
            Spoken::Dns(reader) => reader.hole(missing),
            Spoken::Unknown | Spoken::Nothing => Interest::Done,
        }
    }
}

impl Inner {
    /// The reader of HTTP, if it was that.
    pub fn http(&self) -> Option<&Reader> {
        if let Spoken::Http(reader) = &self.spoken { Some(reader) } else { None }
    }

    /// The messages, if it was DNS.
    pub fn dns_messages(&mut self) -> Vec<dns::tcp::Framed> {
        if let Spoken::Dns(reader) = &mut self.spoken { std::mem::take(&mut reader.messages) } else { Vec::new() }
    }
}
