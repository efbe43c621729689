//! What one direction of a TCP connection turns out to be: [`Sniffer`] looks at its first bytes and
//! hands them, and all that follow, to the reader for TLS, DNS or HTTP.
//!
//! TLS can begin behind something else, even behind HTTP (a proxy's answer to CONNECT), so that HTTP
//! is read only where the search for TLS has ended.

use crate::dns;
use crate::flow::{Interest, Origin, StreamReader};
use crate::http;
use crate::tls::preamble::{Found, Search};
use crate::tls::record;

/// What reads one direction.
#[derive(Default)]
pub(super) struct Sniffer {
    state: State,
    /// Keys are here that can open what is encrypted.
    pub(super) is_keyed: bool,
}

/// What a stream turned out to be.
#[derive(Default)]
enum State {
    #[default]
    Unknown,
    Waiting(Vec<(Vec<u8>, Origin)>),
    Searching(Box<Search>, Vec<(Vec<u8>, Origin)>),
    Tls(Box<record::Reader>),
    Dns(dns::tcp::Reader),
    Http(Box<http::Reader>),
    Nothing,
}

impl StreamReader for Sniffer {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        match &mut self.state {
            State::Tls(reader) => reader.feed(bytes, origin),
            State::Dns(reader) => reader.feed(bytes, origin),
            State::Http(reader) => reader.feed(bytes, origin),
            State::Nothing => Interest::Done,
            State::Unknown if record::is_start(bytes) == Some(true) => {
                // Most streams: nothing has to wait.
                let mut reader = self.reader();
                let interest = reader.feed(bytes, origin);
                self.state = State::Tls(reader);
                interest
            }
            State::Unknown | State::Waiting(_) => self.sniff(bytes, origin),
            State::Searching(..) => self.search(bytes, origin),
        }
    }

    fn hole(&mut self, missing: u64) -> Interest {
        match &mut self.state {
            State::Tls(reader) => reader.hole(missing),
            State::Dns(reader) => reader.hole(missing),
            State::Http(reader) => reader.hole(missing),
            // What follows the hole can be TLS from its first byte on.
            State::Unknown | State::Searching(..) => Interest::More,
            _ => Interest::Done,
        }
    }
}

impl Sniffer {
    /// A sniffer; with keys, TLS is read further.
    pub(super) fn new(is_keyed: bool) -> Self {
        Self { state: State::Unknown, is_keyed }
    }

    /// The reader of TLS, if it is that.
    pub(super) fn tls(&mut self) -> Option<&mut record::Reader> {
        if let State::Tls(reader) = &mut self.state { Some(reader) } else { None }
    }

    /// The reader of TLS, if it was that.
    pub(super) fn into_tls(self) -> Option<record::Reader> {
        if let State::Tls(reader) = self.state { Some(*reader) } else { None }
    }

    /// The reader of DNS, if it is that.
    pub(super) fn dns(&mut self) -> Option<&mut dns::tcp::Reader> {
        if let State::Dns(reader) = &mut self.state { Some(reader) } else { None }
    }

    /// The reader of HTTP, if it is that.
    pub(super) fn http(&self) -> Option<&http::Reader> {
        if let State::Http(reader) = &self.state { Some(reader) } else { None }
    }

    /// The capture has ended: what was still searched for TLS holds none.
    pub(super) fn finish(&mut self) {
        if let State::Searching(_, parts) = &mut self.state {
            let parts = std::mem::take(parts);
            self.without_tls(parts);
        }
    }

    /// Reads what holds no TLS: HTTP, or nothing that matters.
    fn without_tls(&mut self, parts: Vec<(Vec<u8>, Origin)>) -> Interest {
        let start: Vec<u8> = parts.iter().flat_map(|(bytes, _)| bytes).take(HTTP_START_BYTES).copied().collect();
        if http::reader::is_start(&start) != Some(true) {
            self.state = State::Nothing;
            return Interest::Done;
        }
        self.state = State::Http(Box::default());
        let mut interest = Interest::More;
        for (bytes, origin) in parts {
            interest = self.feed(&bytes, origin);
        }
        interest
    }

    fn reader(&self) -> Box<record::Reader> {
        if self.is_keyed {
            Box::new(record::Reader::keyed(Some(Box::new(http::inner::Inner::default()))))
        } else {
            Box::default()
        }
    }

    fn sniff(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        let mut parts = match std::mem::take(&mut self.state) {
            State::Waiting(parts) => parts,
            _ => Vec::new(),
        };
        parts.push((bytes.to_vec(), origin));
        let start: Vec<u8> = parts.iter().flat_map(|(bytes, _)| bytes).copied().collect();
        self.state = match record::is_start(&start) {
            Some(true) => State::Tls(self.reader()),
            None => State::Waiting(Vec::new()),
            Some(false) if dns::tcp::is_start(&start) == Some(true) => State::Dns(dns::tcp::Reader::default()),
            Some(false) => State::Searching(Box::default(), Vec::new()),
        };
        if let State::Waiting(waiting) = &mut self.state {
            *waiting = parts;
            return Interest::More;
        }
        let mut interest = Interest::More;
        for (bytes, origin) in parts {
            interest = self.feed(&bytes, origin);
        }
        interest
    }

    /// Looks for DNS and for TLS behind something else.
    fn search(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        let State::Searching(search, parts) = &mut self.state else {
            return Interest::Done;
        };
        let found = search.feed(bytes);
        parts.push((bytes.to_vec(), origin));
        let parts = match found {
            Found::Nothing => {
                let parts = std::mem::take(parts);
                return self.without_tls(parts);
            }
            Found::Unknown => {
                let start: Vec<u8> = parts.iter().flat_map(|(it, _)| it).copied().collect();
                if dns::tcp::is_start(&start) != Some(true) {
                    return Interest::More;
                }
                let parts = std::mem::take(parts);
                self.state = State::Dns(dns::tcp::Reader::default());
                parts
            }
            Found::Tls(at) => {
                let preamble = search.preamble(at);
                let parts = behind(std::mem::take(parts), at);
                let mut reader = self.reader();
                reader.preamble = Some(Box::new(preamble));
                self.state = State::Tls(reader);
                parts
            }
        };
        let mut interest = Interest::More;
        for (bytes, origin) in parts {
            interest = self.feed(&bytes, origin);
        }
        interest
    }
}

/// The parts without their first bytes.
fn behind(parts: Vec<(Vec<u8>, Origin)>, mut bytes: usize) -> Vec<(Vec<u8>, Origin)> {
    let mut rest = Vec::new();
    for (part, origin) in parts {
        let passed = bytes.min(part.len());
        bytes = bytes.saturating_sub(passed);
        let part = part.get(passed..).unwrap_or_default();
        if !part.is_empty() {
            rest.push((part.to_vec(), origin));
        }
    }
    rest
}

/// What is looked at to tell HTTP.
const HTTP_START_BYTES: usize = 64;
