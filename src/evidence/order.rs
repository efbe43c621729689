//! Orders observations.
