//! Handshake messages: [`read`] one of them (RFC 8446 section 4, RFC 5246 section 7.4).
//!
//! tls-parser reads the fixed fields of hellos; extensions, and the messages of TLS 1.3 that it does
//! not know, are read here.

use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_message_handshake};

pub use super::alert::name as alert_name;
use super::{certificates, extension};

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
    /// The number of the configuration that an Encrypted ClientHello names.
    pub ech_config: Option<u8>,
    /// The session id.
    pub session_id: Vec<u8>,
    /// The client random.
    pub random: Vec<u8>,
    /// Data follows before the server answers (0-RTT).
    pub has_early_data: bool,
}

/// What a server chose.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    /// The version is TLS 1.3 or a draft of it.
    pub is_tls13: bool,
    /// The number of the draft of TLS 1.3.
    pub draft: Option<u8>,
    /// The number of the cipher suite.
    pub cipher_id: u16,
    /// The server random.
    pub random: Vec<u8>,
    /// The server took a pre-shared key: the session is resumed (TLS 1.3).
    pub is_resumed: bool,
    /// The protocol chosen (TLS 1.2; encrypted in TLS 1.3).
    pub alpn: Option<String>,
    /// The master secret covers the handshake (RFC 7627).
    pub has_extended_master: bool,
    /// The code of a record covers what is encrypted (RFC 7366).
    pub is_encrypted_then_coded: bool,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A ClientHello.
    ClientHello(Box<ClientHello>),
    /// A ServerHello or a HelloRetryRequest.
    ServerHello(Box<ServerHello>),
    /// The certificates of a Certificate or CompressedCertificate message.
    Certificates(Vec<Vec<u8>>),
    /// The same, and why some are missing.
    CertificatesInPart(Vec<Vec<u8>>, String),
    /// What a server chose under encryption (TLS 1.3).
    EncryptedExtensions(EncryptedExtensions),
    /// The server asks for a certificate of the client.
    CertificateRequest,
    /// ServerHelloDone.
    FlightDone,
    /// A ServerKeyExchange: the handshake is a full one.
    ServerKeyExchange,
    /// The first bytes of the key exchange of a ClientKeyExchange.
    ClientKeyExchange(Vec<u8>),
    /// One side has all it needs.
    Finished,
    /// The keys of the sender change behind this message (TLS 1.3).
    KeyUpdate,
    /// One that does not matter here.
    Other,
    /// One that cannot be read.
    Undecoded(String),
}

impl ServerHello {
    /// Whether the version is a draft that leaves the record header out of the authentication.
    pub(super) fn is_early_draft(&self) -> bool {
        self.draft.is_some_and(|draft| draft < 25)
    }
}

/// What EncryptedExtensions of TLS 1.3 say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptedExtensions {
    /// The protocol chosen.
    pub alpn: Option<String>,
    /// The server refused an Encrypted ClientHello and sent configurations to try again.
    pub has_ech_retry: bool,
    /// The server takes the early data.
    pub has_early_data: bool,
}

/// Type and length of the message at the front.
pub fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    let [kind, high, middle, low] = <[u8; HEADER_BYTES]>::try_from(bytes.get(..HEADER_BYTES)?).ok()?;
    let length = u32::from_be_bytes([0, high, middle, low]);
    Some((kind, usize::try_from(length).ok()?))
}

/// Reads a whole message with its header.
pub fn read(kind: u8, bytes: &[u8]) -> Message {
    let body = bytes.get(HEADER_BYTES..).unwrap_or_default();
    match kind {
        1 | 2 => hello(bytes),
        8 => Message::EncryptedExtensions(encrypted_extensions(body)),
        11 => certificates_of(body),
        12 => Message::ServerKeyExchange,
        13 => Message::CertificateRequest,
        14 => Message::FlightDone,
        16 => Message::ClientKeyExchange(body.iter().take(KEY_EXCHANGE_BYTES).copied().collect()),
        20 => Message::Finished,
        24 => Message::KeyUpdate,
        25 => match certificates::decompress(body) {
            Ok(body) => certificates_of(&body),
            Err(why) => Message::Undecoded(why),
        },
        _ => Message::Other,
    }
}

fn certificates_of(body: &[u8]) -> Message {
    match certificates::read(body) {
        (chain, None) => Message::Certificates(chain),
        (chain, Some(why)) => Message::CertificatesInPart(chain, why),
    }
}

fn hello(bytes: &[u8]) -> Message {
    if let Some(hello) = early_draft(bytes) {
        return Message::ServerHello(Box::new(hello));
    }
    match parse_tls_message_handshake(bytes) {
        Ok((_, TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)))) => {
            let mut read = ClientHello {
                session_id: hello.session_id.map(<[u8]>::to_vec).unwrap_or_default(),
                random: hello.random.to_vec(),
                ..ClientHello::default()
            };
            for (kind, body) in extension::list(hello.ext.unwrap_or_default()) {
                client_extension(&mut read, kind, body);
            }
            if read.versions.is_empty() {
                read.versions.push(version_name(hello.version.0));
            }
            Message::ClientHello(Box::new(read))
        }
        Ok((_, TlsMessage::Handshake(TlsMessageHandshake::ServerHello(hello)))) => {
            let extensions = extension::list(hello.ext.unwrap_or_default());
            let mut read = server_hello(hello.version.0, hello.cipher.0, hello.random, &extensions);
            read.session_id = hello.session_id.map(<[u8]>::to_vec).unwrap_or_default();
            Message::ServerHello(Box::new(read))
        }
        Ok(_) => Message::Other,
        Err(error) => Message::Undecoded(format!("{error:?}").chars().take(80).collect()),
    }
}

/// The ServerHello of drafts of TLS 1.3 before the 22nd: without session id and compression method.
fn early_draft(bytes: &[u8]) -> Option<ServerHello> {
    let (&2, body) = (bytes.first()?, bytes.get(HEADER_BYTES..)?) else {
        return None;
    };
    let version = u16::from_be_bytes(<[u8; 2]>::try_from(body.get(..2)?).ok()?);
    // The 14th draft and those around it put the final number where TLS 1.3 itself never does.
    if !(0x7f00..=0x7f15).contains(&version) && version != 0x0304 {
        return None;
    }
    let random = body.get(2..34)?;
    let cipher = u16::from_be_bytes(<[u8; 2]>::try_from(body.get(34..36)?).ok()?);
    Some(server_hello(version, cipher, random, &extension::list(body.get(38..).unwrap_or_default())))
}

fn client_extension(hello: &mut ClientHello, kind: u16, body: &[u8]) {
    match kind {
        extension::SERVER_NAME => hello.sni = extension::server_name(body),
        extension::ALPN => hello.alpn = extension::alpn(body),
        extension::SUPPORTED_VERSIONS => {
            hello.versions = extension::versions(body).into_iter().map(version_name).collect();
        }
        extension::EARLY_DATA => hello.has_early_data = true,
        extension::ENCRYPTED_CLIENT_HELLO => {
            hello.ech = true;
            hello.ech_config = extension::ech_config_id(body);
        }
        _ => {}
    }
}

fn server_hello(version: u16, cipher: u16, random: &[u8], extensions: &[(u16, &[u8])]) -> ServerHello {
    let body = |wanted: u16| extensions.iter().find(|(kind, _)| *kind == wanted).map(|(_, body)| *body);
    let chosen = body(extension::SUPPORTED_VERSIONS).and_then(|body| <[u8; 2]>::try_from(body).ok());
    let version = chosen.map_or(version, u16::from_be_bytes);
    ServerHello {
        version: version_name(version),
        cipher: cipher_name(cipher),
        is_retry: random == RETRY_RANDOM,
        session_id: Vec::new(),
        is_tls13: is_tls13(version),
        draft: match version.to_be_bytes() {
            [0x7f, draft] => Some(draft),
            _ => None,
        },
        cipher_id: cipher,
        random: random.to_vec(),
        is_resumed: is_tls13(version) && body(extension::PRE_SHARED_KEY).is_some(),
        alpn: body(extension::ALPN).and_then(|body| extension::alpn(body).into_iter().next()),
        has_extended_master: body(extension::EXTENDED_MASTER_SECRET).is_some(),
        is_encrypted_then_coded: body(extension::ENCRYPT_THEN_MAC).is_some(),
    }
}

/// RFC 8446 section 4.3.1.
fn encrypted_extensions(body: &[u8]) -> EncryptedExtensions {
    let mut read = EncryptedExtensions::default();
    for (kind, body) in extension::list(body.get(2..).unwrap_or_default()) {
        match kind {
            extension::ALPN => read.alpn = extension::alpn(body).into_iter().next(),
            extension::ENCRYPTED_CLIENT_HELLO => read.has_ech_retry = true,
            extension::EARLY_DATA => read.has_early_data = true,
            _ => {}
        }
    }
    read
}

/// TLS 1.3, its drafts and the experiments that were deployed with it.
fn is_tls13(version: u16) -> bool {
    matches!(version, 0x0304 | 0x7e00..=0x7fff | 0xfb00..=0xfbff)
}

/// `TLS 1.2` for 0x0303.
pub fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        0x7f00..=0x7fff => format!("TLS 1.3 draft {}", version & 0xff),
        other => format!("0x{other:04x}"),
    }
}

/// The IANA name of a cipher suite.
pub fn cipher_name(cipher: u16) -> String {
    tls_parser::TlsCipherSuite::from_id(cipher).map_or_else(|| format!("0x{cipher:04x}"), |suite| suite.name.to_owned())
}

/// The length of a handshake message's header.
pub const HEADER_BYTES: usize = 4;
/// A length stands before the key exchange of RSA.
pub(super) const KEY_EXCHANGE_LENGTH_BYTES: usize = 2;
/// Two of length and the eight by which an `RSA` line of a key log is found.
const KEY_EXCHANGE_BYTES: usize = 10;
/// RFC 8446 section 4.1.3.
pub(super) const RETRY_RANDOM: &[u8] = &[
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
