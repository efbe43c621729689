//! What several tests need: the repository's files, the program, captures built in code.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[expect(dead_code, reason = "the unit tests of the capture reader use the rest")]
pub mod capture_builder;
pub mod quic_builder;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder of the repository, sorted, with their paths from its root.
pub fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path.strip_prefix(root()).unwrap().to_owned()) }
        }
    }
    found.sort();
    found
}

/// The text of a file of the repository.
pub fn text_of(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs the program in the root of the repository.
pub fn whycert<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    whycert_in(root(), arguments)
}

/// Runs the program in a folder.
#[expect(clippy::disallowed_methods, reason = "the tests start the program; the program starts nothing")]
pub fn whycert_in<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_whycert"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .output()
        .expect("the program starts")
}

/// Runs the program in the root of the repository with bytes on its standard input.
#[expect(clippy::disallowed_methods, reason = "the tests start the program; the program starts nothing")]
pub fn whycert_fed(arguments: &[&str], bytes: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_whycert"))
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

/// What a run printed on standard output; it must be text.
pub fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

/// What a run said on standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("standard error is UTF-8")
}
