//! Keys from secrets: HKDF with labels (RFC 8446 section 7.1) and the PRF of TLS 1.2 (RFC 5246
//! section 5) and of what came before it (RFC 2246 section 5). The functions are those of TLS and of
//! QUIC, which uses the same labels. MD5, which ring has not, is that of the md-5 crate.

use hmac::Mac;
use ring::hkdf;
use ring::hmac as ring_hmac;

use super::suite::{Cipher, Hash};

/// HKDF-Extract (RFC 5869 section 2.2).
pub fn extract(hash: Hash, salt: &[u8], secret: &[u8]) -> Vec<u8> {
    ring_hmac::sign(&ring_hmac::Key::new(hmac_of(hash), salt), secret).as_ref().to_vec()
}

/// HKDF-Expand-Label: `label` goes without its `tls13 ` before it. Empty when `length` is more
/// than HKDF can give.
pub fn expand_label(secret: &[u8], hash: Hash, label: &str, context: &[u8], length: usize) -> Vec<u8> {
    let mut info: Vec<u8> = Vec::with_capacity(64);
    let length_on_wire = u16::try_from(length).unwrap_or(u16::MAX);
    info.extend_from_slice(&length_on_wire.to_be_bytes());
    let label_bytes = PREFIX.len().saturating_add(label.len());
    info.push(u8::try_from(label_bytes).unwrap_or(u8::MAX));
    info.extend_from_slice(PREFIX.as_bytes());
    info.extend_from_slice(label.as_bytes());
    info.push(u8::try_from(context.len()).unwrap_or(u8::MAX));
    info.extend_from_slice(context);
    let algorithm = match hash {
        Hash::Sha256 => hkdf::HKDF_SHA256,
        Hash::Sha384 => hkdf::HKDF_SHA384,
    };
    let mut out = vec![0; length];
    let prk = hkdf::Prk::new_less_safe(algorithm, secret);
    match prk.expand(&[&info], Length(length)).and_then(|okm| okm.fill(&mut out)) {
        Ok(()) => out,
        Err(_) => Vec::new(),
    }
}

/// The key and the IV of a traffic secret in TLS 1.3 (RFC 8446 section 7.3).
pub fn traffic_keys(secret: &[u8], hash: Hash, cipher: Cipher) -> (Vec<u8>, Vec<u8>) {
    let key = expand_label(secret, hash, "key", &[], cipher.key_bytes());
    let iv = expand_label(secret, hash, "iv", &[], NONCE_BYTES);
    (key, iv)
}

/// The traffic secret that follows a KeyUpdate (RFC 8446 section 7.2).
pub fn next_traffic_secret(secret: &[u8], hash: Hash) -> Vec<u8> {
    expand_label(secret, hash, "traffic upd", &[], hash.bytes())
}

/// How TLS up to 1.2 makes keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prf {
    /// TLS 1.0 and 1.1: MD5 with the first half of the secret, SHA-1 with the second.
    Md5Sha1,
    /// TLS 1.2: the hash of the suite.
    Of(Hash),
}

/// The PRF of TLS up to 1.2.
pub fn prf(secret: &[u8], prf: Prf, label: &str, seed: &[&[u8]], length: usize) -> Vec<u8> {
    let seed: Vec<u8> = [label.as_bytes()].iter().chain(seed).flat_map(|part| part.iter().copied()).collect();
    match prf {
        Prf::Of(hash) => expand(ring_sign(hmac_of(hash), secret), &seed, length),
        Prf::Md5Sha1 => {
            let half = secret.len().div_ceil(2);
            let first = secret.get(..half).unwrap_or_default();
            let second = secret.get(secret.len().saturating_sub(half)..).unwrap_or_default();
            let md5 = expand(md5_sign(first), &seed, length);
            let sha1 = expand(ring_sign(ring_hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, second), &seed, length);
            md5.iter().zip(sha1).map(|(one, other)| one ^ other).collect()
        }
    }
}

/// P_hash (RFC 5246 section 5).
fn expand(sign: impl Fn(&[&[u8]]) -> Vec<u8>, seed: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    let mut a = sign(&[seed]);
    while out.len() < length && !a.is_empty() {
        out.extend(sign(&[&a, seed]));
        a = sign(&[&a]);
    }
    out.truncate(length);
    out
}

fn ring_sign(algorithm: ring_hmac::Algorithm, secret: &[u8]) -> impl Fn(&[&[u8]]) -> Vec<u8> {
    let key = ring_hmac::Key::new(algorithm, secret);
    move |parts| {
        let mut context = ring_hmac::Context::with_key(&key);
        for part in parts {
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }
}

fn md5_sign(secret: &[u8]) -> impl Fn(&[&[u8]]) -> Vec<u8> {
    // An HMAC takes a key of any length.
    let key = hmac::Hmac::<md5::Md5>::new_from_slice(secret).ok();
    move |parts| {
        let signed = key.clone().map(|mut it| {
            for part in parts {
                it.update(part);
            }
            it.finalize().into_bytes().to_vec()
        });
        signed.unwrap_or_default()
    }
}

/// The master secret of a premaster secret (RFC 5246 section 8.1).
pub fn master_secret(premaster: &[u8], how: Prf, client_random: &[u8], server_random: &[u8]) -> Vec<u8> {
    prf(premaster, how, "master secret", &[client_random, server_random], MASTER_BYTES)
}

/// The key block (RFC 5246 section 6.3).
pub fn key_block(master: &[u8], how: Prf, client_random: &[u8], server_random: &[u8], length: usize) -> Vec<u8> {
    prf(master, how, "key expansion", &[server_random, client_random], length)
}

fn hmac_of(hash: Hash) -> ring_hmac::Algorithm {
    match hash {
        Hash::Sha256 => ring_hmac::HMAC_SHA256,
        Hash::Sha384 => ring_hmac::HMAC_SHA384,
    }
}

/// How much HKDF is asked for.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

const PREFIX: &str = "tls13 ";
/// The length of a nonce, the same for every AEAD here.
pub const NONCE_BYTES: usize = 12;
const MASTER_BYTES: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
    }

    /// RFC 8448 section 3: the server's handshake traffic secret and its keys.
    #[test]
    fn keys_are_those_of_rfc_8448() {
        let secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let (key, iv) = traffic_keys(&secret, Hash::Sha256, Cipher::Aes128Gcm);
        assert_eq!(key, hex("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(iv, hex("5d313eb2671276ee13000b30"));
        assert_eq!(next_traffic_secret(&secret, Hash::Sha256).len(), 32);
    }

    /// RFC 9001 appendix A.1.
    #[test]
    fn initial_secrets_are_those_of_rfc_9001() {
        let salt = hex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
        let initial = extract(Hash::Sha256, &salt, &hex("8394c8f03e515708"));
        assert_eq!(initial, hex("7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44"));
        let client = expand_label(&initial, Hash::Sha256, "client in", &[], 32);
        assert_eq!(client, hex("c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea"));
        let key = expand_label(&client, Hash::Sha256, "quic key", &[], 16);
        assert_eq!(key, hex("1f369613dd76d5467730efcbe3b1a22d"));
    }

    /// The test vector for the PRF with SHA-256 that the IETF's TLS list published.
    #[test]
    fn the_prf_gives_the_published_bytes() {
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let out = prf(&secret, Prf::Of(Hash::Sha256), "test label", &[&seed], 100);
        assert_eq!(out[..16], hex("e3f229ba727be17b8d122620557cd453")[..]);
        assert_eq!(out.len(), 100);
        assert_eq!(expand_label(&secret, Hash::Sha256, "key", &[], 1 << 20), Vec::<u8>::new(), "too much");
    }
}
