//! ClientHellos in the form of SSL version 2 that offer SSL 3.0 or TLS (RFC 5246 appendix E.2):
//! [`read`]. SSL version 2 itself is not read.

use super::handshake::{self, ClientHello};

/// Whether a stream begins with one; `None` when too few bytes are here to tell.
pub(super) fn is_start(bytes: &[u8]) -> Option<bool> {
    let fits = |at: usize, test: fn(u8) -> bool| bytes.get(at).is_none_or(|byte| test(*byte));
    let fits = fits(0, |b| b & 0x80 != 0) && fits(2, |b| b == 1) && fits(3, |b| b == 3) && fits(4, |b| b <= 4);
    if !fits {
        return Some(false);
    }
    let [ciphers, session, challenge] = lengths(bytes)?;
    let whole = FIXED_BYTES.saturating_add(ciphers).saturating_add(session).saturating_add(challenge);
    let is_sound = ciphers > 0 && ciphers.is_multiple_of(3) && (session == 0 || session == 16);
    Some(is_sound && (16..=32).contains(&challenge) && whole_of(bytes) == Some(whole))
}

/// The length of the message with its header.
pub(super) fn whole(bytes: &[u8]) -> Option<usize> {
    whole_of(bytes)
}

/// What it offers. The challenge, filled up with zeros, is the client random.
pub(super) fn read(bytes: &[u8]) -> Option<ClientHello> {
    let [ciphers, session, challenge] = lengths(bytes)?;
    let version = u16::from_be_bytes(<[u8; 2]>::try_from(bytes.get(3..5)?).ok()?);
    let rest = bytes.get(FIXED_BYTES.checked_add(ciphers)?..)?;
    let (session_id, rest) = rest.split_at_checked(session)?;
    let challenge = rest.get(..challenge)?;
    let mut random = vec![0; 32_usize.saturating_sub(challenge.len())];
    random.extend_from_slice(challenge);
    Some(ClientHello {
        versions: vec![handshake::version_name(version)],
        session_id: session_id.to_vec(),
        random,
        ..ClientHello::default()
    })
}

fn whole_of(bytes: &[u8]) -> Option<usize> {
    let [high, low] = <[u8; 2]>::try_from(bytes.get(..2)?).ok()?;
    Some(usize::from(u16::from_be_bytes([high & 0x7f, low])).saturating_add(2))
}

fn lengths(bytes: &[u8]) -> Option<[usize; 3]> {
    let [c0, c1, s0, s1, h0, h1] = <[u8; 6]>::try_from(bytes.get(5..FIXED_BYTES)?).ok()?;
    Some([[c0, c1], [s0, s1], [h0, h1]].map(|pair| usize::from(u16::from_be_bytes(pair))))
}

const FIXED_BYTES: usize = 11;
/// How many bytes tell.
pub(super) const START_BYTES: usize = FIXED_BYTES;
