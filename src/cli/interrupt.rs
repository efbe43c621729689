//! What Ctrl-C does: the first asks the reading to end, so that a partial report comes; the second ends the
//! program at once.

use crate::input::Stop;

/// Has Ctrl-C ask this to stop.
pub(super) fn on_interrupt(stop: &Stop) {
    let stop = stop.clone();
    let handler = move || {
        if stop.ask() {
            at_once();
        }
        super::warn("ending early with what has been read; again to end at once");
    };
    // Where the system takes no handler, Ctrl-C ends the program as it always does.
    let _ = ctrlc::set_handler(handler);
}

#[expect(clippy::exit, reason = "whoever asks twice wants no report")]
fn at_once() -> ! {
    std::process::exit(INTERRUPTED)
}

/// What a shell reports of a program that an interrupt ended: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;
