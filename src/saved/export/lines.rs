//! Exports of lines within a transcript: the formats by which a run is read as one of them.

use super::{Export, read_lines, tcpdump, tshark, zeek};
use crate::saved::{RunText, SavedFormat, Sink};

/// `tshark -T pdml`.
pub static PDML: SavedFormat = SavedFormat {
    id: "tshark_pdml",
    made_by: "tshark -T pdml",
    is_command: |words| is_tshark(words, "pdml"),
    opens: |line| line.starts_with("<pdml"),
    repeats: false,
    read: |run, sink| read(&tshark::pdml::EXPORT, run, sink),
};

/// `tshark -V`.
pub static VERBOSE: SavedFormat = SavedFormat {
    id: "tshark_verbose",
    made_by: "tshark -V",
    is_command: |words| words.first().is_some_and(|word| word == "tshark") && words.iter().any(|word| word == "-V"),
    opens: tshark::verbose::EXPORT.opens,
    repeats: false,
    read: |run, sink| read(&tshark::verbose::EXPORT, run, sink),
};

/// `tcpdump`.
pub static TCPDUMP: SavedFormat = SavedFormat {
    id: "tcpdump",
    made_by: "tcpdump",
    is_command: |words| words.first().is_some_and(|word| word == "tcpdump"),
    opens: tcpdump::opens,
    repeats: false,
    read: |run, sink| read(&tcpdump::EXPORT, run, sink),
};

/// Zeek's logs.
pub static ZEEK: SavedFormat = SavedFormat {
    id: "zeek",
    made_by: "Zeek",
    is_command: |_| false,
    opens: |line| line.starts_with("#separator ") || line.starts_with("#fields\tts"),
    repeats: false,
    read: |run, sink| read(&zeek::TSV, run, sink),
};

fn is_tshark(words: &[String], layout: &str) -> bool {
    let has_layout = words.windows(2).any(|pair| matches!(pair, [option, value] if option == "-T" && value == layout));
    words.first().is_some_and(|word| word == "tshark") && has_layout
}

fn read(export: &Export, run: &RunText<'_>, sink: &mut Sink) {
    read_lines(export, run.lines, sink);
}
