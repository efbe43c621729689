//! `whycert.toml`: defaults of the options, and findings that are known and accepted, each with a reason.
//!
//! The file of the current folder is read, or the one that `--config` names. What the command line says
//! wins.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::args::ColourChoice;
use crate::escape;
use crate::provenance::{Time, Zone};
use crate::report::select::{self, Ignore};

/// What the file can say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    pub(super) format: Option<String>,
    pub(super) color: Option<ColourChoice>,
    pub(super) width: Option<usize>,
    pub(super) ascii: Option<bool>,
    pub(super) threads: Option<u16>,
    pub(super) exit_zero: Option<bool>,
    #[serde(default)]
    pub(super) select: Vec<String>,
    #[serde(default, rename = "ignore")]
    ignored: Vec<toml::Spanned<IgnoreEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IgnoreEntry {
    rule: String,
    host: Option<String>,
    reason: String,
    until: Option<toml::value::Datetime>,
}

impl Settings {
    /// The settings of a run; none where there is no file. A file that cannot be read or is not of this
    /// form is an error that names the place.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, String> {
        let path = named.map_or_else(|| PathBuf::from(FILE_NAME), Path::to_owned);
        let name = escape::line(&path.to_string_lossy());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(format!("{name}: {}", crate::input::reason(&error))),
        };
        let settings: Self = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        for entry in &settings.ignored {
            let line = text.get(..entry.span().start).map_or(0, |before| before.lines().count()) + 1;
            entry.get_ref().ignore().map_err(|why| format!("{name}: line {line}: {why}"))?;
        }
        Ok(settings)
    }

    /// The findings that are accepted.
    pub(super) fn ignores(&self) -> Result<Vec<Ignore>, String> {
        self.ignored.iter().map(|entry| entry.get_ref().ignore()).collect()
    }
}

impl IgnoreEntry {
    fn ignore(&self) -> Result<Ignore, String> {
        if !select::is_known(&self.rule) {
            return Err(format!("expected the id of a rule, found {:?}", self.rule));
        }
        if self.reason.trim().is_empty() {
            return Err(format!("ignoring {} needs a reason", self.rule));
        }
        let until = self
            .until
            .as_ref()
            .map(|until| day(until).ok_or_else(|| format!("expected a date as 2026-12-31, found {until}")));
        Ok(Ignore {
            rule: self.rule.clone(),
            host: self.host.as_ref().map(|host| host.trim_end_matches('.').to_lowercase()),
            reason: self.reason.clone(),
            until: until.transpose()?,
        })
    }
}

/// The beginning of a day in UTC.
fn day(date: &toml::value::Datetime) -> Option<Time> {
    let date = date.date?;
    let (year, month, day) =
        (i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    Some(Time::from_civil(date.at(0, 0, 0, 0), Zone::Assumed))
}

const FILE_NAME: &str = "whycert.toml";
