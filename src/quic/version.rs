//! Versions of QUIC: [`Version`], and what differs between those whose packets are read.
//!
//! Read are version 1 (RFC 9000), version 2 (RFC 9369) with its last draft, the drafts 22 to 34 of
//! version 1, Meta's mvfst, which speaks these under numbers of its own, and Google's last two
//! versions (`T050`, `T051`), which carry TLS. Those before carry none and are only recognised.

/// A version as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

/// The type of a packet with a long header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongType {
    /// The first flight of either side.
    Initial,
    /// Early data of a resumed session.
    ZeroRtt,
    /// The rest of the handshake.
    Handshake,
    /// A server's request to come back with a token.
    Retry,
}

impl Version {
    /// The version of Version Negotiation packets.
    pub const NEGOTIATION: Self = Self(0);
    /// RFC 9000.
    pub const ONE: Self = Self(1);
    /// RFC 9369.
    pub const TWO: Self = Self(0x6b33_43cf);
    /// The last draft of version 2.
    const TWO_DRAFT: Self = Self(0x709a_50c4);

    /// The salts that Initial keys of this version can have been made with; empty when its packets
    /// are not read. Authentication tells which it was.
    pub fn salts(self) -> &'static [[u8; SALT_BYTES]] {
        match self {
            Self::ONE | Self(0xff00_0021 | 0xff00_0022) => &[V1],
            Self::TWO => &[V2],
            Self::TWO_DRAFT => &[V2_DRAFT],
            Self(0xff00_0016 | 0xface_b001) => &[DRAFT_22],
            Self(0xff00_0017..=0xff00_001c | 0xface_b002 | 0xface_b00e) => &[DRAFT_23],
            Self(0xff00_001d..=0xff00_0020) => &[DRAFT_29],
            Self(0xface_b003..=0xface_b0ff) => &[V1, DRAFT_29, DRAFT_23],
            Self(0x5430_3530) => &[GOOGLE_T050],
            Self(0x5430_3531) => &[GOOGLE_T051],
            _ => &[],
        }
    }

    /// Whether packets of this version are read.
    pub fn is_read(self) -> bool {
        !self.salts().is_empty()
    }

    /// Whether it is one of the numbers that are reserved to exercise negotiation (RFC 9000
    /// section 15).
    pub fn is_reserved(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }

    /// Whether it is Google's QUIC from before the standard: `Q` or `T` with three digits.
    pub fn is_google(self) -> bool {
        let is_numbered =
            matches!(self.0.to_be_bytes(), [b'Q' | b'T', digits @ ..] if digits.iter().all(u8::is_ascii_digit));
        is_numbered && !self.is_read()
    }

    /// Whether it is one of Google's last two versions, which carry TLS.
    pub fn is_google_tls(self) -> bool {
        matches!(self.0, 0x5430_3530 | 0x5430_3531)
    }

    /// The label before `key`, `iv`, `hp` and `ku` (RFC 9001 section 5.1, RFC 9369 section 3.3.2).
    pub fn label(self, purpose: Purpose) -> &'static str {
        match (self.is_two(), purpose) {
            (false, Purpose::Key) => "quic key",
            (false, Purpose::Iv) => "quic iv",
            (false, Purpose::HeaderProtection) => "quic hp",
            (false, Purpose::KeyUpdate) => "quic ku",
            (true, Purpose::Key) => "quicv2 key",
            (true, Purpose::Iv) => "quicv2 iv",
            (true, Purpose::HeaderProtection) => "quicv2 hp",
            (true, Purpose::KeyUpdate) => "quicv2 ku",
        }
    }

    /// What the two type bits of a long header mean: version 2 turned them by one (RFC 9369
    /// section 3.2).
    pub fn long_type(self, first_byte: u8) -> LongType {
        match (self.is_two(), (first_byte >> 4) & 3) {
            (false, 0) | (true, 1) => LongType::Initial,
            (false, 1) | (true, 2) => LongType::ZeroRtt,
            (false, 2) | (true, 3) => LongType::Handshake,
            _ => LongType::Retry,
        }
    }

    fn is_two(self) -> bool {
        matches!(self, Self::TWO | Self::TWO_DRAFT)
    }
}

/// What a key is derived for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Packet protection.
    Key,
    /// Its IV.
    Iv,
    /// Header protection.
    HeaderProtection,
    /// The secret after a key update.
    KeyUpdate,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::ONE => f.write_str("1"),
            Self::TWO => f.write_str("2"),
            Self(draft @ 0xff00_0001..=0xff00_00ff) => write!(f, "draft-{}", draft & 0xff),
            it if it.is_google() => it.0.to_be_bytes().iter().try_for_each(|byte| write!(f, "{}", char::from(*byte))),
            Self(other) => write!(f, "0x{other:08x}"),
        }
    }
}

/// The length of a salt.
pub const SALT_BYTES: usize = 20;
/// RFC 9001 section 5.2; drafts 33 and 34 had it already.
const V1: [u8; SALT_BYTES] = *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a";
/// RFC 9369 section 3.3.1.
const V2: [u8; SALT_BYTES] = *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9";
/// draft-ietf-quic-v2-00 to -03.
const V2_DRAFT: [u8; SALT_BYTES] = *b"\xa7\x07\xc2\x03\xa5\x9b\x47\x18\x4a\x1d\x62\xca\x57\x04\x06\xea\x7a\xe3\xe5\xd3";
/// draft-ietf-quic-tls-21 and -22.
const DRAFT_22: [u8; SALT_BYTES] = *b"\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a";
/// draft-ietf-quic-tls-23 to -28.
const DRAFT_23: [u8; SALT_BYTES] = *b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02";
/// draft-ietf-quic-tls-29 to -32.
const DRAFT_29: [u8; SALT_BYTES] = *b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99";
/// Google's `T050` and `T051`: the layout of draft 27 with salts of their own.
const GOOGLE_T050: [u8; SALT_BYTES] =
    *b"\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c\x60\x48\x83\x10";
const GOOGLE_T051: [u8; SALT_BYTES] =
    *b"\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d";
