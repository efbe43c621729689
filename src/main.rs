//! The program: [`whycert::cli::run`] with the process's arguments.

use std::process::ExitCode;

fn main() -> ExitCode {
    whycert::cli::run(std::env::args_os()).status().into()
}
