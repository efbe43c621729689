//! What one direction of a TCP connection turns out to be: [`Sniffer`] looks at its first bytes and
//! hands them, and all that follow, to the reader for TLS, DNS or HTTP.

use crate::dns;
use crate::flow::{Beginning, Interest, Origin, StreamReader};
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
    Waiting(Beginning),
    Searching(Box<Search>, Beginning),
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
        match &self.state {
            State::Tls(reader) => size_of::<record::Reader>().saturating_add(reader.held_bytes()),
            State::Dns(reader) => reader.held_bytes(),
            State::Http(reader) => size_of::<http::Reader>().saturating_add(reader.held_bytes()),
            State::Waiting(beginning) => beginning.held_bytes(),
            State::Searching(search, beginning) => beginning.held_bytes().saturating_add(search.held_bytes()),
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
        if let State::Searching(search, beginning) = &mut self.state
            && search.is_response()
        {
            let mut reader: Box<http::Reader> = Box::default();
            beginning.bring_to(reader.as_mut());
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
        let mut beginning = match std::mem::take(&mut self.state) {
            State::Waiting(beginning) => beginning,
            _ => Beginning::default(),
        };
        beginning.push(bytes, origin);
        let start = beginning.bytes();
        self.state = match record::is_start(&start) {
            Some(true) => State::Tls(self.reader()),
            None => State::Waiting(Beginning::default()),
            Some(false) => match (dns::tcp::is_start(&start), http::reader::is_start(&start)) {
                (Some(true), _) => State::Dns(dns::tcp::Reader::default()),
                (_, Some(true)) if !start.starts_with(RESPONSE) => State::Http(Box::default()),
                (_, Some(true)) | (Some(false), Some(false)) => State::Searching(Box::default(), Beginning::default()),
                _ if is_behind(&beginning) => State::Searching(Box::default(), Beginning::default()),
                _ => State::Waiting(Beginning::default()),
            },
        };
        if let State::Waiting(waiting) = &mut self.state {
            *waiting = beginning;
            return Interest::More;
        }
        beginning.bring_to(self)
    }

    /// Looks for TLS behind something else.
    fn search(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        let State::Searching(search, beginning) = &mut self.state else {
            return Interest::Done;
        };
        let found = search.feed(bytes);
        beginning.push(bytes, origin);
        let beginning = match found {
            Found::Tls(at) => {
                let preamble = search.preamble(at);
                let beginning = beginning.behind(at);
                let mut reader = self.reader();
                reader.preamble = Some(Box::new(preamble));
                self.state = State::Tls(reader);
                beginning
            }
            _ if search.is_http() => {
                let beginning = std::mem::take(beginning);
                self.state = State::Http(Box::default());
                beginning
            }
            Found::Unknown => return Interest::More,
            Found::Nothing => {
                self.state = State::Nothing;
                return Interest::Done;
            }
        };
        beginning.bring_to(self)
    }
}

/// Whether TLS stands behind something that other readers still wait to know.
fn is_behind(beginning: &Beginning) -> bool {
    let mut search = Search::default();
    beginning.pieces().any(|bytes| matches!(search.feed(bytes), Found::Tls(_)))
}
