//! Contiguous bytes of a source in one small buffer that is used again: [`Window`].
//!
//! The buffer grows to the record that is asked for and no further; whoever asks has checked the
//! record's length against its own limit, and [`limits::BLOCK_BYTES_MAX`] holds here in any case.

use std::fs::File;
use std::io;

use crate::input::Source;
use crate::input::Stop;
use crate::input::digest::Digester;
use crate::input::source::read_file_at;
use crate::limits;

/// Whether the bytes are digested while they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256 over all bytes of the source.
    Sha256,
    /// No digest.
    None,
}

/// A moving view of a source.
pub struct Window {
    source: Source,
    buffer: Vec<u8>,
    /// The bytes of the buffer that are valid and not consumed.
    start: usize,
    end: usize,
    /// How many bytes were taken from the source.
    read: u64,
    digest: Option<Digester>,
    /// Where the bytes of the buffer begin that were not digested yet.
    undigested: usize,
    /// The error that ended reading ahead: told when its bytes are wanted.
    failed: Option<io::Error>,
    stop: Stop,
    is_stopped: bool,
}

/// A piece of the bytes at hand that may wait for bytes of a file, so that several workers read at once,
/// each what it looks at next.
pub struct Room<'w> {
    file: Option<&'w File>,
    position: u64,
    bytes: &'w mut [u8],
    filled: usize,
}

impl Room<'_> {
    /// Reads the bytes; fewer when the file ends before or cannot be read.
    pub fn read(&mut self) {
        let Some(file) = self.file else { return };
        while let Some(room) = self.bytes.get_mut(self.filled..).filter(|room| !room.is_empty()) {
            let position = self.position.saturating_add(u64::try_from(self.filled).unwrap_or(u64::MAX));
            match read_file_at(file, room, position) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) | Ok(0) => return,
                Ok(read) => self.filled = self.filled.saturating_add(read),
            }
        }
    }

    /// The bytes that are here.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

/// How reading all of a source ended.
#[derive(Debug)]
pub enum Ending {
    /// At the end of the source.
    Whole,
    /// At the limit; more was there.
    Cut,
    /// Because somebody asked for it.
    Stopped,
    /// The rest cannot be read.
    Broken(io::Error),
}

/// What is known once a source was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How many bytes were read.
    pub bytes: u64,
    /// The SHA-256 of exactly these bytes in lower-case hexadecimal, when it was asked for.
    pub sha256: Option<String>,
    /// Whether the file's size or time changed while it was read.
    pub is_changed: bool,
    /// Whether its reading ended early because somebody asked for it. There is no digest then: that of
    /// a part identifies nothing.
    pub is_stopped: bool,
}

impl Window {
    pub(super) fn new(mut source: Source, digest: Digest) -> Self {
        let ahead = source.take_ahead();
        Self {
            source,
            start: 0,
            end: ahead.len(),
            read: u64::try_from(ahead.len()).unwrap_or(u64::MAX),
            digest: (digest == Digest::Sha256).then(Digester::new),
            undigested: 0,
            failed: None,
            stop: Stop::default(),
            is_stopped: false,
            buffer: ahead,
        }
    }

    /// The same window, whose readers end early when they are asked to.
    #[must_use]
    pub fn until(self, stop: &Stop) -> Self {
        Self { stop: stop.clone(), ..self }
    }

    /// Whether reading is to end here, between two records, although more is there.
    pub fn is_stopped(&mut self) -> bool {
        let is_more = || self.end > self.start || self.source.len().is_none_or(|bytes| self.read < bytes);
        self.is_stopped = self.is_stopped || (self.stop.is_asked() && is_more());
        self.is_stopped
    }

    /// Has `wanted` bytes at hand, or what is left of them, in rooms of [`limits::PART_BYTES`] one behind
    /// the other, of which the first begins with the first byte at hand. What a file still holds is
    /// read by `work`, room by room; a stream has been read before.
    pub fn fill_together(&mut self, wanted: usize, work: impl FnOnce(&mut [Room<'_>])) {
        let wanted = wanted.min(limits::BLOCK_BYTES_MAX);
        let at_hand = self.end.saturating_sub(self.start);
        let is_file = self.source.file().is_some() && self.failed.is_none();
        if !is_file {
            self.fill_ahead(wanted);
        } else if at_hand < wanted {
            self.make_room(wanted);
        }
        let at_hand = self.end.saturating_sub(self.start);
        let mut position = self.position();
        let file = self.source.file().filter(|_| is_file);
        let left = file.as_ref().map_or(0, |(_, bytes)| bytes.saturating_sub(self.read));
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let mut filled = at_hand;
        let room = self.buffer.get_mut(self.start..).unwrap_or_default();
        let length = wanted.min(at_hand.saturating_add(left)).min(room.len());
        let mut rooms: Vec<Room<'_>> = Vec::new();
        for bytes in room.get_mut(..length).unwrap_or_default().chunks_mut(limits::PART_BYTES) {
            let size = bytes.len();
            rooms.push(Room { file: file.map(|(file, _)| file), position, bytes, filled: filled.min(size) });
            filled = filled.saturating_sub(size);
            position = position.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        }
        work(&mut rooms);
        let mut reached = 0_usize;
        for room in &rooms {
            reached = reached.saturating_add(room.filled);
            if room.filled < room.bytes.len() {
                break;
            }
        }
        let taken = reached.saturating_sub(at_hand);
        self.end = self.end.saturating_add(taken);
        self.read = self.read.saturating_add(u64::try_from(taken).unwrap_or(0));
    }

    /// The bytes at hand, at least `at_least` of them unless the source ends before.
    pub fn fill(&mut self, at_least: usize) -> io::Result<&[u8]> {
        let at_least = at_least.min(limits::BLOCK_BYTES_MAX);
        if self.end.saturating_sub(self.start) < at_least {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            self.make_room(at_least);
            while self.end < at_least && self.read_more()? > 0 {}
        }
        Ok(self.at_hand())
    }

    /// The bytes at hand, `wanted` of them unless the source ends, or cannot be read, before.
    pub fn fill_ahead(&mut self, wanted: usize) -> &[u8] {
        let wanted = wanted.min(limits::BLOCK_BYTES_MAX);
        if self.end.saturating_sub(self.start) < wanted && self.failed.is_none() {
            self.make_room(wanted);
            while self.end < wanted {
                match self.read_more() {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        self.failed = Some(error);
                        break;
                    }
                }
            }
        }
        self.at_hand()
    }

    /// The bytes that were read and not left behind.
    pub fn at_hand(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Leaves the first `bytes` of the bytes at hand behind.
    pub fn consume(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes).min(self.end);
    }

    /// Where in the source the bytes at hand begin.
    pub fn position(&self) -> u64 {
        let at_hand = u64::try_from(self.end.saturating_sub(self.start)).unwrap_or(0);
        self.read.saturating_sub(at_hand)
    }

    /// How many bytes the source had when it was opened; `None` for a stream.
    pub fn source_bytes(&self) -> Option<u64> {
        self.source.len()
    }

    /// Whether nothing is left to read.
    pub fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(self.fill(1)?.is_empty())
    }

    /// All the rest up to `bytes_max`, and how it ended.
    pub fn read_all(&mut self, bytes_max: u64) -> (Vec<u8>, Ending) {
        let mut all = Vec::new();
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        loop {
            if self.is_stopped() {
                return (all, Ending::Stopped);
            }
            let at_hand = match self.fill(1) {
                Ok(at_hand) => at_hand,
                Err(error) => return (all, Ending::Broken(error)),
            };
            let room = bytes_max.saturating_sub(all.len());
            let taken = at_hand.get(..room).unwrap_or(at_hand);
            let (taken_bytes, is_end) = (taken.len(), at_hand.is_empty());
            all.extend_from_slice(taken);
            self.consume(taken_bytes);
            if is_end || taken_bytes == 0 {
                return (all, if is_end { Ending::Whole } else { Ending::Cut });
            }
        }
    }

    /// Says what was read. With a digest, what no reader wanted is read first, because a digest of
    /// a part identifies nothing.
    pub fn finish(mut self) -> io::Result<Finished> {
        if self.digest.is_some() && !self.is_stopped {
            while !self.is_stopped() {
                let at_hand = self.fill(1)?.len();
                if at_hand == 0 {
                    break;
                }
                self.consume(at_hand);
            }
        }
        self.digest_buffer();
        Ok(Finished {
            bytes: self.read,
            is_changed: self.source.is_changed(),
            is_stopped: self.is_stopped,
            sha256: self.digest.and_then(Digester::finish).filter(|_| !self.is_stopped),
        })
    }

    /// Moves the bytes at hand to the front of a buffer with room for `at_least` and one read, or for
    /// all that is left of a file.
    fn make_room(&mut self, at_least: usize) {
        let at_hand = self.start..self.end;
        let length = at_hand.len();
        let is_beside = self.digest.is_some() && self.read > BESIDE_BYTES;
        if is_beside {
            self.exchange(at_hand.clone());
        } else {
            self.digest_buffer();
        }
        let left = self.source.len().map_or(u64::MAX, |bytes| bytes.saturating_sub(self.read));
        let left = usize::try_from(left).unwrap_or(usize::MAX).max(1);
        // Zeroed memory that nobody touches costs nothing: a file gets all that its rounds will need at once.
        let at_least = if self.source.file().is_some() { at_least.max(limits::ROUND_BYTES) } else { at_least };
        let wanted = at_least.saturating_add(limits::WINDOW_BYTES).min(length.saturating_add(left));
        let at_hand = if is_beside { 0..length } else { at_hand };
        if self.buffer.len() < wanted {
            let before = std::mem::replace(&mut self.buffer, vec![0; wanted]);
            if let (Some(front), Some(bytes)) = (self.buffer.get_mut(..length), before.get(at_hand)) {
                front.copy_from_slice(bytes);
            }
        } else if at_hand.start > 0 {
            self.buffer.copy_within(at_hand, 0);
        }
        self.undigested = length;
        self.end = length;
        self.start = 0;
    }

    /// Digests what was read since the last time.
    fn digest_buffer(&mut self) {
        if let (Some(digest), Some(bytes)) = (&mut self.digest, self.buffer.get(self.undigested..self.end)) {
            digest.update(bytes);
        }
    }

    /// Gives the buffer to be digested beside, and goes on in another with the bytes at hand.
    fn exchange(&mut self, at_hand: std::ops::Range<usize>) {
        let Some(digest) = &mut self.digest else {
            return;
        };
        digest.move_beside();
        let kept = self.buffer.get(at_hand).unwrap_or_default().to_vec();
        let part = self.undigested..self.end;
        self.buffer = digest.exchange(std::mem::take(&mut self.buffer), part);
        if self.buffer.len() < kept.len() {
            self.buffer.resize(kept.len(), 0);
        }
        if let Some(front) = self.buffer.get_mut(..kept.len()) {
            front.copy_from_slice(&kept);
        }
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let wanted = room.len().min(limits::WINDOW_BYTES);
        let room = room.get_mut(..wanted).unwrap_or_default();
        let read = self.source.read_at(room, self.read)?;
        self.end = self.end.saturating_add(read);
        self.read = self.read.saturating_add(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

/// From here on a source is digested beside its reading.
const BESIDE_BYTES: u64 = 4 << 20;

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::input::digest::hexadecimal;

    /// A stream that gives one byte at a time.
    struct Drip(std::collections::VecDeque<u8>);

    impl io::Read for Drip {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            Ok(match (room.first_mut(), self.0.pop_front()) {
                (Some(room), Some(byte)) => {
                    *room = byte;
                    1
                }
                _ => 0,
            })
        }
    }

    fn sources(bytes: &[u8]) -> Vec<Source> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, bytes).unwrap();
        vec![
            Source::open(&path).unwrap(),
            Source::stream(Box::new(Drip(bytes.iter().copied().collect()))),
            Source::stream(Box::new(io::Cursor::new(bytes.to_vec()))),
        ]
    }

    #[test]
    fn windows_show_every_byte_once() {
        let bytes: Vec<u8> = (0..limits::WINDOW_BYTES * 23 + 17).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let whole = hexadecimal(&Sha256::digest(&bytes));
        for step in [7, 4096, limits::WINDOW_BYTES + 1] {
            for mut source in sources(&bytes) {
                assert_eq!(source.head(9).unwrap(), bytes[..9]);
                assert_eq!(source.head(5).unwrap(), bytes[..5]);
                let mut window = source.window(Digest::Sha256);
                let mut seen = Vec::new();
                while !window.is_at_end().unwrap() {
                    assert_eq!(window.position(), u64::try_from(seen.len()).unwrap());
                    let at_hand = window.fill(step).unwrap();
                    let taken = step.min(at_hand.len());
                    seen.extend_from_slice(&at_hand[..taken]);
                    window.consume(taken);
                }
                assert!(seen == bytes, "{step}");
                let finished = window.finish().unwrap();
                assert_eq!(finished.bytes, u64::try_from(bytes.len()).unwrap());
                assert_eq!(finished.sha256.as_deref(), Some(whole.as_str()));
                assert!(!finished.is_changed);
            }
        }
    }

    #[test]
    fn reading_all_says_when_more_was_there() {
        for (limit, expected) in [(0, ("", true)), (3, ("abc", true)), (6, ("abcdef", false)), (9, ("abcdef", false))] {
            for source in sources(b"abcdef") {
                let mut window = source.window(Digest::None);
                let (bytes, ending) = window.read_all(limit);
                let more = matches!(ending, Ending::Cut);
                assert_eq!((bytes.as_slice(), more), (expected.0.as_bytes(), expected.1));
            }
        }
    }

    #[test]
    fn changes_of_a_file_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "long enough").unwrap();
        let mut window = Source::open(&path).unwrap().window(Digest::None);
        std::fs::write(&path, "short").unwrap();
        assert_eq!(window.read_all(100).0, b"short");
        assert!(window.finish().unwrap().is_changed);
    }

    #[test]
    fn a_file_that_shrinks_ends_where_it_ends_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let bytes = vec![7; limits::WINDOW_BYTES * 5];
        std::fs::write(&path, &bytes).unwrap();
        for digest in [Digest::None, Digest::Sha256] {
            std::fs::write(&path, &bytes).unwrap();
            let mut window = Source::open(&path).unwrap().window(digest);
            File::options().write(true).open(&path).unwrap().set_len(300_000).unwrap();
            window.fill_together(limits::WINDOW_BYTES * 4, |rooms| rooms.iter_mut().rev().for_each(Room::read));
            assert_eq!(window.fill(limits::WINDOW_BYTES * 4).unwrap().len(), 300_000);
            window.consume(300_000);
            assert!(window.is_at_end().unwrap());
            let finished = window.finish().unwrap();
            assert_eq!((finished.bytes, finished.is_changed), (300_000, true));
        }
    }

    /// A stream that breaks after its bytes.
    struct Breaks(usize);

    impl io::Read for Breaks {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let bytes = self.0.min(room.len());
            self.0 -= bytes;
            if bytes == 0 { Err(io::Error::other("broken")) } else { Ok(bytes) }
        }
    }

    #[test]
    fn an_error_ahead_is_told_when_its_bytes_are_wanted() {
        let mut window = Source::stream(Box::new(Breaks(10))).window(Digest::None);
        assert_eq!(window.fill_ahead(1000).len(), 10);
        assert_eq!(window.fill(10).unwrap().len(), 10);
        assert!(window.fill(11).is_err());
    }
}
