//! The packets of a datagram: [`split`] cuts coalesced ones apart (RFC 9000 sections 12.2 and 17).
//!
//! Only what header protection leaves in clear is read here. A packet whose length goes beyond the
//! captured bytes is not given out, and said so.

use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u32};
use nom::{IResult, Parser};

use super::version::{LongType, Version};

/// A packet of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'b> {
    /// One with a long header that is sealed: Initial, 0-RTT or Handshake.
    Long(Long<'b>),
    /// A Retry.
    Retry {
        /// The connection id that the client is to use from now on.
        source_id: &'b [u8],
    },
    /// A Version Negotiation packet with the versions offered.
    Negotiation(Vec<Version>),
    /// The header of an Initial packet that goes beyond the captured bytes.
    CutInitial {
        /// Its version.
        version: Version,
        /// The receiver's connection id.
        destination_id: &'b [u8],
    },
    /// One with a short header: the rest of the datagram.
    Short(&'b [u8]),
}

/// A sealed packet with a long header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Long<'b> {
    /// Its type.
    pub kind: LongType,
    /// Its version.
    pub version: Version,
    /// The receiver's connection id.
    pub destination_id: &'b [u8],
    /// The sender's connection id.
    pub source_id: &'b [u8],
    /// The packet from its first byte to its tag.
    pub bytes: &'b [u8],
    /// Where its packet number begins.
    pub number_at: usize,
}

/// What a datagram holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split<'b> {
    /// Its packets, in order.
    pub packets: Vec<Packet<'b>>,
    /// The version of a packet that is not read.
    pub unread: Option<Version>,
    /// A packet goes beyond the captured bytes.
    pub is_cut: bool,
}

/// Whether a datagram begins as QUIC does: a long header of a version that is read or recognised.
/// Cheap, and wrong for a random datagram once in millions. The fixed bit decides nothing: peers may
/// grease it (RFC 9287).
pub fn looks_like(datagram: &[u8]) -> bool {
    let Some((first, version)) = start(datagram) else {
        return is_google_public_header(datagram);
    };
    if first & LONG == 0 {
        return is_google_public_header(datagram);
    }
    if version == Version::NEGOTIATION {
        return negotiation(datagram).is_some_and(|offered| offered.iter().any(|it| it.is_read() || it.is_google()));
    }
    let lengths_fit = datagram.get(5).is_some_and(|length| usize::from(*length) <= ID_BYTES_MAX);
    version.is_read() && lengths_fit || version.is_google() || version.is_reserved()
}

/// Whether a datagram is Google's QUIC from before the standard, and which.
pub fn google(datagram: &[u8]) -> Option<Version> {
    match start(datagram) {
        Some((first, version)) if first & LONG != 0 && version.is_google() => Some(version),
        _ if is_google_public_header(datagram) => {
            let version = <[u8; 4]>::try_from(datagram.get(9..13)?).ok()?;
            Some(Version(u32::from_be_bytes(version)))
        }
        _ => None,
    }
}

/// The public header up to Q043: flags with a version and an 8-byte connection id.
fn is_google_public_header(datagram: &[u8]) -> bool {
    let Some(version) = datagram.get(9..13).and_then(|it| <[u8; 4]>::try_from(it).ok()) else {
        return false;
    };
    datagram.first().is_some_and(|flags| flags & 0xc9 == 0x09) && Version(u32::from_be_bytes(version)).is_google()
}

fn start(datagram: &[u8]) -> Option<(u8, Version)> {
    let (first, rest) = datagram.split_first()?;
    let version = <[u8; 4]>::try_from(rest.get(..4)?).ok()?;
    Some((*first, Version(u32::from_be_bytes(version))))
}

/// Cuts a datagram into its packets. Zeros behind the last one are padding.
pub fn split(datagram: &[u8]) -> Split<'_> {
    let mut found = Split::default();
    let mut rest = datagram;
    while let Some(first) = rest.first().copied() {
        if first & LONG == 0 {
            if rest.iter().any(|byte| *byte != 0) {
                found.packets.push(Packet::Short(rest));
            }
            break;
        }
        let Some((_, version)) = start(rest) else {
            found.is_cut = true;
            break;
        };
        if version == Version::NEGOTIATION {
            found.packets.extend(negotiation(rest).map(Packet::Negotiation));
            break;
        }
        if !version.is_read() {
            found.unread = Some(version);
            break;
        }
        let Ok((behind, packet)) = long(rest) else {
            found.is_cut = true;
            found.packets.extend(cut_initial(rest));
            break;
        };
        found.packets.push(packet);
        rest = behind;
    }
    found
}

fn cut_initial(bytes: &[u8]) -> Option<Packet<'_>> {
    let (first, version) = start(bytes)?;
    let (_, destination_id) = connection_id(bytes.get(5..)?).ok()?;
    let is_initial = version.long_type(first) == LongType::Initial;
    is_initial.then_some(Packet::CutInitial { version, destination_id })
}

/// A packet with a long header, and the bytes behind it.
fn long(bytes: &[u8]) -> IResult<&[u8], Packet<'_>> {
    let (rest, (first, version)) = (be_u8, be_u32).parse(bytes)?;
    let version = Version(version);
    let (rest, destination_id) = connection_id(rest)?;
    let (rest, source_id) = connection_id(rest)?;
    let kind = version.long_type(first);
    if kind == LongType::Retry {
        return Ok((&[], Packet::Retry { source_id }));
    }
    let rest = if kind == LongType::Initial { token(rest)? } else { rest };
    let (rest, length) = varint(rest)?;
    let number_at = bytes.len().saturating_sub(rest.len());
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (behind, _) = take(length)(rest)?;
    let bytes = bytes.get(..number_at.saturating_add(length)).unwrap_or(bytes);
    Ok((behind, Packet::Long(Long { kind, version, destination_id, source_id, bytes, number_at })))
}

fn token(bytes: &[u8]) -> Result<&[u8], nom::Err<nom::error::Error<&[u8]>>> {
    let (rest, length) = varint(bytes)?;
    let (rest, _) = take(usize::try_from(length).unwrap_or(usize::MAX))(rest)?;
    Ok(rest)
}

/// A connection id with its length before it.
fn connection_id(bytes: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, length) = be_u8(bytes)?;
    take(length)(rest)
}

fn negotiation(datagram: &[u8]) -> Option<Vec<Version>> {
    let (rest, _) = take::<_, _, nom::error::Error<&[u8]>>(5_usize)(datagram).ok()?;
    let (rest, _) = connection_id(rest).ok()?;
    let (rest, _) = connection_id(rest).ok()?;
    let versions = rest.chunks_exact(4).take(VERSIONS_MAX);
    let versions = versions.filter_map(|it| <[u8; 4]>::try_from(it).ok().map(|it| Version(u32::from_be_bytes(it))));
    Some(versions.collect())
}

/// A number whose first two bits tell its length (RFC 9000 section 16).
pub fn varint(bytes: &[u8]) -> IResult<&[u8], u64> {
    let (_, first) = be_u8(bytes)?;
    let (rest, all) = take(1_usize << (first >> 6))(bytes)?;
    let value = all.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let length_bits = u32::try_from(all.len()).unwrap_or(1).saturating_mul(8).saturating_sub(2);
    Ok((rest, value & ((1_u64 << length_bits) - 1)))
}

const LONG: u8 = 0x80;
/// RFC 9000 section 17.2.
const ID_BYTES_MAX: usize = 20;
/// The versions looked at in one Version Negotiation packet.
const VERSIONS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9000 appendix A.1.
    #[test]
    fn numbers_have_the_length_that_their_first_bits_say() {
        for (bytes, value) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ] {
            assert_eq!(varint(bytes), Ok((&[][..], value)));
            assert!(varint(&bytes[..bytes.len() - 1]).is_err());
        }
    }

    #[test]
    fn other_datagrams_are_no_quic() {
        for (datagram, expected) in [
            (&b""[..], false),
            (b"\xc0\0\0\0", false),
            (b"\xc0\0\0\0\x01\x08", true),
            (b"\x80\0\0\0\x01\x08", true),
            (b"\xc0\0\0\0\x01\x40", false),
            (b"\xc3\x6b\x33\x43\xcf\x08", true),
            (b"\x16\xfe\xfd\0\0\0\0\0\0\0\x01", false),
            (b"\xc0Q050\x50\0", true),
            (b"\x0d12345678Q043\x01", true),
            (b"\x0d12345678HTTP\x01", false),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01", true),
            (b"\x80\0\0\0\0\0\0HTTP", false),
        ] {
            assert_eq!(looks_like(datagram), expected, "{datagram:?}");
        }
    }
}
