//! Sources: the files of the command line, named and in order, ready to be read: [`gather`].
//!
//! A source carries a name that says nothing about the machine it lay on: the file name for a file,
//! the path within the folder for a folder, `-` for standard input. Names that clash are told apart
//! by the shortest differing part of their parents. The order is by name, whatever the order of the
//! arguments, and a file that is named twice is read once.
//!
//! Hidden entries of a folder (`.git`, `.DS_Store`) are not evidence and are passed over; a hidden
//! file or folder that is itself an argument is read. Devices, pipes and sockets are read as
//! arguments only, because one in a folder can block for ever.
//!
//! A file may hold several sources: compressed files and archives are unpacked (`unpack`).
//!
//! What is in a source is for others to say; here it is bytes: a [`Source`] and its [`Window`].

mod digest;
mod source;
mod stop;
mod unpack;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

pub use source::Source;
pub use stop::Stop;
pub use unpack::{Member, Members};
pub use window::{Digest, Ending, Finished, Room, Window};

use crate::limits;

/// The sources of a run and the paths that gave none.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What can be read, in the order of the names; no two names are equal.
    pub files: Vec<InputFile>,
    /// The name of what cannot be read and why, in the order of the names.
    pub unreadable: Vec<(String, String)>,
}

/// One source that has not been opened yet, so that ten thousand of them hold no file open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its name in every output.
    pub name: String,
    origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    StandardInput,
    Path(PathBuf),
}

impl InputFile {
    /// How many bytes it has; `None` for what is no regular file.
    pub fn bytes(&self) -> Option<u64> {
        let Origin::Path(path) = &self.origin else {
            return None;
        };
        let data = fs::metadata(path).ok()?;
        data.is_file().then_some(data.len())
    }

    /// Whether it can be opened more than once.
    pub fn is_readable_again(&self) -> bool {
        self.origin != Origin::StandardInput
    }

    /// Whether it is compressed or an archive; a file that cannot be read is none.
    pub fn is_container(&self) -> bool {
        self.open().and_then(|mut source| unpack::is_container(&mut source)).unwrap_or(false)
    }

    /// The sources within it: itself, or what is in it when it is compressed or an archive.
    pub fn members(&self) -> io::Result<Members> {
        Members::of(&self.name, self.open()?)
    }

    /// Opens it for reading. Standard input can be opened once.
    pub fn open(&self) -> io::Result<Source> {
        match &self.origin {
            Origin::StandardInput => Ok(Source::stream(Box::new(io::stdin()))),
            Origin::Path(path) => Source::open(path),
        }
    }
}

/// Finds the files behind `paths`: files, folders with all that is below them, `-`.
pub fn gather(paths: &[PathBuf]) -> Gathered {
    let mut search = Search::default();
    for path in paths {
        search.argument(path);
    }
    search.finish()
}

/// The words of an i/o error, without its number.
pub fn reason(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or(&words);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A path that was found, with what names it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    /// The parts of the name, the file name last.
    parts: Vec<String>,
    /// How many parts, from the last, are the name so far.
    shown: usize,
    path: PathBuf,
    trouble: Option<String>,
}

impl Found {
    /// What lies at `path`, named by its last `shown` parts.
    fn new(path: &Path, shown: usize, trouble: Option<String>) -> Self {
        Self { parts: parts_of(path), shown: shown.max(1), path: path.to_owned(), trouble }
    }

    fn name(&self) -> String {
        let hidden = self.parts.len().saturating_sub(self.shown);
        let shown: Vec<&str> = self.parts.iter().skip(hidden).map(String::as_str).collect();
        shown.join("/")
    }
}

#[derive(Default)]
struct Search {
    found: Vec<Found>,
    standard_input: bool,
    folders: BTreeSet<PathBuf>,
    is_full: bool,
}

impl Search {
    fn argument(&mut self, path: &Path) {
        if path.as_os_str() == "-" {
            self.standard_input = true;
            return;
        }
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => self.folder(path, 0),
            Ok(_) => self.found.push(Found::new(path, 1, None)),
            Err(error) => self.found.push(Found::new(path, 1, Some(reason(&error)))),
        }
    }

    /// Takes the files of a folder that is `depth` folders below its argument.
    fn folder(&mut self, path: &Path, depth: usize) {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if !self.folders.insert(real) {
            return;
        }
        if depth >= limits::FOLDER_DEPTH_MAX {
            let why = format!("more than {} folders deep", limits::FOLDER_DEPTH_MAX);
            self.found.push(Found::new(path, depth, Some(why)));
            return;
        }
        match entries(path) {
            Ok(entries) => {
                for entry in entries {
                    self.entry(&entry, depth + 1);
                }
            }
            Err(error) => self.found.push(Found::new(path, depth, Some(reason(&error)))),
        }
    }

    fn entry(&mut self, path: &Path, depth: usize) {
        if self.is_full {
            return;
        }
        if self.found.len() >= limits::FILES_MAX {
            self.is_full = true;
            let why = format!("more than {} files; the rest is not read", limits::FILES_MAX);
            self.found.push(Found::new(path, depth, Some(why)));
            return;
        }
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => self.folder(path, depth),
            Ok(data) if data.is_file() => self.found.push(Found::new(path, depth, None)),
            Ok(_) => {}
            Err(error) => self.found.push(Found::new(path, depth, Some(reason(&error)))),
        }
    }

    fn finish(mut self) -> Gathered {
        self.found.sort();
        forget_repeats(&mut self.found);
        tell_apart(&mut self.found);
        let mut gathered = Gathered::default();
        if self.standard_input {
            gathered.files.push(InputFile { name: "-".to_owned(), origin: Origin::StandardInput });
        }
        for (name, found) in numbered(self.found) {
            match found.trouble {
                Some(why) => gathered.unreadable.push((name, why)),
                None => gathered.files.push(InputFile { name, origin: Origin::Path(found.path) }),
            }
        }
        gathered.files.sort_by(|left, right| left.name.cmp(&right.name));
        gathered.unreadable.sort();
        gathered
    }
}

/// The visible entries of a folder, in order.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)?.take(limits::FILES_MAX.saturating_add(1)) {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

/// The parts of a path from the root, without `.` and `..`; never a drive or a slash.
fn parts_of(path: &Path) -> Vec<String> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut parts = Vec::new();
    for component in absolute.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::ParentDir => {
                parts.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    parts
}

/// Keeps one of the paths that are the same file. `found` is sorted, so that the choice does not
/// depend on the order of the arguments.
fn forget_repeats(found: &mut Vec<Found>) {
    let mut seen = BTreeSet::new();
    found.retain(|found| {
        let real = fs::canonicalize(&found.path);
        seen.insert(real.unwrap_or_else(|_| found.parts.iter().collect()))
    });
}

/// Shows one more parent of every name that another one has, until no two are equal.
fn tell_apart(found: &mut [Found]) {
    loop {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for found in &*found {
            *count.entry(found.name()).or_default() += 1;
        }
        let mut is_changed = false;
        for found in &mut *found {
            let clashes = count.get(&found.name()).is_some_and(|count| *count > 1);
            if clashes && found.shown < found.parts.len() {
                found.shown += 1;
                is_changed = true;
            }
        }
        if !is_changed {
            return;
        }
    }
}

/// The final names. A number is added where the parents do not help: names that differ in bytes
/// which are no text.
fn numbered(found: Vec<Found>) -> Vec<(String, Found)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut named = Vec::with_capacity(found.len());
    for found in found {
        let name = found.name();
        let nth = seen.entry(name.clone()).or_default();
        *nth += 1;
        let name = if *nth > 1 { format!("{name} ({nth})") } else { name };
        named.push((name, found));
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(gathered: &Gathered) -> Vec<&str> {
        let names = gathered.files.iter();
        names.map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn names_are_short_and_told_apart() {
        let root = tempfile::tempdir().unwrap();
        for file in ["a/x/c.pcap", "b/x/c.pcap", "b/y/c.pcap", "b/d.txt", "b/.hidden", ".named"] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let cases: [(&[&str], &[&str]); 8] = [
            (&["a/x/c.pcap"], &["c.pcap"]),
            (&["a/x/c.pcap", "b/x/../x/c.pcap"], &["a/x/c.pcap", "b/x/c.pcap"]),
            (&["b/y/c.pcap", "b/x/c.pcap", "a/x/c.pcap"], &["a/x/c.pcap", "b/x/c.pcap", "y/c.pcap"]),
            (&["a/x/c.pcap", "a/./x/c.pcap"], &["c.pcap"]),
            (&["b"], &["d.txt", "x/c.pcap", "y/c.pcap"]),
            (&["a", "b"], &["a/x/c.pcap", "b/x/c.pcap", "d.txt", "y/c.pcap"]),
            (&[".named", "-"], &["-", ".named"]),
            (&["-"], &["-"]),
        ];
        for (arguments, expected) in cases {
            let mut paths: Vec<PathBuf> = arguments
                .iter()
                .map(|path| match *path {
                    "-" => PathBuf::from("-"),
                    path => root.path().join(path),
                })
                .collect();
            for _ in 0..2 {
                assert_eq!(names(&gather(&paths)), expected, "{arguments:?}");
                paths.reverse();
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let root = tempfile::tempdir().unwrap();
        let gathered = gather(&[root.path().join("nothing.pcap"), root.path().to_owned()]);
        assert!(gathered.files.is_empty());
        assert_eq!(gathered.unreadable, [("nothing.pcap".to_owned(), "no such file or directory".to_owned())]);
    }

    #[cfg(unix)]
    #[test]
    fn loops_of_links_end() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/f"), "f").unwrap();
        std::os::unix::fs::symlink("..", root.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink("f", root.path().join("a/g")).unwrap();
        std::os::unix::fs::symlink("gone", root.path().join("a/broken")).unwrap();
        let gathered = gather(&[root.path().to_owned()]);
        assert_eq!(names(&gathered), ["a/f"]);
        assert_eq!(gathered.unreadable.len(), 1);
        assert_eq!(gathered.unreadable[0].0, "a/broken");
    }
}
