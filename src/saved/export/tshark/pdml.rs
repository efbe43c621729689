//! `tshark -T pdml`: XML with a `field` per line.

use super::dissected::Dissected;
use super::{Frame, canonical};
use crate::saved::Sink;
use crate::saved::export::splitter::Record;
use crate::saved::export::{Cut, Export, Records};

/// `-T pdml`.
pub static EXPORT: Export = Export {
    id: "tshark_pdml",
    made_by: "tshark -T pdml",
    opens: |head| head.starts_with("<?xml") && head.contains("<pdml"),
    cut: Cut::Lines,
    reader: || Box::new(Packets::default()),
};

#[derive(Default)]
struct Packets {
    frame: Frame,
    dissected: Dissected,
}

impl Records for Packets {
    fn record(&mut self, record: &Record<'_>, sink: &mut Sink) {
        let text = record.text.trim_start();
        if text.starts_with("</packet>") {
            self.dissected.frame(&std::mem::take(&mut self.frame), sink);
        } else if let Some(field) = text.strip_prefix("<field ")
            && let Some(name) = attribute(field, "name")
        {
            let name = canonical("", name);
            let value =
                if name == "tls_handshake_certificate" { attribute(field, "value") } else { attribute(field, "show") };
            let value = value.unwrap_or_default();
            let cite = || super::Cite { line: record.first_line(), quote: record.quote_at(0) };
            self.frame.add(&name, &unescaped(value), cite);
        }
    }

    fn finish(&mut self, sink: &mut Sink) {
        self.dissected.frame(&std::mem::take(&mut self.frame), sink);
        self.dissected.finish(sink);
    }
}

fn attribute<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) =
        text.split_once(&format!("{name}=\"")).filter(|(before, _)| before.is_empty() || before.ends_with(' '))?;
    rest.split('"').next()
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&apos;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
