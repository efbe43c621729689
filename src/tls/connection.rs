//! Where the two directions of a connection meet while they are read: [`pair`] gives the sealed
//! records of each the keys that both hellos and a key log make.
//!
//! Only readers made with keys wait for this; the others cost nothing here. Where the capture holds one
//! direction alone, `lone` looks for its keys once it is known that the other does not come.

use std::sync::Arc;

use super::event::Event;
use super::handshake::{ClientHello, ServerHello};
use super::keylog::Keys;
use super::record::Reader;
use super::session::Session;
use super::{Side, lone};
use crate::limits::HANDSHAKES_PER_CONNECTION_MAX;

/// Opens what waits in two directions, as far as both are known.
pub fn pair(mut one: Option<&mut Reader>, mut other: Option<&mut Reader>, keys: &Arc<Keys>) {
    for reader in [one.as_deref_mut(), other.as_deref_mut()].into_iter().flatten() {
        if reader.waits_in_vain() {
            alone(reader, keys);
        }
    }
    let (Some(one), Some(other)) = (one, other) else {
        return;
    };
    for _ in 0..HANDSHAKES_PER_CONNECTION_MAX {
        if !one.is_waiting() && !other.is_waiting() {
            return;
        }
        let is_done = if has_client_hello(one) {
            decide(one, other, Side::Client, keys) | decide(other, one, Side::Server, keys)
        } else {
            decide(one, other, Side::Server, keys) | decide(other, one, Side::Client, keys)
        };
        if !is_done {
            return;
        }
    }
}

/// The capture has ended: what still waits is opened without the other direction, or stays closed.
pub fn give_up(one: Option<&mut Reader>, other: Option<&mut Reader>, keys: &Arc<Keys>) {
    for reader in [one, other].into_iter().flatten() {
        alone(reader, keys);
        reader.give_up();
    }
}

/// Decides what becomes of what waits, from its own direction alone.
fn alone(reader: &mut Reader, keys: &Arc<Keys>) {
    let epoch = reader.epoch();
    let session = match (server_hello(reader, epoch), client_hello(reader, epoch)) {
        (Some(hello), _) => lone::of_server(reader, hello, keys),
        (None, Some(hello)) => lone::of_client(reader, hello, keys),
        (None, None) => Err(None),
    };
    match session {
        Ok(session) => reader.open(session),
        Err(Some(why)) if reader.is_waiting() => {
            reader.key_trouble(why);
            reader.hide();
        }
        Err(_) => reader.hide(),
    }
}

/// Decides what becomes of what waits on one side; whether anything was decided.
fn decide(reader: &mut Reader, other: &Reader, side: Side, keys: &Arc<Keys>) -> bool {
    if !reader.is_waiting() {
        return false;
    }
    let epoch = reader.epoch();
    let (client, server) = if side == Side::Client { (&*reader, other) } else { (other, &*reader) };
    let Some(client_hello) = client_hello(client, epoch) else {
        return false;
    };
    let key_exchange = key_exchange(client, epoch);
    if !keys.has(&client_hello.random) && keys.has_no_premasters() {
        reader.hide();
        return true;
    }
    let Some(server_hello) = server_hello(server, epoch) else {
        return false;
    };
    match Session::new(keys, side, client_hello, server_hello, key_exchange) {
        Ok(session) => {
            keys.used_for(&client_hello.random);
            reader.open(session);
        }
        Err(why) => {
            if keys.used_for(&client_hello.random).is_some() {
                reader.key_trouble(why);
            }
            reader.hide();
        }
    }
    true
}

fn has_client_hello(reader: &Reader) -> bool {
    reader.seen.iter().any(|seen| matches!(seen.event, Event::ClientHello(_)))
}

/// The ClientHello of a handshake of the connection. One that answers a HelloRetryRequest has the
/// random of the one before it and begins none.
fn client_hello(reader: &Reader, number: usize) -> Option<&ClientHello> {
    let mut last: Option<&ClientHello> = None;
    let mut hellos = reader.seen.iter().filter_map(|seen| match &seen.event {
        Event::ClientHello(hello) => {
            let is_new = last.is_none_or(|last| last.random != hello.random);
            last = Some(hello);
            is_new.then_some(&**hello)
        }
        _ => None,
    });
    hellos.nth(number)
}

fn server_hello(reader: &Reader, number: usize) -> Option<&ServerHello> {
    let hellos = reader.seen.iter().filter_map(|seen| match &seen.event {
        Event::ServerHello(hello) if !hello.is_retry => Some(&**hello),
        _ => None,
    });
    hellos.into_iter().nth(number)
}

fn key_exchange(reader: &Reader, number: usize) -> &[u8] {
    let mut all = reader.seen.iter().filter_map(|seen| match &seen.event {
        Event::ClientKeyExchange(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    all.nth(number).unwrap_or_default()
}
