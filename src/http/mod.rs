//! What HTTP said, as far as rules use it: [`Exchange`], a request with its response.
//!
//! Kept are the host, the status and the few headers of [`kept`]; no path, no body, no cookie and no
//! credential is. The messages are those of HTTP/1.1 ([`h1`]), HTTP/2 ([`h2`]) and HTTP/3 ([`h3`]), in
//! clear or as keys opened them ([`inner`]); [`reader`] tells which it is, [`join`] puts request and
//! response together. The one body that is read is a DNS message (DNS over HTTPS, RFC 8484).

pub mod fields;
pub mod h1;
pub mod h2;
pub mod h3;
pub mod hpack;
pub mod huffman;
pub mod inner;
pub mod join;
pub mod qpack;
pub mod reader;

pub use reader::Reader;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::provenance::{FrameNumber, Time};
use fields::Fields;

/// An HTTP request and its response, as far as rules use them. No cookie, no body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Exchange {
    /// When.
    pub time: Option<Time>,
    /// The client, where a capture shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub client: Option<SocketAddr>,
    /// The server, where a capture shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub server: Option<SocketAddr>,
    /// The version, such as `HTTP/2`, where a capture shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The URL asked for, without query, user and password; without path where a capture shows it.
    pub url: Option<String>,
    /// The Host header or authority.
    pub host: Option<Name>,
    /// The status code.
    pub status: Option<u16>,
    /// The few response headers that rules use, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The run that printed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
}

impl Exchange {
    /// Where a response leads the client of a request in clear: to which other host.
    pub fn redirect(&self) -> Option<Name> {
        let is_clear = self.url.as_deref().is_some_and(|url| url.starts_with("http://"));
        let is_redirect = self.status.is_some_and(|status| matches!(status, 301 | 302 | 303 | 307 | 308));
        let location = self.headers.get("location").filter(|_| is_clear && is_redirect)?;
        let (_, rest) = location.split_once("://")?;
        join::host_of(rest.split('/').next()?).filter(|host| self.host.as_ref() != Some(host))
    }
}

/// The head of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What pairs a request with its response: the stream, or the count of messages.
    pub stream: u64,
    /// Its fields.
    pub fields: Fields,
    /// Its body, where that is a DNS message.
    pub dns: Vec<u8>,
    /// The frames that hold its bytes.
    pub frames: Vec<FrameNumber>,
    /// When its first byte was captured.
    pub time: Option<Time>,
}

/// The value of a response header that is kept: that of `location` without what follows the host.
pub fn kept(name: &str, value: &[u8]) -> Option<String> {
    if !KEPT.contains(&name) {
        return None;
    }
    let text: String = String::from_utf8_lossy(value).trim().chars().take(VALUE_CHARS_MAX).collect();
    if name != "location" {
        return Some(text);
    }
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    Some(format!("{scheme}://{host}/"))
}

/// The response headers that rules use.
const KEPT: &[&str] = &[
    "alt-svc",
    "location",
    "server",
    "via",
    "x-amz-apigw-id",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-amzn-errortype",
    "x-amzn-requestid",
    "x-cache",
];
/// Longer values are cut: none that a rule uses comes near.
const VALUE_CHARS_MAX: usize = 256;
