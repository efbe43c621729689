//! What `--output yaml` and `--output table` say, written as the JSON that `--output json` would have
//! printed, each value on the line that says it.

use crate::saved::Line;

/// A value with the line that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// A scalar as it is written.
    Scalar(u32, String),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// The first line.
    fn first(&self) -> Option<u32> {
        match self {
            Self::Scalar(line, _) => Some(*line),
            Self::List(items) => items.iter().find_map(Self::first),
            Self::Object(pairs) => pairs.iter().find_map(|(_, value)| value.first()),
        }
    }

    /// Its JSON, a piece a line, each with the number of the line that it came from.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        self.write(self.first().unwrap_or(1), &mut lines);
        lines
    }

    /// Writes it; the last line that was written to.
    fn write(&self, line: u32, lines: &mut Vec<Line>) -> u32 {
        match self {
            Self::Scalar(line, text) => {
                lines.push(Line::new(*line, json(text)));
                *line
            }
            Self::List(items) => {
                let first = self.first().unwrap_or(line);
                lines.push(Line::new(first, "[".to_owned()));
                let mut last = first;
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        lines.push(Line::new(last, ",".to_owned()));
                    }
                    last = item.write(last, lines);
                }
                lines.push(Line::new(last, "]".to_owned()));
                last
            }
            Self::Object(pairs) => {
                let first = self.first().unwrap_or(line);
                lines.push(Line::new(first, "{".to_owned()));
                let mut last = first;
                for (at, (key, value)) in pairs.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    let key = serde_json::to_string(key).unwrap_or_default();
                    lines.push(Line::new(value.first().unwrap_or(last), format!("{comma}{key}:")));
                    last = value.write(last, lines);
                }
                lines.push(Line::new(last, "}".to_owned()));
                last
            }
        }
    }
}

/// A scalar as JSON: numbers, booleans and nothing as such, all else as a string.
fn json(text: &str) -> String {
    let is_number = text.parse::<f64>().is_ok()
        && text.starts_with(|c: char| c.is_ascii_digit())
        && (text == "0" || !text.starts_with('0') || text.starts_with("0."));
    match text {
        "True" | "true" => "true".to_owned(),
        "False" | "false" => "false".to_owned(),
        "None" | "null" | "~" | "" => "null".to_owned(),
        _ if is_number => text.to_owned(),
        _ => serde_json::to_string(text).unwrap_or_default(),
    }
}
