//! What judging knows beyond the evidence ([`Knowledge`]): the provider table, the roots, address
//! ranges, the public suffix list, each with its date, and the time to judge at.
//!
//! The embedded sets stand unless a user brings others (`--data DIR`, `--roots FILE`). Nothing is
//! ever fetched.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::aws_ranges::AwsRanges;
use super::suffix;
use super::table::Table;
use crate::limits::DATA_BYTES_MAX;
use crate::provenance::Time;
use crate::x509::roots::{self, Roots};

/// All that is known beyond the evidence.
#[derive(Clone, Debug)]
pub struct Knowledge {
    /// Whom names and certificates belong to.
    pub providers: Table,
    /// The trusted roots.
    pub roots: Roots,
    /// Amazon's address ranges, where a user brought them.
    pub aws_ranges: Option<AwsRanges>,
    /// The time to judge dates at, instead of each handshake's own.
    pub as_of: Option<Time>,
}

/// A data set, as reports and `whycert data` list it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DataSet {
    /// Its name.
    pub name: &'static str,
    /// Its day, or the version of the crate that carries it.
    pub as_of: String,
    /// Where it comes from.
    pub source: String,
    /// How many entries it has; `None` where the crate does not say.
    pub entries: Option<usize>,
    /// Its licence.
    pub licence: &'static str,
}

/// Why data that a user brought cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", crate::escape::line(&file.to_string_lossy()))]
pub struct NoData {
    file: PathBuf,
    why: String,
}

impl Knowledge {
    /// The embedded data sets.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// With the files of a folder: `providers.toml` or `providers.json`, and `ip-ranges.json`.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, NoData> {
        let mut found = false;
        for name in ["providers.toml", "providers.json"] {
            let file = folder.join(name);
            let Some(bytes) = read(&file)? else { continue };
            let refused = |why: String| NoData { file: file.clone(), why };
            let text = String::from_utf8(bytes).map_err(|_| refused("not UTF-8".to_owned()))?;
            let table = if is_toml(name) { Table::from_toml(&text) } else { Table::from_json(&text) };
            let table = table.map_err(|error| refused(error.to_string()))?;
            self.providers = self.providers.extended_by(table);
            found = true;
        }
        let file = folder.join("ip-ranges.json");
        if let Some(bytes) = read(&file)? {
            let ranges = AwsRanges::read(&bytes).map_err(|why| NoData { file, why })?;
            self.aws_ranges = Some(ranges);
            found = true;
        }
        if found {
            return Ok(self);
        }
        let why = "expected providers.toml, providers.json or ip-ranges.json in this folder, found none".to_owned();
        Err(NoData { file: folder.to_owned(), why })
    }

    /// With the trust anchors of a file, PEM or DER, instead of the embedded roots.
    pub fn with_roots(mut self, file: &Path) -> Result<Self, NoData> {
        let refused = |why: String| NoData { file: file.to_owned(), why };
        let bytes = read(file)?.ok_or_else(|| refused("no such file".to_owned()))?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.roots = Roots::read(&name, &bytes).map_err(refused)?;
        Ok(self)
    }

    /// With a time to judge dates at.
    #[must_use]
    pub fn at(mut self, time: Option<Time>) -> Self {
        self.as_of = time;
        self
    }

    /// The data sets, by name.
    pub fn data_sets(&self) -> Vec<DataSet> {
        let mut sets = vec![DataSet {
            name: "providers",
            as_of: self.providers.as_of.clone(),
            source: "embedded table, extended by --data".to_owned(),
            entries: Some(self.providers.entries()),
            licence: "MIT OR Apache-2.0",
        }];
        sets.push(DataSet {
            name: "public-suffix-list",
            as_of: suffix::VERSION.to_owned(),
            source: "crate psl".to_owned(),
            entries: None,
            licence: "MPL-2.0 (list), MIT OR Apache-2.0 (crate)",
        });
        sets.push(DataSet {
            name: "roots",
            as_of: self.roots.as_of().to_owned(),
            source: self.roots.source(),
            entries: Some(self.roots.entries()),
            licence: if self.roots.is_embedded() { "CDLA-Permissive-2.0" } else { "the user's own" },
        });
        if let Some(ranges) = &self.aws_ranges {
            sets.insert(
                0,
                DataSet {
                    name: "aws-ip-ranges",
                    as_of: ranges.as_of.clone(),
                    source: "ip-ranges.json of --data".to_owned(),
                    entries: Some(ranges.entries()),
                    licence: "none stated",
                },
            );
        }
        sets
    }

    /// `providers of 2026-11-22`, to be named beside what was concluded with it.
    pub fn providers_dated(&self) -> String {
        format!("providers of {}", self.providers.as_of)
    }
}

fn is_toml(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|it| it == "toml")
}

/// The bytes of a file; `None` when there is none.
fn read(file: &Path) -> Result<Option<Vec<u8>>, NoData> {
    let refused = |why: String| NoData { file: file.to_owned(), why };
    let size = match file.metadata() {
        Ok(data) if data.is_file() => data.len(),
        Ok(_) => return Err(refused("expected a file".to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error.to_string())),
    };
    if size > DATA_BYTES_MAX {
        return Err(refused(format!("{size} bytes, more than {DATA_BYTES_MAX}")));
    }
    std::fs::read(file).map(Some).map_err(|error| refused(error.to_string()))
}

static EMBEDDED: LazyLock<Knowledge> = LazyLock::new(|| Knowledge {
    providers: Table::embedded().unwrap_or_else(|_| Table::empty()),
    roots: roots::embedded(),
    aws_ranges: None,
    as_of: None,
});
