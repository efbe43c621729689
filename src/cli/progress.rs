//! A progress bar on standard error, for long work on a terminal only.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how much of the inputs has been read.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Starts one over the sizes of the files named; folders add theirs while they are read.
    pub(super) fn start(paths: &[PathBuf], is_off: bool) -> Self {
        let bytes: u64 = paths.iter().filter_map(|path| path.metadata().ok()).map(|data| data.len()).sum();
        if is_off || !io::stderr().is_terminal() || bytes < LONG_WORK_BYTES {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many bytes more were read.
    pub(super) fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Removes it.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Below this a bar would only flicker.
const LONG_WORK_BYTES: u64 = 32 << 20;
