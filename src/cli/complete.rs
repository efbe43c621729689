//! Completions: the script that a shell loads, and what it asks the program for while somebody types.
//!
//! Options, values and rules come from the definitions of the arguments; the names after `--host` are the
//! hosts of the facts files on the same line.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};

use super::Exit;
use super::args::Arguments;
use crate::analyze;
use crate::case::Cases;
use crate::evidence::facts;
use crate::provider::Knowledge;
use crate::rules::RULES;

/// The script for a shell.
pub(super) fn script(shell: &str) -> Result<String, String> {
    let shells = Shells::builtins();
    let known = shells.completer(shell).ok_or_else(|| format!("no completions for {shell}"))?;
    let mut script = Vec::new();
    let written = known.write_registration(VARIABLE, "whycert", "whycert", "whycert", &mut script);
    written.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(script).unwrap_or_default())
}

/// Answers the script of a shell; `None` when nobody completes anything.
pub(super) fn answer(arguments: &[OsString]) -> Option<Exit> {
    std::env::var_os(VARIABLE)?;
    let folder = std::env::current_dir().ok();
    let done = CompleteEnv::with_factory(Arguments::command)
        .var(VARIABLE)
        .try_complete(arguments.iter().cloned(), folder.as_deref());
    match done {
        Ok(true) => Some(Exit::Clean),
        Ok(false) => None,
        Err(error) => {
            super::warn(&error.to_string());
            Some(Exit::Usage)
        }
    }
}

/// The families of rules, and the rules.
pub(super) fn rules() -> Vec<CompletionCandidate> {
    let family = |id: &'static str| id.split_once('.').map_or(id, |(family, _)| family);
    let mut families: Vec<&str> = RULES.iter().map(|rule| family(rule.id)).collect();
    families.dedup();
    let families = families.into_iter().map(CompletionCandidate::new);
    let of_rule = |rule: &&crate::rules::Rule| CompletionCandidate::new(rule.id).help(Some(rule.summary.into()));
    families.chain(RULES.iter().map(of_rule)).collect()
}

/// The hosts of the facts files on the line that is being typed.
pub(super) fn hosts() -> Vec<CompletionCandidate> {
    let words: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).filter(|it| is_short_facts(it)).collect();
    let evidence = analyze::gather(&words, &analyze::Options::default()).evidence;
    let cases = Cases::of(&evidence, &[], Knowledge::embedded());
    cases.hosts().take(HOSTS_MAX).map(|host| CompletionCandidate::new(host.to_string())).collect()
}

/// Whether a file holds facts that are read before whoever types gets impatient.
fn is_short_facts(path: &Path) -> bool {
    let is_short = path.metadata().is_ok_and(|data| data.is_file() && data.len() <= FACTS_BYTES_MAX);
    let mut head = [0; FACTS_HEAD_BYTES];
    is_short && std::fs::File::open(path).is_ok_and(|mut it| it.read_exact(&mut head).is_ok()) && facts::is_facts(&head)
}

/// What the scripts set.
const VARIABLE: &str = "WHYCERT_COMPLETE";
const FACTS_HEAD_BYTES: usize = 16;
/// Above this a key press would wait for seconds.
const FACTS_BYTES_MAX: u64 = 16 << 20;
/// More names fit no terminal.
const HOSTS_MAX: usize = 1000;
