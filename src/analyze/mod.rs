//! The stages in order, in parallel: paths become [`Evidence`], evidence becomes a [`Report`].
//!
//! The only place that knows all stages, and the only one that calls rayon. Each source is read on
//! its own, captures in batches over shards (`capture`), texts whole; the readings are put
//! together in a fixed order, so that the thread count never shows. Key logs are read first; keys
//! that turn up later (in a capture, in an archive) make the captures that want them be read again
//! (`keys`).

use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use crate::case;
use crate::evidence::{Evidence, Reading, Source, facts};
use crate::input::{self, Digest, Ending, Finished, InputFile};
use crate::limits::TEXT_BYTES_MAX;
use crate::name::Name;
use crate::provenance::{Gap, GapReason, Place, SourceId};
use crate::provider::Knowledge;
use crate::report::{self, Report};
use crate::rules;
use crate::saved;
use crate::tls::keylog::{self, Keys};

mod capture;
mod http;
mod keys;
mod quic;
mod shard;
mod sniff;

/// How inputs are read.
pub struct Options<'p> {
    /// Key logs besides those among the inputs.
    pub key_logs: &'p [PathBuf],
    /// Whether sources are digested.
    pub digest: Digest,
    /// Told how many bytes more have been read.
    pub progress: &'p (dyn Fn(u64) + Sync),
}

/// What reading gave.
#[derive(Debug)]
pub struct Gathered {
    /// All that is known.
    pub evidence: Evidence,
    /// How many inputs could be opened.
    pub opened: usize,
    /// The inputs that could not be analysed, with the reason: unreadable, empty, unrecognised.
    pub not_analysed: Vec<(String, String)>,
}

/// Reads all inputs.
pub fn gather(paths: &[PathBuf], options: &Options<'_>) -> Gathered {
    let all: Vec<PathBuf> = paths.iter().chain(options.key_logs).cloned().collect();
    let found = input::gather(&all);
    let mut keys = keys::Found::first(&found.files);
    let read = |keys: &Arc<Keys>, file: &InputFile| read_file(file, keys, options);
    let mut files: Vec<FileRead> = found.files.par_iter().map(|file| read(&keys.all, file)).collect();
    if keys.add(files.iter().map(|it| &it.keys)) {
        files = files
            .into_par_iter()
            .zip(&found.files)
            .map(|(it, file)| if keys.open_more(file, &it.unopened) { read(&keys.all, file) } else { it })
            .collect();
    }
    let opened = files.iter().filter(|it| it.is_opened).count();
    let mut readings: Vec<Reading> = files.into_iter().flat_map(|it| it.readings).collect();
    for reading in &mut readings {
        keys.judge(reading);
    }
    readings.extend(found.unreadable.into_iter().map(|(name, why)| unreadable(&name, why)));
    let not_analysed = readings.iter().filter_map(not_analysed).collect();
    Gathered { evidence: Evidence::gather(readings), opened, not_analysed }
}

/// The report on evidence: the cases of all hosts, or of the selected ones.
pub fn diagnose(evidence: &Evidence, selected: &[Name]) -> Report {
    diagnose_with(evidence, selected, Knowledge::embedded())
}

/// The same with knowledge that a user brought.
pub fn diagnose_with(evidence: &Evidence, selected: &[Name], known: &Knowledge) -> Report {
    let judged: Vec<_> = case::build_with(evidence, selected, known)
        .into_par_iter()
        .map(|case| {
            let judgement = rules::judge(&case);
            (case, judgement)
        })
        .collect();
    report::build::report(evidence, known, &judged)
}

/// What one file gave, all sources within it together.
#[derive(Default)]
struct FileRead {
    readings: Vec<Reading>,
    is_opened: bool,
    /// The keys in it.
    keys: Keys,
    /// The beginnings of the client randoms whose records stay closed for want of keys.
    unopened: Vec<u64>,
}

impl FileRead {
    fn of(readings: Vec<Reading>) -> Self {
        Self { readings, is_opened: true, ..Self::default() }
    }

    fn and(&mut self, mut other: Self) {
        self.readings.append(&mut other.readings);
        self.keys.add(&other.keys);
        self.unopened.append(&mut other.unopened);
    }
}

/// What one file, and every source within it, gives.
fn read_file(file: &InputFile, keys: &Arc<Keys>, options: &Options<'_>) -> FileRead {
    let members = match file.members() {
        Ok(members) => members,
        Err(error) => {
            let readings = vec![unreadable(&file.name, input::reason(&error))];
            return FileRead { readings, ..FileRead::default() };
        }
    };
    let mut read = FileRead::of(Vec::new());
    for member in members {
        match member.source {
            Ok(source) => read.and(read_source(&member.name, source, keys, options)),
            Err(reason) => read.readings.push(unread(&member.name, reason)),
        }
    }
    read
}

/// What one source gives.
fn read_source(name: &str, mut source: input::Source, keys: &Arc<Keys>, options: &Options<'_>) -> FileRead {
    let head = match source.head(HEAD_BYTES) {
        Ok(head) => head,
        Err(error) => return FileRead::of(vec![unreadable(name, input::reason(&error))]),
    };
    let mut window = source.window(options.digest);
    if let Some(kind) = crate::capture::detect(&head) {
        let it = capture::read(name, window, kind, keys, options.progress);
        return FileRead { keys: it.keys, unopened: it.unopened, ..FileRead::of(vec![it.reading]) };
    }
    if let Ok(Some(export)) = window.fill(EXPORT_HEAD_BYTES).map(saved::export::detect) {
        let mut reading = saved::export::read(name, export, &mut window, options.progress);
        match window.finish() {
            Ok(finished) => close(&mut reading, finished),
            Err(error) => reading.gaps.extend(unreadable(name, input::reason(&error)).gaps),
        }
        return FileRead::of(vec![reading]);
    }
    let (bytes, ending) = window.read_all(TEXT_BYTES_MAX);
    (options.progress)(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let finished = window.finish();
    if facts::is_facts(&head) {
        return FileRead::of(facts::read(name, &bytes));
    }
    let mut own = Keys::default();
    let mut reading = if bytes.is_empty() && !matches!(ending, Ending::Broken(_)) {
        unread(name, GapReason::Empty)
    } else if keylog::is_key_log(&bytes) {
        keys::read(name, &bytes, &mut own)
    } else {
        saved::read(name, &bytes)
    };
    let ending = match ending {
        Ending::Whole => None,
        Ending::Cut => Some(GapReason::Limit { what: "bytes of a text".to_owned(), limit: TEXT_BYTES_MAX }),
        Ending::Broken(error) => Some(GapReason::Unreadable(input::reason(&error))),
    };
    reading.gaps.extend(ending.map(|reason| Gap::new(Place::Whole { source: SourceId(0) }, reason)));
    match finished {
        Ok(finished) => close(&mut reading, finished),
        Err(error) => reading.gaps.extend(unreadable(name, input::reason(&error)).gaps),
    }
    FileRead { keys: own, ..FileRead::of(vec![reading]) }
}

/// What is known of a source once it was read.
fn close(reading: &mut Reading, finished: Finished) {
    reading.source.bytes = finished.bytes;
    reading.source.sha256 = finished.sha256;
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

/// The bytes that tell which export a text is.
const EXPORT_HEAD_BYTES: usize = 4096;

/// Runs work on so many threads, or on all processors.
pub fn with_threads<T: Send>(threads: Option<u16>, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    let Some(threads) = threads else {
        return Ok(work());
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build();
    let pool = pool.map_err(|error| format!("threads cannot be started: {error}"))?;
    Ok(pool.install(work))
}
