//! The lines of a facts file on their way out ([`Lines`]): taken from the shards between two rounds, written
//! while the next round is read.

use std::io::{self, Write};

use super::shard::Shard;

/// Where lines of facts go while a capture is read; without it, all is held.
pub(super) type Sink<'s> = Option<&'s mut (dyn Write + Send + 'static)>;

/// Lines that wait to be written, and where to.
#[derive(Default)]
pub(super) struct Lines<'s> {
    sink: Sink<'s>,
    is_begun: bool,
    waiting: Vec<Vec<u8>>,
    /// Buffers of lines that were written, for those to come.
    room: Vec<Vec<u8>>,
    failed: Option<io::Error>,
}

impl<'s> Lines<'s> {
    pub(super) fn to(sink: Sink<'s>) -> Self {
        Self { sink, ..Self::default() }
    }

    /// Whether facts may become lines before all is read.
    pub(super) fn are_wanted(&self) -> bool {
        self.sink.is_some()
    }

    /// Whether lines are written, because more facts are here than are held.
    pub(super) fn are_begun(&self) -> bool {
        self.is_begun
    }

    /// From now on the facts of the shards become lines; what they held so far does too.
    pub(super) fn begin(&mut self, shards: &mut [Shard]) {
        self.is_begun = true;
        for shard in shards {
            shard.found.write_lines();
        }
    }

    /// Takes the lines that the shards have, in the order of the shards; those taken before have been
    /// written.
    pub(super) fn take(&mut self, shards: &mut [Shard]) {
        if !self.is_begun {
            return;
        }
        self.flush();
        for shard in shards {
            self.waiting.push(shard.found.take_lines(self.room.pop().unwrap_or_default()));
        }
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) {
        for mut lines in std::mem::take(&mut self.waiting) {
            self.write(&lines);
            lines.clear();
            self.room.push(lines);
        }
    }

    /// Writes lines behind those that wait; the first error is kept and ends all writing.
    pub(super) fn write(&mut self, lines: &[u8]) {
        if let Some(sink) = self.sink.as_mut().filter(|_| self.failed.is_none()) {
            self.failed = sink.write_all(lines).err();
        }
    }

    /// Whether writing has failed; nothing more need be read then.
    pub(super) fn have_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The end of all lines, or the first error in writing them.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush();
        self.failed.map_or(Ok(()), Err)
    }
}
