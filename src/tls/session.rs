//! The keys of one direction of one connection: [`Session`] opens its records as far as key logs go.
//!
//! TLS 1.3 changes keys several times. Which key a record needs shows by trying: the one in use, then
//! those of the stages behind it, each from its first record on. Authentication decides, so that
//! nothing is guessed, and half a key log opens what it can.

use std::sync::Arc;

use super::decrypt::{Opener, RecordType};
use super::handshake::{ClientHello, ServerHello};
use super::key_schedule::{self, Prf};
use super::keylog::{Keys, Label};
use super::suite::{self, Suite};
use super::{Side, cbc, handshake};
use crate::limits::SEALED_RECORDS_PASSED_MAX;

/// Opens the records of one direction.
#[derive(Debug)]
pub(super) struct Session {
    keys: Arc<Keys>,
    client_random: Vec<u8>,
    current: Option<Current>,
    next: Next,
    passed: usize,
    /// The file that gave the secret that opened the last record.
    opened_by: Option<String>,
    /// The stage whose key no log has.
    pub(super) lacks: Option<&'static str>,
}

/// The key in use.
#[derive(Debug)]
enum Current {
    Sealed(Opener),
    Coded(cbc::Opener),
}

/// What may follow the key in use.
#[derive(Debug)]
enum Next {
    Tls13 {
        suite: Suite,
        is_early_draft: bool,
        stages: &'static [(Label, &'static str)],
        has_early_data: bool,
    },
    Tls12(Vec<(Current, Vec<u8>)>),
    /// The suite encrypts nothing: a code of so many bytes stands behind the clear ones.
    Null(usize),
}

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// Its true type and its bytes.
    Clear(RecordType, Vec<u8>),
    /// Closed, and later ones can be open: early data, or a stage whose key no log has.
    Passed,
    /// Authentication refuses it under every key there is.
    Refused,
}

impl Session {
    /// The keys of one side of the connection that these hellos made; an error says why there are
    /// none.
    pub(super) fn new(
        keys: &Arc<Keys>,
        side: Side,
        client: &ClientHello,
        server: &ServerHello,
        key_exchange: &[u8],
    ) -> Result<Self, String> {
        let (keys, client_random) = (Arc::clone(keys), client.random.clone());
        if let Some(code_bytes) = suite::null_code_bytes(server.cipher_id) {
            let next = Next::Null(code_bytes);
            return Ok(Self { keys, client_random, current: None, next, passed: 0, opened_by: None, lacks: None });
        }
        let coded = cbc::Suite::of(server.cipher_id, &server.version);
        let next = if let Some(suite) = coded {
            let randoms = (client.random.as_slice(), server.random.as_slice());
            let (is_client, is_outside) = (side == Side::Client, server.is_encrypted_then_coded);
            let opener = |it: Vec<u8>| {
                let opener = cbc::Opener::new(suite, &it, randoms, is_client, is_outside)?;
                Some((Current::Coded(opener), it))
            };
            let masters = masters(&keys, suite.prf, client, server, key_exchange);
            Next::Tls12(masters.into_iter().filter_map(opener).collect())
        } else if server.is_tls13 {
            let suite = aead(server)?;
            let stages = if side == Side::Client { CLIENT_STAGES } else { SERVER_STAGES };
            let has_early_data = client.has_early_data && side == Side::Client;
            Next::Tls13 { suite, is_early_draft: server.is_early_draft(), stages, has_early_data }
        } else {
            let suite = aead(server)?;
            let masters = masters(&keys, Prf::Of(suite.hash), client, server, key_exchange);
            let randoms = (client.random.as_slice(), server.random.as_slice());
            let opener = |it: Vec<u8>| {
                let opener = Opener::tls12(suite, &it, randoms, side == Side::Client)?;
                Some((Current::Sealed(opener), it))
            };
            Next::Tls12(masters.into_iter().filter_map(opener).collect())
        };
        Ok(Self { keys, client_random, current: None, next, passed: 0, opened_by: None, lacks: None })
    }

    /// The file that gave the keys; they count as used.
    pub(super) fn file(&self) -> Option<String> {
        self.opened_by.clone().or_else(|| self.keys.used_for(&self.client_random).map(str::to_owned))
    }

    /// Whether records are those of TLS 1.3, where only application data is sealed.
    pub(super) fn is_tls13(&self) -> bool {
        matches!(self.next, Next::Tls13 { .. })
    }

    /// Whether what it opens is authenticated: suites that encrypt nothing need no key.
    pub(super) fn is_authentic(&self) -> bool {
        self.current.is_some()
    }

    /// Opens the next record.
    pub(super) fn open(&mut self, header: [u8; 5], body: &[u8]) -> Opened {
        if let Some((kind, clear)) = self.current.as_mut().and_then(|opener| opener.open(header, body)) {
            return Opened::Clear(kind, clear);
        }
        match &mut self.next {
            Next::Null(code_bytes) => {
                let [kind, ..] = header;
                let clear = body.len().checked_sub(*code_bytes).and_then(|end| body.get(..end));
                clear.map_or(Opened::Refused, |clear| Opened::Clear(kind, clear.to_vec()))
            }
            Next::Tls12(openers) => {
                for (mut opener, master) in std::mem::take(openers) {
                    if let Some((kind, clear)) = opener.open(header, body) {
                        self.current = Some(opener);
                        self.opened_by = self.keys.file_of(&self.client_random, &master).map(str::to_owned);
                        return Opened::Clear(kind, clear);
                    }
                }
                Opened::Refused
            }
            Next::Tls13 { suite, is_early_draft, stages, has_early_data } => {
                for (at, (label, _)) in stages.iter().enumerate() {
                    for secret in self.keys.secrets(&self.client_random, *label) {
                        let Some(mut opener) = Opener::tls13(*suite, secret, *is_early_draft) else {
                            continue;
                        };
                        if let Some((kind, clear)) = opener.open(header, body) {
                            self.current = Some(Current::Sealed(opener));
                            self.opened_by = self.keys.file_of(&self.client_random, secret).map(str::to_owned);
                            *stages = stages.get(at.saturating_add(1)..).unwrap_or_default();
                            return Opened::Clear(kind, clear);
                        }
                    }
                }
                let lacks = stages.iter().find(|(label, _)| {
                    *label != Label::ClientEarly && self.keys.secrets(&self.client_random, *label).next().is_none()
                });
                let is_early = *has_early_data && stages.iter().any(|(label, _)| *label == Label::ClientHandshake);
                self.lacks = self.lacks.or(lacks.map(|(_, name)| *name));
                self.passed = self.passed.saturating_add(1);
                let waits = is_early || lacks.is_some();
                if waits && self.passed <= SEALED_RECORDS_PASSED_MAX { Opened::Passed } else { Opened::Refused }
            }
        }
    }

    /// The sender changes its keys (KeyUpdate).
    pub(super) fn update(&mut self) {
        if let Some(Current::Sealed(opener)) = &mut self.current {
            opener.update();
        }
    }
}

impl Current {
    fn open(&mut self, header: [u8; 5], body: &[u8]) -> Option<(RecordType, Vec<u8>)> {
        match self {
            Self::Sealed(opener) => opener.open(header, body),
            Self::Coded(opener) => opener.open(header, body),
        }
    }
}

/// The suite of a ServerHello, where it is one whose records are opened.
fn aead(server: &ServerHello) -> Result<Suite, String> {
    let of_version = if server.version == "TLS 1.2" || server.is_tls13 { "" } else { server.version.as_str() };
    let gap = match of_version {
        "" => format!("records of {} are not decrypted", server.cipher),
        version => format!("records of {version} ({}) are not decrypted", server.cipher),
    };
    Suite::of(server.cipher_id).filter(|_| of_version.is_empty()).ok_or(gap)
}

/// The master secrets that logs give, or those of premaster secrets. With an extended master secret
/// (RFC 7627) a premaster secret alone gives none.
fn masters(keys: &Keys, prf: Prf, client: &ClientHello, server: &ServerHello, key_exchange: &[u8]) -> Vec<Vec<u8>> {
    let logged = keys.secrets(&client.random, Label::Master).map(<[u8]>::to_vec);
    let premasters = keys.secrets(&client.random, Label::Premaster);
    let encrypted = key_exchange.get(handshake::KEY_EXCHANGE_LENGTH_BYTES..).unwrap_or_default();
    let premasters = premasters.chain(keys.premasters(encrypted)).filter(|_| !server.has_extended_master);
    let made = premasters.map(|it| key_schedule::master_secret(it, prf, &client.random, &server.random));
    logged.chain(made).collect()
}

const CLIENT_STAGES: &[(Label, &str)] = &[
    (Label::ClientEarly, "CLIENT_EARLY_TRAFFIC_SECRET"),
    (Label::ClientHandshake, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"),
    (Label::ClientTraffic, "CLIENT_TRAFFIC_SECRET_0"),
];
const SERVER_STAGES: &[(Label, &str)] =
    &[(Label::ServerHandshake, "SERVER_HANDSHAKE_TRAFFIC_SECRET"), (Label::ServerTraffic, "SERVER_TRAFFIC_SECRET_0")];
