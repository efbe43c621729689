//! What is within compressed files and archives, as sources of their own: [`Members`].
//!
//! Formats are known by their first bytes, never by a name. One thread per file unpacks while others
//! analyse what it has unpacked so far, through a channel that holds a few pieces; nothing is written
//! anywhere. A file that is compressed and no archive keeps its name; a member of an archive is
//! called `archive!member`, whose name is text here and no path, so that `../` in it does no harm.
//!
//! Input is hostile: how much may come out, how deep archives lie in archives and how many members
//! they have is bounded in [`limits`], and reaching a bound is told. What is damaged gives what came
//! before the damage, and says so.

mod archive;
mod channel;
mod compressed;
mod mail;
mod meter;
mod peek;
mod recording;

use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::input::Source;
use crate::limits;
use crate::provenance::GapReason;

use meter::Meter;
use peek::Peek;

/// One source within a file.
pub struct Member {
    /// Its name in every output.
    pub name: String,
    /// Its bytes, or why there are none.
    pub source: Result<Source, GapReason>,
}

/// The sources within one file, in its order; a file that is no container is its only member.
pub enum Members {
    /// The file itself.
    Itself(Option<Member>),
    /// What a thread unpacks.
    Unpacked(Unpacked),
}

/// The members that a thread unpacks.
pub struct Unpacked {
    name: String,
    members: Receiver<Member>,
    thread: Option<JoinHandle<()>>,
}

impl Members {
    /// The members of what lies in `source`.
    pub(super) fn of(name: &str, mut source: Source) -> io::Result<Self> {
        let head = source.head(HEAD_BYTES)?;
        let Some(format) = detect(&head) else {
            return Ok(Self::Itself(Some(Member { name: name.to_owned(), source: Ok(source) })));
        };
        let (sender, members) = sync_channel(0);
        let file = name.to_owned();
        let thread = std::thread::Builder::new()
            .name("unpack".to_owned())
            .spawn(move || unpack(&file, source, format, sender))?;
        Ok(Self::Unpacked(Unpacked { name: name.to_owned(), members, thread: Some(thread) }))
    }
}

impl Iterator for Members {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        match self {
            Self::Itself(member) => member.take(),
            Self::Unpacked(unpacked) => unpacked.next(),
        }
    }
}

impl Unpacked {
    fn next(&mut self) -> Option<Member> {
        if let Ok(member) = self.members.recv() {
            return Some(member);
        }
        let is_sound = self.thread.take()?.join().is_ok();
        let reason = GapReason::Unreadable("it cannot be unpacked".to_owned());
        (!is_sound).then(|| Member { name: self.name.clone(), source: Err(reason) })
    }
}

/// Whether a source holds others.
pub(super) fn is_container(source: &mut Source) -> io::Result<bool> {
    Ok(detect(&source.head(HEAD_BYTES)?).is_some())
}

/// A format that holds others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Compressed(compressed::Format),
    Tar,
    Zip,
    Mail,
    Recording,
}

fn detect(head: &[u8]) -> Option<Format> {
    if let Some(format) = compressed::detect(head) {
        return Some(Format::Compressed(format));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(Format::Zip);
    }
    if archive::is_tar(head) {
        return Some(Format::Tar);
    }
    if recording::is_recording(head) {
        return Some(Format::Recording);
    }
    mail::is_mail(head).then_some(Format::Mail)
}

/// Unpacks a file into the channel; whatever cannot be read becomes a member without a source.
fn unpack(name: &str, source: Source, format: Format, members: SyncSender<Member>) {
    let bytes = source.len();
    let meter = Rc::new(Meter::default());
    let mut file = Whole { source, position: 0, meter: Rc::clone(&meter) };
    let mut unpacker = Unpacker { members, meter, is_stopped: false };
    let depth = Depth::default();
    if format == Format::Zip
        && let Some(bytes) = bytes
    {
        unpacker.meter.read_all_of(bytes);
        unpacker.zip(name, io::BufReader::new(file), depth);
        return;
    }
    unpacker.walk(name, &mut file, depth);
}

/// How deep a source lies.
#[derive(Clone, Copy, Default)]
struct Depth {
    archives: usize,
    layers: usize,
}

struct Unpacker {
    members: SyncSender<Member>,
    meter: Rc<Meter>,
    /// Nobody wants more members.
    is_stopped: bool,
}

impl Unpacker {
    /// Unpacks what `reader` gives, or hands it on when it is no container.
    fn walk(&mut self, name: &str, reader: &mut dyn Read, depth: Depth) {
        let mut reader = Peek::new(reader);
        let format = match reader.peek(HEAD_BYTES) {
            Ok(head) => detect(head),
            Err(error) => return self.tell(name, GapReason::Unreadable(super::reason(&error))),
        };
        let Some(format) = format else {
            self.hand_on(name, &mut reader);
            return;
        };
        if depth.layers >= limits::UNPACKED_LAYERS_MAX {
            self.tell(name, too_deep("layers of compression and archives", limits::UNPACKED_LAYERS_MAX));
            return;
        }
        let inner = Depth { layers: depth.layers.saturating_add(1), ..depth };
        match format {
            Format::Compressed(format) => {
                let unpacked = compressed::open(format, reader);
                let mut metered = self.meter.around(unpacked);
                self.walk(name, &mut metered, inner);
            }
            Format::Tar | Format::Zip if depth.archives >= limits::ARCHIVES_DEEP_MAX => {
                self.tell(name, too_deep("archives within archives", limits::ARCHIVES_DEEP_MAX));
            }
            Format::Tar => self.tar(name, &mut reader, inner),
            Format::Mail => self.mail(name, &mut reader, inner),
            Format::Recording => self.recording(name, &mut reader, inner),
            Format::Zip => match in_memory(&mut reader, "bytes of a zip that does not lie in a file of its own") {
                Ok(bytes) => self.zip(name, io::Cursor::new(bytes), inner),
                Err(reason) => self.tell(name, reason),
            },
        }
    }

    /// Hands a source on, piece by piece.
    fn hand_on(&mut self, name: &str, reader: &mut dyn Read) {
        let (mut feed, stream) = channel::open();
        let source = Source::stream(Box::new(stream));
        if self.members.send(Member { name: name.to_owned(), source: Ok(source) }).is_err() {
            self.is_stopped = true;
            return;
        }
        feed.pump(reader);
    }

    /// A member without a source.
    fn tell(&mut self, name: &str, reason: GapReason) {
        self.is_stopped |= self.members.send(Member { name: name.to_owned(), source: Err(reason) }).is_err();
    }
}

fn too_deep(what: &str, limit: usize) -> GapReason {
    GapReason::Limit { what: what.to_owned(), limit: u64::try_from(limit).unwrap_or(u64::MAX) }
}

/// A zip says at its end what it holds, a mail's parts can lie in each other: these are read first.
fn in_memory(reader: &mut dyn Read, what: &str) -> Result<Vec<u8>, GapReason> {
    let mut bytes = Vec::new();
    let read = reader.take(limits::ZIP_IN_MEMORY_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes);
    if let Err(error) = read {
        return Err(GapReason::Unreadable(super::reason(&error)));
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limits::ZIP_IN_MEMORY_BYTES_MAX {
        return Err(GapReason::Limit { what: what.to_owned(), limit: limits::ZIP_IN_MEMORY_BYTES_MAX });
    }
    Ok(bytes)
}

/// The bytes of the file itself, which say at their end whether they changed meanwhile.
struct Whole {
    source: Source,
    position: u64,
    meter: Rc<Meter>,
}

impl Read for Whole {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = if self.source.len().is_none() {
            self.source.read_through(room)?
        } else {
            self.source.read_at(room, self.position)?
        };
        if read == 0 && !room.is_empty() && self.source.is_changed() {
            return Err(io::Error::other("the file changed while it was read"));
        }
        self.position = self.position.saturating_add(u64::try_from(read).unwrap_or(0));
        self.meter.read_all_of(self.position);
        Ok(read)
    }
}

impl Seek for Whole {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let end = self.source.len().unwrap_or(0);
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => end.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning");
        self.position = position.ok_or_else(before)?;
        Ok(self.position)
    }
}

/// A tar is known by the header of its first member.
const HEAD_BYTES: usize = 512;
