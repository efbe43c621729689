//! The program: [`whycert::cli::run`] with the process's arguments.

use std::process::ExitCode;

/// Facts are many short pieces of text that several workers make and drop.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    whycert::cli::run(std::env::args_os()).status().into()
}
