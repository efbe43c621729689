//! The digest of a source while it is read: [`Digester`] takes the bytes in order and works on them
//! beside whoever reads.
//!
//! It is given the very buffers that were parsed, so that it covers these bytes and no others. A few
//! buffers go round between the two threads; a small source is digested where it is read.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use sha2::{Digest as _, Sha256};

/// SHA-256 over bytes that come in order.
pub(super) enum Digester {
    /// Here.
    Here(Sha256),
    /// On a thread of its own.
    Beside(Beside),
}

pub(super) struct Beside {
    full: SyncSender<(Vec<u8>, std::ops::Range<usize>)>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<Sha256>,
}

impl Digester {
    /// One that has seen no byte.
    pub(super) fn new() -> Self {
        Self::Here(Sha256::new())
    }

    /// Takes bytes that are copied nowhere.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Here(digest) => digest.update(bytes),
            Self::Beside(beside) => {
                let all = 0..bytes.len();
                let _ = beside.full.send((bytes.to_vec(), all));
            }
        }
    }

    /// Takes a part of a buffer; gives another buffer for it, or the same when nothing works beside.
    pub(super) fn exchange(&mut self, buffer: Vec<u8>, part: std::ops::Range<usize>) -> Vec<u8> {
        match self {
            Self::Here(digest) => {
                digest.update(buffer.get(part).unwrap_or_default());
                buffer
            }
            Self::Beside(beside) => {
                let _ = beside.full.send((buffer, part));
                beside.empty.try_recv().unwrap_or_default()
            }
        }
    }

    /// Goes on beside the reader, when a thread can be had.
    pub(super) fn move_beside(&mut self) {
        let Self::Here(digest) = self else {
            return;
        };
        let mut digest = digest.clone();
        let (full, taken) = sync_channel::<(Vec<u8>, std::ops::Range<usize>)>(BUFFERS);
        let (given, empty) = sync_channel(BUFFERS + 2);
        let work = move || {
            while let Ok((buffer, part)) = taken.recv() {
                digest.update(buffer.get(part).unwrap_or_default());
                let _ = given.try_send(buffer);
            }
            digest
        };
        if let Ok(thread) = std::thread::Builder::new().name("digest".to_owned()).spawn(work) {
            *self = Self::Beside(Beside { full, empty, thread });
        }
    }

    /// The digest in lower-case hexadecimal; `None` when the thread was lost.
    pub(super) fn finish(self) -> Option<String> {
        let digest = match self {
            Self::Here(digest) => digest,
            Self::Beside(beside) => {
                drop(beside.full);
                beside.thread.join().ok()?
            }
        };
        Some(hexadecimal(&digest.finalize()))
    }
}

/// Lower-case hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// How many buffers wait at most.
const BUFFERS: usize = 3;
