//! The members of tar and zip archives, each unpacked in its turn.
//!
//! As in a folder, hidden members are passed over, and so are links, devices and what macOS adds.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use super::{Depth, Unpacker};
use crate::limits;
use crate::provenance::GapReason;

/// The names of members so far, so that no two are equal.
#[derive(Default)]
pub(super) struct Names {
    seen: BTreeMap<String, usize>,
    count: usize,
}

impl Names {
    /// The name of the member in outputs; `None` when it is passed over.
    pub(super) fn of(&mut self, archive: &str, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | "..")).collect();
        if parts.is_empty() || parts.iter().any(|part| part.starts_with('.') || *part == "__MACOSX") {
            return None;
        }
        self.count = self.count.saturating_add(1);
        let name = parts.join("/");
        let nth = self.seen.entry(name.clone()).or_default();
        *nth = nth.saturating_add(1);
        Some(if *nth > 1 { format!("{archive}!{name} ({nth})") } else { format!("{archive}!{name}") })
    }

    pub(super) fn is_full(&self) -> bool {
        self.count >= limits::ARCHIVE_MEMBERS_MAX
    }
}

impl Unpacker {
    /// The files of a tar, in order.
    pub(super) fn tar(&mut self, name: &str, reader: &mut dyn Read, depth: Depth) {
        let depth = Depth { archives: depth.archives.saturating_add(1), ..depth };
        let mut names = Names::default();
        let mut archive = tar::Archive::new(reader);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return self.tell(name, broken("tar", &error)),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.tell(name, broken("tar", &error)),
            };
            let kind = entry.header().entry_type();
            if !kind.is_file() && !kind.is_contiguous() && !kind.is_gnu_sparse() {
                continue;
            }
            if names.is_full() {
                return self.tell(name, full());
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if let Some(member) = names.of(name, &path) {
                let left = entry.size();
                self.walk(&member, &mut Exact { reader: entry, left }, depth);
            }
            if self.is_stopped {
                return;
            }
        }
        if names.count == 0 {
            self.tell(name, nothing());
        }
    }

    /// The files of a zip, in the order of its directory.
    pub(super) fn zip<R: Read + Seek>(&mut self, name: &str, reader: R, depth: Depth) {
        let depth = Depth { archives: depth.archives.saturating_add(1), ..depth };
        let mut archive = match zip::ZipArchive::new(reader) {
            Ok(archive) => archive,
            Err(error) => return self.tell(name, unusable(&error)),
        };
        let is_document = archive.file_names().flatten().any(|it| OFFICE.contains(&it.as_ref()));
        if is_document {
            return self.tell(name, GapReason::Unrecognised(" (an office document; send the text instead)".to_owned()));
        }
        let mut names = Names::default();
        for index in 0..archive.len() {
            if names.is_full() {
                return self.tell(name, full());
            }
            self.zip_member(name, &mut archive, index, &mut names, depth);
            if self.is_stopped {
                return;
            }
        }
        if names.count == 0 {
            self.tell(name, nothing());
        }
    }

    fn zip_member<R: Read + Seek>(
        &mut self,
        name: &str,
        archive: &mut zip::ZipArchive<R>,
        index: usize,
        names: &mut Names,
        depth: Depth,
    ) {
        let path = match archive.name_for_index(index) {
            Some(Ok(path)) => path.into_owned(),
            _ => format!("member {}", index.saturating_add(1)),
        };
        if path.ends_with(['/', '\\']) {
            return;
        }
        let Some(member) = names.of(name, &path) else {
            return;
        };
        match archive.by_index(index) {
            Ok(file) if !file.is_file() => {}
            Ok(file) => {
                let mut metered = self.meter.around(file);
                self.walk(&member, &mut metered, depth);
            }
            Err(error) => self.tell(&member, unusable(&error)),
        }
    }
}

/// A member of a tar that must give all the bytes that its header promises.
struct Exact<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(room)?;
        if read == 0 && !room.is_empty() && self.left > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends in the middle of it"));
        }
        self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

/// Whether a file begins with the header of a tar member: its magic word, or, in tars from before
/// POSIX, a checksum that fits.
pub(super) fn is_tar(head: &[u8]) -> bool {
    if head.get(257..262) == Some(b"ustar") {
        return true;
    }
    let (Some(header), Some(field)) = (head.get(..512), head.get(148..156)) else {
        return false;
    };
    let digits: String = field.iter().map(|byte| char::from(*byte)).collect();
    let Ok(claimed) = u32::from_str_radix(digits.trim_matches([' ', '\0']), 8) else {
        return false;
    };
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let of_field: u32 = field.iter().map(|byte| u32::from(*byte)).sum();
    let blanks = u32::from(b' ').saturating_mul(8);
    head.first() != Some(&0) && sum.saturating_sub(of_field).saturating_add(blanks) == claimed
}

fn broken(format: &str, error: &io::Error) -> GapReason {
    let words = crate::input::reason(error);
    GapReason::Unreadable(format!("the {format} archive is damaged or ends early: {words}; members behind are lost"))
}

fn unusable(error: &zip::result::ZipError) -> GapReason {
    GapReason::Unreadable(format!("zip: {}", error.to_string().to_lowercase()))
}

pub(super) fn full() -> GapReason {
    let limit = u64::try_from(limits::ARCHIVE_MEMBERS_MAX).unwrap_or(u64::MAX);
    GapReason::Limit { what: "members of an archive".to_owned(), limit }
}

fn nothing() -> GapReason {
    GapReason::Unrecognised(" (an archive that holds no file)".to_owned())
}

/// The members that only office documents have.
const OFFICE: [&str; 2] = ["[Content_Types].xml", "META-INF/manifest.xml"];
