//! SVCB and HTTPS records in presentation form: [`present`] (RFC 9460 section 2.1, RFC 9461).
//!
//! Parameters are written in the order of the wire, each read by its own length: one that is empty,
//! unknown or out of order costs nothing.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::data::quoted;
use super::wire::dotted;
use super::wire_name;

/// `1 . alpn="h2,h3" ipv4hint=192.0.2.1`; `None` when a length does not fit.
pub(super) fn present(message: &[u8], range: &Range<usize>) -> Option<String> {
    let priority = u16::from_be_bytes(*message.get(range.clone())?.first_chunk()?);
    let (target, next) = wire_name::read(message, range.start.checked_add(2)?)?;
    let mut rest = message.get(next..range.end)?;
    let mut text = format!("{priority} {}", dotted(&target));
    while !rest.is_empty() {
        let ([k0, k1, l0, l1], after) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let (value, after) = after.split_at_checked(length)?;
        text.push(' ');
        text.push_str(&parameter(u16::from_be_bytes([*k0, *k1]), value));
        rest = after;
    }
    Some(text)
}

fn parameter(key: u16, value: &[u8]) -> String {
    let name = key_name(key);
    let known = match key {
        0 => list(value, |key: [u8; 2]| key_name(u16::from_be_bytes(key))),
        1 => protocols(value),
        2 | 8 if value.is_empty() => return name,
        3 => <[u8; 2]>::try_from(value).ok().map(|port| u16::from_be_bytes(port).to_string()),
        4 => list(value, |address: [u8; 4]| Ipv4Addr::from(address).to_string()),
        5 => Some(STANDARD.encode(value)),
        6 => list(value, |address: [u8; 16]| Ipv6Addr::from(address).to_string()),
        _ => None,
    };
    match known {
        Some(known) => format!("{name}={known}"),
        None if value.is_empty() => name,
        None => format!("{name}={}", quoted(value)),
    }
}

/// The protocol names of ALPN, with the comma escaped that separates them.
fn protocols(mut value: &[u8]) -> Option<String> {
    let mut all = Vec::new();
    while let Some((length, rest)) = value.split_first() {
        let (protocol, rest) = rest.split_at_checked(usize::from(*length))?;
        let escaped: Vec<u8> = protocol
            .iter()
            .flat_map(|byte| if matches!(byte, b',' | b'\\') { vec![b'\\', *byte] } else { vec![*byte] })
            .collect();
        all.push(escaped);
        value = rest;
    }
    (!all.is_empty()).then(|| quoted(&all.join(&b',')))
}

fn list<const N: usize>(value: &[u8], write: impl Fn([u8; N]) -> String) -> Option<String> {
    let is_whole = !value.is_empty() && value.len().is_multiple_of(N);
    let items = value.chunks_exact(N).filter_map(|item| <[u8; N]>::try_from(item).ok());
    is_whole.then(|| items.map(write).collect::<Vec<_>>().join(","))
}

fn key_name(key: u16) -> String {
    let names = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"];
    names.get(usize::from(key)).map_or_else(|| format!("key{key}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_as_dig_writes_them() {
        let rows: [(&[u8], &str); 7] = [
            (&[0, 1, 0], "1 ."),
            (&[0, 0, 1, b'a', 0], "0 a."),
            (&[0, 1, 0, 0, 1, 0, 6, 2, b'h', b'2', 2, b'h', b'3'], "1 . alpn=\"h2,h3\""),
            (&[0, 1, 0, 0, 1, 0, 0, 0, 3, 0, 2, 1, 0xbb], "1 . alpn port=443"),
            (&[0, 16, 0, 0, 2, 0, 0, 0, 4, 0, 4, 192, 0, 2, 1], "16 . no-default-alpn ipv4hint=192.0.2.1"),
            (&[0, 1, 0, 0, 5, 0, 2, 1, 2, 0xfd, 0xe8, 0, 2, b'a', b'"'], "1 . ech=AQI= key65000=\"a\\\"\""),
            (
                &[0, 1, 0, 0, 0, 0, 4, 0, 1, 0, 3, 0, 1, 0, 4, 3, b'a', b',', b'b'],
                "1 . mandatory=alpn,port alpn=\"a\\\\,b\"",
            ),
        ];
        for (bytes, expected) in rows {
            assert_eq!(present(bytes, &(0..bytes.len())).as_deref(), Some(expected));
            for cut in 0..3 {
                assert_eq!(present(&bytes[..cut], &(0..cut)), None, "{expected} cut at {cut}");
            }
        }
    }
}
