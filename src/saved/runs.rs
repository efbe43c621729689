//! A text cut into runs: one command and its output each, by prompts and by lines that open a known
//! output.

use super::command::{self, Prompted};
use super::decode::markup;
use super::{FORMATS, Line, RunText, SavedFormat, Sink};
use std::collections::BTreeMap;

struct Start {
    at: usize,
    format: Option<&'static SavedFormat>,
    prompted: Option<Prompted>,
    /// A fence or a heading, which belongs to no output.
    boundary: Option<markup::Boundary>,
}

/// Reads all runs; whether any format was recognised.
pub fn read(lines: &[Line], sink: &mut Sink) -> bool {
    let starts = starts(lines);
    let mut versions: BTreeMap<(Option<String>, String), String> = BTreeMap::new();
    let mut heading = None;
    let mut number = 0;
    for (nth, start) in starts.iter().enumerate() {
        let end = starts.get(nth + 1).map_or(lines.len(), |next| next.at);
        let body_at = if start.prompted.is_some() { start.at + 1 } else { start.at };
        let body = lines.get(body_at..end).unwrap_or_default();
        if let Some(boundary) = &start.boundary {
            heading = boundary.label.clone().or(heading);
        }
        let vantage = start.prompted.as_ref().and_then(|it| it.vantage.clone()).or_else(|| heading.clone());
        remember_version(start, body, vantage.as_ref(), &mut versions);
        let Some(format) = start.format else { continue };
        number += 1;
        let tool = if format.id.starts_with("openssl") { "openssl" } else { format.id };
        let run = RunText {
            number,
            command: start.prompted.as_ref().map(|it| chosen_stage(it, format)).unwrap_or_default(),
            pipeline: start.prompted.as_ref().map(|it| it.stages.clone()).unwrap_or_default(),
            shown: start.prompted.as_ref().map(|it| it.shown.clone()),
            command_line: start.prompted.as_ref().and_then(|_| lines.get(start.at)),
            version: versions.get(&(vantage.clone(), tool.to_owned())).cloned(),
            vantage,
            lines: body,
        };
        (format.read)(&run, sink);
    }
    number > 0
}

/// Whether a line opens the output of a format.
pub fn opens(line: &str) -> bool {
    FORMATS.iter().any(|format| (format.opens)(line))
}

/// Whether an indented line begins a command or an output once it stands at the left.
pub fn opens_unindented(line: &str) -> bool {
    let text = line.trim_start();
    !text.is_empty() && !opens(line) && (command::find(text).is_some() || opens(text))
}

fn starts(lines: &[Line]) -> Vec<Start> {
    let mut starts: Vec<Start> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(prompted) = command::find(&line.text) {
            let format = FORMATS
                .iter()
                .copied()
                .find(|format| prompted.stages.iter().rev().any(|stage| (format.is_command)(stage)));
            let format = last_stage_format(&prompted).or(format);
            starts.push(Start { at, format, prompted: Some(prompted), boundary: None });
            continue;
        }
        if let Some(boundary) = markup::boundary(&line.text) {
            starts.push(Start { at, format: None, prompted: None, boundary: Some(boundary) });
            continue;
        }
        let Some(format) = FORMATS.iter().copied().find(|format| (format.opens)(&line.text)) else {
            continue;
        };
        let is_within = starts.last().is_some_and(|last| match (last.format, &last.prompted) {
            (Some(open), _) if open.id == format.id => !format.repeats,
            (Some(open), prompted) if open.id == "curl" && format.id == "json" => !asks_rdap(prompted.as_ref()),
            (Some(open), Some(_)) if open.id.starts_with("openssl") && format.id.starts_with("openssl") => true,
            (Some(open), _) if open.id == "wget" && format.id.starts_with("openssl") => true,
            (Some(open), None) if open.id == "openssl_s_client" && format.id == "openssl_x509" => true,
            _ => false,
        });
        if !is_within {
            starts.push(Start { at, format: Some(format), prompted: None, boundary: None });
        }
    }
    starts
}

/// The body of a response is nobody's configuration, except a registry's own answer.
fn asks_rdap(prompted: Option<&Prompted>) -> bool {
    prompted.is_some_and(|it| it.stages.iter().flatten().any(|word| word.contains("rdap")))
}

fn last_stage_format(prompted: &Prompted) -> Option<&'static SavedFormat> {
    let stage = prompted
        .stages
        .iter()
        .rev()
        .find(|stage| stage.first().is_some_and(|word| word == "openssl" || word == "dig" || word == "curl"))?;
    FORMATS.iter().copied().find(|format| (format.is_command)(stage))
}

fn chosen_stage(prompted: &Prompted, format: &SavedFormat) -> Vec<String> {
    prompted.stages.iter().rev().find(|stage| (format.is_command)(stage)).cloned().unwrap_or_default()
}

/// `openssl version` and `curl --version` say what later runs of the same place are.
fn remember_version(
    start: &Start,
    body: &[Line],
    vantage: Option<&String>,
    versions: &mut BTreeMap<(Option<String>, String), String>,
) {
    let Some(prompted) = &start.prompted else {
        return;
    };
    let asks = prompted
        .stages
        .iter()
        .any(|stage| stage.iter().any(|word| matches!(word.as_str(), "version" | "--version" | "-V")));
    let tool = prompted
        .stages
        .iter()
        .filter_map(|stage| stage.first())
        .find(|word| matches!(word.as_str(), "openssl" | "curl"));
    if let (true, Some(tool), Some(line)) = (asks, tool, body.iter().find(|line| !line.text.trim().is_empty())) {
        let words: Vec<&str> = line.text.split_whitespace().take(2).collect();
        versions.insert((vantage.cloned(), tool.clone()), words.join(" "));
    }
}
