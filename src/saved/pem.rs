//! PEM blocks anywhere in a text: certificates that no run has taken.

use super::{Line, Sink};
use crate::evidence::Fact;
use crate::provenance::GapReason;
use crate::x509;

/// Reads the blocks that no run has read; whether there was any block.
pub fn read(lines: &[Line], sink: &mut Sink) -> bool {
    let blocks = x509::pem::blocks(lines.iter().map(|line| (line.number, line.text.as_str())));
    for block in &blocks {
        match &block.der {
            Ok(der) => {
                let (certificate, problem) = x509::der::read(der);
                let is_known = |sha256: &String| sink.certificates.contains(sha256) || sink.configured.contains(sha256);
                if certificate.sha256.as_ref().is_some_and(|sha256| !is_known(sha256)) {
                    sink.observe(Fact::Certificate(certificate), block.first..=block.last);
                    if let Some(why) = problem {
                        sink.gap(block.first, GapReason::Undecoded { what: "certificate".to_owned(), why });
                    }
                }
            }
            Err(why) => {
                let reason = GapReason::Undecoded { what: "PEM block".to_owned(), why: why.clone() };
                sink.gap(block.first, reason);
            }
        }
    }
    let bundles = x509::pem::bundles(lines.iter().map(|line| (line.number, line.text.as_str())));
    for bundle in &bundles {
        let certificates = bundle.der.as_deref().map(x509::pkcs7::certificates);
        let why = match &certificates {
            Ok(Some(certificates)) => {
                for der in certificates {
                    let (certificate, _) = x509::der::read(der);
                    super::connection::observe_certificate(certificate, (bundle.first..=bundle.last).collect(), sink);
                }
                continue;
            }
            Ok(None) => "it is no bundle of certificates".to_owned(),
            Err(why) => (*why).clone(),
        };
        sink.gap(bundle.first, GapReason::Undecoded { what: "PKCS#7 block".to_owned(), why });
    }
    !blocks.is_empty() || !bundles.is_empty()
}

/// Whether a line is a part of a block: one of its marks, or base64 of its usual length.
pub fn is_part(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("-----")
        || (line.len() >= BASE64_CHARS_MIN
            && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')))
}

/// Shorter runs of letters are words.
const BASE64_CHARS_MIN: usize = 40;
