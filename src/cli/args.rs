//! The arguments (clap). An option is here from the day it works.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::ArgValueCandidates;

/// Why was the wrong certificate returned? Answers it offline, from captures and saved output.
#[derive(Debug, Parser)]
#[command(name = "whycert", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what is wrong, what proves it and how to mend it
    #[command(after_help = DIAGNOSE_HELP)]
    Diagnose(DiagnoseArguments),
    /// Write the observations, one JSON object or one row each
    #[command(after_help = FACTS_HELP)]
    Facts(FactsArguments),
    /// Print the page of a rule
    #[command(after_help = "Examples:\n  whycert explain apigw.cname_to_stage_url\n  whycert rules")]
    Explain {
        /// The rule's id, such as apigw.cname_to_stage_url
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(super::rule_ids()))]
        rule: String,
    },
    /// List the data sets that judging uses, with their dates
    #[command(after_help = "Examples:\n  whycert data\n  whycert data --data our-providers/ --format json")]
    Data(DataArguments),
    /// List the rules
    #[command(after_help = "Examples:\n  whycert rules\n  whycert rules --format json")]
    Rules {
        /// How
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff), of the program or of one command
    #[command(after_help = "Examples:\n  whycert man | man -l -\n  whycert man diagnose > whycert-diagnose.1")]
    Man {
        /// The command
        #[arg(value_parser = ["diagnose", "facts", "explain", "data", "rules", "completions", "schema"])]
        command: Option<String>,
    },
    /// Print the JSON Schema of an output
    #[command(after_help = "Examples:\n  whycert schema report > whycert-report.schema.json\n  whycert schema facts")]
    Schema {
        /// Which output
        #[arg(value_enum)]
        of: Schema,
    },
}

/// The manual page of the program or of one command.
pub(super) fn manual(command: Option<&str>) -> Result<String, String> {
    let mut all = Arguments::command();
    all.build();
    let page = match command.and_then(|name| all.find_subcommand(name)) {
        Some(one) => one.clone(),
        None => all,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(text).unwrap_or_default())
}

#[derive(Clone, Debug, Args)]
pub(super) struct ReadArguments {
    /// Files, folders, archives, - for standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(super) paths: Vec<PathBuf>,
    /// A key log (SSLKEYLOGFILE) with which connections are decrypted. Can be repeated; key logs among
    /// the inputs and within pcapng files are used without this
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) keylog: Vec<PathBuf>,
    /// Threads to use; all processors without it. The output is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Memory for the open connections of a capture, such as 256M or 2G; more than that are given up,
    /// which a gap says [default: 512M]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) max_memory: Option<u64>,
    /// Draw no progress bar (it is drawn on a terminal only)
    #[arg(long)]
    pub(super) no_progress: bool,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DiagnoseArguments {
    #[command(flatten)]
    pub(super) read: ReadArguments,
    /// Judge only this host; also names the host of output that states none. Can be repeated
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(super::complete::hosts))]
    pub(super) host: Vec<String>,
    #[command(flatten)]
    pub(super) known: KnowledgeArguments,
    /// Judge dates at this time, such as 2026-11-25 or 2026-11-25T08:00:00Z [default: each handshake's own]
    #[arg(long, value_name = "TIME", value_parser = super::data::time)]
    pub(super) as_of: Option<crate::provenance::Time>,
    /// How to write the report [default: text]
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(super::formats()))]
    pub(super) format: Option<String>,
    /// Digest of each input [default: sha256]
    #[arg(long, value_enum)]
    pub(super) digest: Option<DigestChoice>,
    /// Colours in the text report; NO_COLOR is honoured [default: auto]
    #[arg(long, value_enum)]
    pub(super) color: Option<ColourChoice>,
    /// Columns of the text report, 40 to 100 [default: the terminal's, 80 when piped]
    #[arg(long, value_name = "N")]
    pub(super) width: Option<usize>,
    /// Draw the text report with ASCII only
    #[arg(long)]
    pub(super) ascii: bool,
    /// Tell only findings of this rule or family (apigw), and only hosts that have one. Can be repeated
    #[arg(long, value_name = "RULE", value_parser = rule_or_family, add = ArgValueCandidates::new(super::complete::rules))]
    pub(super) select: Vec<String>,
    /// Take findings of this rule or family off the report; they stay listed as ignored. Can be repeated
    #[arg(long, value_name = "RULE", value_parser = rule_or_family, add = ArgValueCandidates::new(super::complete::rules))]
    pub(super) ignore: Vec<String>,
    /// End with 0 whatever was found; 2 stays 2
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// Settings and accepted findings [default: whycert.toml of the current folder, where there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,
}

fn rule_or_family(text: &str) -> Result<String, String> {
    let is_known = crate::report::select::is_known(text);
    if is_known {
        Ok(text.to_owned())
    } else {
        Err("expected the id of a rule or a family, as `whycert rules` lists them".to_owned())
    }
}

#[derive(Debug, Args)]
pub(super) struct KnowledgeArguments {
    /// Take providers.toml or .json and Amazon's ip-ranges.json from this folder; its providers go before
    /// the embedded ones
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) data: Option<PathBuf>,
    /// Trust the certificates of this file (PEM or DER) instead of the embedded roots
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) roots: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DataArguments {
    #[command(flatten)]
    pub(super) known: KnowledgeArguments,
    /// How
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(super) format: ListFormat,
}

#[derive(Debug, Args)]
pub(super) struct FactsArguments {
    #[command(flatten)]
    pub(super) read: ReadArguments,
    /// How to write the facts
    #[arg(long, value_enum, default_value_t = FactsFormat::Ndjson)]
    pub(super) format: FactsFormat,
    /// Digest of each input [default: none]
    #[arg(long, value_enum)]
    pub(super) digest: Option<DigestChoice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FactsFormat {
    /// One JSON object a line; `diagnose` reads it back
    Ndjson,
    /// A row for each, for a spreadsheet
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DigestChoice {
    Sha256,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ColourChoice {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Schema {
    Report,
    Facts,
}

/// A number of bytes, with K, M or G for powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("expected a size such as 256M, found {text}");
    let upper = text.to_ascii_uppercase();
    let bare = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
    let end = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
    let (digits, unit) = bare.split_at_checked(end).ok_or_else(wrong)?;
    let shift = match unit.trim() {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(1 << shift).ok_or_else(wrong)?;
    if bytes < MEMORY_BYTES_MIN {
        return Err(format!("expected at least {}M, found {text}", MEMORY_BYTES_MIN >> 20));
    }
    Ok(bytes)
}

/// Below this not even one handshake in each shard can be followed.
const MEMORY_BYTES_MIN: u64 = 1 << 20;

const AFTER_HELP: &str = "\
Examples:
  whycert diagnose customer.pcapng ticket.txt
  whycert diagnose --host www.example.com case-folder/
  whycert explain apigw.cname_to_stage_url
  whycert help diagnose

The network is never used.";

const DIAGNOSE_HELP: &str = "\
Examples:
  whycert diagnose customer.pcapng ticket.txt
  whycert diagnose --host www.example.com --format json case-folder/
  whycert diagnose --format html --output report.html customer.pcapng
  whycert diagnose --keylog keys.log --format markdown customer.pcapng
  whycert diagnose --select apigw --exit-zero case-folder/
  tcpdump -w - -s 0 'port 53 or port 443' | whycert diagnose -

Exit status: 0 nothing wrong was found, 1 a wrong certificate or another error was found, 2 wrong
usage or nothing could be opened, 3 nothing could be judged, an input could not be analysed, or
Ctrl-C ended the reading: the report of what had been read comes all the same and says so; a
second Ctrl-C ends at once.";

const COMPLETIONS_HELP: &str = "\
Examples:
  source <(whycert completions bash)         # in ~/.bashrc
  source <(whycert completions zsh)          # in ~/.zshrc
  whycert completions fish | source          # in config.fish
  eval (whycert completions elvish | slurp)  # in rc.elv
  whycert completions powershell | Out-String | Invoke-Expression

While you type, the program itself is asked: it has to be on the PATH. After --host it offers the
hosts of the facts files on the line.";

const FACTS_HELP: &str = "\
Examples:
  whycert facts customer.pcapng | grep tls.handshake
  whycert facts --digest sha256 --output facts.ndjson case-folder/
  whycert facts --format csv --output facts.csv case-folder/
  whycert diagnose facts.ndjson

Exit status: 0 all was read, 2 wrong usage or nothing could be opened, 3 an input could not be
analysed, or Ctrl-C ended the reading: what had been read is written all the same.";
