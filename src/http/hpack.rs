//! Header compression of HTTP/2: [`Decoder`] (RFC 7541).
//!
//! One decoder follows one direction. An error is final: what follows cannot be known any more.

use std::collections::VecDeque;

use super::huffman;
use crate::limits::HEADER_TABLE_BYTES_MAX;

/// The dynamic table of one direction.
#[derive(Debug)]
pub struct Decoder {
    entries: VecDeque<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
    bytes_max: usize,
}

/// Why a header block cannot be read.
pub type Problem = &'static str;

impl Default for Decoder {
    fn default() -> Self {
        Self { entries: VecDeque::new(), bytes: 0, bytes_max: DEFAULT_BYTES }
    }
}

impl Decoder {
    /// Decodes a header block; `field` takes each name and value.
    pub fn decode(&mut self, block: &[u8], mut field: impl FnMut(&[u8], &[u8])) -> Result<(), Problem> {
        let mut rest = block;
        while let Some(first) = rest.first().copied() {
            if first & 0x80 != 0 {
                let (behind, index) = integer(rest, 7)?;
                let (name, value) = self.entry(index)?;
                field(name, value);
                rest = behind;
            } else if first & 0xe0 == 0x20 {
                let (behind, size) = integer(rest, 5)?;
                self.resize(size)?;
                rest = behind;
            } else {
                let is_indexed = first & 0x40 != 0;
                let (behind, index) = integer(rest, if is_indexed { 6 } else { 4 })?;
                let (behind, name) = match index {
                    0 => string(behind)?,
                    index => (behind, self.entry(index)?.0.to_vec()),
                };
                let (behind, value) = string(behind)?;
                field(&name, &value);
                if is_indexed {
                    self.insert(name, value);
                }
                rest = behind;
            }
        }
        Ok(())
    }

    fn entry(&self, index: usize) -> Result<(&[u8], &[u8]), Problem> {
        let at = index.checked_sub(1).ok_or("an index of zero")?;
        if let Some((name, value)) = STATIC.get(at) {
            return Ok((name.as_bytes(), value.as_bytes()));
        }
        let entry =
            self.entries.get(at.saturating_sub(STATIC.len())).ok_or("a field whose table entry is not known")?;
        Ok((&entry.0, &entry.1))
    }

    fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(size_of(&name, &value));
        self.entries.push_front((name, value));
        self.evict();
    }

    fn resize(&mut self, size: usize) -> Result<(), Problem> {
        if size > HEADER_TABLE_BYTES_MAX {
            return Err("a header table larger than the limit");
        }
        self.bytes_max = size;
        self.evict();
        Ok(())
    }

    fn evict(&mut self) {
        while self.bytes > self.bytes_max
            && let Some((name, value)) = self.entries.pop_back()
        {
            self.bytes = self.bytes.saturating_sub(size_of(&name, &value));
        }
    }
}

/// RFC 7541 section 4.1.
fn size_of(name: &[u8], value: &[u8]) -> usize {
    name.len().saturating_add(value.len()).saturating_add(32)
}

/// An integer whose first byte gives it so many bits (RFC 7541 section 5.1).
pub fn integer(bytes: &[u8], prefix_bits: u32) -> Result<(&[u8], usize), Problem> {
    let (first, mut rest) = bytes.split_first().ok_or(CUT)?;
    let mask = u8::try_from((1_u16 << prefix_bits).saturating_sub(1)).unwrap_or(u8::MAX);
    let mut value = usize::from(first & mask);
    if first & mask != mask {
        return Ok((rest, value));
    }
    for shift in [0_u32, 7, 14, 21] {
        let (byte, behind) = rest.split_first().ok_or(CUT)?;
        value = value.saturating_add(usize::from(byte & 0x7f) << shift);
        rest = behind;
        if byte & 0x80 == 0 {
            return Ok((rest, value));
        }
    }
    Err("an integer beyond the limit")
}

/// A string with its length before it, in Huffman code or plain.
fn string(bytes: &[u8]) -> Result<(&[u8], Vec<u8>), Problem> {
    prefixed_string(bytes, 7)
}

/// A string whose length has so many bits in the first byte, behind the bit that says Huffman.
pub fn prefixed_string(bytes: &[u8], prefix_bits: u32) -> Result<(&[u8], Vec<u8>), Problem> {
    let is_huffman = bytes.first().is_some_and(|first| first >> prefix_bits & 1 == 1);
    let (rest, length) = integer(bytes, prefix_bits)?;
    let (text, rest) = rest.split_at_checked(length).ok_or(CUT)?;
    if !is_huffman {
        return Ok((rest, text.to_vec()));
    }
    huffman::decode(text).map(|text| (rest, text)).ok_or("a string that is no Huffman code")
}

const CUT: Problem = "a header block that is cut";
/// RFC 9113 section 6.5.2.
const DEFAULT_BYTES: usize = 4096;
/// RFC 7541 appendix A.
const STATIC: &[(&str, &str)] = &[
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<String>, Problem> {
        let mut fields = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        decoder.decode(block, |name, value| fields.push(format!("{}: {}", text(name), text(value))))?;
        Ok(fields)
    }

    /// RFC 7541 appendix C.4: three requests on one connection.
    #[test]
    fn requests_are_those_of_rfc_7541() {
        let mut decoder = Decoder::default();
        let first = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        let request = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
        assert_eq!(decoded(&mut decoder, first).unwrap(), request);
        let second = b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf";
        let fields = decoded(&mut decoder, second).unwrap();
        assert_eq!(fields[..4], request);
        assert_eq!(fields[4], "cache-control: no-cache");
        let third = b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";
        let fields = decoded(&mut decoder, third).unwrap();
        assert_eq!(fields[3..], [":authority: www.example.com", "custom-key: custom-value"]);
    }

    #[test]
    fn the_table_forgets_what_does_not_fit() {
        let mut decoder = Decoder::default();
        decoded(&mut decoder, b"\x3f\x21\x40\x01a\x01b\x40\x01c\x01d").unwrap();
        assert_eq!(decoder.bytes, 34, "64 bytes hold one entry of 34");
        assert_eq!(decoded(&mut decoder, b"\xbe").unwrap(), ["c: d"]);
        assert!(decoded(&mut decoder, b"\xbf").is_err());
    }

    #[test]
    fn hostile_blocks_are_refused() {
        for block in [
            &b"\x80"[..],
            b"\xff\xff\xff\xff\xff\x7f",
            b"\x3f\xff\xff\xff\x7f",
            b"\x40",
            b"\x40\x05ab",
            b"\x00\x81\x00\x00",
            b"\xc0",
        ] {
            assert!(decoded(&mut Decoder::default(), block).is_err(), "{block:?}");
        }
    }
}
