//! Extensions of hello messages (RFC 8446 section 4.2): [`list`] walks them, the readers of the few
//! that matter stand below.
//!
//! Extensions are walked one by one, so that a bad one costs itself only. GREASE values (RFC 8701)
//! are left out.

/// The extensions of a message, by type; the walk ends at the first that is not whole.
pub(super) fn list(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let Some((header, rest)) = bytes.split_at_checked(4) {
        let [k0, k1, l0, l1] = <[u8; 4]>::try_from(header).unwrap_or_default();
        let Some((body, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1]))) else {
            break;
        };
        found.push((u16::from_be_bytes([k0, k1]), body));
        bytes = rest;
    }
    found
}

/// The host name of a server_name extension (RFC 6066 section 3).
pub(super) fn server_name(body: &[u8]) -> Option<String> {
    let length = u16::from_be_bytes(<[u8; 2]>::try_from(body.get(3..5)?).ok()?);
    let name = body.get(5..5_usize.checked_add(usize::from(length))?)?;
    (body.get(2) == Some(&0)).then(|| escape(name))
}

/// The protocols of an application_layer_protocol_negotiation extension (RFC 7301).
pub(super) fn alpn(body: &[u8]) -> Vec<String> {
    let mut rest = body.get(2..).unwrap_or_default();
    let mut found = Vec::new();
    while let Some((length, tail)) = rest.split_first() {
        let Some((name, tail)) = tail.split_at_checked(usize::from(*length)) else {
            break;
        };
        let is_grease = name.len() == 2 && name.iter().all(|byte| byte & 0x0f == 0x0a);
        if !is_grease {
            found.push(escape(name));
        }
        rest = tail;
    }
    found
}

/// The versions of a client's supported_versions extension, best first.
pub(super) fn versions(body: &[u8]) -> Vec<u16> {
    let mut versions: Vec<u16> = body
        .get(1..)
        .unwrap_or_default()
        .chunks_exact(2)
        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok().map(u16::from_be_bytes))
        .filter(|version| version & 0x0f0f != 0x0a0a)
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions
}

/// The number of the configuration of an outer Encrypted ClientHello (RFC 9849 section 5). What is
/// sealed under a true configuration and what only looks so (GREASE) are alike on the wire; only a
/// configuration that DNS published, with the same number, tells them apart.
pub(super) fn ech_config_id(body: &[u8]) -> Option<u8> {
    let is_outer = body.first() == Some(&0);
    body.get(5).copied().filter(|_| is_outer)
}

/// Bytes as text: printable ASCII in lower case, the rest as `\DDD`.
pub(super) fn escape(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'\\' => text.push_str("\\\\"),
            0x21..=0x7e => text.push(char::from(byte.to_ascii_lowercase())),
            _ => text.push_str(format!("\\{byte:03}").as_str()),
        }
        text
    })
}

pub(super) const SERVER_NAME: u16 = 0;
pub(super) const ALPN: u16 = 16;
pub(super) const ENCRYPT_THEN_MAC: u16 = 22;
pub(super) const EXTENDED_MASTER_SECRET: u16 = 23;
pub(super) const PRE_SHARED_KEY: u16 = 41;
pub(super) const EARLY_DATA: u16 = 42;
pub(super) const SUPPORTED_VERSIONS: u16 = 43;
pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
