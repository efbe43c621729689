//! Whether reading is to end before its time: [`Stop`], asked for by one and looked at by all who read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A wish to end early; every copy knows of it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks to end early, and says whether that had been asked before.
    pub fn ask(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether it was asked.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
