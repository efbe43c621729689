//! The fields of one message head: [`Fields`], the same from every version of HTTP.

use std::collections::BTreeMap;

use super::kept;

/// What is kept of a head, and what is needed to read on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The method of a request.
    pub method: Option<String>,
    /// The authority of a request: `:authority`, the target's, or the Host header.
    pub authority: Option<String>,
    /// The status of a response.
    pub status: Option<u16>,
    /// The headers that rules use.
    pub headers: BTreeMap<String, String>,
    /// The length of the body.
    pub length: Option<u64>,
    /// The body comes in chunks.
    pub is_chunked: bool,
    /// The body is a DNS message.
    pub is_dns: bool,
}

impl Fields {
    /// Takes one field; names count without case, pseudo fields begin with a colon.
    pub fn take(&mut self, name: &[u8], value: &[u8]) {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match name.as_str() {
            ":method" => self.method = Some(text(value)),
            ":authority" => self.authority = Some(text(value)),
            ":status" => self.status = text(value).parse().ok(),
            "host" => {
                self.authority.get_or_insert_with(|| text(value));
            }
            "content-length" => self.length = text(value).parse().ok(),
            "transfer-encoding" => self.is_chunked = text(value).to_ascii_lowercase().ends_with("chunked"),
            "content-type" => self.is_dns = value.trim_ascii().starts_with(b"application/dns-message"),
            _ => {}
        }
        if let Some(value) = kept(&name, value) {
            self.headers.insert(name, value);
        }
    }

    /// Whether it is a response that another one follows (RFC 9110 section 15.2).
    pub fn is_interim(&self) -> bool {
        self.status.is_some_and(|status| (100..200).contains(&status) && status != SWITCHING)
    }
}

/// An authority is a host and a port; no longer text is taken.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim().chars().take(TEXT_CHARS_MAX).collect()
}

const TEXT_CHARS_MAX: usize = 512;
/// 101 ends HTTP on the connection.
pub const SWITCHING: u16 = 101;
