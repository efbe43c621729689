//! A reader whose next bytes can be looked at: [`Peek`].

use std::io::{self, BufRead, Read};

/// A buffered reader that can be asked for more than one byte ahead.
pub(super) struct Peek<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    /// An error that stands behind the bytes at hand.
    failed: Option<io::Error>,
}

impl<R: Read> Peek<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, failed: None }
    }

    /// The next bytes, fewer than `wanted` only at the end or where an error follows them, which
    /// comes when they have been read.
    pub(super) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.start = 0;
        while self.buffer.len() < wanted {
            match self.more() {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if self.buffer.is_empty() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(&self.buffer)
    }

    fn more(&mut self) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let before = self.buffer.len();
        self.buffer.resize(before.saturating_add(BUFFER_BYTES), 0);
        let read = self.reader.read(self.buffer.get_mut(before..).unwrap_or_default());
        let kept = before.saturating_add(*read.as_ref().unwrap_or(&0));
        self.buffer.truncate(kept);
        read
    }
}

impl<R: Read> BufRead for Peek<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start >= self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            self.more()?;
        }
        Ok(self.buffer.get(self.start..).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes).min(self.buffer.len());
    }
}

impl<R: Read> Read for Peek<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(room)?;
        self.consume(read);
        Ok(read)
    }
}

const BUFFER_BYTES: usize = 1 << 16;
