//! What becomes of a record: read in clear, passed over, kept until its key is known, or opened.
//!
//! Keys are found once both hellos are known ([`crate::tls::connection`]); until then what is sealed
//! waits, within a bound. What authentication refuses, and what a log has no key for, is said with its
//! frames.

use super::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, RECORD_HEADER_BYTES, Reader, frames_of};
use crate::flow::Interest;
use crate::limits::SEALED_PENDING_BYTES_MAX;
use crate::tls::event::Event;
use crate::tls::messages::Part;
use crate::tls::session::{Opened, Session};

/// How records are protected.
#[derive(Debug, Default)]
pub(super) enum Guard {
    /// Not at all.
    #[default]
    Clear,
    /// With keys that nobody has.
    Hidden,
    /// With keys that can still be found.
    Waiting(Vec<Sealed>, usize),
    /// With keys that are here.
    Open(Box<Session>),
}

/// A record that waits for its key.
#[derive(Debug)]
pub(super) struct Sealed {
    header: [u8; RECORD_HEADER_BYTES],
    body: Vec<u8>,
    origins: Vec<Part>,
}

impl Reader {
    /// Whether sealed records wait for keys.
    pub(in crate::tls) fn is_waiting(&self) -> bool {
        matches!(self.guard, Guard::Waiting(..))
    }

    /// Whether so much waits that the other direction will not come.
    pub(in crate::tls) fn waits_in_vain(&self) -> bool {
        matches!(self.guard, Guard::Waiting(_, bytes) if bytes > SEALED_PENDING_BYTES_MAX / 2)
    }

    /// The records that wait for keys, in order.
    pub(in crate::tls) fn sealed(&self) -> impl Iterator<Item = ([u8; RECORD_HEADER_BYTES], &[u8])> {
        let queue = if let Guard::Waiting(queue, _) = &self.guard { queue.as_slice() } else { &[] };
        queue.iter().map(|it| (it.header, it.body.as_slice()))
    }

    /// Which handshake of the connection sealed the records that wait.
    pub(in crate::tls) fn epoch(&self) -> usize {
        self.epoch
    }

    pub(super) fn record(&mut self, header: [u8; RECORD_HEADER_BYTES], body: &[u8], origins: &[Part]) {
        self.is_begun = true;
        let [kind, ..] = header;
        let is_clear_anyway = (kind == ALERT && body.len() == 2) || (kind == HANDSHAKE && is_clear_hello(body));
        match &mut self.guard {
            Guard::Clear => self.clear(header, body, origins),
            Guard::Hidden | Guard::Waiting(..) if is_clear_anyway => self.clear(header, body, origins),
            Guard::Hidden => self.hidden(header, origins),
            Guard::Waiting(queue, bytes) => {
                *bytes = bytes.saturating_add(body.len());
                let is_full = *bytes > SEALED_PENDING_BYTES_MAX;
                queue.push(Sealed { header, body: body.to_vec(), origins: origins.to_vec() });
                if is_full {
                    let why = "sealed records wait in vain for the other direction".to_owned();
                    self.key_trouble = Some((why, frames_of(origins)));
                    self.hide();
                }
            }
            Guard::Open(session) => {
                if session.is_tls13() && kind != APPLICATION_DATA {
                    if is_clear_anyway {
                        self.clear(header, body, origins);
                    }
                    return;
                }
                let opened = session.open(header, body);
                self.opened(opened, origins);
            }
        }
    }

    fn clear(&mut self, header: [u8; RECORD_HEADER_BYTES], body: &[u8], origins: &[Part]) {
        let [kind, ..] = header;
        match kind {
            HANDSHAKE => self.handshake_bytes(body, origins),
            CHANGE_CIPHER_SPEC => {
                self.note(Event::ChangeCipherSpec, origins);
                if !self.is_tls13 {
                    self.enter();
                }
            }
            ALERT => {
                if let [level, description, ..] = *body {
                    self.note(Event::Alert(level, description), origins);
                }
            }
            APPLICATION_DATA => {
                self.enter();
                self.record(header, body, origins);
            }
            _ => {}
        }
        self.keep_bounds();
    }

    /// What follows is encrypted.
    pub(super) fn enter(&mut self) {
        self.guard = if self.is_keyed { Guard::Waiting(Vec::new(), 0) } else { Guard::Hidden };
    }

    /// A sealed record that nobody opens. In TLS 1.2 a Finished, of type handshake, comes before the
    /// data. In TLS 1.3 the lengths of a client's first records are kept: they tell an alert from the
    /// end of a handshake.
    pub(super) fn hidden(&mut self, header: [u8; RECORD_HEADER_BYTES], origins: &[Part]) {
        let [kind, .., high, low] = header;
        if kind == CHANGE_CIPHER_SPEC {
            return;
        }
        if kind == ALERT {
            self.note(Event::EncryptedAlert, origins);
            return self.keep_bounds();
        }
        if !self.seen.iter().rev().any(|seen| seen.event == Event::Encrypted) {
            self.note(Event::Encrypted, origins);
        }
        if kind == HANDSHAKE {
            self.has_sealed_handshake = true;
        } else if self.is_tls13 || self.has_sealed_handshake {
            self.is_over = true;
        } else {
            self.sealed_bytes.push(u16::from_be_bytes([high, low]));
            self.is_over = self.sealed_bytes.len() >= SEALED_LENGTHS_MAX;
        }
    }

    /// No key will come for what waits.
    pub(in crate::tls) fn hide(&mut self) {
        let Guard::Waiting(queue, _) = &mut self.guard else {
            return;
        };
        let queue = std::mem::take(queue);
        self.guard = Guard::Hidden;
        for it in queue {
            if !self.is_over {
                self.hidden(it.header, &it.origins);
            }
        }
    }

    /// The capture has ended: what still waits stays closed, and what no key came for is said.
    pub(in crate::tls) fn give_up(&mut self) {
        self.hide();
        if let Guard::Open(session) = &self.guard
            && let (Some(label), None, false) = (session.lacks, &self.key_trouble, self.passed.is_empty())
        {
            self.key_trouble = Some((lacking(label), std::mem::take(&mut self.passed)));
        }
    }

    /// Keys are here: what waited is read.
    pub(in crate::tls) fn open(&mut self, session: Session) {
        let Guard::Waiting(queue, _) = &mut self.guard else {
            return;
        };
        let queue = std::mem::take(queue);
        self.guard = Guard::Open(Box::new(session));
        for it in queue {
            if !self.is_over && self.trouble.is_none() {
                self.record(it.header, &it.body, &it.origins);
            }
        }
    }

    fn opened(&mut self, opened: Opened, origins: &[Part]) {
        let (kind, clear) = match opened {
            Opened::Clear(kind, clear) => (kind, clear),
            Opened::Passed => {
                if self.passed.is_empty() {
                    self.passed = frames_of(origins);
                }
                return;
            }
            Opened::Refused => return self.refused(origins),
        };
        if self.key_file.is_none()
            && let Guard::Open(session) = &self.guard
        {
            self.key_file = session.file();
        }
        match kind {
            HANDSHAKE => self.handshake_bytes(&clear, origins),
            ALERT => {
                if let [level, description, ..] = *clear {
                    self.note(Event::Alert(level, description), origins);
                }
            }
            CHANGE_CIPHER_SPEC => {
                self.epoch = self.epoch.saturating_add(1);
                self.enter();
            }
            _ => {
                if let (Some(inner), false, Some(last)) = (&mut self.inner, self.is_inner_done, origins.last()) {
                    self.is_inner_done = inner.feed(&clear, last.1) == Interest::Done;
                }
            }
        }
        self.keep_bounds();
    }

    fn refused(&mut self, origins: &[Part]) {
        let why = match (&self.guard, &self.key_file) {
            (Guard::Open(session), _) if session.lacks.is_some() => lacking(session.lacks.unwrap_or_default()),
            (_, Some(file)) => format!("a record does not open with the keys of {file}"),
            (Guard::Open(session), None) => match session.file() {
                Some(file) => format!("the keys of {file} are not those of this connection: authentication fails"),
                None => "authentication fails".to_owned(),
            },
            _ => "authentication fails".to_owned(),
        };
        self.key_trouble = Some((why, frames_of(origins)));
        let is_opened = self.key_file.is_some();
        self.guard = Guard::Hidden;
        if is_opened {
            self.is_over = true;
        } else {
            self.note(Event::Encrypted, origins);
        }
    }

    /// Why the keys that are there open nothing.
    pub(in crate::tls) fn key_trouble(&mut self, why: String) {
        let frames = match &self.guard {
            Guard::Waiting(queue, _) => queue.first().map(|it| frames_of(&it.origins)).unwrap_or_default(),
            _ => self.last_frame.into_iter().collect(),
        };
        self.key_trouble = Some((why, frames));
    }
}

/// Whether a handshake record behind ChangeCipherSpec is a hello in clear: the answer to a
/// HelloRetryRequest, or a new connection. A sealed one begins so once in 2^40 times.
fn is_clear_hello(body: &[u8]) -> bool {
    matches!(body, [1 | 2, 0, _, _, 3, 0..=4, ..]) && body.len() >= HELLO_BYTES_MIN
}

fn lacking(label: &str) -> String {
    format!("the key log lacks {label}")
}

/// A hello with nothing in it: header, version, random, and a byte or two for each list.
const HELLO_BYTES_MIN: usize = 42;
/// How many lengths of sealed records are kept.
const SEALED_LENGTHS_MAX: usize = 4;
