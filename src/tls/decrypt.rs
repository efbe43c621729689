//! Sealed bytes become clear ones, or nothing: [`Aead`] for any of them, [`Opener`] for the records
//! of one direction of a TLS connection.
//!
//! What authentication refuses is never shown. The cryptography is ring's; AES-CCM, which ring has
//! not, is that of the ccm crate.

use ccm::aead::generic_array::GenericArray;
use ccm::aead::{AeadInPlace, KeyInit};
use ccm::consts::{U8, U12, U16};
use ring::aead;

use super::key_schedule::{self, NONCE_BYTES, Prf};
use super::suite::{Cipher, Suite};

type Ccm<A, T> = ccm::Ccm<A, T, U12>;

/// A key of an AEAD.
pub struct Aead {
    key: Key,
}

enum Key {
    Ring(Box<aead::LessSafeKey>),
    Aes128Ccm(Box<Ccm<aes::Aes128, U16>>),
    Aes128Ccm8(Box<Ccm<aes::Aes128, U8>>),
    Aes256Ccm(Box<Ccm<aes::Aes256, U16>>),
    Aes256Ccm8(Box<Ccm<aes::Aes256, U8>>),
}

impl Aead {
    /// A key for this cipher; `None` when it has another length.
    pub fn new(cipher: Cipher, key: &[u8]) -> Option<Self> {
        let ring = |algorithm| {
            let key = aead::UnboundKey::new(algorithm, key).ok()?;
            Some(Key::Ring(Box::new(aead::LessSafeKey::new(key))))
        };
        let key = match cipher {
            Cipher::Aes128Gcm => ring(&aead::AES_128_GCM)?,
            Cipher::Aes256Gcm => ring(&aead::AES_256_GCM)?,
            Cipher::ChaCha20Poly1305 => ring(&aead::CHACHA20_POLY1305)?,
            Cipher::Aes128Ccm => Key::Aes128Ccm(Box::new(Ccm::new_from_slice(key).ok()?)),
            Cipher::Aes128Ccm8 => Key::Aes128Ccm8(Box::new(Ccm::new_from_slice(key).ok()?)),
            Cipher::Aes256Ccm => Key::Aes256Ccm(Box::new(Ccm::new_from_slice(key).ok()?)),
            Cipher::Aes256Ccm8 => Key::Aes256Ccm8(Box::new(Ccm::new_from_slice(key).ok()?)),
        };
        Some(Self { key })
    }

    /// Opens sealed bytes with their tag behind them, authenticated together with `aad`.
    pub fn open(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = sealed.to_vec();
        let ccm_nonce = GenericArray::from(nonce);
        match &self.key {
            Key::Ring(key) => {
                let nonce = aead::Nonce::assume_unique_for_key(nonce);
                let length = key.open_in_place(nonce, aead::Aad::from(aad), &mut bytes).ok()?.len();
                bytes.truncate(length);
            }
            Key::Aes128Ccm(key) => key.decrypt_in_place(&ccm_nonce, aad, &mut bytes).ok()?,
            Key::Aes128Ccm8(key) => key.decrypt_in_place(&ccm_nonce, aad, &mut bytes).ok()?,
            Key::Aes256Ccm(key) => key.decrypt_in_place(&ccm_nonce, aad, &mut bytes).ok()?,
            Key::Aes256Ccm8(key) => key.decrypt_in_place(&ccm_nonce, aad, &mut bytes).ok()?,
        }
        Some(bytes)
    }
}

/// The type of a record: `handshake` and its siblings.
pub type RecordType = u8;

/// Opens the records of one direction, in order.
pub struct Opener {
    aead: Aead,
    iv: Vec<u8>,
    sequence: u64,
    suite: Suite,
    layout: Layout,
}

/// How a version seals records.
enum Layout {
    /// TLS 1.3; the traffic secret, for the next one, and whether the header is left out of the
    /// authentication, as drafts before the 25th do.
    Tls13(Vec<u8>, bool),
    /// TLS 1.2.
    Tls12,
}

impl Opener {
    /// For a traffic secret of TLS 1.3; `None` when the secret has not the length of the hash.
    pub fn tls13(suite: Suite, secret: &[u8], is_early_draft: bool) -> Option<Self> {
        if secret.len() != suite.hash.bytes() {
            return None;
        }
        let (key, iv) = key_schedule::traffic_keys(secret, suite.hash, suite.cipher);
        let aead = Aead::new(suite.cipher, &key)?;
        Some(Self { aead, iv, sequence: 0, suite, layout: Layout::Tls13(secret.to_vec(), is_early_draft) })
    }

    /// For one direction of TLS 1.2 (RFC 5246 section 6.3): the client's keys stand first in the
    /// key block, then the server's.
    pub fn tls12(suite: Suite, master: &[u8], randoms: (&[u8], &[u8]), is_client: bool) -> Option<Self> {
        let key_bytes = suite.cipher.key_bytes();
        let iv_bytes = if suite.cipher == Cipher::ChaCha20Poly1305 { NONCE_BYTES } else { SALT_BYTES };
        let whole = key_bytes.checked_add(iv_bytes)?.checked_mul(2)?;
        let block = key_schedule::key_block(master, Prf::Of(suite.hash), randoms.0, randoms.1, whole);
        let (keys, ivs) = block.split_at_checked(key_bytes.checked_mul(2)?)?;
        let (client_key, server_key) = keys.split_at_checked(key_bytes)?;
        let (client_iv, server_iv) = ivs.split_at_checked(iv_bytes)?;
        let (key, iv) = if is_client { (client_key, client_iv) } else { (server_key, server_iv) };
        let aead = Aead::new(suite.cipher, key)?;
        Some(Self { aead, iv: iv.to_vec(), sequence: 0, suite, layout: Layout::Tls12 })
    }

    /// The body of the next record, with its true type; `None` when authentication refuses it, and
    /// then the record does not count.
    pub fn open(&mut self, header: [u8; 5], body: &[u8]) -> Option<(RecordType, Vec<u8>)> {
        let opened = match self.layout {
            Layout::Tls13(_, true) => self.open_tls13(&[], body),
            Layout::Tls13(_, false) => self.open_tls13(&header, body),
            Layout::Tls12 => self.open_tls12(header, body),
        };
        if opened.is_some() {
            self.sequence = self.sequence.wrapping_add(1);
        }
        opened
    }

    /// RFC 8446 section 5.2: the true type is the last byte that is not zero.
    fn open_tls13(&self, header: &[u8], body: &[u8]) -> Option<(RecordType, Vec<u8>)> {
        let mut clear = self.aead.open(self.nonce()?, header, body)?;
        let end = clear.iter().rposition(|byte| *byte != 0)?;
        let kind = *clear.get(end)?;
        clear.truncate(end);
        Some((kind, clear))
    }

    /// RFC 5246 section 6.2.3.3, RFC 5288, RFC 7905.
    fn open_tls12(&self, header: [u8; 5], body: &[u8]) -> Option<(RecordType, Vec<u8>)> {
        let [kind, major, minor, ..] = header;
        let (nonce, sealed) = if self.suite.cipher == Cipher::ChaCha20Poly1305 {
            (self.nonce()?, body)
        } else {
            let (explicit, sealed) = body.split_at_checked(EXPLICIT_NONCE_BYTES)?;
            let nonce: Vec<u8> = self.iv.iter().chain(explicit).copied().collect();
            (<[u8; NONCE_BYTES]>::try_from(nonce).ok()?, sealed)
        };
        let length = u16::try_from(sealed.len().checked_sub(self.suite.cipher.tag_bytes())?).ok()?;
        let mut aad = Vec::with_capacity(13);
        aad.extend_from_slice(&self.sequence.to_be_bytes());
        aad.extend_from_slice(&[kind, major, minor]);
        aad.extend_from_slice(&length.to_be_bytes());
        Some((kind, self.aead.open(nonce, &aad, sealed)?))
    }

    /// The IV with the sequence number in its last bytes (RFC 8446 section 5.3).
    fn nonce(&self) -> Option<[u8; NONCE_BYTES]> {
        nonce(&self.iv, self.sequence)
    }

    /// Goes on to the keys after a KeyUpdate; nothing in TLS 1.2.
    pub fn update(&mut self) {
        let Layout::Tls13(secret, is_early_draft) = &self.layout else {
            return;
        };
        let next = key_schedule::next_traffic_secret(secret, self.suite.hash);
        if let Some(next) = Self::tls13(self.suite, &next, *is_early_draft) {
            *self = next;
        }
    }
}

/// An IV with a number in its last eight bytes, as TLS 1.3 and QUIC make nonces.
pub fn nonce(iv: &[u8], number: u64) -> Option<[u8; NONCE_BYTES]> {
    let mut nonce = <[u8; NONCE_BYTES]>::try_from(iv).ok()?;
    for (byte, part) in nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()) {
        *byte ^= part;
    }
    Some(nonce)
}

/// Nothing of the keys.
impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("suite", &self.suite).field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// The part of a nonce that the key block gives for AES-GCM and AES-CCM in TLS 1.2.
const SALT_BYTES: usize = 4;
const EXPLICIT_NONCE_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::suite::Hash;

    fn sealed(cipher: Cipher, nonce: [u8; 12], aad: &[u8], clear: &[u8]) -> Vec<u8> {
        let key = vec![7; cipher.key_bytes()];
        let mut bytes = clear.to_vec();
        let at = GenericArray::from(nonce);
        match Aead::new(cipher, &key).unwrap().key {
            Key::Ring(key) => key
                .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(aad), &mut bytes)
                .unwrap(),
            Key::Aes128Ccm(key) => key.encrypt_in_place(&at, aad, &mut bytes).unwrap(),
            Key::Aes128Ccm8(key) => key.encrypt_in_place(&at, aad, &mut bytes).unwrap(),
            Key::Aes256Ccm(key) => key.encrypt_in_place(&at, aad, &mut bytes).unwrap(),
            Key::Aes256Ccm8(key) => key.encrypt_in_place(&at, aad, &mut bytes).unwrap(),
        }
        bytes
    }

    #[test]
    fn only_what_is_authentic_is_opened() {
        for cipher in [
            Cipher::Aes128Gcm,
            Cipher::Aes256Gcm,
            Cipher::ChaCha20Poly1305,
            Cipher::Aes128Ccm,
            Cipher::Aes128Ccm8,
            Cipher::Aes256Ccm,
            Cipher::Aes256Ccm8,
        ] {
            let key = Aead::new(cipher, &vec![7; cipher.key_bytes()]).unwrap();
            let it = sealed(cipher, [1; 12], b"header", b"clear");
            assert_eq!(it.len(), 5 + cipher.tag_bytes());
            assert_eq!(key.open([1; 12], b"header", &it).unwrap(), b"clear", "{cipher:?}");
            assert!(key.open([2; 12], b"header", &it).is_none(), "{cipher:?} nonce");
            assert!(key.open([1; 12], b"Header", &it).is_none(), "{cipher:?} header");
            for at in 0..it.len() {
                let mut flipped = it.clone();
                flipped[at] ^= 1;
                assert!(key.open([1; 12], b"header", &flipped).is_none(), "{cipher:?} byte {at}");
                assert!(key.open([1; 12], b"header", &it[..at]).is_none(), "{cipher:?} cut at {at}");
            }
            assert!(Aead::new(cipher, &[7; 5]).is_none());
        }
    }

    #[test]
    fn a_secret_of_a_wrong_length_gives_no_opener() {
        let suite = Suite { cipher: Cipher::Aes256Gcm, hash: Hash::Sha384 };
        assert!(Opener::tls13(suite, &[0; 32], false).is_none());
        assert!(Opener::tls13(suite, &[0; 48], false).is_some());
    }
}
