//! Handshake messages and records made by code, for the tests of this folder.

/// A record of TLS.
pub(super) fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], length.as_slice(), body].concat()
}

/// A handshake message.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [kind.to_be_bytes().as_slice(), &length, body].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [u16::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), bytes].concat()
}

/// A ClientHello for a name, whose random is one byte repeated.
pub(super) fn client_hello(sni: &str, random: u8, more: &[(u16, &[u8])]) -> Vec<u8> {
    let name = [&[0], with_length(sni.as_bytes()).as_slice()].concat();
    let mut extensions = extension(0, &with_length(&name));
    for (kind, body) in more {
        extensions.extend(extension(*kind, body));
    }
    let start = [[3, 3].as_slice(), &[random; 32], &[0], &[0, 2, 0x13, 0x01], &[1, 0]].concat();
    message(1, &[start, with_length(&extensions)].concat())
}

/// A ServerHello of a version that stands in its extension, as in TLS 1.3, where it is 0x0304.
pub(super) fn server_hello(version: u16, random: &[u8; 32], more: &[(u16, &[u8])]) -> Vec<u8> {
    let mut extensions = Vec::new();
    if version == 0x0304 {
        extensions.extend(extension(43, &version.to_be_bytes()));
    }
    for (kind, body) in more {
        extensions.extend(extension(*kind, body));
    }
    let start = [[3, 3].as_slice(), random, &[0], &[0x13, 0x01], &[0]].concat();
    message(2, &[start, with_length(&extensions)].concat())
}

/// A Certificate message of TLS 1.2.
pub(super) fn certificate(chain: &[&[u8]]) -> Vec<u8> {
    let u24 = |length: usize| u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
    let list: Vec<u8> = chain.iter().flat_map(|der| [u24(der.len()), der.to_vec()].concat()).collect();
    message(11, &[u24(list.len()), list].concat())
}
