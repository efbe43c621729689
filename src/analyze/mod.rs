//! The stages in order, in parallel: paths become [`Evidence`], evidence becomes a [`Report`].
//!
//! The only place that knows all stages, and the only one that calls rayon. Each source is read on
//! its own, captures in rounds over shards (`capture`), texts whole; the readings are put together in
//! a fixed order, so that the thread count never shows. Facts of a large capture are written while it
//! is read ([`write_facts`]); a diagnosis holds its evidence ([`gather`]).

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use crate::case::answers::Answers;
use crate::case::{Beside, Cases};
use crate::evidence::{Evidence, Reading, Source, facts};
use crate::input::{self, Digest, Ending, Finished, InputFile, Stop};
use crate::limits::{self, TEXT_BYTES_MAX};
use crate::name::Name;
use crate::provenance::{Gap, GapReason, Place, SourceId};
use crate::provider::Knowledge;
use crate::report::{self, Report};
use crate::rules;
use crate::saved;
use crate::tls::join::Unopened;
use crate::tls::keylog::{self, Keys};

mod book;
mod capture;
mod found;
mod fragments;
mod http;
mod keys;
mod lines;
mod moved;
mod quic;
mod ring_buffer;
mod round;
mod settle;
mod shard;
mod sniff;

use capture::{Capture, Workers};
use lines::Sink;

/// How inputs are read.
pub struct Options<'p> {
    /// Key logs besides those among the inputs.
    pub key_logs: &'p [PathBuf],
    /// Whether sources are digested.
    pub digest: Digest,
    /// The memory that the open connections of a capture may take, in bytes.
    pub memory_bytes: u64,
    /// Told how many bytes more have been read.
    pub progress: &'p (dyn Fn(u64) + Sync),
    /// Looked at between the rounds of a capture and between files: what has been read by then is all.
    pub stop: Stop,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            key_logs: &[],
            digest: Digest::None,
            memory_bytes: limits::MEMORY_BYTES_MAX,
            progress: &|_| {},
            stop: Stop::default(),
        }
    }
}

/// What reading gave.
#[derive(Debug)]
pub struct Gathered {
    /// All that is known.
    pub evidence: Arc<Evidence>,
    /// What became of the inputs.
    pub inputs: Inputs,
}

/// What became of the inputs.
#[derive(Debug, Default)]
pub struct Inputs {
    /// How many could be opened.
    pub opened: usize,
    /// Those that could not be analysed, with the reason: unreadable, empty, unrecognised.
    pub not_analysed: Vec<(String, String)>,
    /// Whether somebody ended the reading before its time.
    pub is_stopped: bool,
}

impl Inputs {
    fn take(&mut self, opened: usize, readings: &[Reading]) {
        self.opened = self.opened.saturating_add(opened);
        self.not_analysed.extend(readings.iter().filter_map(not_analysed));
        self.is_stopped |= readings.iter().flat_map(|reading| &reading.gaps).any(|gap| gap.reason.is_stop());
    }
}

/// Reads all inputs and holds what they show.
pub fn gather(paths: &[PathBuf], options: &Options<'_>) -> Gathered {
    let found = inputs_of(paths, options);
    let mut keys = keys::Found::first(&found.files);
    let mut reads: Vec<(Group<'_>, Read)> = Vec::new();
    for group in groups(&found.files) {
        let read = read_group(&group, &keys.all, options, None);
        reads.extend(group.parts().into_iter().zip(read));
    }
    if keys.add(reads.iter().map(|(_, read)| &read.keys)) {
        reads.par_iter_mut().for_each(|(group, read)| {
            if group.files().iter().any(|file| keys.open_more(file, &read.unopened)) {
                let again = read_group(group, &keys.all, options, None).pop().unwrap_or_default();
                // What was read whole is worth more than a part of it with more keys.
                if !options.stop.is_asked() {
                    *read = again;
                }
            }
        });
    }
    let mut inputs = Inputs::default();
    let mut readings: Vec<Reading> = Vec::new();
    for (_, mut read) in reads {
        read.readings.iter_mut().for_each(|reading| keys.judge(reading, &options.stop));
        inputs.take(read.opened, &read.readings);
        readings.extend(read.readings);
    }
    let unreadable: Vec<Reading> = found.unreadable.into_iter().map(|(name, why)| unreadable(&name, why)).collect();
    inputs.take(0, &unreadable);
    readings.extend(unreadable);
    Gathered { evidence: Arc::new(Evidence::gather(readings)), inputs }
}

/// The inputs, key logs included.
fn inputs_of(paths: &[PathBuf], options: &Options<'_>) -> input::Gathered {
    let all: Vec<PathBuf> = paths.iter().chain(options.key_logs).cloned().collect();
    input::gather(&all)
}

/// Reads all inputs and writes what they show as the lines of a facts file.
///
/// The sources come in the order of their names. Small ones are written in the order of
/// [`facts::write`]; a capture with more than [`limits::FACTS_HELD_MAX`] facts is written while it is
/// read, in an order that depends on its packets alone, and its source's line comes last. Where keys
/// can turn up late, in an archive, or in what is packed or on standard input beside other inputs, all is held.
pub fn write_facts(
    paths: &[PathBuf],
    options: &Options<'_>,
    out: &mut (dyn Write + Send + 'static),
) -> io::Result<Inputs> {
    let found = inputs_of(paths, options);
    let is_alone = found.files.len() == 1;
    let hides = |file: &InputFile| !file.is_readable_again() || file.is_container();
    if !is_alone && found.files.par_iter().any(hides) {
        let gathered = gather(paths, options);
        out.write_all(&facts::write(&gathered.evidence))?;
        return Ok(gathered.inputs);
    }
    let mut keys = keys::Found::first(&found.files);
    let mut inputs = Inputs::default();
    let mut held: Vec<Reading> = Vec::new();
    for group in &groups(&found.files) {
        for mut read in read_group(group, &keys.all, options, Some(&mut *out)) {
            if let Some(error) = read.failed {
                return Err(error);
            }
            let has_more = keys.add(std::iter::once(&read.keys));
            if has_more && read.is_archive && group.files().iter().any(|file| keys.open_more(file, &read.unopened)) {
                read = read_group(group, &keys.all, options, None).pop().unwrap_or_default();
            }
            inputs.take(read.opened, &read.readings);
            if read.is_recorded {
                held.extend(read.readings);
            } else {
                read.readings.iter_mut().for_each(|reading| keys.judge(reading, &options.stop));
                out.write_all(&facts::write(&Evidence::gather(read.readings)))?;
            }
        }
    }
    let unreadable: Vec<Reading> = found.unreadable.into_iter().map(|(name, why)| unreadable(&name, why)).collect();
    inputs.take(0, &unreadable);
    held.extend(unreadable);
    for reading in &mut held {
        keys.judge(reading, &options.stop);
    }
    out.write_all(&facts::write(&Evidence::gather(held)))?;
    Ok(inputs)
}

/// Files that are read together: many small ones, a large one, the files of a ring buffer.
#[derive(Clone, Debug)]
enum Group<'f> {
    Small(Vec<&'f InputFile>),
    Large(&'f InputFile),
    Ring(Vec<&'f InputFile>),
}

impl<'f> Group<'f> {
    fn files(&self) -> Vec<&'f InputFile> {
        match self {
            Self::Small(files) | Self::Ring(files) => files.clone(),
            Self::Large(file) => vec![file],
        }
    }

    /// One group for each of the readings.
    fn parts(&self) -> Vec<Self> {
        match self {
            Self::Small(files) => files.iter().map(|file| Self::Small(vec![file])).collect(),
            other => vec![other.clone()],
        }
    }
}

/// Groups of files, by their first name.
fn groups(files: &[InputFile]) -> Vec<Group<'_>> {
    let rings = ring_buffer::rings(files);
    let in_rings: BTreeSet<usize> = rings.iter().flatten().copied().collect();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        if in_rings.contains(&at) {
            let ring = rings.iter().find(|ring| ring.iter().min() == Some(&at));
            let members = ring.map(|ring| ring.iter().filter_map(|at| files.get(*at)).collect());
            groups.extend(members.map(Group::Ring));
            continue;
        }
        // One that is alone has all workers: how much it unpacks to is not known.
        let is_small = files.len() > 1 && file.bytes().is_some_and(|bytes| bytes < SMALL_BYTES);
        match groups.last_mut() {
            Some(Group::Small(small)) if is_small && small.len() < SMALL_FILES => small.push(file),
            _ if is_small => groups.push(Group::Small(vec![file])),
            _ => groups.push(Group::Large(file)),
        }
    }
    groups
}

/// What a file gave.
#[derive(Default)]
struct Read {
    readings: Vec<Reading>,
    opened: usize,
    /// It is a facts file, whose sources may be anywhere in the order, or a key log, of which is only
    /// known at the end what it opened.
    is_recorded: bool,
    /// It is an archive, of which all is held.
    is_archive: bool,
    /// The keys in it.
    keys: Keys,
    /// What stays closed for want of keys.
    unopened: Unopened,
    /// The error in writing that ended the reading.
    failed: Option<io::Error>,
}

impl Read {
    fn take(&mut self, finished: io::Result<(Vec<Reading>, Keys, Unopened)>) {
        match finished {
            Ok((readings, keys, unopened)) => {
                self.readings.extend(readings);
                self.keys.add(&keys);
                self.unopened.add(unopened);
            }
            Err(error) => self.failed = Some(error),
        }
    }
}

fn read_group(group: &Group<'_>, keys: &Arc<Keys>, options: &Options<'_>, sink: Sink<'_>) -> Vec<Read> {
    match group {
        Group::Small(files) => {
            files.par_iter().map(|file| read_file(file, keys, options, (Workers::One, None))).collect()
        }
        Group::Large(file) => vec![read_file(file, keys, options, (Workers::All, sink))],
        Group::Ring(files) => vec![read_ring(files, keys, options, sink)],
    }
}

/// The readings of the files of a ring buffer, which are one capture.
fn read_ring(files: &[&InputFile], keys: &Arc<Keys>, options: &Options<'_>, sink: Sink<'_>) -> Read {
    let names = files.iter().map(|file| file.name.clone()).collect();
    let mut capture = Capture::new(names, options.memory_bytes, keys, (Workers::All, sink));
    for file in files {
        if options.stop.is_asked() {
            capture.unreadable(unread(&file.name, GapReason::Stopped));
            continue;
        }
        let opened = file.open().and_then(|mut source| {
            let kind = crate::capture::detect(&source.head(HEAD_BYTES)?);
            Ok(kind.map(|kind| (kind, source.window(options.digest).until(&options.stop))))
        });
        match opened {
            Ok(Some((kind, window))) => {
                capture.file(Reading::of(Source::named(&file.name, kind.name(), 0)), window, kind, options.progress);
            }
            Ok(None) => capture.unreadable(unread(&file.name, GapReason::Changed)),
            Err(error) => capture.unreadable(unreadable(&file.name, input::reason(&error))),
        }
    }
    let mut read = Read { opened: files.len(), ..Read::default() };
    read.take(capture.finish());
    read
}

/// The report on evidence: the cases of all hosts, or of the selected ones.
pub fn diagnose(evidence: &Arc<Evidence>, selected: &[Name]) -> Report {
    diagnose_with(evidence, selected, Knowledge::embedded())
}

/// The same with knowledge that a user brought.
pub fn diagnose_with(evidence: &Arc<Evidence>, selected: &[Name], known: &Knowledge) -> Report {
    let (answers, (beside, certificates)) =
        rayon::join(|| Answers::of(evidence), || (Beside::of(evidence), report::build::Certificates::of(evidence)));
    let cases = Cases::of_indexes(evidence, (answers, beside), selected, known);
    let cases = (0..cases.len())
        .into_par_iter()
        .filter_map(|at| cases.case(at))
        .map(|case| report::build::case_entry(&case, &rules::judge(&case), &certificates))
        .collect();
    report::build::report(evidence, known, cases)
}

/// The readings of one file, of every source within it.
fn read_file(file: &InputFile, keys: &Arc<Keys>, options: &Options<'_>, how: (Workers, Sink<'_>)) -> Read {
    let (workers, mut sink) = how;
    if options.stop.is_asked() {
        let readings = vec![unread(&file.name, GapReason::Stopped)];
        return Read { readings, ..Read::default() };
    }
    let members = match file.members() {
        Ok(members) => members,
        Err(error) => {
            let readings = vec![unreadable(&file.name, input::reason(&error))];
            return Read { readings, ..Read::default() };
        }
    };
    let mut read = Read { opened: 1, ..Read::default() };
    for member in members {
        if options.stop.is_asked() {
            read.readings.push(unread(&member.name, GapReason::Stopped));
            break;
        }
        match member.source {
            Ok(source) => {
                // What is compressed and no archive has the name of its file.
                let is_only = member.name == file.name;
                read.is_archive |= !is_only;
                let sink = sink.as_deref_mut().filter(|_| is_only);
                read_source(&mut read, (&member.name, source), keys, options, (workers, sink));
            }
            Err(reason) => read.readings.push(unread(&member.name, reason)),
        }
    }
    read
}

/// Adds the readings of one source.
fn read_source(
    read: &mut Read,
    (name, mut source): (&str, input::Source),
    keys: &Arc<Keys>,
    options: &Options<'_>,
    how: (Workers, Sink<'_>),
) {
    let head = match source.head(HEAD_BYTES) {
        Ok(head) => head,
        Err(error) => return read.readings.push(unreadable(name, input::reason(&error))),
    };
    let mut window = source.window(options.digest).until(&options.stop);
    if let Some(kind) = crate::capture::detect(&head) {
        let mut capture = Capture::new(vec![name.to_owned()], options.memory_bytes, keys, how);
        capture.file(Reading::of(Source::named(name, kind.name(), 0)), window, kind, options.progress);
        return read.take(capture.finish());
    }
    if let Ok(Some(export)) = window.fill(EXPORT_HEAD_BYTES).map(saved::export::detect) {
        let mut reading = saved::export::read(name, export, &mut window, options.progress);
        match window.finish() {
            Ok(finished) => close(&mut reading, finished),
            Err(error) => reading.gaps.extend(unreadable(name, input::reason(&error)).gaps),
        }
        return read.readings.push(reading);
    }
    let (bytes, ending) = window.read_all(TEXT_BYTES_MAX);
    (options.progress)(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let finished = window.finish();
    if facts::is_facts(&head) {
        read.is_recorded = true;
        return read.readings.extend(facts::read(name, &bytes));
    }
    let mut reading = if bytes.is_empty() && matches!(ending, Ending::Stopped) {
        Reading::of(Source::named(name, "unknown", 0))
    } else if bytes.is_empty() && !matches!(ending, Ending::Broken(_)) {
        unread(name, GapReason::Empty)
    } else if keylog::is_key_log(&bytes) {
        read.is_recorded = true;
        let mut own = Keys::default();
        let reading = keys::read(name, &bytes, &mut own);
        read.keys.add(&own);
        reading
    } else {
        saved::read(name, &bytes)
    };
    let ending = match ending {
        Ending::Whole | Ending::Stopped => None,
        Ending::Cut => Some(GapReason::Limit { what: "bytes of a text".to_owned(), limit: TEXT_BYTES_MAX }),
        Ending::Broken(error) => Some(GapReason::Unreadable(input::reason(&error))),
    };
    reading.gaps.extend(ending.map(|reason| Gap::new(Place::Whole { source: SourceId(0) }, reason)));
    match finished {
        Ok(finished) => close(&mut reading, finished),
        Err(error) => reading.gaps.extend(unreadable(name, input::reason(&error)).gaps),
    }
    read.readings.push(reading);
}

/// What is known of a source once it was read.
fn close(reading: &mut Reading, finished: Finished) {
    reading.source.bytes = finished.bytes;
    reading.source.sha256 = finished.sha256;
    if finished.is_stopped {
        reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, GapReason::Stopped));
    }
    if finished.is_changed {
        reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, GapReason::Changed));
    }
}

fn unreadable(name: &str, why: String) -> Reading {
    unread(name, GapReason::Unreadable(why))
}

fn unread(name: &str, reason: GapReason) -> Reading {
    let mut reading = Reading::of(Source::named(name, "unknown", 0));
    reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, reason));
    reading
}

/// Whether nothing in a source could be analysed, and why.
fn not_analysed(reading: &Reading) -> Option<(String, String)> {
    let gap = reading
        .gaps
        .iter()
        .find(|gap| matches!(gap.reason, GapReason::Empty | GapReason::Unreadable(_) | GapReason::Unrecognised(_)))?;
    reading.observations.is_empty().then(|| (reading.source.path.clone(), gap.reason.to_string()))
}

/// The bytes that tell what a source is.
const HEAD_BYTES: usize = 64;
/// Files below this are read many at a time, one worker each.
const SMALL_BYTES: u64 = 8 << 20;
/// So many small files are read before what they gave is written.
const SMALL_FILES: usize = 256;

/// The bytes that tell which export a text is.
const EXPORT_HEAD_BYTES: usize = 4096;

/// Runs work on so many threads, or on as many as there are processors. It is one of the pool's own: handing
/// out work from a thread outside wakes two for every piece.
pub fn with_threads<T: Send>(threads: Option<u16>, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).build();
    let pool = pool.map_err(|error| format!("threads cannot be started: {error}"))?;
    Ok(pool.install(work))
}
