//! An open source: a regular file read by position, or a stream read once: [`Source`].

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use crate::input::window::{Digest, Window};

/// An open source of bytes, opened read-only.
pub struct Source {
    body: Body,
    /// What was read from a stream ahead of its window.
    ahead: Vec<u8>,
}

enum Body {
    File { file: File, at_first: Stamp },
    Stream(Box<dyn Read + Send>),
}

/// What tells that a file changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(data: &Metadata) -> Self {
        Self { bytes: data.len(), modified: data.modified().ok() }
    }
}

impl Source {
    /// Opens the file at `path`; a pipe or a device becomes a stream.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let data = file.metadata()?;
        if !data.is_file() {
            return Ok(Self::stream(Box::new(file)));
        }
        let at_first = Stamp::of(&data);
        Ok(Self { body: Body::File { file, at_first }, ahead: Vec::new() })
    }

    /// A source whose bytes come once, in order.
    pub fn stream(stream: Box<dyn Read + Send>) -> Self {
        Self { body: Body::Stream(stream), ahead: Vec::new() }
    }

    /// How many bytes the file had when it was opened; `None` for a stream.
    pub fn len(&self) -> Option<u64> {
        match &self.body {
            Body::File { at_first, .. } => Some(at_first.bytes),
            Body::Stream(_) => None,
        }
    }

    /// Whether it is a file without a byte; a stream is only known at its end.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The first bytes, up to `bytes_max`, which are still there for the window.
    pub fn head(&mut self, bytes_max: usize) -> io::Result<Vec<u8>> {
        let mut head = vec![0; bytes_max];
        let mut filled = self.ahead.len().min(bytes_max);
        for (to, from) in head.iter_mut().zip(&self.ahead) {
            *to = *from;
        }
        while let Some(room) = head.get_mut(filled..).filter(|room| !room.is_empty()) {
            let position = u64::try_from(filled).unwrap_or(u64::MAX);
            let read = self.read_at(room, position)?;
            if read == 0 {
                break;
            }
            filled = filled.saturating_add(read);
        }
        head.truncate(filled);
        if self.len().is_none() && self.ahead.len() < head.len() {
            self.ahead.clone_from(&head);
        }
        Ok(head)
    }

    /// Up to `bytes_max` bytes of a file from `position`; nothing of a stream.
    pub fn part(&self, position: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let Some((file, bytes)) = self.file() else {
            return Ok(Vec::new());
        };
        let left = usize::try_from(bytes.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut part = vec![0; bytes_max.min(left)];
        let mut filled = 0_usize;
        while let Some(room) = part.get_mut(filled..).filter(|room| !room.is_empty()) {
            let at = position.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            match read_file_at(file, room, at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) => break,
                read => filled = filled.saturating_add(read?),
            }
        }
        part.truncate(filled);
        Ok(part)
    }

    /// A window over all its bytes.
    pub fn window(self, digest: Digest) -> Window {
        Window::new(self, digest)
    }

    /// The file and its length when it was opened.
    pub(super) fn file(&self) -> Option<(&File, u64)> {
        match &self.body {
            Body::File { file, at_first } => Some((file, at_first.bytes)),
            Body::Stream(_) => None,
        }
    }

    /// What was read ahead from a stream, which the window begins with.
    pub(super) fn take_ahead(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ahead)
    }

    /// Reads what comes next in a stream, what was read ahead included.
    pub(super) fn read_through(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            return self.read_at(room, 0);
        }
        let taken = self.ahead.as_slice().read(room)?;
        self.ahead.drain(..taken);
        Ok(taken)
    }

    /// Reads at `position` of a file, or what comes next in a stream; 0 is the end. A file that
    /// grows meanwhile ends where it ended when it was opened.
    pub(super) fn read_at(&mut self, room: &mut [u8], position: u64) -> io::Result<usize> {
        loop {
            let read = match &mut self.body {
                Body::File { file, at_first } => {
                    let left = at_first.bytes.saturating_sub(position);
                    let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
                    room.get_mut(..wanted).map_or(Ok(0), |room| read_file_at(file, room, position))
                }
                Body::Stream(stream) => stream.read(room),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Whether the file is no longer the one that was opened.
    pub(super) fn is_changed(&self) -> bool {
        match &self.body {
            Body::File { file, at_first } => file.metadata().is_ok_and(|data| Stamp::of(&data) != *at_first),
            Body::Stream(_) => false,
        }
    }
}

#[cfg(unix)]
pub(super) fn read_file_at(file: &File, room: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, room, position)
}

#[cfg(windows)]
pub(super) fn read_file_at(file: &File, room: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, room, position)
}
