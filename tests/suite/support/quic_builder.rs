//! QUIC packets made in code: [`Peer`] seals Initial packets as either side does, and the messages
//! inside. The cryptography is ring's, the keys are those of RFC 9001 and RFC 9369.

use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use whycert::quic::version::{Purpose, Version};
use whycert::tls::key_schedule::{expand_label, extract};
use whycert::tls::suite::Hash;

/// One side of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    pub version: Version,
    /// The connection id that the keys come from.
    pub keys_of: Vec<u8>,
    pub is_client: bool,
    pub destination_id: Vec<u8>,
    pub source_id: Vec<u8>,
}

impl Peer {
    /// An Initial packet; `payload` is as long as the caller makes it.
    pub fn initial(&self, number: u32, token: &[u8], payload: &[u8]) -> Vec<u8> {
        let secret = extract(Hash::Sha256, &self.version.salts()[0], &self.keys_of);
        let label = if self.is_client { "client in" } else { "server in" };
        let secret = expand_label(&secret, Hash::Sha256, label, &[], 32);
        let part = |purpose, length| expand_label(&secret, Hash::Sha256, self.version.label(purpose), &[], length);
        let kind: u8 = if self.version == Version::TWO { 0xd3 } else { 0xc3 };
        let mut packet = vec![kind];
        packet.extend(self.version.0.to_be_bytes());
        for id in [&self.destination_id, &self.source_id] {
            packet.push(id.len() as u8);
            packet.extend(id);
        }
        packet.push(token.len() as u8);
        packet.extend(token);
        packet.extend((0x4000 | (payload.len() + 4 + 16) as u16).to_be_bytes());
        let number_at = packet.len();
        packet.extend(number.to_be_bytes());
        let mut nonce: [u8; 12] = part(Purpose::Iv, 12).try_into().unwrap();
        nonce.iter_mut().skip(8).zip(number.to_be_bytes()).for_each(|(byte, part)| *byte ^= part);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &part(Purpose::Key, 16)).unwrap());
        let mut sealed = payload.to_vec();
        let aad = Aad::from(packet.clone());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).unwrap();
        packet.extend(sealed);
        let protection = HeaderProtectionKey::new(&AES_128, &part(Purpose::HeaderProtection, 16)).unwrap();
        let mask = protection.new_mask(&packet[number_at + 4..number_at + 20]).unwrap();
        packet[0] ^= mask[0] & 0x0f;
        (0..4).for_each(|at| packet[number_at + at] ^= mask[at + 1]);
        packet
    }
}

/// A number with its length in the first two bits, in two bytes or in eight.
pub fn varint(value: u64) -> Vec<u8> {
    match u16::try_from(value) {
        Ok(short) if short < 0x4000 => (0x4000 | short).to_be_bytes().to_vec(),
        _ => (0xc000_0000_0000_0000 | value).to_be_bytes().to_vec(),
    }
}

/// A CRYPTO frame.
pub fn crypto(offset: u64, bytes: &[u8]) -> Vec<u8> {
    [&[6][..], &varint(offset), &varint(bytes.len() as u64), bytes].concat()
}

/// A CONNECTION_CLOSE frame.
pub fn close(code: u64) -> Vec<u8> {
    [&[0x1c][..], &varint(code), &[0, 0]].concat()
}

/// A ClientHello that asks for `sni`.
pub fn client_hello(sni: &str, random: u8) -> Vec<u8> {
    let name = sni.as_bytes();
    let length = |bytes: usize| (bytes as u16).to_be_bytes();
    let list = [&length(name.len() + 3)[..], &[0], &length(name.len()), name].concat();
    let extensions =
        [&[0, 0][..], &length(list.len()), &list, &[0, 16, 0, 5, 0, 3, 2, b'h', b'3'], &[0, 43, 0, 3, 2, 3, 4]]
            .concat();
    let body = [&[3, 3][..], &[random; 32], &[0, 0, 2, 0x13, 1, 1, 0], &length(extensions.len()), &extensions].concat();
    message(1, &body)
}

/// A ServerHello of TLS 1.3.
pub fn server_hello() -> Vec<u8> {
    let body = [&[3, 3][..], &[9; 32], &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat();
    message(2, &body)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&[kind], &length[1..], body].concat()
}
