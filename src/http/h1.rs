//! HTTP/1.1 on one direction of a stream: [`Reader`] yields the head of each message (RFC 9112).
//!
//! Bodies are passed over by their length or their chunks; one that ends with the connection ends the
//! reading. A response to HEAD announces a body that never comes: where the next bytes are a status
//! line, it had none.

use super::fields::{Fields, SWITCHING};
use super::{Head, reader};
use crate::flow::{Interest, Origin, StreamReader};
use crate::limits::{DNS_MESSAGE_BYTES_MAX, HTTP_EXCHANGES_PER_CONNECTION_MAX, HTTP_HEAD_BYTES_MAX};
use crate::provenance::FrameNumber;

/// Reads one direction.
#[derive(Debug, Default)]
pub struct Reader {
    state: State,
    buffer: Vec<u8>,
    frames: Vec<FrameNumber>,
    time: Option<crate::provenance::Time>,
    count: u64,
    /// The heads so far.
    pub heads: Vec<Head>,
    /// Why reading stopped before its end.
    pub trouble: Option<String>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    /// So many bytes of a body; whether any of it came already.
    Body(u64, bool),
    /// A line with the length of a chunk.
    ChunkLength,
    /// So many bytes of a chunk with its line end.
    Chunk(u64),
    /// Lines up to an empty one.
    Trailer,
    Done,
}

/// Whether a response has no body although it announces one.
enum Bodiless<'b> {
    /// It has none, or that is not known yet; what comes behind the bytes looked at.
    Yes(&'b [u8]),
    /// It has one, of which so many bytes are still to come.
    No(u64),
}

impl StreamReader for Reader {
    fn feed(&mut self, bytes: &[u8], origin: Origin) -> Interest {
        let mut rest = bytes;
        while !rest.is_empty() && self.state != State::Done {
            rest = match self.state {
                State::Head => self.head(rest, origin),
                State::Body(left, is_begun) => self.body(rest, left, is_begun, origin),
                State::ChunkLength => self.line(rest, Self::chunk_length),
                State::Chunk(left) => self.chunk(rest, left),
                State::Trailer => self.line(rest, Self::trailer),
                State::Done => &[],
            };
        }
        if self.state == State::Done { Interest::Done } else { Interest::More }
    }

    fn hole(&mut self, missing: u64) -> Interest {
        match self.state {
            State::Body(left, _) if left > missing => {
                self.state = State::Body(left.saturating_sub(missing), true);
                self.spoil();
                Interest::More
            }
            _ => {
                self.stop(&format!("{missing} bytes are not in the capture"));
                Interest::Done
            }
        }
    }
}

impl Reader {
    fn stop(&mut self, why: &str) {
        self.state = State::Done;
        self.trouble = Some(why.to_owned());
    }

    /// Collects a head; gives back what comes behind it.
    fn head<'b>(&mut self, bytes: &'b [u8], origin: Origin) -> &'b [u8] {
        if self.buffer.is_empty() {
            self.time = origin.time;
            self.frames.clear();
        }
        if self.frames.last() != Some(&origin.frame) {
            self.frames.push(origin.frame);
        }
        let before = self.buffer.len();
        let looked_at = before.saturating_sub(3);
        let room = HTTP_HEAD_BYTES_MAX.saturating_sub(before).saturating_add(1);
        self.buffer.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let Some(end) = end_of_head(self.buffer.get(looked_at..).unwrap_or_default()) else {
            if self.buffer.len() > HTTP_HEAD_BYTES_MAX {
                self.stop("a head of more than 64 KiB");
            }
            return &[];
        };
        let end = looked_at.saturating_add(end);
        self.buffer.truncate(end);
        let head = std::mem::take(&mut self.buffer);
        let blank = head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let head = head.get(blank..).unwrap_or_default();
        match parse(head) {
            Some(fields) => self.begin_message(fields),
            None if head.is_empty() => {}
            None => self.stop("bytes that are no HTTP message"),
        }
        bytes.get(end.saturating_sub(before)..).unwrap_or_default()
    }

    fn begin_message(&mut self, fields: Fields) {
        let has_no_body = matches!(fields.status, Some(204 | 304)) || fields.is_interim();
        self.state = match (&fields.status, fields.length) {
            _ if fields.method.as_deref() == Some("CONNECT") || fields.status == Some(SWITCHING) => State::Done,
            _ if has_no_body => State::Head,
            _ if fields.is_chunked => State::ChunkLength,
            (_, Some(0)) | (None, None) => State::Head,
            (_, Some(length)) => State::Body(length, false),
            (Some(_), None) => State::Done,
        };
        if fields.is_interim() {
            return;
        }
        self.count = self.count.saturating_add(1);
        if self.heads.len() >= HTTP_EXCHANGES_PER_CONNECTION_MAX {
            self.stop(reader::TOO_MANY);
            return;
        }
        let (frames, time) = (self.frames.clone(), self.time);
        self.heads.push(Head { stream: self.count, fields, dns: Vec::new(), frames, time });
    }

    fn body<'b>(&mut self, bytes: &'b [u8], left: u64, is_begun: bool, origin: Origin) -> &'b [u8] {
        let is_response = self.heads.last().is_some_and(|head| head.fields.status.is_some());
        let left = if is_begun || !is_response {
            left
        } else {
            match self.bodiless(bytes, left, origin) {
                Bodiless::Yes(rest) => return rest,
                Bodiless::No(left) => left,
            }
        };
        let (part, rest, left) = split(bytes, left);
        self.keep(part);
        self.state = if left == 0 { State::Head } else { State::Body(left, true) };
        rest
    }

    /// Whether a status line stands where the body should begin; its first bytes are kept until that
    /// is known.
    fn bodiless<'b>(&mut self, bytes: &'b [u8], left: u64, origin: Origin) -> Bodiless<'b> {
        let before = self.buffer.len();
        if before == 0 {
            (self.frames, self.time) = (vec![origin.frame], origin.time);
        }
        let wanted = STATUS_LINE.len().saturating_sub(before).min(usize::try_from(left).unwrap_or(usize::MAX));
        let (part, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.buffer.extend_from_slice(part);
        if self.buffer == STATUS_LINE {
            self.state = State::Head;
            return Bodiless::Yes(rest);
        }
        let begun = u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        if STATUS_LINE.starts_with(&self.buffer) && begun < left {
            return Bodiless::Yes(rest);
        }
        let earlier = std::mem::take(&mut self.buffer);
        self.keep(earlier.get(..before).unwrap_or_default());
        Bodiless::No(left.saturating_sub(u64::try_from(before).unwrap_or(u64::MAX)))
    }

    fn chunk<'b>(&mut self, bytes: &'b [u8], left: u64) -> &'b [u8] {
        let (_, rest, left) = split(bytes, left);
        self.state = if left == 0 { State::ChunkLength } else { State::Chunk(left) };
        rest
    }

    /// Collects a line and hands it on without its end.
    fn line<'b>(&mut self, bytes: &'b [u8], take: fn(&mut Self, &[u8])) -> &'b [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at.saturating_add(1));
        let (part, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        self.buffer.extend_from_slice(part);
        if self.buffer.last() == Some(&b'\n') {
            let line = std::mem::take(&mut self.buffer);
            take(self, line.trim_ascii());
        } else if self.buffer.len() > HTTP_HEAD_BYTES_MAX {
            self.stop("a line of more than 64 KiB");
        }
        rest
    }

    fn chunk_length(&mut self, line: &[u8]) {
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let length = std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
        match length {
            Some(0) => self.state = State::Trailer,
            Some(length) => self.state = State::Chunk(length.saturating_add(2)),
            None => self.stop("a chunk without a length"),
        }
    }

    fn trailer(&mut self, line: &[u8]) {
        if line.is_empty() {
            self.state = State::Head;
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(head) = self.heads.last_mut().filter(|head| head.fields.is_dns)
            && head.dns.len().saturating_add(bytes.len()) <= DNS_MESSAGE_BYTES_MAX
        {
            head.dns.extend_from_slice(bytes);
        }
    }

    fn spoil(&mut self) {
        if let Some(head) = self.heads.last_mut() {
            head.fields.is_dns = false;
            head.dns.clear();
        }
    }
}

const STATUS_LINE: &[u8] = b"HTTP/1.";

/// The part of so many bytes that is here, what comes behind it, and how many are still to come.
fn split(bytes: &[u8], left: u64) -> (&[u8], &[u8], u64) {
    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    let (part, rest) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
    (part, rest, left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX)))
}

/// Where the empty line behind a head ends.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let crlf = bytes.windows(4).position(|it| it == b"\r\n\r\n").map(|at| at.saturating_add(4));
    let lf = bytes.windows(2).position(|it| it == b"\n\n").map(|at| at.saturating_add(2));
    match (crlf, lf) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn parse(head: &[u8]) -> Option<Fields> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut fields = Fields::default();
    start_line(lines.next()?, &mut fields)?;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':');
        if let Some((name, value)) = colon.and_then(|at| line.split_at_checked(at)) {
            fields.take(name, value.get(1..).unwrap_or_default());
        }
    }
    Some(fields)
}

fn start_line(line: &[u8], fields: &mut Fields) -> Option<()> {
    let text = std::str::from_utf8(line).ok()?;
    let mut words = text.split(' ');
    let first = words.next()?;
    if first.starts_with("HTTP/1.") {
        fields.status = Some(words.next()?.parse().ok()?);
        return Some(());
    }
    let target = words.next()?;
    if !words.next_back()?.starts_with("HTTP/1.")
        || !first.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
    {
        return None;
    }
    fields.method = Some(first.to_owned());
    if let Some((_, rest)) = target.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        fields.take(b":authority", authority.rsplit('@').next().unwrap_or(authority).as_bytes());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\
        x-amzn-ErrorType: ForbiddenException\r\nSet-Cookie: secret=1\r\n\r\nHTTP/HTTP/1.1 200 OK\r\n\
        Transfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n0\r\nTrailer: x\r\n\r\nHTTP/1.1 301 Moved\r\n\
        Content-Length: 100\r\nLocation: https://user:pw@other.example/secret?token=1\r\n\r\nHTTP/1.1 204 Gone\n\n";

    fn read(parts: &[&[u8]]) -> Reader {
        let mut reader = Reader::default();
        for (number, part) in (1..).zip(parts) {
            reader.feed(part, Origin { frame: FrameNumber(number), time: None });
        }
        reader
    }

    #[test]
    fn split_at_every_byte_it_reads_the_same() {
        for at in 0..TALK.len() {
            let (one, other) = TALK.split_at(at);
            let heads = read(&[one, other]).heads;
            let statuses: Vec<_> = heads.iter().map(|head| (head.stream, head.fields.status.unwrap())).collect();
            assert_eq!(statuses, [(1, 403), (2, 200), (3, 301), (4, 204)], "split at {at}");
            assert_eq!(heads[0].fields.headers["x-amzn-errortype"], "ForbiddenException");
            assert_eq!(heads[0].fields.headers.len(), 1, "no cookie is kept");
            assert_eq!(heads[2].fields.headers["location"], "https://other.example/");
        }
        let bytes: Vec<&[u8]> = TALK.chunks(1).collect();
        assert_eq!(read(&bytes).heads.len(), 4);
    }

    #[test]
    fn requests_name_their_authority() {
        for (request, authority) in [
            (&b"GET /a HTTP/1.1\r\nHost: www.example.com:8080\r\n\r\n"[..], Some("www.example.com:8080")),
            (b"GET http://u:p@one.example/x HTTP/1.1\r\nHost: two.example\r\n\r\n", Some("one.example")),
            (b"\r\nPOST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nxx", None),
        ] {
            let heads = read(&[request]).heads;
            assert_eq!(heads[0].fields.authority.as_deref(), authority, "{}", String::from_utf8_lossy(request));
        }
    }

    #[test]
    fn what_is_no_http_ends_the_reading() {
        for (bytes, trouble) in [
            (&b"GET / HTTP/1.1\r\n\r\n\x16\x03\x01\r\n\r\n"[..], Some("bytes that are no HTTP message")),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Some("a chunk without a length")),
            (b"HTTP/1.1 101 Switching Protocols\r\n\r\nanything", None),
            (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", None),
        ] {
            let reader = read(&[bytes]);
            assert_eq!((reader.heads.len(), reader.trouble.as_deref()), (1, trouble));
        }
    }

    #[test]
    fn a_hole_in_a_body_is_passed_over() {
        let mut reader = read(&[b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"]);
        assert_eq!(reader.hole(4), Interest::More);
        reader.feed(b"ghijHTTP/1.1 404 Not Found\r\n\r\n", Origin { frame: FrameNumber(2), time: None });
        assert_eq!(reader.heads.len(), 2);
        assert_eq!(reader.hole(4), Interest::Done);
    }
}
