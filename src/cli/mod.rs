//! The command line: arguments, exit status, where output goes.
//!
//! Machine output goes to standard output, progress and warnings to standard error. [`run`] is the
//! whole program.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use clap::Parser;

use crate::analyze::{self, Gathered, Inputs};
use crate::escape;
use crate::evidence::facts;
use crate::input::{Digest, Stop};
use crate::limits;
use crate::name::Name;
use crate::report::select::{self, Ignore, Selection};
use crate::report::{self, Outcome, RENDERERS, Report, Severity, Style};
use crate::rules;

mod args;
mod complete;
mod data;
mod explain;
mod interrupt;
mod progress;
mod settings;

use args::{Arguments, Command, DiagnoseArguments, FactsArguments, ReadArguments, Schema};
use progress::Progress;
use settings::Settings;

/// What the program ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing wrong was found.
    Clean,
    /// A finding of severity error, or a wrong certificate.
    Finding,
    /// Wrong usage, or nothing could be opened.
    Usage,
    /// Nothing could be judged, or an input could not be analysed.
    Inconclusive,
}

impl Exit {
    /// The status that the operating system sees.
    pub fn status(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Finding => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
        }
    }
}

/// Runs the program with these arguments.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(exit) = complete::answer(&arguments) {
        return exit;
    }
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            let is_help = !error.use_stderr();
            // A usage error repeats what it was given.
            if is_help {
                let _ = error.print();
                return Exit::Clean;
            }
            let words: Vec<String> = error.render().to_string().lines().map(escape::line).collect();
            let _ = writeln!(io::stderr(), "{}", words.join("\n"));
            return Exit::Usage;
        }
    };
    let done = match parsed.command {
        Command::Diagnose(it) => diagnose(&it),
        Command::Facts(it) => {
            return write_facts(&it).unwrap_or_else(|message| {
                warn(&message);
                Exit::Usage
            });
        }
        Command::Data(it) => data::list(&it),
        Command::Explain { rule } => explain::page(&rule),
        Command::Rules { format } => Ok((explain::table(format), Exit::Clean, None)),
        Command::Completions { shell } => complete::script(&shell.to_string()).map(|text| (text, Exit::Clean, None)),
        Command::Man { command } => args::manual(command.as_deref()).map(|text| (text, Exit::Clean, None)),
        Command::Schema { of } => Ok((schema(of), Exit::Clean, None)),
    };
    match done.and_then(|(text, exit, to)| deliver(text.as_bytes(), to.as_deref()).map(|()| exit)) {
        Ok(exit) => exit,
        Err(message) => {
            warn(&message);
            Exit::Usage
        }
    }
}

type Done = Result<(String, Exit, Option<std::path::PathBuf>), String>;

fn diagnose(arguments: &DiagnoseArguments) -> Done {
    let settings = Settings::read(arguments.config.as_deref())?;
    let hosts = selected_hosts(&arguments.host)?;
    let format = arguments.format.as_ref().or(settings.format.as_ref()).map_or("text", String::as_str);
    let renderer = RENDERERS
        .iter()
        .find(|renderer| renderer.id == format)
        .ok_or_else(|| format!("expected a format of {}, found {format:?}", formats().join(", ")))?;
    let digest = arguments.digest.unwrap_or(args::DigestChoice::Sha256);
    let read = ReadArguments { threads: arguments.read.threads.or(settings.threads), ..arguments.read.clone() };
    let known = data::known(&arguments.known)?.at(arguments.as_of);
    let gathered = gather(&read, digest)?;
    let mut report = in_pool(&read, || analyze::diagnose_with(&gathered.evidence, &hosts, &known))?;
    let selection = selection(arguments, &settings)?;
    selection.apply(&mut report).iter().for_each(|expired| warn(expired));
    let text = (renderer.render)(&report, &style(arguments, &settings));
    let exit = match exit_of(&gathered, &report, !hosts.is_empty()) {
        _ if report.partial.is_some() => Exit::Inconclusive,
        Exit::Usage => Exit::Usage,
        _ if arguments.exit_zero || settings.exit_zero == Some(true) => Exit::Clean,
        Exit::Inconclusive if !selection.select.is_empty() && report.cases.is_empty() => Exit::Clean,
        exit => exit,
    };
    // The process ends soon: giving back a million small pieces of memory one by one takes longer than that.
    std::mem::forget((gathered, report));
    Ok((text, exit, arguments.read.output.clone()))
}

/// Which findings are told: what the command line says, and what the settings add to it.
fn selection(arguments: &DiagnoseArguments, settings: &Settings) -> Result<Selection, String> {
    let select = if arguments.select.is_empty() { &settings.select } else { &arguments.select };
    if let Some(unknown) = select.iter().find(|pattern| !select::is_known(pattern)) {
        return Err(format!("expected the id of a rule or a family, found {unknown:?}"));
    }
    let named = arguments.ignore.iter().map(|rule| Ignore {
        rule: rule.clone(),
        host: None,
        reason: "on the command line".to_owned(),
        until: None,
    });
    let ignore = named.chain(settings.ignores()?).collect();
    Ok(Selection { select: select.clone(), ignore })
}

fn write_facts(arguments: &FactsArguments) -> Result<Exit, String> {
    let digest = arguments.digest.unwrap_or(args::DigestChoice::None);
    let to = arguments.read.output.as_deref();
    let inputs = reading(&arguments.read, digest, |options| {
        let mut out: Box<dyn Write + Send> = match to {
            Some(path) => Box::new(std::fs::File::create(path).map_err(|error| not_written(to, &error))?),
            None => Box::new(io::stdout()),
        };
        if arguments.format == args::FactsFormat::Csv {
            out = Box::new(report::facts_csv::Rows::begin(out).map_err(|error| not_written(to, &error))?);
        }
        let written = analyze::write_facts(&arguments.read.paths, options, &mut *out);
        match written.and_then(|inputs| out.flush().map(|()| inputs)) {
            // A reader that closes the pipe early is no error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Inputs { opened: 1, ..Inputs::default() }),
            written => written.map_err(|error| not_written(to, &error)),
        }
    })?;
    warn_of(&inputs);
    Ok(match (inputs.opened, inputs.not_analysed.is_empty()) {
        _ if inputs.is_stopped => Exit::Inconclusive,
        (0, _) => Exit::Usage,
        (_, true) => Exit::Clean,
        (_, false) => Exit::Inconclusive,
    })
}

fn schema(of: Schema) -> String {
    let schema = match of {
        Schema::Report => report::json::schema(),
        Schema::Facts => facts::schema(),
    };
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

fn selected_hosts(texts: &[String]) -> Result<Vec<Name>, String> {
    texts
        .iter()
        .map(|text| Name::parse(text).ok_or_else(|| format!("expected a host name for --host, found {text:?}")))
        .collect()
}

/// Reads the inputs and says what could not be read.
fn gather(arguments: &ReadArguments, digest: args::DigestChoice) -> Result<Gathered, String> {
    let gathered = reading(arguments, digest, |options| Ok(analyze::gather(&arguments.paths, options)))?;
    warn_of(&gathered.inputs);
    Ok(gathered)
}

/// Does what reads the inputs, with a progress bar and the threads asked for.
fn reading<T: Send>(
    arguments: &ReadArguments,
    digest: args::DigestChoice,
    read: impl FnOnce(&analyze::Options<'_>) -> Result<T, String> + Send,
) -> Result<T, String> {
    if let Some(path) = arguments.keylog.iter().find(|path| !path.is_file()) {
        return Err(format!(
            "{}: expected a key log for --keylog, found no file",
            escape::line(&path.to_string_lossy())
        ));
    }
    let progress = Progress::start(&arguments.paths, arguments.no_progress);
    let digest = match digest {
        args::DigestChoice::Sha256 => Digest::Sha256,
        args::DigestChoice::None => Digest::None,
    };
    let tell = |bytes: u64| progress.advance(bytes);
    let memory_bytes = arguments.max_memory.unwrap_or(limits::MEMORY_BYTES_MAX);
    let stop = Stop::default();
    interrupt::on_interrupt(&stop);
    let options = analyze::Options { key_logs: &arguments.keylog, digest, memory_bytes, progress: &tell, stop };
    let done = in_pool(arguments, || read(&options))?;
    progress.finish();
    done
}

fn warn_of(inputs: &Inputs) {
    if inputs.opened == 0 && inputs.not_analysed.is_empty() {
        warn("no file was found below the given paths");
    }
    for (name, why) in &inputs.not_analysed {
        warn(&format!("{}: {}", escape::line(name), escape::line(why)));
    }
}

fn in_pool<T: Send>(arguments: &ReadArguments, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    analyze::with_threads(arguments.threads, work)
}

fn exit_of(gathered: &Gathered, report: &Report, is_selected: bool) -> Exit {
    if gathered.inputs.opened == 0 {
        return Exit::Usage;
    }
    let is_wrong = report.cases.iter().any(|case| {
        (case.outcome == Outcome::WrongCertificate && !case.is_accepted())
            || case.findings.iter().any(|finding| finding.severity == Severity::Error)
    });
    if is_wrong {
        return Exit::Finding;
    }
    let inconclusive = |case: &report::CaseEntry| case.outcome == Outcome::Inconclusive;
    let nothing_judged =
        report.cases.iter().all(inconclusive) || (is_selected && report.cases.iter().any(inconclusive));
    if nothing_judged || !gathered.inputs.not_analysed.is_empty() { Exit::Inconclusive } else { Exit::Clean }
}

fn style(arguments: &DiagnoseArguments, settings: &Settings) -> Style {
    let to_terminal = arguments.read.output.is_none() && io::stdout().is_terminal();
    let columns = terminal_size::terminal_size().filter(|_| to_terminal).map(|(width, _)| usize::from(width.0));
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = match arguments.color.or(settings.color).unwrap_or(args::ColourChoice::Auto) {
        args::ColourChoice::Always => true,
        args::ColourChoice::Never => false,
        args::ColourChoice::Auto => to_terminal && !no_colour,
    };
    let width = arguments.width.or(settings.width).or(columns).unwrap_or(80).clamp(40, 100);
    Style { width, colour, ascii: arguments.ascii || settings.ascii == Some(true) }
}

/// Writes to the file, or to standard output. A reader that closes the pipe early is no error.
fn deliver(text: &[u8], to: Option<&Path>) -> Result<(), String> {
    let written = if let Some(path) = to {
        std::fs::write(path, text)
    } else {
        let mut out = io::stdout().lock();
        out.write_all(text).and_then(|()| out.flush())
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(not_written(to, &error)),
        _ => Ok(()),
    }
}

fn not_written(to: Option<&Path>, error: &io::Error) -> String {
    let place = to.map_or_else(|| "standard output".to_owned(), |path| escape::line(&path.to_string_lossy()));
    format!("{place}: cannot be written: {error}")
}

fn warn(message: &str) {
    // Messages repeat what they were given.
    let lines: Vec<String> = message.lines().map(escape::line).collect();
    let _ = writeln!(io::stderr(), "whycert: {}", lines.join("\n"));
}

/// The ids of all ways to write a report.
fn formats() -> Vec<&'static str> {
    RENDERERS.iter().map(|renderer| renderer.id).collect()
}

/// The names of all rules, for the command line's help.
fn rule_ids() -> Vec<&'static str> {
    rules::RULES.iter().map(|rule| rule.id).collect()
}
