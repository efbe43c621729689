//! What one direction of a TCP connection turns out to be: [`Sniffer`] looks at its first bytes and
//! hands them, and all that follow, to the reader for TLS, DNS or HTTP.

use crate::dns;
use crate::flow::{Interest, Origin, StreamReader};
use crate::http;
use crate::tls::preamble::{Found, RESPONSE, Search};
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

    fn held_bytes(&self) -> usize {
        let held = |parts: &[(Vec<u8>, Origin)]| parts.iter().map(|(bytes, _)| bytes.len().saturating_add(64)).sum();
        match &self.state {
            State::Tls(reader) => size_of::<record::Reader>().saturating_add(reader.held_bytes()),
            State::Dns(reader) => reader.held_bytes(),
            State::Http(reader) => size_of::<http::Reader>().saturating_add(reader.held_bytes()),
            State::Waiting(parts) => held(parts),
            State::Searching(search, parts) => held(parts).saturating_add(search.held_bytes()),
            State::Unknown | State::Nothing => 0,
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

    /// The stream has ended: a response that no TLS followed is one.
    pub(super) fn settle(&mut self) {
        if let State::Searching(search, parts) = &mut self.state
            && search.is_response()
        {
            let mut reader: Box<http::Reader> = Box::default();
            for (bytes, origin) in parts {
                if reader.feed(bytes, *origin) == Interest::Done {
                    break;
                }
            }
            self.state = State::Http(reader);
        }
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
            Some(false) => match (dns::tcp::is_start(&start), http::reader::is_start(&start)) {
                (Some(true), _) => State::Dns(dns::tcp::Reader::default()),
                (_, Some(true)) if !start.starts_with(RESPONSE) => State::Http(Box::default()),
                (_, Some(true)) | (Some(false), Some(false)) => State::Searching(Box::default(), Vec::new()),
                _ if is_behind(&parts) => State::Searching(Box::default(), Vec::new()),
                _ => State::Waiting(Vec::new()),
            },
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

    /// Looks for TLS behind something else.
    fn search(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        let State::Searching(search, parts) = &mut self.state else {
            return Interest::Done;
        };
        let found = search.feed(bytes);
        parts.push((bytes.to_vec(), origin));
        let parts = match found {
            Found::Tls(at) => {
                let preamble = search.preamble(at);
                let parts = behind(std::mem::take(parts), at);
                let mut reader = self.reader();
                reader.preamble = Some(Box::new(preamble));
                self.state = State::Tls(reader);
                parts
            }
            _ if search.is_http() => {
                let parts = std::mem::take(parts);
                self.state = State::Http(Box::default());
                parts
            }
            Found::Unknown => return Interest::More,
            Found::Nothing => {
                self.state = State::Nothing;
                return Interest::Done;
            }
        };
        let mut interest = Interest::More;
        for (bytes, origin) in parts {
            interest = self.feed(&bytes, origin);
        }
        interest
    }
}

/// Whether TLS stands behind something that other readers still wait to know.
fn is_behind(parts: &[(Vec<u8>, Origin)]) -> bool {
    let mut search = Search::default();
    parts.iter().any(|(bytes, _)| matches!(search.feed(bytes), Found::Tls(_)))
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
