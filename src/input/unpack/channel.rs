//! The way from the thread that unpacks to the one that analyses: a [`Feed`] and a [`Stream`].

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::limits;

/// What goes through it: pieces, then the end. A channel that closes without an end broke.
enum Piece {
    Bytes(Vec<u8>),
    Broken(io::Error),
    End,
}

/// The writing end.
pub(super) struct Feed {
    pieces: SyncSender<Piece>,
    /// Pieces that were read, to be filled again.
    empty: Receiver<Vec<u8>>,
}

/// The reading end.
pub(super) struct Stream {
    pieces: Receiver<Piece>,
    empty: SyncSender<Vec<u8>>,
    at_hand: io::Cursor<Vec<u8>>,
    is_ended: bool,
}

pub(super) fn open() -> (Feed, Stream) {
    let (full, pieces) = sync_channel(PIECES_WAITING);
    let (given_back, empty) = sync_channel(PIECES_WAITING);
    let stream = Stream { pieces, empty: given_back, at_hand: io::Cursor::default(), is_ended: false };
    (Feed { pieces: full, empty }, stream)
}

impl Feed {
    /// Sends all that `reader` gives, as long as anybody reads it.
    pub(super) fn pump(&mut self, reader: &mut dyn Read) {
        loop {
            let mut bytes = self.empty.try_recv().unwrap_or_default();
            bytes.clear();
            bytes.reserve(limits::WINDOW_BYTES);
            let wanted = u64::try_from(limits::WINDOW_BYTES).unwrap_or(u64::MAX);
            let read = reader.take(wanted).read_to_end(&mut bytes);
            let is_end = bytes.is_empty();
            if !is_end && self.pieces.send(Piece::Bytes(bytes)).is_err() {
                return;
            }
            let last = match read {
                Err(error) => Piece::Broken(error),
                Ok(_) if is_end => Piece::End,
                Ok(_) => continue,
            };
            let _ = self.pieces.send(last);
            return;
        }
    }
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.at_hand.read(room)?;
            if read > 0 || self.is_ended || room.is_empty() {
                return Ok(read);
            }
            match self.pieces.recv() {
                Ok(Piece::Bytes(bytes)) => {
                    let read = std::mem::replace(&mut self.at_hand, io::Cursor::new(bytes));
                    let _ = self.empty.try_send(read.into_inner());
                }
                Ok(Piece::End) => self.is_ended = true,
                Ok(Piece::Broken(error)) => {
                    self.is_ended = true;
                    return Err(error);
                }
                Err(_) => {
                    self.is_ended = true;
                    return Err(io::Error::other("it cannot be unpacked"));
                }
            }
        }
    }
}

/// Pieces that wait to be read; each has as many bytes as one read of a file.
const PIECES_WAITING: usize = 4;
