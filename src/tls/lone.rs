//! A connection of which the capture holds one direction: the [`Session`] whose keys open it.
//!
//! What the other direction would say is found by trying: the client random among those of the key
//! logs, where these are few, or the suite among those of TLS 1.3. Authentication decides, so nothing is
//! guessed. The keys of TLS 1.2 come from both randoms, so a client alone stays closed.

use std::sync::Arc;

use super::Side;
use super::handshake::{ClientHello, ServerHello};
use super::keylog::{Keys, Label};
use super::record::Reader;
use super::session::{Opened, Session};
use crate::limits::LONE_KEYS_MAX;

/// For a server's direction; an error says why there are none, if there is more to it than that no
/// key fits.
pub(super) fn of_server(reader: &Reader, hello: &ServerHello, keys: &Arc<Keys>) -> Result<Session, Option<String>> {
    let Some(randoms) = keys.randoms(LONE_KEYS_MAX) else {
        return Err(Some(format!(
            "the client's side is missing, and the key logs have more than {LONE_KEYS_MAX} connections to try"
        )));
    };
    let client = |random: &[u8]| ClientHello { random: random.to_vec(), ..ClientHello::default() };
    let found = randoms.into_iter().find_map(|random| {
        let session = || Session::new(keys, Side::Server, &client(random), hello, &[]);
        let mut tried = session().ok()?;
        opens(&mut tried, reader, hello.is_tls13).then(session)?.ok()
    });
    found.ok_or_else(|| {
        let unread = Session::new(keys, Side::Server, &client(&[]), hello, &[]).err();
        unread.filter(|_| !keys.is_empty())
    })
}

/// For a client's direction.
pub(super) fn of_client(reader: &Reader, hello: &ClientHello, keys: &Arc<Keys>) -> Result<Session, Option<String>> {
    if keys.used_for(&hello.random).is_none() {
        return Err(None);
    }
    let labels = [Label::ClientEarly, Label::ClientHandshake, Label::ClientTraffic];
    if labels.iter().all(|label| keys.secrets(&hello.random, *label).next().is_none()) {
        let why = "the ServerHello is missing, and the keys of TLS 1.2 come from it too";
        return Err(Some(why.to_owned()));
    }
    let found = TLS13_SUITES.iter().find_map(|suite| {
        let server = ServerHello { is_tls13: true, cipher_id: *suite, ..ServerHello::default() };
        let session = || Session::new(keys, Side::Client, hello, &server, &[]);
        let mut tried = session().ok()?;
        opens(&mut tried, reader, true).then(session)?.ok()
    });
    found.ok_or(None)
}

/// Whether keys open one of the first records that wait.
fn opens(session: &mut Session, reader: &Reader, is_tls13: bool) -> bool {
    let sealed = reader.sealed().filter(|([kind, ..], _)| !is_tls13 || *kind == APPLICATION_DATA);
    for (header, body) in sealed.take(RECORDS_TRIED) {
        match session.open(header, body) {
            Opened::Clear(..) => return session.is_authentic(),
            Opened::Passed => {}
            Opened::Refused => return false,
        }
    }
    false
}

const APPLICATION_DATA: u8 = 23;
/// Early data, and what a key log lacks the key of, may come before.
const RECORDS_TRIED: usize = 8;
/// RFC 8446 appendix B.4.
const TLS13_SUITES: &[u16] = &[0x1301, 0x1302, 0x1303, 0x1304, 0x1305];
