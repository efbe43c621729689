//! Header compression of HTTP/3: [`Table`] from an encoder stream, [`Table::decode`] of a field
//! section (RFC 9204).
//!
//! All that a connection inserted is known before a section is decoded, so that nothing waits:
//! entries keep the number of their insertion, and none is evicted.

use super::hpack::{Problem, integer, prefixed_string};
use crate::limits::HEADER_TABLE_BYTES_MAX;

/// The entries of one direction, in the order of their insertion.
#[derive(Debug, Default)]
pub struct Table {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
    capacity: usize,
}

impl Table {
    /// What the instructions of an encoder stream insert (section 4.3); an instruction that is cut
    /// at the end inserts nothing.
    pub fn from_encoder_stream(stream: &[u8]) -> Result<Self, Problem> {
        let mut table = Self::default();
        let mut rest = stream;
        while let Some(first) = rest.first().copied() {
            let Ok(behind) = table.instruction(first, rest) else {
                break;
            };
            rest = behind;
            if table.bytes > TABLE_BYTES_MAX {
                return Err("a header table larger than the limit");
            }
        }
        Ok(table)
    }

    fn instruction<'b>(&mut self, first: u8, bytes: &'b [u8]) -> Result<&'b [u8], Problem> {
        if first & 0x80 != 0 {
            let (rest, index) = integer(bytes, 6)?;
            let (rest, value) = prefixed_string(rest, 7)?;
            let name = if first & 0x40 == 0 { self.newest(index)?.0.clone() } else { fixed(index)?.0.to_vec() };
            self.insert(name, value);
            return Ok(rest);
        }
        if first & 0x40 != 0 {
            let (rest, name) = prefixed_string(bytes, 5)?;
            let (rest, value) = prefixed_string(rest, 7)?;
            self.insert(name, value);
            return Ok(rest);
        }
        let (rest, number) = integer(bytes, 5)?;
        if first & 0x20 != 0 {
            self.capacity = self.capacity.max(number);
        } else {
            let (name, value) = self.newest(number)?.clone();
            self.insert(name, value);
        }
        Ok(rest)
    }

    fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(name.len()).saturating_add(value.len()).saturating_add(ENTRY_BYTES);
        self.entries.push((name, value));
    }

    fn newest(&self, index: usize) -> Result<&(Vec<u8>, Vec<u8>), Problem> {
        let at = self.entries.len().checked_sub(index.saturating_add(1));
        at.and_then(|at| self.entries.get(at)).ok_or(UNKNOWN)
    }

    /// Decodes a field section (section 4.5); `field` takes each name and value.
    pub fn decode(&self, section: &[u8], mut field: impl FnMut(&[u8], &[u8])) -> Result<(), Problem> {
        let (rest, required) = integer(section, 8)?;
        let is_below = rest.first().is_some_and(|first| first & 0x80 != 0);
        let (mut rest, delta) = integer(rest, 7)?;
        let required = self.required(required)?;
        let base = if is_below { required.checked_sub(delta.saturating_add(1)) } else { required.checked_add(delta) };
        let base = base.ok_or("a base below zero")?;
        while let Some(first) = rest.first().copied() {
            rest = self.field_line(first, rest, base, &mut field)?;
        }
        Ok(())
    }

    /// The insertions that a section needs. They are counted modulo twice the entries that fit
    /// (section 4.5.1.1): where more were made than that, the count is not certain.
    fn required(&self, encoded: usize) -> Result<usize, Problem> {
        let Some(required) = encoded.checked_sub(1) else {
            return Ok(0);
        };
        let range = self.capacity.checked_div(ENTRY_BYTES).unwrap_or(0).saturating_mul(2);
        if self.entries.len() >= range {
            return Err("more header table entries than can be told apart");
        }
        if required > self.entries.len() { Err(UNKNOWN) } else { Ok(required) }
    }

    fn field_line<'b>(
        &self,
        first: u8,
        bytes: &'b [u8],
        base: usize,
        field: &mut impl FnMut(&[u8], &[u8]),
    ) -> Result<&'b [u8], Problem> {
        let before_base = |index: usize| base.checked_sub(index.saturating_add(1));
        if first & 0x80 != 0 {
            let (rest, index) = integer(bytes, 6)?;
            let (name, value) = if first & 0x40 == 0 { self.at(before_base(index))? } else { fixed(index)? };
            field(name, value);
            return Ok(rest);
        }
        if first & 0x40 != 0 {
            let (rest, index) = integer(bytes, 4)?;
            let (rest, value) = prefixed_string(rest, 7)?;
            let (name, _) = if first & 0x10 == 0 { self.at(before_base(index))? } else { fixed(index)? };
            field(name, &value);
            return Ok(rest);
        }
        if first & 0x20 != 0 {
            let (rest, name) = prefixed_string(bytes, 3)?;
            let (rest, value) = prefixed_string(rest, 7)?;
            field(&name, &value);
            return Ok(rest);
        }
        if first & 0x10 != 0 {
            let (rest, index) = integer(bytes, 4)?;
            let (name, value) = self.at(base.checked_add(index))?;
            field(name, value);
            return Ok(rest);
        }
        let (rest, index) = integer(bytes, 3)?;
        let (rest, value) = prefixed_string(rest, 7)?;
        let (name, _) = self.at(base.checked_add(index))?;
        field(name, &value);
        Ok(rest)
    }

    fn at(&self, index: Option<usize>) -> Result<(&[u8], &[u8]), Problem> {
        let (name, value) = index.and_then(|index| self.entries.get(index)).ok_or(UNKNOWN)?;
        Ok((name, value))
    }
}

fn fixed(index: usize) -> Result<(&'static [u8], &'static [u8]), Problem> {
    let (name, value) = STATIC.get(index).ok_or("an index beyond the static table")?;
    Ok((name.as_bytes(), value.as_bytes()))
}

const UNKNOWN: Problem = "a field whose table entry is not known";
/// RFC 9204 section 3.2.1.
const ENTRY_BYTES: usize = 32;
/// All insertions of a connection together; captures of a connection's first exchanges stay far below.
const TABLE_BYTES_MAX: usize = HEADER_TABLE_BYTES_MAX * 4;
/// RFC 9204 appendix A.
const STATIC: &[(&str, &str)] = &[
    (":authority", ""),
    (":path", "/"),
    ("age", "0"),
    ("content-disposition", ""),
    ("content-length", "0"),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("referer", ""),
    ("set-cookie", ""),
    (":method", "CONNECT"),
    (":method", "DELETE"),
    (":method", "GET"),
    (":method", "HEAD"),
    (":method", "OPTIONS"),
    (":method", "POST"),
    (":method", "PUT"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "103"),
    (":status", "200"),
    (":status", "304"),
    (":status", "404"),
    (":status", "503"),
    ("accept", "*/*"),
    ("accept", "application/dns-message"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-ranges", "bytes"),
    ("access-control-allow-headers", "cache-control"),
    ("access-control-allow-headers", "content-type"),
    ("access-control-allow-origin", "*"),
    ("cache-control", "max-age=0"),
    ("cache-control", "max-age=2592000"),
    ("cache-control", "max-age=604800"),
    ("cache-control", "no-cache"),
    ("cache-control", "no-store"),
    ("cache-control", "public, max-age=31536000"),
    ("content-encoding", "br"),
    ("content-encoding", "gzip"),
    ("content-type", "application/dns-message"),
    ("content-type", "application/javascript"),
    ("content-type", "application/json"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("content-type", "image/gif"),
    ("content-type", "image/jpeg"),
    ("content-type", "image/png"),
    ("content-type", "text/css"),
    ("content-type", "text/html; charset=utf-8"),
    ("content-type", "text/plain"),
    ("content-type", "text/plain;charset=utf-8"),
    ("range", "bytes=0-"),
    ("strict-transport-security", "max-age=31536000"),
    ("strict-transport-security", "max-age=31536000; includesubdomains"),
    ("strict-transport-security", "max-age=31536000; includesubdomains; preload"),
    ("vary", "accept-encoding"),
    ("vary", "origin"),
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "1; mode=block"),
    (":status", "100"),
    (":status", "204"),
    (":status", "206"),
    (":status", "302"),
    (":status", "400"),
    (":status", "403"),
    (":status", "421"),
    (":status", "425"),
    (":status", "500"),
    ("accept-language", ""),
    ("access-control-allow-credentials", "FALSE"),
    ("access-control-allow-credentials", "TRUE"),
    ("access-control-allow-headers", "*"),
    ("access-control-allow-methods", "get"),
    ("access-control-allow-methods", "get, post, options"),
    ("access-control-allow-methods", "options"),
    ("access-control-expose-headers", "content-length"),
    ("access-control-request-headers", "content-type"),
    ("access-control-request-method", "get"),
    ("access-control-request-method", "post"),
    ("alt-svc", "clear"),
    ("authorization", ""),
    ("content-security-policy", "script-src 'none'; object-src 'none'; base-uri 'none'"),
    ("early-data", "1"),
    ("expect-ct", ""),
    ("forwarded", ""),
    ("if-range", ""),
    ("origin", ""),
    ("purpose", "prefetch"),
    ("server", ""),
    ("timing-allow-origin", "*"),
    ("upgrade-insecure-requests", "1"),
    ("user-agent", ""),
    ("x-forwarded-for", ""),
    ("x-frame-options", "deny"),
    ("x-frame-options", "sameorigin"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(table: &Table, section: &[u8]) -> Result<Vec<String>, Problem> {
        let mut fields = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        table.decode(section, |name, value| fields.push(format!("{}: {}", text(name), text(value))))?;
        Ok(fields)
    }

    /// RFC 9204 appendix B.
    #[test]
    fn sections_are_those_of_rfc_9204() {
        let section = b"\x00\x00\x51\x0b/index.html";
        assert_eq!(decoded(&Table::default(), section).unwrap(), [":path: /index.html"]);
        let mut stream = b"\x3f\xbd\x01\xc0\x0fwww.example.com\xc1\x0c/sample/path".to_vec();
        let table = Table::from_encoder_stream(&stream).unwrap();
        let expected = [":authority: www.example.com", ":path: /sample/path"];
        assert_eq!(decoded(&table, b"\x03\x81\x10\x11").unwrap(), expected);
        stream.extend(b"\x4acustom-key\x0ccustom-value\x02");
        let table = Table::from_encoder_stream(&stream).unwrap();
        let expected = [":authority: www.example.com", ":path: /", "custom-key: custom-value"];
        assert_eq!(decoded(&table, b"\x05\x00\x80\xc1\x81").unwrap(), expected);
    }

    #[test]
    fn hostile_sections_are_refused() {
        let table = Table::from_encoder_stream(b"\x3f\xbd\x01\x41a\x01b").unwrap();
        for section in [
            &b""[..],
            b"\x00",
            b"\x09\x00\x80",
            b"\x02\x00\x81",
            b"\x02\x85\x80",
            b"\x00\x00\xff\xff\x7f",
            b"\x00\x00\x2f",
        ] {
            assert!(decoded(&table, section).is_err(), "{section:?}");
        }
        let many = [b"\x3f\x01".to_vec(), b"\x41a\x01b".repeat(5)].concat();
        let table = Table::from_encoder_stream(&many).unwrap();
        assert!(decoded(&table, b"\x02\x00\x80").is_err(), "the count has wrapped");
        let bomb = [b"\x3f\xe1\xff\x7f\x41a\x7f\xe1\xff\x03".to_vec(), vec![b'x'; 65_500], vec![0; 5000]].concat();
        assert!(Table::from_encoder_stream(&bomb).is_err());
    }
}
