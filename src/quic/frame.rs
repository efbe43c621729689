//! Frames of an opened packet: [`frames`] (RFC 9000 section 19), as far as they matter here.

use nom::IResult;
use nom::bytes::complete::take;
use nom::number::complete::be_u8;

use super::packet::varint;
use super::version::Version;

/// A frame that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'b> {
    /// Bytes of the TLS handshake.
    Crypto {
        /// Where they stand.
        offset: u64,
        /// The bytes.
        bytes: &'b [u8],
    },
    /// Bytes of a stream.
    Stream {
        /// Which stream.
        id: u64,
        /// Where they stand.
        offset: u64,
        /// The bytes.
        bytes: &'b [u8],
    },
    /// The sender can be reached under one more connection id.
    NewConnectionId(&'b [u8]),
    /// The end of the connection, said by the transport.
    Close {
        /// The error code (RFC 9000 section 20.1).
        code: u64,
    },
    /// One that does not matter here.
    Other,
}

/// The frames of a packet. The second value is false when one could not be read; what comes behind
/// it is lost. Google's `T050` and `T051` wrote CRYPTO frames with the type 8.
pub fn frames(payload: &[u8], version: Version) -> (Vec<Frame<'_>>, bool) {
    let mut found = Vec::new();
    let mut rest = payload;
    while !rest.is_empty() {
        let read = match rest.strip_prefix(&[GOOGLE_CRYPTO]) {
            Some(behind) if version.is_google_tls() => crypto(behind),
            _ => frame(rest),
        };
        match read {
            Ok((behind, Frame::Other)) => rest = behind,
            Ok((behind, it)) => {
                found.push(it);
                rest = behind;
            }
            Err(_) => return (found, false),
        }
    }
    (found, true)
}

fn frame(bytes: &[u8]) -> IResult<&[u8], Frame<'_>> {
    let (rest, kind) = varint(bytes)?;
    match kind {
        0x00 | 0x01 | 0x1e => Ok((rest, Frame::Other)),
        0x02 | 0x03 => acknowledgement(rest, kind == 0x03),
        0x10 | 0x12 | 0x13 | 0x14 | 0x16 | 0x17 | 0x19 => numbers(rest, 1),
        0x05 | 0x11 | 0x15 => numbers(rest, 2),
        0x04 => numbers(rest, 3),
        0x06 => crypto(rest),
        0x07 | 0x31 => counted(rest).map(|(rest, _)| (rest, Frame::Other)),
        0x08..=0x0f => stream(rest, kind),
        0x18 => new_connection_id(rest),
        0x1a | 0x1b => take(8_usize)(rest).map(|(rest, _)| (rest, Frame::Other)),
        0x1c => {
            let (rest, code) = varint(rest)?;
            let (rest, _) = varint(rest)?;
            let (rest, _) = counted(rest)?;
            Ok((rest, Frame::Close { code }))
        }
        0x1d => {
            let (rest, _) = varint(rest)?;
            counted(rest).map(|(rest, _)| (rest, Frame::Other))
        }
        0x30 => Ok((&[], Frame::Other)),
        _ => Err(nom::Err::Error(nom::error::Error::new(bytes, nom::error::ErrorKind::Alt))),
    }
}

fn crypto(bytes: &[u8]) -> IResult<&[u8], Frame<'_>> {
    let (rest, offset) = varint(bytes)?;
    let (rest, bytes) = counted(rest)?;
    Ok((rest, Frame::Crypto { offset, bytes }))
}

fn numbers(bytes: &[u8], count: u64) -> IResult<&[u8], Frame<'_>> {
    let mut rest = bytes;
    for _ in 0..count {
        (rest, _) = varint(rest)?;
    }
    Ok((rest, Frame::Other))
}

/// Bytes with their number before them.
fn counted(bytes: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, length) = varint(bytes)?;
    take(usize::try_from(length).unwrap_or(usize::MAX))(rest)
}

fn acknowledgement(bytes: &[u8], has_ecn: bool) -> IResult<&[u8], Frame<'_>> {
    let (rest, _largest) = varint(bytes)?;
    let (rest, _delay) = varint(rest)?;
    let (rest, ranges) = varint(rest)?;
    let numbers_left = ranges.saturating_mul(2).saturating_add(1).saturating_add(if has_ecn { 3 } else { 0 });
    numbers(rest, numbers_left)
}

fn stream(bytes: &[u8], kind: u64) -> IResult<&[u8], Frame<'_>> {
    let (rest, id) = varint(bytes)?;
    let (rest, offset) = if kind & 0x04 == 0 { (rest, 0) } else { varint(rest)? };
    let (rest, bytes) = if kind & 0x02 == 0 { (&[][..], rest) } else { counted(rest)? };
    Ok((rest, Frame::Stream { id, offset, bytes }))
}

fn new_connection_id(bytes: &[u8]) -> IResult<&[u8], Frame<'_>> {
    let (rest, _sequence) = varint(bytes)?;
    let (rest, _retire) = varint(rest)?;
    let (rest, length) = be_u8(rest)?;
    let (rest, id) = take(length)(rest)?;
    let (rest, _reset_token) = take(16_usize)(rest)?;
    Ok((rest, Frame::NewConnectionId(id)))
}

const GOOGLE_CRYPTO: u8 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_up_to_the_first_that_cannot_be() {
        let crypto = |offset, bytes| Frame::Crypto { offset, bytes };
        for (payload, expected, is_whole) in [
            (&b""[..], vec![], true),
            (b"\0\0\x06\x00\x02ab\0", vec![crypto(0, &b"ab"[..])], true),
            (b"\x06\x40\x80\x01a\x06\x02\x01b", vec![crypto(128, &b"a"[..]), crypto(2, b"b")], true),
            (b"\x02\x05\x00\x01\x00\x01\x01\x06\x00\x01a", vec![crypto(0, &b"a"[..])], true),
            (b"\x03\x05\x00\x00\x00\x01\x01\x01\x01", vec![], true),
            (b"\x1c\x41\x2a\x06\x02no", vec![Frame::Close { code: 0x12a }], true),
            (b"\x1d\x41\x00\x00\x0e\x04\x03\x01z", vec![Frame::Stream { id: 4, offset: 3, bytes: b"z" }], true),
            (b"\x08\x00rest", vec![Frame::Stream { id: 0, offset: 0, bytes: b"rest" }], true),
            (b"\x06\x00\x02a", vec![], false),
            (b"\x02\x05\x00\xff\xff\xff\xff\xff\xff\xff\xff\x01", vec![], false),
            (b"\x06\x00\x01a\x3f\x06\x01\x01b", vec![crypto(0, &b"a"[..])], false),
        ] {
            assert_eq!(frames(payload, Version::ONE), (expected, is_whole), "{payload:?}");
        }
    }

    #[test]
    fn google_has_another_type_for_crypto() {
        let payload = b"\x08\x00\x02ab\0";
        let expected = vec![Frame::Crypto { offset: 0, bytes: b"ab" }];
        assert_eq!(frames(payload, Version(0x5430_3531)), (expected, true));
    }
}
