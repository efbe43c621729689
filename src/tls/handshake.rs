//! Handshake messages: [`read`] one of them (RFC 8446 section 4, RFC 5246 section 7.4).
//!
//! tls-parser reads the fixed fields; extensions are walked one by one, so that a bad one costs
//! itself only. GREASE values (RFC 8701) are left out.

use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_message_handshake};

use crate::limits::CHAIN_CERTIFICATES_MAX;

/// What a client offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The server name (RFC 6066), in lower case, escaped as in RFC 1035.
    pub sni: Option<String>,
    /// The protocols offered.
    pub alpn: Vec<String>,
    /// The versions offered, best first.
    pub versions: Vec<String>,
    /// Encrypted ClientHello is offered (or GREASE of it).
    pub ech: bool,
    /// The session id.
    pub session_id: Vec<u8>,
}

/// What a server chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// The version chosen.
    pub version: String,
    /// The cipher suite chosen.
    pub cipher: String,
    /// It is a HelloRetryRequest.
    pub is_retry: bool,
    /// The session id.
    pub session_id: Vec<u8>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A ClientHello.
    ClientHello(Box<ClientHello>),
    /// A ServerHello or a HelloRetryRequest.
    ServerHello(Box<ServerHello>),
    /// A Certificate message of TLS 1.2 or older.
    Certificates(Vec<Vec<u8>>),
    /// ServerHelloDone or a ClientKeyExchange.
    FlightDone,
    /// One that does not matter here.
    Other,
    /// One that cannot be read.
    Undecoded(String),
}

/// Type and length of the message at the front.
pub fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    let [kind, high, middle, low] = <[u8; HEADER_BYTES]>::try_from(bytes.get(..HEADER_BYTES)?).ok()?;
    let length = u32::from_be_bytes([0, high, middle, low]);
    Some((kind, usize::try_from(length).ok()?))
}

/// Reads a whole message with its header.
pub fn read(kind: u8, bytes: &[u8]) -> Message {
    match kind {
        1 | 2 => hello(bytes),
        11 => certificates(bytes.get(HEADER_BYTES..).unwrap_or_default()),
        14 | 16 => Message::FlightDone,
        _ => Message::Other,
    }
}

fn hello(bytes: &[u8]) -> Message {
    match parse_tls_message_handshake(bytes) {
        Ok((_, TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)))) => {
            let mut read = ClientHello {
                session_id: hello.session_id.map(<[u8]>::to_vec).unwrap_or_default(),
                ..ClientHello::default()
            };
            for (kind, body) in extensions(hello.ext.unwrap_or_default()) {
                client_extension(&mut read, kind, body);
            }
            if read.versions.is_empty() {
                read.versions.push(version_name(hello.version.0));
            }
            Message::ClientHello(Box::new(read))
        }
        Ok((_, TlsMessage::Handshake(TlsMessageHandshake::ServerHello(hello)))) => {
            let chosen = extensions(hello.ext.unwrap_or_default())
                .into_iter()
                .find(|(kind, _)| *kind == SUPPORTED_VERSIONS)
                .and_then(|(_, body)| <[u8; 2]>::try_from(body).ok())
                .map_or(hello.version.0, u16::from_be_bytes);
            Message::ServerHello(Box::new(ServerHello {
                version: version_name(chosen),
                cipher: cipher_name(hello.cipher.0),
                is_retry: hello.random == RETRY_RANDOM,
                session_id: hello.session_id.map(<[u8]>::to_vec).unwrap_or_default(),
            }))
        }
        Ok(_) => Message::Other,
        Err(error) => Message::Undecoded(format!("{error:?}").chars().take(80).collect()),
    }
}

/// The extensions of a hello, by type; the walk ends at the first that is not whole.
fn extensions(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
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

fn client_extension(hello: &mut ClientHello, kind: u16, body: &[u8]) {
    match kind {
        SERVER_NAME => hello.sni = server_name(body),
        ALPN => hello.alpn = alpn(body),
        SUPPORTED_VERSIONS => {
            let mut versions: Vec<u16> = body
                .get(1..)
                .unwrap_or_default()
                .chunks_exact(2)
                .filter_map(|pair| <[u8; 2]>::try_from(pair).ok().map(u16::from_be_bytes))
                .filter(|version| version & 0x0f0f != 0x0a0a)
                .collect();
            versions.sort_unstable_by(|one, other| other.cmp(one));
            hello.versions = versions.into_iter().map(version_name).collect();
        }
        ENCRYPTED_CLIENT_HELLO => hello.ech = true,
        _ => {}
    }
}

fn server_name(body: &[u8]) -> Option<String> {
    let length = u16::from_be_bytes(<[u8; 2]>::try_from(body.get(3..5)?).ok()?);
    let name = body.get(5..5_usize.checked_add(usize::from(length))?)?;
    (body.get(2) == Some(&0)).then(|| escape(name))
}

fn alpn(body: &[u8]) -> Vec<String> {
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

/// Bytes as text: printable ASCII in lower case, the rest as `\DDD`.
fn escape(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'\\' => text.push_str("\\\\"),
            0x21..=0x7e => text.push(char::from(byte.to_ascii_lowercase())),
            _ => text.push_str(format!("\\{byte:03}").as_str()),
        }
        text
    })
}

/// RFC 5246 section 7.4.2: a list of certificates, each with its length in three bytes.
fn certificates(body: &[u8]) -> Message {
    let mut rest = body.get(3..).unwrap_or_default();
    let mut chain = Vec::new();
    while let Some((length, tail)) = rest.split_at_checked(3) {
        let [high, middle, low] = <[u8; 3]>::try_from(length).unwrap_or_default();
        let length = usize::try_from(u32::from_be_bytes([0, high, middle, low])).unwrap_or(usize::MAX);
        let Some((der, tail)) = tail.split_at_checked(length) else {
            break;
        };
        if chain.len() >= CHAIN_CERTIFICATES_MAX {
            break;
        }
        chain.push(der.to_vec());
        rest = tail;
    }
    Message::Certificates(chain)
}

/// `TLS 1.2` for 0x0303.
pub fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        other => format!("0x{other:04x}"),
    }
}

/// The IANA name of a cipher suite.
pub fn cipher_name(cipher: u16) -> String {
    tls_parser::TlsCipherSuite::from_id(cipher).map_or_else(|| format!("0x{cipher:04x}"), |suite| suite.name.to_owned())
}

/// The name of an alert description (RFC 8446 section 6).
pub fn alert_name(description: u8) -> String {
    let known = ALERT_NAMES.iter().find(|(number, _)| *number == description);
    known.map_or_else(|| format!("alert {description}"), |(_, name)| (*name).to_owned())
}

/// The length of a handshake message's header.
pub const HEADER_BYTES: usize = 4;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
/// RFC 8446 section 4.1.3.
const RETRY_RANDOM: &[u8] = &[
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
/// The alert descriptions of RFC 8446 section 6 and of the RFCs before it, by number.
pub const ALERT_NAMES: &[(u8, &str)] = &[
    (0, "close_notify"),
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (22, "record_overflow"),
    (40, "handshake_failure"),
    (41, "no_certificate"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (90, "user_canceled"),
    (100, "no_renegotiation"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (115, "unknown_psk_identity"),
    (116, "certificate_required"),
    (120, "no_application_protocol"),
];
