//! `tshark -T fields -E header=y`: columns under their field names, between tabs, commas or another
//! separator, in quotes or not.
//!
//! Without a header the columns are those of the `-e` options, when the command stands before.

use super::Frame;
use super::dissected::Dissected;
use crate::saved::export::Cite;
use crate::saved::{Line, RunText, SavedFormat, Sink};

/// `tshark -T fields`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "tshark_fields",
    made_by: "tshark -T fields -E header=y",
    is_command: |words| {
        words.first().is_some_and(|word| word == "tshark") && words.windows(2).any(|pair| pair == ["-T", "fields"])
    },
    opens: |line| Columns::of_header(line).is_some(),
    repeats: true,
    read,
};

struct Columns {
    names: Vec<String>,
    separator: char,
}

impl Columns {
    /// A line of nothing but field names, two of them at least.
    fn of_header(line: &str) -> Option<Self> {
        let separator = ['\t', ',', ';', '|'].into_iter().find(|separator| line.contains(*separator))?;
        let names: Vec<String> = line.split(separator).map(|name| name.trim_matches('"').to_owned()).collect();
        let is_field = |name: &String| {
            let (layer, rest) = name.split_once('.').unwrap_or((name, ""));
            HEADS.contains(&layer)
                && !rest.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
        };
        (names.len() > 1 && names.iter().all(is_field)).then_some(Self { names, separator })
    }

    fn of_command(words: &[String]) -> Option<Self> {
        let names: Vec<String> = values(words, "-e").map(str::to_owned).collect();
        let separator = values(words, "-E").find_map(|value| value.strip_prefix("separator="));
        let separator = match separator {
            Some("/s") => ' ',
            Some("/t") | None => '\t',
            Some(other) => other.chars().next()?,
        };
        (!names.is_empty()).then_some(Self { names, separator })
    }

    /// The cells of a line; a value in quotes can hold the separator.
    fn cells<'l>(&self, line: &'l str) -> Vec<&'l str> {
        let mut is_quoted = false;
        let separates = |c: char| {
            if c == '"' {
                is_quoted = !is_quoted;
            }
            c == self.separator && !is_quoted
        };
        line.split(separates).map(|cell| cell.trim_matches('"')).collect()
    }

    fn frame(&self, line: &Line) -> Frame {
        let mut frame = Frame::default();
        for (name, cell) in self.names.iter().zip(self.cells(&line.text)) {
            for value in cell.split(',').filter(|value| !value.is_empty()) {
                let name = super::canonical("", name);
                frame.add(&name, value, || Cite { line: line.number, quote: None });
            }
        }
        frame
    }
}

/// The values of an option that can stand several times.
fn values<'w>(words: &'w [String], name: &'w str) -> impl Iterator<Item = &'w str> {
    words.windows(2).filter_map(move |pair| match pair {
        [option, value] if option == name => Some(value.as_str()),
        _ => None,
    })
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let mut dissected = Dissected::default();
    let mut columns = Columns::of_command(&run.command);
    for line in run.lines.iter().filter(|line| !line.text.trim().is_empty()) {
        if let Some(header) = Columns::of_header(&line.text) {
            columns = Some(header);
        } else if let Some(columns) = &columns {
            dissected.frame(&columns.frame(line), sink);
        }
    }
    dissected.finish(sink);
}

/// The layers whose fields are read.
const HEADS: &[&str] = &[
    "frame", "ip", "ipv6", "tcp", "udp", "dns", "mdns", "tls", "ssl", "x509ce", "x509sat", "x509af", "eth", "http",
    "quic", "_ws",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_field_names_and_nothing_else() {
        for (line, expected) in [
            ("frame.number,ip.dst,tls.handshake.extensions_server_name", true),
            ("\"frame.number\"\t\"dns.qry.name\"", true),
            ("www.example.com,api.example.com", false),
            ("tcp.port", false),
        ] {
            assert_eq!(Columns::of_header(line).is_some(), expected, "{line}");
        }
    }
}
