//! Records of TLS 1.0 to 1.2 sealed with a block cipher in CBC mode and an HMAC: [`Opener`] opens those
//! of one direction.
//!
//! Both orders are read: the code below the encryption (RFC 5246 section 6.2.3.2) and above it
//! (RFC 7366). What the code refuses is never shown. The IV stands before each record; in TLS 1.0 it is
//! the end of the record before (RFC 2246 section 6.2.3.2).

use aes::cipher::{BlockCipher, BlockDecryptMut, KeyInit, KeyIvInit, block_padding::NoPadding};
use ring::hmac;
use tls_parser::{TlsCipherEnc, TlsCipherEncMode, TlsCipherMac, TlsCipherSuite};

use super::decrypt::RecordType;
use super::key_schedule::{self, Prf};
use super::suite::Hash;

/// A suite with a block cipher in CBC mode, in one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    cipher: Cipher,
    code: Code,
    /// How keys are made.
    pub(super) prf: Prf,
    /// The IV of a record is the end of the one before it.
    is_chained: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    Aes128,
    Aes256,
    TripleDes,
}

/// The hash of the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Sha1,
    Sha256,
    Sha384,
}

/// Opens the records of one direction, in order.
pub(super) struct Opener {
    cipher: Cipher,
    key: Vec<u8>,
    /// The IV of the next record, where none stands before it.
    iv: Option<Vec<u8>>,
    code: hmac::Key,
    code_bytes: usize,
    sequence: u64,
    /// The code covers what is encrypted (RFC 7366).
    is_code_outside: bool,
}

impl Suite {
    /// The suite of an IANA number in a version such as `TLS 1.2`.
    pub(super) fn of(id: u16, version: &str) -> Option<Self> {
        let known = TlsCipherSuite::from_id(id)?;
        let cipher = match (&known.enc, &known.enc_mode, known.enc_size) {
            (TlsCipherEnc::Aes, TlsCipherEncMode::Cbc, 128) => Cipher::Aes128,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Cbc, 256) => Cipher::Aes256,
            (TlsCipherEnc::TripleDes, TlsCipherEncMode::Cbc, _) => Cipher::TripleDes,
            _ => return None,
        };
        let code = match known.mac {
            TlsCipherMac::HmacSha1 => Code::Sha1,
            TlsCipherMac::HmacSha256 => Code::Sha256,
            TlsCipherMac::HmacSha384 => Code::Sha384,
            _ => return None,
        };
        let prf = match version {
            "TLS 1.2" if code == Code::Sha384 => Prf::Of(Hash::Sha384),
            "TLS 1.2" => Prf::Of(Hash::Sha256),
            "TLS 1.0" | "TLS 1.1" => Prf::Md5Sha1,
            _ => return None,
        };
        Some(Self { cipher, code, prf, is_chained: version == "TLS 1.0" })
    }
}

impl Cipher {
    fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes256 => 32,
            Self::TripleDes => 24,
        }
    }

    /// Its block, which is the length of an IV.
    fn block_bytes(self) -> usize {
        if self == Self::TripleDes { 8 } else { 16 }
    }

    fn decrypt(self, key: &[u8], iv: &[u8], bytes: &mut [u8]) -> Option<()> {
        match self {
            Self::Aes128 => decrypt::<aes::Aes128>(key, iv, bytes),
            Self::Aes256 => decrypt::<aes::Aes256>(key, iv, bytes),
            Self::TripleDes => decrypt::<des::TdesEde3>(key, iv, bytes),
        }
    }
}

fn decrypt<C: BlockCipher + BlockDecryptMut + KeyInit>(key: &[u8], iv: &[u8], bytes: &mut [u8]) -> Option<()> {
    let decryptor = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    decryptor.decrypt_padded_mut::<NoPadding>(bytes).ok().map(drop)
}

impl Code {
    fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

impl Opener {
    /// For one direction (RFC 5246 section 6.3): in the key block stand the keys of both codes, then
    /// those of both ciphers, in TLS 1.0 their first IVs; the client's first.
    pub(super) fn new(
        suite: Suite,
        master: &[u8],
        randoms: (&[u8], &[u8]),
        is_client: bool,
        is_code_outside: bool,
    ) -> Option<Self> {
        let (cipher, code_bytes) = (suite.cipher, suite.code.bytes());
        let iv_bytes = if suite.is_chained { cipher.block_bytes() } else { 0 };
        let lengths = [code_bytes, cipher.key_bytes(), iv_bytes];
        let whole = lengths.into_iter().try_fold(0_usize, |sum, length| sum.checked_add(length.checked_mul(2)?))?;
        let block = key_schedule::key_block(master, suite.prf, randoms.0, randoms.1, whole);
        let mut rest = block.as_slice();
        let mut own = [&[][..]; 3];
        for (own, length) in own.iter_mut().zip(lengths) {
            let (client, after) = rest.split_at_checked(length)?;
            let (server, after) = after.split_at_checked(length)?;
            (*own, rest) = (if is_client { client } else { server }, after);
        }
        let [code, key, iv] = own;
        let iv = suite.is_chained.then(|| iv.to_vec());
        let code = hmac::Key::new(suite.code.algorithm(), code);
        Some(Self { cipher, key: key.to_vec(), iv, code, code_bytes, sequence: 0, is_code_outside })
    }

    /// The body of the next record; `None` when the code refuses it, and then the record does not count.
    pub(super) fn open(&mut self, header: [u8; 5], body: &[u8]) -> Option<(RecordType, Vec<u8>)> {
        let [kind, ..] = header;
        let (clear, sealed) = if self.is_code_outside {
            let (sealed, code) = body.split_at_checked(body.len().checked_sub(self.code_bytes)?)?;
            self.verify(header, sealed, code)?;
            (self.decrypted(sealed)?, sealed)
        } else {
            let mut clear = self.decrypted(body)?;
            let end = clear.len().checked_sub(self.code_bytes)?;
            let (content, code) = clear.split_at_checked(end)?;
            self.verify(header, content, code)?;
            clear.truncate(end);
            (clear, body)
        };
        if let Some(iv) = &mut self.iv {
            *iv = sealed.get(sealed.len().checked_sub(iv.len())?..)?.to_vec();
        }
        self.sequence = self.sequence.wrapping_add(1);
        Some((kind, clear))
    }

    fn verify(&self, [kind, major, minor, ..]: [u8; 5], covered: &[u8], code: &[u8]) -> Option<()> {
        let length = u16::try_from(covered.len()).ok()?;
        let mut message = Vec::with_capacity(covered.len().saturating_add(13));
        message.extend_from_slice(&self.sequence.to_be_bytes());
        message.extend_from_slice(&[kind, major, minor]);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(covered);
        hmac::verify(&self.code, &message, code).ok()
    }

    /// Without the IV before it and the padding behind it.
    fn decrypted(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (iv, sealed) = match &self.iv {
            Some(iv) => (iv.as_slice(), sealed),
            None => sealed.split_at_checked(self.cipher.block_bytes())?,
        };
        let mut clear = sealed.to_vec();
        self.cipher.decrypt(&self.key, iv, &mut clear)?;
        let padding = *clear.last()?;
        let end = clear.len().checked_sub(usize::from(padding).checked_add(1)?)?;
        let is_padded = clear.get(end..)?.iter().all(|byte| *byte == padding);
        clear.truncate(end);
        is_padded.then_some(clear)
    }
}

/// Nothing of the keys.
impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aes::cipher::BlockEncryptMut;

    use super::*;

    const HEADER: [u8; 5] = [23, 3, 3, 0, 0];

    fn encrypt<C: BlockCipher + BlockEncryptMut + KeyInit>(key: &[u8], iv: &[u8], bytes: &mut [u8]) {
        let (it, length) = (cbc::Encryptor::<C>::new_from_slices(key, iv).unwrap(), bytes.len());
        it.encrypt_padded_mut::<NoPadding>(bytes, length).unwrap();
    }

    fn encrypted(opener: &Opener, clear: &[u8]) -> Vec<u8> {
        let block = opener.cipher.block_bytes();
        let padding = block - 1 - clear.len() % block;
        let mut bytes = clear.to_vec();
        bytes.extend(vec![u8::try_from(padding).unwrap(); padding + 1]);
        let iv = opener.iv.clone().unwrap_or_else(|| vec![9; block]);
        match opener.cipher {
            Cipher::Aes128 => encrypt::<aes::Aes128>(&opener.key, &iv, &mut bytes),
            Cipher::Aes256 => encrypt::<aes::Aes256>(&opener.key, &iv, &mut bytes),
            Cipher::TripleDes => encrypt::<des::TdesEde3>(&opener.key, &iv, &mut bytes),
        }
        if opener.iv.is_some() { bytes } else { [iv, bytes].concat() }
    }

    fn code(opener: &Opener, covered: &[u8]) -> Vec<u8> {
        let length = u16::try_from(covered.len()).unwrap().to_be_bytes();
        let message = [&opener.sequence.to_be_bytes()[..], &HEADER[..3], &length, covered].concat();
        hmac::sign(&opener.code, &message).as_ref().to_vec()
    }

    fn sealed(opener: &Opener, clear: &[u8]) -> Vec<u8> {
        if opener.is_code_outside {
            let body = encrypted(opener, clear);
            let code = code(opener, &body);
            [body, code].concat()
        } else {
            encrypted(opener, &[clear, &code(opener, clear)].concat())
        }
    }

    #[test]
    fn only_what_is_authentic_is_opened_in_both_orders() {
        for (id, version, key_bytes, code_bytes) in [
            (0x002f, "TLS 1.2", 16, 20),
            (0xc014, "TLS 1.2", 32, 20),
            (0xc027, "TLS 1.2", 16, 32),
            (0xc028, "TLS 1.2", 32, 48),
            (0x003d, "TLS 1.2", 32, 32),
            (0x000a, "TLS 1.2", 24, 20),
            (0x000a, "TLS 1.0", 24, 20),
            (0x002f, "TLS 1.0", 16, 20),
            (0xc014, "TLS 1.1", 32, 20),
        ] {
            let suite = Suite::of(id, version).unwrap();
            assert_eq!((suite.cipher.key_bytes(), suite.code.bytes()), (key_bytes, code_bytes), "{id:#06x}");
            for is_outside in [false, true] {
                let fresh = || Opener::new(suite, &[3; 48], (&[1; 32], &[2; 32]), false, is_outside).unwrap();
                let mut opener = fresh();
                for clear in [&b"first"[..], b"", &[7; 4000]] {
                    let it = sealed(&opener, clear);
                    let row = format!("{id:#06x} {version} {is_outside}");
                    assert_eq!(opener.open(HEADER, &it), Some((23, clear.to_vec())), "{row}");
                    assert!(opener.open(HEADER, &it).is_none(), "{row}: the same record again has another number");
                }
                let it = sealed(&fresh(), b"clear");
                for at in 0..it.len() {
                    let mut flipped = it.clone();
                    flipped[at] ^= 1;
                    assert!(fresh().open(HEADER, &flipped).is_none(), "{id:#06x} byte {at}");
                    assert!(fresh().open(HEADER, &it[..at]).is_none(), "{id:#06x} cut at {at}");
                }
            }
        }
        for other in [0x1301, 0xc02f, 0x0005, 0x0041, 0xffff] {
            assert!(Suite::of(other, "TLS 1.2").is_none(), "{other:#06x}");
        }
        assert!(Suite::of(0x002f, "SSL 3.0").is_none());
    }
}
