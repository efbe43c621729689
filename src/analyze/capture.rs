//! One capture, in rounds: workers walk the parts of a stretch of records and queue what their packets
//! bring, then the shards follow their connections, each on its own and in frame order.
//!
//! The sizes of rounds and parts and the number of shards are fixed, and a packet's shard depends on
//! its connection alone, so that the thread count never shows. Nothing on the way of a packet takes a
//! lock. A capture of several files (a ring buffer) goes through the same shards, file after file.

use std::io;
use std::sync::Arc;

use hashbrown::HashSet;
use rayon::prelude::*;

use super::book::Book;
use super::found::Files;
use super::fragments::{Fragments, Whole};
use super::lines::{Lines, Sink};
use super::moved;
use super::round::{self, Base, Part};
use super::settle;
use super::shard::{Bounds, SHARDS, Shard};
use crate::capture::{Batch, Kind, Piece, Reader, Stretch, Summary, Walked};
use crate::evidence::Reading;
use crate::flow::FlowKey;
use crate::input::Window;
use crate::limits;
use crate::provenance::{Gap, GapReason, Place, SourceId};
use crate::tls::join::Unopened;
use crate::tls::keylog::Keys;
use crate::x509::known::Presented;

/// Whether the work on one capture is handed out to all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workers {
    /// One capture after the other, each with all workers.
    All,
    /// Many small captures at the same time, one worker each.
    One,
}

/// A capture that is being read.
pub(super) struct Capture<'s> {
    workers: Workers,
    pub(super) shards: Vec<Shard>,
    pub(super) fragments: Fragments,
    /// The keys that were given.
    given: Arc<Keys>,
    /// The keys that stand in the capture itself.
    own: Keys,
    /// The certificates of the rounds so far, which the shards hold too while a round is followed.
    book: Arc<Book>,
    pub(super) files: Arc<Files>,
    /// The files that were read, in order, with their gaps and nothing else yet.
    pub(super) read: Vec<(Reading, Option<Summary>)>,
    frames: u64,
    /// How many bytes the next round reads.
    round_bytes: usize,
    parts: Vec<Part>,
    pub(super) lines: Lines<'s>,
}

impl<'s> Capture<'s> {
    /// A capture of the files of these names, of which nothing has been read.
    pub(super) fn new(names: Vec<String>, memory_bytes: u64, keys: &Arc<Keys>, how: (Workers, Sink<'s>)) -> Self {
        let (workers, sink) = how;
        let mut shards: Vec<Shard> = (0..SHARDS).map(|_| Shard::new(Bounds::of(memory_bytes))).collect();
        for shard in &mut shards {
            shard.keys = Arc::clone(keys);
        }
        Self {
            workers,
            shards,
            given: Arc::clone(keys),
            own: Keys::default(),
            fragments: Fragments::default(),
            book: Arc::default(),
            files: Arc::new(Files { names, frames_before: Vec::new() }),
            read: Vec::new(),
            frames: 0,
            round_bytes: limits::PART_BYTES,
            parts: Vec::new(),
            lines: Lines::to(sink),
        }
    }

    /// Reads the next file of the capture.
    pub(super) fn file(&mut self, mut reading: Reading, window: Window, kind: Kind, progress: &(dyn Fn(u64) + Sync)) {
        self.begin_file();
        let before = self.frames;
        let mut reader = Reader::new(window, kind);
        let mut batch = Batch::default();
        while !self.lines.have_failed() && !reader.is_stopped() {
            let pieces = self.walk_pieces(&mut reader);
            if let Some(stretch) = reader.stretch().filter(|_| pieces > 0) {
                let walked = self.stretch(&stretch, pieces);
                progress(u64::try_from(walked.end).unwrap_or(0));
                reader.walked(&walked);
            } else {
                if !reader.next_batch(&mut batch) {
                    break;
                }
                reading.gaps.append(&mut batch.gaps);
                self.read_keys(&reading.source.path, &batch);
                self.batch(&batch, before);
                progress(u64::try_from(batch.bytes().len()).unwrap_or(0));
            }
            self.frames = before.saturating_add(reader.frames_before());
            self.settle_round();
        }
        let (summary, window) = reader.finish();
        match window.finish() {
            Ok(finished) => super::close(&mut reading, finished),
            Err(error) => reading.gaps.push(whole(GapReason::Unreadable(crate::input::reason(&error)))),
        }
        self.read.push((reading, Some(summary)));
    }

    /// A file of the capture that cannot be read.
    pub(super) fn unreadable(&mut self, reading: Reading) {
        self.begin_file();
        self.read.push((reading, None));
    }

    fn begin_file(&mut self) {
        let mut frames_before = self.files.frames_before.clone();
        frames_before.push(self.frames);
        self.files = Arc::new(Files { names: self.files.names.clone(), frames_before });
        for shard in &mut self.shards {
            shard.begin_file(&self.files);
        }
    }

    /// Reads the bytes of the next round in pieces and walks the records within each, while the lines of the
    /// round before are written; how many pieces.
    fn walk_pieces(&mut self, reader: &mut Reader) -> usize {
        let (shards, parts, workers, lines) = (&self.shards, &mut self.parts, self.workers, &mut self.lines);
        let mut count = 0;
        reader.fill_together(self.round_bytes, |pieces| {
            count = pieces.len();
            parts.resize_with(parts.len().max(count.saturating_mul(PARTS_OF_PIECE)), Part::default);
            let walk = |(piece, parts): (&mut Piece<'_, '_>, &mut [Part])| {
                if let Some(part) = parts.first_mut() {
                    part.walk_piece(piece, shards);
                }
            };
            match workers {
                Workers::All if count > 1 => {
                    let walk = || pieces.par_iter_mut().zip(parts.par_chunks_mut(PARTS_OF_PIECE)).for_each(walk);
                    rayon::join(walk, || lines.flush());
                }
                _ => pieces.iter_mut().zip(parts.chunks_mut(PARTS_OF_PIECE)).for_each(walk),
            }
        });
        count
    }

    /// Brings what was walked of a stretch to the shards.
    fn stretch(&mut self, stretch: &Stretch<'_>, pieces: usize) -> Walked {
        let count = pieces.saturating_mul(PARTS_OF_PIECE);
        let parts = self.parts.get_mut(..count).unwrap_or_default();
        let walked = meet(parts, stretch, self.frames, &self.shards);
        again(parts, stretch, &self.shards);
        self.follow(stretch.bytes(), count);
        // Behind something odd the next round begins small: what it walks may be walked again soon.
        let is_cut_short = stretch.bytes().len().saturating_sub(walked.end) > limits::PART_BYTES;
        let next = if is_cut_short { limits::PART_BYTES } else { self.round_bytes.saturating_mul(2) };
        self.round_bytes = next.min(limits::ROUND_BYTES);
        walked
    }

    /// Connections that begin from now on are opened with the keys in the file too.
    fn read_keys(&mut self, name: &str, batch: &Batch) {
        if batch.key_logs.is_empty() {
            return;
        }
        for log in &batch.key_logs {
            self.own.read(name, log);
        }
        let mut all = Keys::clone(&self.given);
        all.add(&self.own);
        let all = Arc::new(all);
        for shard in &mut self.shards {
            shard.keys = Arc::clone(&all);
        }
    }

    /// Takes frames that were read with care.
    fn batch(&mut self, batch: &Batch, before: u64) {
        self.parts.resize_with(self.parts.len().max(1), Part::default);
        if let Some(part) = self.parts.first_mut() {
            part.clear();
            part.before = before;
            let base = Base { bytes: batch.bytes(), offset: 0 };
            for (frame, bytes) in batch.frames() {
                part.take(base, frame, bytes, &self.shards);
            }
        }
        self.follow(batch.bytes(), 1);
    }

    /// The shards take what the first `count` parts queued; `bytes` are those of the round.
    fn follow(&mut self, bytes: &[u8], count: usize) {
        let wholes = self.reassemble(bytes, count);
        let parts = self.parts.get(..count).unwrap_or_default();
        let follow = |(nth, shard): (usize, &mut Shard)| {
            for part in parts {
                for item in part.queues.get(nth).into_iter().flatten() {
                    shard.take(item, item.payload(bytes), &[round::numbered(part.before, item.frame)]);
                }
            }
            for whole in wholes.iter().filter(|whole| whole.shard == nth) {
                whole.bring_to(shard);
            }
        };
        let items: usize = parts.iter().flat_map(|part| &part.queues).map(Vec::len).sum();
        match self.workers {
            Workers::All if items > ITEMS_ALONE => self.shards.par_iter_mut().enumerate().for_each(follow),
            _ => self.shards.iter_mut().enumerate().for_each(follow),
        }
    }

    /// Puts fragments together in the order of the frames, and counts what cannot be decoded.
    fn reassemble(&mut self, bytes: &[u8], count: usize) -> Vec<Whole> {
        let mut wholes = Vec::new();
        for part in self.parts.get(..count).unwrap_or_default() {
            for (why, frame) in &part.undecoded {
                self.fragments.undecoded(GapReason::from(*why), round::numbered(part.before, *frame));
            }
            for it in &part.fragments {
                wholes.extend(self.fragments.take(it, round::numbered(part.before, it.frame), bytes));
            }
        }
        wholes
    }

    /// Between rounds: new certificates are entered, lines are taken on their way out.
    fn settle_round(&mut self) {
        self.enter_certificates();
        if !self.lines.are_begun() && self.lines.are_wanted() {
            let held: usize = self.shards.iter().map(|shard| shard.found.observations.len()).sum();
            if held > limits::FACTS_HELD_MAX {
                self.lines.begin(&mut self.shards);
            }
        }
        self.lines.take(&mut self.shards);
    }

    /// Enters the certificates that the shards met.
    fn enter_certificates(&mut self) {
        if self.shards.iter().all(|shard| shard.found.presented.is_empty()) {
            return;
        }
        self.shards.iter_mut().for_each(|shard| shard.found.book = None);
        if let Some(book) = Arc::get_mut(&mut self.book) {
            self.shards.iter_mut().flat_map(|shard| shard.found.presented.drain(..)).for_each(|it| book.enter(it));
        }
        self.shards.iter_mut().for_each(|shard| shard.found.book = Some(Arc::clone(&self.book)));
    }

    /// The capture has ended: one reading for each of its files, the keys in them, and what stays
    /// closed.
    pub(super) fn finish(mut self) -> io::Result<(Vec<Reading>, Keys, Unopened)> {
        for whole in self.fragments.finish() {
            if let Some(shard) = self.shards.get_mut(whole.shard) {
                whole.bring_to(shard);
            }
        }
        moved::settle(&mut self.shards);
        match self.workers {
            Workers::All => self.shards.par_iter_mut().for_each(Shard::finish),
            Workers::One => self.shards.iter_mut().for_each(Shard::finish),
        }
        self.settle_round();
        let own = std::mem::take(&mut self.own);
        let mut unopened = Unopened::default();
        self.shards.iter_mut().for_each(|shard| unopened.add(std::mem::take(&mut shard.found.unopened)));
        Ok((settle::readings(self)?, own, unopened))
    }

    /// The certificates, in the order of their first presentations.
    pub(super) fn certificates(&mut self) -> Vec<Presented> {
        self.shards.iter_mut().for_each(|shard| shard.found.book = None);
        Arc::into_inner(std::mem::take(&mut self.book)).map(Book::finish).unwrap_or_default()
    }
}

/// Each piece has a part for the records within it, and one for those behind them up to the first that
/// was found in the next piece.
const PARTS_OF_PIECE: usize = 2;

/// So few items are followed sooner than handed out.
const ITEMS_ALONE: usize = 64;

/// Checks that each part begins where the one before it ends, walks what lies between, and those again
/// that do not, and numbers their frames. What stands behind something odd is left.
fn meet(parts: &mut [Part], stretch: &Stretch<'_>, before: u64, shards: &[Shard]) -> Walked {
    let mut all = Walked::default();
    let begins: Vec<usize> = parts.chunks(PARTS_OF_PIECE).filter_map(|it| it.first()).map(|it| it.begin).collect();
    let nexts = begins.iter().skip(1).copied().chain([stretch.bytes().len()]);
    for (nth, (pair, next)) in parts.chunks_mut(PARTS_OF_PIECE).zip(nexts).enumerate() {
        let [within, behind] = pair else { continue };
        if all.is_stopped {
            within.clear();
            behind.clear();
            continue;
        }
        if within.begin != all.end {
            within.walk(stretch, all.end, end_of_piece(nth), shards);
        }
        within.before = before.saturating_add(all.frames);
        all.add(&within.walked);
        behind.walk(stretch, all.end, next, shards);
        behind.before = before.saturating_add(all.frames);
        all.add(&behind.walked);
    }
    all
}

/// Walks those parts again that lie behind one in which a connection begins anew that was over before
/// the round: their packets of it were passed by.
fn again(parts: &mut [Part], stretch: &Stretch<'_>, shards: &[Shard]) {
    let Some(first) = parts.iter().position(|part| !part.reused.is_empty()) else {
        return;
    };
    let reused: HashSet<FlowKey> = parts.iter().flat_map(|part| part.reused.iter().copied()).collect();
    for part in parts.iter_mut().skip(first).skip(1).filter(|part| part.walked.frames > 0) {
        part.walk_again(stretch, &reused, shards);
    }
}

/// Where the piece of that number ends.
fn end_of_piece(nth: usize) -> usize {
    nth.saturating_add(1).saturating_mul(limits::PART_BYTES)
}

/// A gap about the file that is being read.
pub(super) fn whole(reason: GapReason) -> Gap {
    Gap::new(Place::Whole { source: SourceId(0) }, reason)
}
