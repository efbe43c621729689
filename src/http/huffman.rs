//! Strings of header compression: [`decode`] the Huffman code of RFC 7541 appendix B.
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols, so
//! that the lengths alone say all.

use std::sync::LazyLock;

/// Decodes; `None` where the bits are no code, or more than the last code's padding is left.
pub fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(bytes.len().saturating_mul(2));
    let (mut code, mut length) = (0_u32, 0_usize);
    for byte in bytes {
        for bit in (0..8).rev() {
            code = (code << 1) | u32::from(byte >> bit & 1);
            length = length.saturating_add(1);
            let row = CODES.get(length)?;
            let place = code.checked_sub(row.first).and_then(|place| usize::try_from(place).ok());
            if let Some(symbol) = place.and_then(|place| row.symbols.get(place)) {
                text.push(u8::try_from(*symbol).ok()?);
                (code, length) = (0, 0);
            }
        }
    }
    let is_padding = length < 8 && code == (1_u32 << length).saturating_sub(1);
    is_padding.then_some(text)
}

/// The codes of one length.
#[derive(Default)]
struct Row {
    first: u32,
    symbols: Vec<u16>,
}

static CODES: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows: Vec<Row> = Vec::new();
    let mut next = 0_u32;
    for length in 0..=LENGTH_MAX {
        next <<= 1;
        let symbols: Vec<u16> =
            (0..).zip(LENGTHS).filter(|(_, known)| usize::from(**known) == length).map(|(symbol, _)| symbol).collect();
        let count = u32::try_from(symbols.len()).unwrap_or(0);
        rows.push(Row { first: next, symbols });
        next = next.saturating_add(count);
    }
    rows
});

/// The longest code.
const LENGTH_MAX: usize = 30;
/// The length of the code of each byte, and of the end of the string.
#[rustfmt::skip]
const LENGTHS: &[u8; 257] = &[
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7541 appendix C.4 and C.6.
    #[test]
    fn strings_are_those_of_rfc_7541() {
        for (bytes, text) in [
            (&b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..], "www.example.com"),
            (b"\xa8\xeb\x10\x64\x9c\xbf", "no-cache"),
            (b"\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf", "custom-value"),
            (b"\x64\x02", "302"),
            (b"\xae\xc3\x77\x1a\x4b", "private"),
            (
                b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
                "Mon, 21 Oct 2013 20:13:21 GMT",
            ),
            (b"", ""),
        ] {
            assert_eq!(decode(bytes).as_deref(), Some(text.as_bytes()));
        }
    }

    #[test]
    fn wrong_padding_is_refused() {
        for bytes in
            [&b"\x00"[..], b"\xff", b"\xff\xff\xff\xff", b"\xa8\xeb\x10\x64\x9c\xbe", b"\xa8\xeb\x10\x64\x9c\xbf\xff"]
        {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
