//! What a cipher suite is made of: [`Suite`], for the suites whose records can be opened.
//!
//! TLS 1.3's five suites (RFC 8446 appendix B.4) and those of TLS 1.2 with AES-GCM, AES-CCM or
//! ChaCha20-Poly1305. Records of other suites stay closed, and the gap names the suite.

use tls_parser::{TlsCipherEnc, TlsCipherEncMode, TlsCipherSuite, TlsPRF};

/// A cipher suite: how records are sealed, and the hash of the key schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// How records are sealed.
    pub cipher: Cipher,
    /// The hash of HKDF or of the PRF.
    pub hash: Hash,
}

/// The hash of a key schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

/// An AEAD (RFC 5116).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES-128 in Galois/counter mode.
    Aes128Gcm,
    /// AES-256 in Galois/counter mode.
    Aes256Gcm,
    /// ChaCha20 and Poly1305 (RFC 8439).
    ChaCha20Poly1305,
    /// AES-128 in counter mode with CBC-MAC.
    Aes128Ccm,
    /// The same with a tag of 8 bytes (RFC 6655).
    Aes128Ccm8,
    /// AES-256 in counter mode with CBC-MAC.
    Aes256Ccm,
    /// The same with a tag of 8 bytes.
    Aes256Ccm8,
}

impl Hash {
    /// The length of its output in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

impl Cipher {
    /// The length of its key in bytes.
    pub fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 => 16,
            Self::Aes256Gcm | Self::Aes256Ccm | Self::Aes256Ccm8 | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// The length of its tag in bytes.
    pub fn tag_bytes(self) -> usize {
        match self {
            Self::Aes128Ccm8 | Self::Aes256Ccm8 => 8,
            _ => 16,
        }
    }
}

impl Suite {
    /// The suite of an IANA number; `None` when its records cannot be opened.
    pub fn of(id: u16) -> Option<Self> {
        let known = TlsCipherSuite::from_id(id)?;
        let has_short_tag = known.name.ends_with("CCM_8") || known.name.ends_with("CCM_8_SHA256");
        let cipher = match (&known.enc, &known.enc_mode, known.enc_size, has_short_tag) {
            (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm, 128, _) => Cipher::Aes128Gcm,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm, 256, _) => Cipher::Aes256Gcm,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 128, false) => Cipher::Aes128Ccm,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 128, true) => Cipher::Aes128Ccm8,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 256, false) => Cipher::Aes256Ccm,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 256, true) => Cipher::Aes256Ccm8,
            (TlsCipherEnc::Chacha20_Poly1305, ..) => Cipher::ChaCha20Poly1305,
            _ => return None,
        };
        let is_sha384 = known.prf == TlsPRF::Sha384 || known.name.ends_with("SHA384");
        Some(Self { cipher, hash: if is_sha384 { Hash::Sha384 } else { Hash::Sha256 } })
    }
}

/// The length of the code behind the records of a suite that encrypts nothing.
pub(super) fn null_code_bytes(id: u16) -> Option<usize> {
    let known = TlsCipherSuite::from_id(id)?;
    let is_null = known.enc == TlsCipherEnc::Null && known.name.contains("_WITH_NULL_");
    is_null.then(|| usize::from(known.mac_size / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_what_their_names_say() {
        for (id, expected) in [
            (0x1301, Some((Cipher::Aes128Gcm, Hash::Sha256))),
            (0x1302, Some((Cipher::Aes256Gcm, Hash::Sha384))),
            (0x1303, Some((Cipher::ChaCha20Poly1305, Hash::Sha256))),
            (0x1304, Some((Cipher::Aes128Ccm, Hash::Sha256))),
            (0x1305, Some((Cipher::Aes128Ccm8, Hash::Sha256))),
            (0xc02f, Some((Cipher::Aes128Gcm, Hash::Sha256))),
            (0xc030, Some((Cipher::Aes256Gcm, Hash::Sha384))),
            (0xc0ac, Some((Cipher::Aes128Ccm, Hash::Sha256))),
            (0xc0ad, Some((Cipher::Aes256Ccm, Hash::Sha256))),
            (0xc0ae, Some((Cipher::Aes128Ccm8, Hash::Sha256))),
            (0xc0af, Some((Cipher::Aes256Ccm8, Hash::Sha256))),
            (0xcca8, Some((Cipher::ChaCha20Poly1305, Hash::Sha256))),
            (0x009d, Some((Cipher::Aes256Gcm, Hash::Sha384))),
            (0xc014, None),
            (0x0005, None),
            (0xffff, None),
        ] {
            let found = Suite::of(id).map(|suite| (suite.cipher, suite.hash));
            assert_eq!(found, expected, "{id:#06x}");
        }
    }
}
