//! Sealed packets become clear ones, or nothing: [`PacketKeys`] (RFC 9001 section 5).
//!
//! Initial keys come from a connection id that stands in clear ([`initial`]); the others from the
//! secrets of a key log, with the labels of QUIC instead of those of TLS records. What authentication
//! refuses is never shown.

use std::sync::Arc;

use ring::aead::quic::{AES_128, AES_256, Algorithm, CHACHA20, HeaderProtectionKey};

use super::version::{Purpose, SALT_BYTES, Version};
use crate::tls::decrypt::{self, Aead};
use crate::tls::key_schedule::{NONCE_BYTES, expand_label, extract};
use crate::tls::suite::{Cipher, Hash, Suite};

/// The keys of one direction at one encryption level.
pub struct PacketKeys {
    aead: Aead,
    iv: Vec<u8>,
    header: Arc<HeaderProtectionKey>,
    secret: Vec<u8>,
    suite: Suite,
    version: Version,
}

/// An opened packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its packet number.
    pub number: u64,
    /// Its frames.
    pub payload: Vec<u8>,
}

/// The Initial keys of client and server that a client's first destination connection id leads to.
pub fn initial(version: Version, salt: &[u8; SALT_BYTES], id: &[u8]) -> Option<(PacketKeys, PacketKeys)> {
    let secret = extract(Hash::Sha256, salt, id);
    let side = |label: &str| {
        let secret = expand_label(&secret, Hash::Sha256, label, &[], Hash::Sha256.bytes());
        PacketKeys::new(version, INITIAL_SUITE, &secret)
    };
    Some((side("client in")?, side("server in")?))
}

impl PacketKeys {
    /// The keys of a traffic secret; `None` when its length is not that of the suite's hash, or QUIC
    /// does not use the suite.
    pub fn new(version: Version, suite: Suite, secret: &[u8]) -> Option<Self> {
        if secret.len() != suite.hash.bytes() {
            return None;
        }
        let expand = |purpose, length| expand_label(secret, suite.hash, version.label(purpose), &[], length);
        let protection = expand(Purpose::HeaderProtection, suite.cipher.key_bytes());
        let header = HeaderProtectionKey::new(header_algorithm(suite.cipher)?, &protection).ok()?;
        Some(Self {
            aead: Aead::new(suite.cipher, &expand(Purpose::Key, suite.cipher.key_bytes()))?,
            iv: expand(Purpose::Iv, NONCE_BYTES),
            header: Arc::new(header),
            secret: secret.to_vec(),
            suite,
            version,
        })
    }

    /// The keys after a key update; header protection stays (RFC 9001 section 6).
    pub fn updated(&self) -> Option<Self> {
        let label = self.version.label(Purpose::KeyUpdate);
        let secret = expand_label(&self.secret, self.suite.hash, label, &[], self.suite.hash.bytes());
        let next = Self::new(self.version, self.suite, &secret)?;
        Some(Self { header: Arc::clone(&self.header), ..next })
    }

    /// Opens a packet whose number stands at `number_at` and is about `expected`.
    pub fn open(&self, packet: &[u8], number_at: usize, expected: u64) -> Option<Opened> {
        let sample_at = number_at.checked_add(NUMBER_BYTES_MAX)?;
        let sample = packet.get(sample_at..sample_at.checked_add(self.header.algorithm().sample_len())?)?;
        let [first_mask, number_mask @ ..] = self.header.new_mask(sample).ok()?;
        let first = *packet.first()?;
        let protected_bits = if first & 0x80 == 0 { 0x1f } else { 0x0f };
        let first = first ^ (first_mask & protected_bits);
        let number_bytes = usize::from(first & 3) + 1;
        let (header, sealed) = packet.split_at_checked(number_at.checked_add(number_bytes)?)?;
        let mut header = header.to_vec();
        *header.first_mut()? = first;
        for (byte, mask) in header.iter_mut().skip(number_at).zip(number_mask) {
            *byte ^= mask;
        }
        let truncated = header.iter().skip(number_at).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let number = full_number(truncated, number_bytes, expected);
        let payload = self.aead.open(decrypt::nonce(&self.iv, number)?, &header, sealed)?;
        Some(Opened { number, payload })
    }
}

/// Nothing of the keys.
impl std::fmt::Debug for PacketKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PacketKeys").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// RFC 9001 section 5.4: suites with AES use AES, whatever their mode.
fn header_algorithm(cipher: Cipher) -> Option<&'static Algorithm> {
    match cipher {
        Cipher::Aes128Gcm | Cipher::Aes128Ccm => Some(&AES_128),
        Cipher::Aes256Gcm => Some(&AES_256),
        Cipher::ChaCha20Poly1305 => Some(&CHACHA20),
        Cipher::Aes128Ccm8 | Cipher::Aes256Ccm | Cipher::Aes256Ccm8 => None,
    }
}

/// The number nearest to the expected one that ends in these bytes (RFC 9000 appendix A.3).
fn full_number(truncated: u64, bytes: usize, expected: u64) -> u64 {
    let window = 1_u64 << (bytes.min(NUMBER_BYTES_MAX) * 8);
    let candidate = (expected & !(window - 1)) | truncated;
    let half = window / 2;
    if candidate.saturating_add(half) <= expected && candidate < NUMBER_MAX - window {
        candidate.saturating_add(window)
    } else if candidate > expected.saturating_add(half) && candidate >= window {
        candidate.saturating_sub(window)
    } else {
        candidate
    }
}

/// RFC 9001 section 5.2.
const INITIAL_SUITE: Suite = Suite { cipher: Cipher::Aes128Gcm, hash: Hash::Sha256 };
const NUMBER_BYTES_MAX: usize = 4;
const NUMBER_MAX: u64 = 1 << 62;
