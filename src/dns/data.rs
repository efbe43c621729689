//! The data of a record in presentation form: [`present`].
//!
//! Names, addresses, texts and service bindings are written here, because one odd byte in them is no
//! reason to lose them; the other types are hickory-proto's. What cannot be read is written as its
//! bytes (RFC 3597 section 5), with the reason beside it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use hickory_proto::rr::{RData, Record as WireRecord};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
use smol_str::{SmolStr, ToSmolStr};

use super::wire::dotted;
use super::{svcb, wire_name};

/// The data of a record.
pub(super) struct Data {
    /// In presentation form.
    pub(super) text: SmolStr,
    /// Whether its grammar took all its bytes.
    pub(super) is_sound: bool,
}

impl Data {
    pub(super) fn sound(text: impl Into<SmolStr>) -> Self {
        Self { text: text.into(), is_sound: true }
    }
}

/// The data in `range` of a message, of the record that begins at `at`.
pub(super) fn present(message: &[u8], at: usize, kind: u16, range: Range<usize>) -> Data {
    let bytes = message.get(range.clone()).unwrap_or_default();
    let known = match kind {
        1 => <[u8; 4]>::try_from(bytes).ok().map(|it| Data::sound(Ipv4Addr::from(it).to_smolstr())),
        28 => <[u8; 16]>::try_from(bytes).ok().map(|it| Data::sound(Ipv6Addr::from(it).to_smolstr())),
        kind if is_name(kind) => name(message, &range),
        16 | 99 => texts(bytes).map(Data::sound),
        64 | 65 => svcb::present(message, &range).map(Data::sound),
        _ => other(message, at, bytes),
    };
    known.unwrap_or_else(|| Data { text: unknown(bytes).into(), is_sound: false })
}

/// Whether the data is a name and nothing else.
fn is_name(kind: u16) -> bool {
    matches!(kind, 2..=5 | 7..=9 | 12 | 39)
}

/// Whether a name stands whole in data that goes on behind the end of its message.
pub(super) fn is_whole_name(message: &[u8], kind: u16, range: &Range<usize>) -> bool {
    is_name(kind) && wire_name::read(message, range.start).is_some()
}

/// A name; a length that does not fit it is told and costs nothing.
fn name(message: &[u8], range: &Range<usize>) -> Option<Data> {
    let (target, next) = wire_name::read(message, range.start)?;
    Some(Data { text: dotted(&target).into(), is_sound: next == range.end })
}

/// Character-strings, each in quotes.
fn texts(mut bytes: &[u8]) -> Option<String> {
    let mut all = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (text, rest) = rest.split_at_checked(usize::from(*length))?;
        all.push(quoted(text));
        bytes = rest;
    }
    (!all.is_empty()).then(|| all.join(" "))
}

/// A character-string in quotes, escaped as RFC 1035 section 5.1 says.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let inner = bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, byte| {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            0x20..=0x7e => text.push(char::from(*byte)),
            _ => text.push_str(format!("\\{byte:03}").as_str()),
        }
        text
    });
    format!("\"{inner}\"")
}

fn other(message: &[u8], at: usize, bytes: &[u8]) -> Option<Data> {
    let mut decoder = BinDecoder::new(message).clone(u16::try_from(at).ok()?);
    let record = WireRecord::read(&mut decoder).ok()?;
    Some(Data::sound(match record.data {
        RData::Unknown { .. } => unknown(bytes),
        data => data.to_string().to_lowercase(),
    }))
}

/// RFC 3597 section 5.
pub(super) fn unknown(data: &[u8]) -> String {
    let digits = data.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("\\# {} {digits}", data.len()).trim_end().to_owned()
}
