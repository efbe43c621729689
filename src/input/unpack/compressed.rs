//! Compressed streams: [`open`] gives what they hold, one frame after another.
//!
//! The decoders need no C: flate2 with zlib-rs, ruzstd, lz4_flex, lzma-rust2, and bzip2 with
//! libbz2-rs. `gzip`, `zstd` and `lz4` files may hold several frames (RFC 1952 section 2.2, RFC 8878
//! section 3.1), as `cat` and parallel compressors leave them; xz and bzip2 see to it themselves.

use std::io::{self, BufRead, Read};

use crate::input::unpack::peek::Peek;
use crate::limits;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Zstd,
    Lz4,
    Xz,
    Bzip2,
}

pub(super) fn detect(head: &[u8]) -> Option<Format> {
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Format::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Format::Zstd),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some(Format::Lz4),
        // A frame to be passed over, before one of zstd or lz4 (RFC 8878 section 3.1.2).
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, rest @ ..] => {
            let (length, rest) = rest.split_first_chunk()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            rest.get(length..).map_or(Some(Format::Zstd), |rest| detect(rest).or(Some(Format::Zstd)))
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Format::Xz),
        [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] if BZIP2_BLOCKS.iter().any(|it| block.starts_with(it)) => {
            Some(Format::Bzip2)
        }
        _ => None,
    }
}

/// What a stream holds.
pub(super) fn open<'r>(format: Format, stream: Peek<&'r mut dyn Read>) -> Box<dyn Read + 'r> {
    match format {
        Format::Gzip => Box::new(Frames::<Gzip<_>>::new(stream)),
        Format::Zstd => Box::new(Frames::<Zstd<_>>::new(stream)),
        Format::Lz4 => Box::new(Frames::<Lz4<_>>::new(stream)),
        Format::Xz => {
            Box::new(Named("xz", lzma_rust2::XzReader::new_mem_limit(stream, true, limits::XZ_MEMORY_KIB_MAX)))
        }
        Format::Bzip2 => Box::new(Named("bzip2", bzip2::bufread::MultiBzDecoder::new(stream))),
    }
}

/// A decoder whose errors say what it decodes.
struct Named<D>(&'static str, D);

impl<D: Read> Read for Named<D> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.1.read(room).map_err(|error| damaged(self.0, &error))
    }
}

fn damaged(name: &str, error: &io::Error) -> io::Error {
    // ruzstd tells the end of its input in words only.
    let is_cut = error.kind() == io::ErrorKind::UnexpectedEof || error.to_string().contains("UnexpectedEof");
    if is_cut {
        return io::Error::new(io::ErrorKind::UnexpectedEof, format!("the {name} stream ends in the middle"));
    }
    io::Error::new(error.kind(), format!("the {name} stream is damaged: {error}"))
}

/// The decoder of one frame.
trait Frame<R>: Read + Sized {
    const NAME: &'static str;
    const FORMAT: Format;

    fn begin(stream: R) -> io::Result<Self>;
    fn end(self) -> R;
}

struct Gzip<R>(flate2::bufread::GzDecoder<R>);

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.read(room)
    }
}

impl<R: BufRead> Frame<R> for Gzip<R> {
    const NAME: &'static str = "gzip";
    const FORMAT: Format = Format::Gzip;

    fn begin(stream: R) -> io::Result<Self> {
        Ok(Self(flate2::bufread::GzDecoder::new(stream)))
    }

    fn end(self) -> R {
        self.0.into_inner()
    }
}

struct Zstd<R: Read>(ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>);

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.read(room)
    }
}

impl<R: BufRead> Frame<R> for Zstd<R> {
    const NAME: &'static str = "zstd";
    const FORMAT: Format = Format::Zstd;

    fn begin(stream: R) -> io::Result<Self> {
        let decoder = ruzstd::decoding::StreamingDecoder::new(stream);
        decoder.map(Self).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }

    fn end(self) -> R {
        self.0.into_inner()
    }
}

struct Lz4<R: Read>(lz4_flex::frame::FrameDecoder<R>);

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.read(room)
    }
}

impl<R: BufRead> Frame<R> for Lz4<R> {
    const NAME: &'static str = "lz4";
    const FORMAT: Format = Format::Lz4;

    fn begin(stream: R) -> io::Result<Self> {
        Ok(Self(lz4_flex::frame::FrameDecoder::new(stream)))
    }

    fn end(self) -> R {
        self.0.into_inner()
    }
}

type Stream<'r> = Peek<&'r mut dyn Read>;

/// One frame after another, until the end, or until zeros that fill up a block of a tape.
struct Frames<'r, F> {
    frame: Option<F>,
    between: Option<Stream<'r>>,
    is_first: bool,
}

impl<'r, F: Frame<Stream<'r>>> Frames<'r, F> {
    fn new(stream: Stream<'r>) -> Self {
        Self { frame: None, between: Some(stream), is_first: true }
    }

    /// Begins the next frame; none when the stream is over.
    fn begin(&mut self, mut stream: Stream<'r>) -> io::Result<Option<F>> {
        loop {
            let head = stream.peek(MAGIC_BYTES)?;
            if head.is_empty() {
                return Ok(None);
            }
            if let Some([0x50..=0x5f, 0x2a, 0x4d, 0x18, length @ ..]) = head.first_chunk::<8>() {
                let skipped = u64::from(u32::from_le_bytes(*length)).saturating_add(8);
                io::copy(&mut (&mut stream).take(skipped), &mut io::sink())?;
                continue;
            }
            if detect(head) == Some(F::FORMAT) {
                self.is_first = false;
                return F::begin(stream).map(Some);
            }
            let zeros = head.iter().take_while(|byte| **byte == 0).count();
            if self.is_first || zeros == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "other bytes stand behind its end"));
            }
            stream.consume(zeros);
        }
    }
}

impl<'r, F: Frame<Stream<'r>>> Read for Frames<'r, F> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(mut frame) = self.frame.take() else {
                let Some(stream) = self.between.take() else {
                    return Ok(0);
                };
                self.frame = self.begin(stream).map_err(|error| damaged(F::NAME, &error))?;
                continue;
            };
            let read = frame.read(room).map_err(|error| damaged(F::NAME, &error))?;
            if read > 0 || room.is_empty() {
                self.frame = Some(frame);
                return Ok(read);
            }
            self.between = Some(frame.end());
        }
    }
}

/// What tells a frame from what is passed over.
const MAGIC_BYTES: usize = 10;
/// How the first block of bzip2 begins, and the end of a file that holds none.
const BZIP2_BLOCKS: [[u8; 6]; 2] = [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]];
