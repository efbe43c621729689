//! The stages in order, in parallel: paths become [`Evidence`], evidence becomes a [`Report`].
//!
//! The only place that knows all stages, and the only one that calls rayon. Each source is read on
//! its own, captures in batches over shards (`capture`), texts whole; the readings are put
//! together in a fixed order, so that the thread count never shows.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::case;
use crate::evidence::{Evidence, Reading, Source, facts};
use crate::input::{self, Digest, Finished, InputFile};
use crate::limits::TEXT_BYTES_MAX;
use crate::name::Name;
use crate::provenance::{Gap, GapReason, Place, SourceId};
use crate::report::{self, Report};
use crate::rules;
use crate::saved;

mod capture;
mod shard;

/// How inputs are read.
pub struct Options<'p> {
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
    let found = input::gather(paths);
    let read: Vec<Result<Vec<Reading>, Box<Reading>>> =
        found.files.par_iter().map(|file| read_file(file, options)).collect();
    let opened = read.iter().filter(|it| it.is_ok()).count();
    let mut readings: Vec<Reading> = Vec::new();
    for it in read {
        match it {
            Ok(many) => readings.extend(many),
            Err(one) => readings.push(*one),
        }
    }
    readings.extend(found.unreadable.into_iter().map(|(name, why)| unreadable(&name, why)));
    let not_analysed = readings.iter().filter_map(not_analysed).collect();
    Gathered { evidence: Evidence::gather(readings), opened, not_analysed }
}

/// The report on evidence: the cases of all hosts, or of the selected ones.
pub fn diagnose(evidence: &Evidence, selected: &[Name]) -> Report {
    let judged: Vec<_> = case::build(evidence, selected)
        .into_par_iter()
        .map(|case| {
            let judgement = rules::judge(&case);
            (case, judgement)
        })
        .collect();
    report::build::report(evidence, &judged)
}

/// The readings of one file; `Err` when it cannot be opened.
fn read_file(file: &InputFile, options: &Options<'_>) -> Result<Vec<Reading>, Box<Reading>> {
    let failed = |error: std::io::Error| Box::new(unreadable(&file.name, input::reason(&error)));
    let mut source = file.open().map_err(failed)?;
    let head = source.head(HEAD_BYTES).map_err(failed)?;
    if head.is_empty() {
        let window = source.window(options.digest);
        let mut reading = Reading::of(Source::named(&file.name, "unknown", 0));
        close(&mut reading, window.finish().map_err(failed)?);
        reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, GapReason::Empty));
        return Ok(vec![reading]);
    }
    let mut window = source.window(options.digest);
    if let Some(kind) = crate::capture::detect(&head) {
        return Ok(vec![capture::read(&file.name, window, kind, options.progress)]);
    }
    if let Some(export) = saved::export::detect(window.fill(EXPORT_HEAD_BYTES).map_err(failed)?) {
        let reading = saved::export::read(&file.name, export, &mut window, options.progress);
        let mut reading = reading.map_err(failed)?;
        close(&mut reading, window.finish().map_err(failed)?);
        return Ok(vec![reading]);
    }
    let (bytes, is_cut) = window.read_all(TEXT_BYTES_MAX).map_err(failed)?;
    (options.progress)(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let finished = window.finish().map_err(failed)?;
    if facts::is_facts(&head) {
        return Ok(facts::read(&file.name, &bytes));
    }
    let mut reading = saved::read(&file.name, &bytes);
    if is_cut {
        let reason = GapReason::Limit { what: "bytes of a text".to_owned(), limit: TEXT_BYTES_MAX };
        reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, reason));
    }
    close(&mut reading, finished);
    Ok(vec![reading])
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
    let mut reading = Reading::of(Source::named(name, "unknown", 0));
    reading.gaps.push(Gap::new(Place::Whole { source: SourceId(0) }, GapReason::Unreadable(why)));
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
