//! The arguments (clap). An option is here from the day it works.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    Diagnose(DiagnoseArguments),
    /// Write the observations, one JSON object a line
    Facts(FactsArguments),
    /// Print the page of a rule
    Explain {
        /// The rule's id, such as apigw.cname_to_stage_url
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(super::rule_ids()))]
        rule: String,
    },
    /// List the rules
    Rules {
        /// How
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Print the JSON Schema of an output
    Schema {
        /// Which output
        #[arg(value_enum)]
        of: Schema,
    },
}

#[derive(Debug, Args)]
pub(super) struct ReadArguments {
    /// Files, folders, - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Threads to use; all processors without it. The output is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Draw no progress bar (it is drawn on a terminal only)
    #[arg(long)]
    pub(super) no_progress: bool,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DiagnoseArguments {
    #[command(flatten)]
    pub(super) read: ReadArguments,
    /// Judge only this host; also names the host of output that states none. Can be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) host: Vec<String>,
    /// How to write the report
    #[arg(long, default_value = "text", value_parser = clap::builder::PossibleValuesParser::new(super::formats()))]
    pub(super) format: String,
    /// Digest of each input [default: sha256]
    #[arg(long, value_enum)]
    pub(super) digest: Option<DigestChoice>,
    /// Colours in the text report; NO_COLOR is honoured
    #[arg(long, value_enum, default_value_t = ColourChoice::Auto)]
    pub(super) color: ColourChoice,
    /// Columns of the text report, 40 to 100 [default: the terminal's, 80 when piped]
    #[arg(long, value_name = "N")]
    pub(super) width: Option<usize>,
    /// Draw the text report with ASCII only
    #[arg(long)]
    pub(super) ascii: bool,
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
    /// One JSON object a line
    Ndjson,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
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

const AFTER_HELP: &str = "\
Examples:
  whycert diagnose customer.pcapng ticket.txt
  whycert diagnose --host www.example.com --format json case-folder/
  whycert facts customer.pcapng | grep tls.handshake

Exit status of diagnose: 0 nothing wrong was found, 1 a wrong certificate or another error was
found, 2 wrong usage or nothing could be opened, 3 nothing could be judged or an input could not
be analysed. The network is never used.";
