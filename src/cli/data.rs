//! The data sets that judging uses: the list of them, and what `--data`, `--roots` and `--as-of` bring.

use super::Exit;
use super::args::{DataArguments, KnowledgeArguments, ListFormat};
use crate::escape;
use crate::provenance::{Time, Zone};
use crate::provider::Knowledge;
use crate::provider::knowledge::DataSet;

/// The embedded knowledge with what the user brings.
pub(super) fn known(arguments: &KnowledgeArguments) -> Result<Knowledge, String> {
    let mut known = Knowledge::embedded().clone();
    if let Some(folder) = &arguments.data {
        known = known.with_folder(folder).map_err(|error| error.to_string())?;
    }
    if let Some(file) = &arguments.roots {
        known = known.with_roots(file).map_err(|error| error.to_string())?;
    }
    Ok(known)
}

/// The list.
pub(super) fn list(arguments: &DataArguments) -> super::Done {
    let sets = known(&arguments.known)?.data_sets();
    let text = match arguments.format {
        ListFormat::Json => escape::json_pretty(&sets).unwrap_or_default(),
        ListFormat::Text => table(&sets),
    };
    Ok((text, Exit::Clean, None))
}

fn table(sets: &[DataSet]) -> String {
    let width = sets.iter().map(|set| set.name.len()).max().unwrap_or(0);
    let dates = sets.iter().map(|set| set.as_of.chars().count()).max().unwrap_or(0);
    let line = |set: &DataSet| {
        let entries = set.entries.map(|entries| format!(", {entries} entries")).unwrap_or_default();
        let as_of = escape::line(&set.as_of);
        format!("{:width$}  {as_of:dates$}  {}{entries}; {}\n", set.name, set.source, set.licence)
    };
    sets.iter().map(line).collect::<Vec<_>>().concat()
}

/// A time as `--as-of` takes it: a day, or RFC 3339 with `Z` or an offset.
pub(super) fn time(text: &str) -> Result<Time, String> {
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return Ok(Time::from_civil(day.at(0, 0, 0, 0), Zone::Stated));
    }
    let at: jiff::Timestamp = text
        .parse()
        .map_err(|_| "expected a day such as 2026-11-25 or a time such as 2026-11-25T08:00:00Z".to_owned())?;
    Ok(Time::stated(at.as_second(), u32::try_from(at.subsec_nanosecond()).unwrap_or(0)))
}
