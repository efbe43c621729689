//! A name from its wire form, through compression pointers: [`read`] (RFC 1035 sections 3.1 and 4.1.4).
//!
//! A pointer leads to a name that stands whole before the one it is in, so that following it ends. The
//! text is lower-case and escaped as section 5.1 says.

use crate::name::Name;

/// The name at an offset of a message, and the offset behind it.
pub(super) fn read(message: &[u8], at: usize) -> Option<(Name, usize)> {
    let mut text = Text { bytes: [0; TEXT_BYTES_MAX], length: 0 };
    let mut octets = 0_usize;
    // Where the part that is read began; what a pointer leads to ends before it.
    let (mut begin, mut limit) = (at, message.len());
    let mut position = at;
    let mut behind = None;
    loop {
        if position >= limit {
            return None;
        }
        let length = *message.get(position)?;
        position = position.checked_add(1)?;
        match length >> 6 {
            0b00 if length == 0 => break,
            0b00 => {
                let end = position.checked_add(usize::from(length))?;
                octets = octets.saturating_add(usize::from(length)).saturating_add(1);
                if octets >= NAME_OCTETS_MAX {
                    return None;
                }
                if text.length > 0 {
                    text.push(b".")?;
                }
                label(&mut text, message.get(position..end)?)?;
                position = end;
            }
            0b11 => {
                let low = *message.get(position)?;
                behind.get_or_insert(position.checked_add(1)?);
                position = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                if position >= begin {
                    return None;
                }
                (limit, begin) = (begin, position);
            }
            _ => return None,
        }
    }
    Some((Name::of_wire(text.as_str()?), behind.unwrap_or(position)))
}

fn label(text: &mut Text, octets: &[u8]) -> Option<()> {
    for octet in octets {
        match octet {
            b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => text.push(&[b'\\', *octet])?,
            0x21..=0x7e => text.push(&[octet.to_ascii_lowercase()])?,
            _ => text.push(format!("\\{octet:03}").as_bytes())?,
        }
    }
    Some(())
}

/// A name as it is written, off the heap: most are read only to be compared.
struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    length: usize,
}

impl Text {
    fn push(&mut self, more: &[u8]) -> Option<()> {
        let end = self.length.checked_add(more.len())?;
        self.bytes.get_mut(self.length..end)?.copy_from_slice(more);
        self.length = end;
        Some(())
    }

    fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(..self.length)?).ok()
    }
}

/// RFC 1035 section 2.3.4, the octet of the root included.
const NAME_OCTETS_MAX: usize = 255;
/// Each octet may take four characters.
const TEXT_BYTES_MAX: usize = 4 * NAME_OCTETS_MAX;

#[cfg(test)]
mod tests {
    use hickory_proto::rr::Name as WireName;
    use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
    use proptest::prelude::*;

    use super::*;

    fn read_at(message: &[u8], at: usize) -> Option<(String, usize)> {
        read(message, at).map(|(name, next)| (name.as_str().to_owned(), next))
    }

    #[test]
    fn names_and_what_is_none() {
        let message =
            b"\x03WWW\x07example\x03com\x00\x04mail\xc0\x04\xc0\x11\xc0\x18\x04a.\x01\\\x00\x80x\x05ab\xc0\x27\xc0\x2b";
        for (at, expected) in [
            (0, Some(("www.example.com", 17))),
            (12, Some(("com", 17))),
            (16, Some((".", 17))),
            (17, Some(("mail.example.com", 24))),
            (24, Some(("mail.example.com", 26))),
            (26, Some(("mail.example.com", 28))),
            (28, Some(("a\\.\\001\\\\", 34))),
            (34, None),
            (36, None),
            // A pointer to itself, one that leads forward, and nothing.
            (39, None),
            (41, None),
            (43, None),
        ] {
            assert_eq!(read_at(message, at), expected.map(|(text, next)| (text.to_owned(), next)), "at {at}");
        }
        let long = [b"\x3f".as_slice(), &[b'x'; 63]].concat();
        let of = |times: usize, last: u8| {
            let rest = [&[last][..], &vec![b'y'; usize::from(last)], b"\0"].concat();
            [long.repeat(times), rest].concat()
        };
        assert!(read(&of(3, 61), 0).is_some());
        assert!(read(&of(3, 62), 0).is_none());
    }

    proptest! {
        /// Another reader gives the same, whatever the bytes.
        #[test]
        fn hickory_reads_the_same(
            message in proptest::collection::vec(prop_oneof![0_u8..8, Just(0xc0), any::<u8>()], 1..80),
            at in 0_usize..80,
        ) {
            prop_assume!(at < message.len());
            let mut decoder = BinDecoder::new(&message).clone(u16::try_from(at).unwrap());
            let theirs = WireName::read(&mut decoder).ok().map(|name| {
                let labels: Vec<Vec<u8>> = name.iter().map(<[u8]>::to_ascii_lowercase).collect();
                (labels, decoder.index())
            });
            let ours = read(&message, at).map(|(name, next)| (unescaped(name.as_str()), next));
            prop_assert_eq!(ours, theirs);
        }
    }

    fn unescaped(text: &str) -> Vec<Vec<u8>> {
        let mut labels = vec![Vec::new()];
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            let octet = match byte {
                b'.' => {
                    labels.push(Vec::new());
                    continue;
                }
                b'\\' => {
                    let first = bytes.next().unwrap();
                    if first.is_ascii_digit() {
                        let digits = [first, bytes.next().unwrap(), bytes.next().unwrap()];
                        std::str::from_utf8(&digits).unwrap().parse().unwrap()
                    } else {
                        first
                    }
                }
                _ => byte,
            };
            labels.last_mut().unwrap().push(octet);
        }
        if text == "." { Vec::new() } else { labels }
    }
}
