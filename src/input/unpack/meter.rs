//! How much came out of a file for how much of it: [`Meter`], which ends bombs.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::limits;

/// Counts over all layers and members of one file.
#[derive(Debug, Default)]
pub(super) struct Meter {
    read: Cell<u64>,
    unpacked: Cell<u64>,
}

impl Meter {
    /// So many bytes of the file were read.
    pub(super) fn read_all_of(&self, bytes: u64) {
        self.read.set(self.read.get().max(bytes));
    }

    /// A reader whose bytes count as unpacked.
    pub(super) fn around<R: Read>(self: &Rc<Self>, reader: R) -> Metered<R> {
        Metered { reader, meter: Rc::clone(self) }
    }

    fn count(&self, bytes: usize) -> io::Result<()> {
        let unpacked = self.unpacked.get().saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        self.unpacked.set(unpacked);
        let ratio_limit = self.read.get().saturating_mul(limits::UNPACKED_RATIO_MAX);
        if unpacked > limits::UNPACKED_BYTES_FREE && unpacked > ratio_limit {
            let words = format!("more than {} times its compressed size", limits::UNPACKED_RATIO_MAX);
            return Err(io::Error::other(format!("unpacking stopped: {words}")));
        }
        if unpacked > limits::UNPACKED_BYTES_MAX {
            let words = format!("unpacking stopped: more than {} bytes", limits::UNPACKED_BYTES_MAX);
            return Err(io::Error::other(words));
        }
        Ok(())
    }
}

/// A reader that is counted.
pub(super) struct Metered<R> {
    reader: R,
    meter: Rc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(room)?;
        self.meter.count(read)?;
        Ok(read)
    }
}
