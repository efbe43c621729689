//! tshark: `-T json`, `-T ek`, `-T json -e …` ([`JSON`], [`EK`]), `-T pdml`, `-V` and `-T fields` with
//! a header.
//!
//! Every layout becomes the same [`Frame`], a list of fields by their Wireshark names with their lines;
//! [`dissected`] makes facts of frames. tshark repeats keys, so that all pairs are kept. Names are
//! compared with `_` for `.`, as `-T ek` writes them, and without the layer that it puts before them.

pub mod dissected;
pub mod fields;
pub mod list;
pub mod pdml;
pub mod verbose;

use std::borrow::Cow;

use super::node::Node;
use super::splitter::Record;
use super::{Cite, Cut, Export, Records};
use crate::saved::Sink;
use dissected::Dissected;

/// `-T json`: a list of frames.
pub static JSON: Export = Export {
    id: "tshark_json",
    made_by: "tshark -T json",
    opens: |head| head.starts_with('[') && head.contains("\"_index\"") && head.contains("\"_source\""),
    cut: Cut::Json(<[String]>::is_empty),
    reader: || Box::new(JsonFrames::default()),
};

/// `-T ek`: a frame a line, an index line before each.
pub static EK: Export = Export {
    id: "tshark_ek",
    made_by: "tshark -T ek",
    opens: |head| {
        head.starts_with("{\"index\":{") && head.contains("packets-")
            || head.starts_with("{\"timestamp\":\"1") && head.contains("\"layers\":{")
    },
    cut: Cut::Json(|_| false),
    reader: || Box::new(JsonFrames::default()),
};

/// A field with its value and its line.
pub struct Field {
    /// Its Wireshark name, `_` for `.`.
    pub name: String,
    /// Its value as shown.
    pub value: String,
    /// Where it stands.
    pub cite: Cite,
}

/// The fields of a frame that matter here, in order.
#[derive(Default)]
pub struct Frame {
    /// The fields.
    pub fields: Vec<Field>,
}

impl Frame {
    /// Adds a field, if its name matters.
    pub fn add(&mut self, name: &str, value: &str, cite: impl FnOnce() -> Cite) {
        if self.fields.len() < FIELDS_MAX && PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            self.fields.push(Field { name: name.to_owned(), value: value.to_owned(), cite: cite() });
        }
    }

    /// All fields of a name.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f Field> {
        self.fields.iter().filter(move |field| field.name == name)
    }

    /// The last field of a name: of a tunnel, the innermost.
    pub fn last(&self, name: &str) -> Option<&Field> {
        self.fields.iter().rev().find(|field| field.name == name)
    }

    /// The last value of a name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.last(name).map(|field| field.value.as_str())
    }

    /// The last value of a name as a number, decimal or hexadecimal with `0x`.
    pub fn number(&self, name: &str) -> Option<u64> {
        number(self.value(name)?)
    }
}

/// A number, decimal or hexadecimal with `0x`.
pub fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[derive(Default)]
struct JsonFrames {
    dissected: Dissected,
}

impl Records for JsonFrames {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        let Some(node) = Node::of(record) else {
            let reason = crate::provenance::GapReason::Undecoded {
                what: "frame of tshark".to_owned(),
                why: "no whole JSON".to_owned(),
            };
            sink.gap(record.first_line(), reason);
            return;
        };
        let layers = node.get("layers").or_else(|| node.at(&["_source", "layers"]));
        let Some(layers) = layers else { return };
        let mut frame = Frame::default();
        for (key, layer) in layers.pairs() {
            if LAYERS.contains(&key.as_ref()) {
                collect(&mut frame, &key, "", layer, 0);
            } else if !layer.is_container() || key.contains(['.', '_']) {
                collect(&mut frame, "", &key, layer, 0);
            }
        }
        self.dissected.frame(&frame, sink);
    }

    fn finish(&mut self, sink: &mut Sink) {
        self.dissected.finish(sink);
    }
}

/// The fields in a value, however deep.
fn collect(frame: &mut Frame, layer: &str, key: &str, node: Node<'_>, depth: usize) {
    if depth > DEPTH_MAX || PASSED_OVER.contains(&key) {
        return;
    }
    if let Some(text) = node.text() {
        frame.add(&canonical(layer, key), &text, || node.cite());
        return;
    }
    for item in node.items() {
        collect(frame, layer, key, item, depth.saturating_add(1));
    }
    for (inner, value) in node.pairs() {
        collect(frame, layer, &inner, value, depth.saturating_add(1));
    }
}

/// `dns.flags.response`, and `dns_dns_flags_response` of the layer `dns`, are `dns_flags_response`;
/// `ssl` is what `tls` was called before version 3.
fn canonical<'k>(layer: &str, key: &'k str) -> Cow<'k, str> {
    let layered =
        key.strip_prefix(layer).and_then(|rest| rest.strip_prefix('_')).filter(|rest| rest.starts_with(layer));
    let key = layered.filter(|_| !layer.is_empty()).unwrap_or(key);
    let key: Cow<'k, str> = if key.contains('.') { Cow::Owned(key.replace('.', "_")) } else { Cow::Borrowed(key) };
    match key.strip_prefix("ssl_") {
        Some(rest) => Cow::Owned(format!("tls_{rest}")),
        None => key,
    }
}

/// Layers that hold what matters; frames of `-e` have fields in their place.
const LAYERS: &[&str] =
    &["frame", "ip", "ipv6", "tcp", "udp", "dns", "mdns", "llmnr", "tls", "ssl", "quic", "http", "http2", "dtls"];
/// The names of fields that matter begin so.
const PREFIXES: &[&str] = &[
    "frame_number",
    "frame_time",
    "ip_src",
    "ip_dst",
    "ipv6_src",
    "ipv6_dst",
    "tcp_srcport",
    "tcp_dstport",
    "tcp_stream",
    "udp_srcport",
    "udp_dstport",
    "udp_stream",
    "dns_",
    "mdns_",
    "llmnr_",
    "tls_",
    "x509",
    "quic_version",
    "http_host",
    "http_response_code",
    "http_x_",
    "http_server",
];
/// What a digest of the certificate itself holds better, and keys.
const PASSED_OVER: &[&str] = &[
    "tls.handshake.certificate_tree",
    "ssl.handshake.certificate_tree",
    "tls.keylog",
    "tls.segment.data",
    "tls.app_data",
    "ssl.app_data",
];
const DEPTH_MAX: usize = 24;
/// The fields of one frame.
const FIELDS_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_has_one_name_in_every_layout() {
        for (layer, key, expected) in [
            ("dns", "dns.flags.response", "dns_flags_response"),
            ("dns", "dns_dns_flags_response", "dns_flags_response"),
            ("tls", "tls_tls_handshake_type", "tls_handshake_type"),
            ("ssl", "ssl.handshake.type", "tls_handshake_type"),
            ("", "tls.handshake.extensions_server_name", "tls_handshake_extensions_server_name"),
            ("ip", "ip_ip_src", "ip_src"),
            ("frame", "frame_frame_number", "frame_number"),
        ] {
            assert_eq!(canonical(layer, key), expected, "{key} of {layer}");
        }
    }
}
