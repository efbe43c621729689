//! The program: [`whycert::cli::run`] with the process's arguments.

use std::process::ExitCode;

/// The system's allocator is slow where one thread frees what another allocated, which connections that are followed
/// by turns do.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    whycert::cli::run(std::env::args_os()).status().into()
}
