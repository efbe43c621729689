//! The keys of all inputs: [`Found`], and what a key log is as a source.
//!
//! Key logs that lie open among the inputs are read before anything else. Others turn up while inputs
//! are read: decryption secrets of a capture, a key log within an archive or on standard input. The
//! captures in which they can open something are then read a second time, so that no order matters;
//! captures without keys pay nothing.

use std::sync::Arc;

use hashbrown::HashSet;
use rayon::prelude::*;

use crate::evidence::{Reading, Source};
use crate::input::{Digest, InputFile, Stop};
use crate::limits::TEXT_BYTES_MAX;
use crate::provenance::{Gap, GapReason, Place, SourceId};
use crate::tls::join::Unopened;
use crate::tls::keylog::{self, Keys};

/// All keys that are known.
pub(super) struct Found {
    pub(super) all: Arc<Keys>,
}

impl Found {
    /// The keys of the files that are key logs from their first lines on.
    pub(super) fn first(files: &[InputFile]) -> Self {
        let logs: Vec<Keys> = files.par_iter().filter_map(key_log).collect();
        let mut all = Keys::default();
        for keys in &logs {
            all.add(keys);
        }
        Self { all: Arc::new(all) }
    }

    /// Adds keys that turned up while inputs were read; whether there were any.
    pub(super) fn add<'k>(&mut self, more: impl Iterator<Item = &'k Keys>) -> bool {
        let more: Vec<&Keys> = more.filter(|keys| !keys.is_empty()).collect();
        let all = Arc::make_mut(&mut self.all);
        for keys in &more {
            all.add(keys);
        }
        !more.is_empty()
    }

    /// Whether reading a file again opens what stayed closed. Standard input is read once.
    pub(super) fn open_more(&self, file: &InputFile, unopened: &Unopened) -> bool {
        let starts: HashSet<u64> = unopened.starts.iter().copied().collect();
        let is_wanted = unopened.has_lone_server || (!starts.is_empty() && self.all.has_start(&starts));
        file.is_readable_again() && is_wanted
    }

    /// Says of a source whose keys match nothing that it is so.
    /// Of a reading that was ended early nothing is said: what the keys are for may follow.
    pub(super) fn judge(&self, reading: &mut Reading, stop: &Stop) {
        if stop.is_asked() {
            return;
        }
        let (all, used) = self.all.counts_of(&reading.source.path);
        if used < all {
            let reason = GapReason::UnusedKeys { unused: all.saturating_sub(used), all };
            reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, reason));
        }
    }
}

/// The keys of a file that is a key log; what cannot be read is said when it is read as a source.
fn key_log(file: &InputFile) -> Option<Keys> {
    if !file.is_readable_again() {
        return None;
    }
    let mut source = file.open().ok()?;
    let head = source.head(HEAD_BYTES).ok()?;
    if crate::capture::detect(&head).is_some() || !keylog::is_key_log(&head) {
        return None;
    }
    let (bytes, _) = source.window(Digest::None).read_all(TEXT_BYTES_MAX);
    let mut keys = Keys::default();
    keys.read(&file.name, &bytes);
    Some(keys)
}

/// A key log as a source: it holds keys and no observation.
pub(super) fn read(name: &str, bytes: &[u8], keys: &mut Keys) -> Reading {
    let taken = keys.read(name, bytes);
    let mut reading = Reading::of(Source::named(name, "keylog", 0));
    reading.source.lines = Some(taken.lines);
    for line in taken.undecoded {
        let why = "it is no label, client random and secret".to_owned();
        let reason = GapReason::Undecoded { what: "line of a key log".to_owned(), why };
        reading.gaps.push(Gap::new(Place::on_line(SourceId(0), line), reason));
    }
    if taken.is_full {
        let limit = u64::try_from(crate::limits::KEYS_MAX).unwrap_or(u64::MAX);
        let reason = GapReason::Limit { what: "secrets of key logs".to_owned(), limit };
        reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, reason));
    }
    reading
}

/// Enough for comments and one line.
const HEAD_BYTES: usize = 4096;
