//! What a certificate says: [`Certificate`], its subject, its presented identifiers and its dates.
//!
//! The DER form is read in [`der`], with a fallback that still finds the names of a certificate
//! that the grammar refuses; PEM blocks in any text are found by [`pem`]; chains are built in [`path`]
//! against [`roots`]; what was read before is in [`known`]. The common name is part of the subject, is
//! shown, and is never matched (RFC 9525 section 2).

pub mod der;
pub mod details;
pub mod known;
pub mod path;
pub mod pem;
pub mod pkcs7;
pub mod roots;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::provenance::Time;

/// One certificate, from its DER form or from what a text says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Certificate {
    /// SHA-256 of the DER form; `None` when only a text describes it.
    pub sha256: Option<String>,
    /// Names a certificate known from text only, unique over the evidence; handshakes refer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    /// The subject as `C=US, O=Amazon, CN=x`.
    pub subject: Option<String>,
    /// The issuer, in the same form.
    pub issuer: Option<String>,
    /// The subject alternative names; `None` where a text does not show them.
    pub san: Option<San>,
    /// Start of validity.
    pub not_before: Option<Time>,
    /// End of validity.
    pub not_after: Option<Time>,
    /// The serial number in lower-case hexadecimal.
    pub serial: Option<String>,
    /// The run of the transcript that printed it, counted from 1 in its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// The whole certificate in base64, so that facts can be read again without loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub der: Option<String>,
}

/// The presented identifiers of a certificate (RFC 9525).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct San {
    /// dNSName entries as they stand in the certificate.
    pub dns: Vec<String>,
    /// iPAddress entries.
    pub ip: Vec<String>,
    /// How many entries of other kinds there are.
    pub other: u32,
}

impl Certificate {
    /// What handshakes call it: the digest, or the local id of a text.
    pub fn id(&self) -> &str {
        self.sha256.as_deref().or(self.local_id.as_deref()).unwrap_or("")
    }

    /// The common name of the subject: a label to show, never matched.
    pub fn common_name(&self) -> Option<&str> {
        let subject = self.subject.as_deref()?;
        let is_part = |at: usize| {
            subject
                .get(..at)
                .is_some_and(|before| before.is_empty() || (before.ends_with(", ") && !before.ends_with("\\, ")))
        };
        let start = subject.match_indices("CN=").map(|it| it.0).find(|at| is_part(*at))?;
        let rest = subject.get(start + 3..)?;
        let is_end = |at: &usize| rest.get(..*at).is_some_and(|before| !before.ends_with('\\'));
        let end = rest.match_indices(", ").map(|it| it.0).find(is_end).unwrap_or(rest.len());
        rest.get(..end)
    }

    /// The DER form, where the evidence holds it.
    pub fn der(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.der.as_ref()?).ok()
    }
}

/// The attributes of a distinguished name as it is written here: type and value, without escapes.
pub fn attributes(name: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut begin = 0;
    for (at, _) in name.match_indices([',', '+']) {
        let (before, behind) = name.split_at_checked(at).unwrap_or_default();
        let is_end = behind.get(1..).is_some_and(|rest| rest.starts_with(' '));
        if is_end && !(behind.starts_with(',') && before.ends_with('\\')) {
            found.extend(name.get(begin..at).and_then(attribute));
            begin = at.saturating_add(1);
        }
    }
    found.extend(name.get(begin..).and_then(attribute));
    found
}

/// A sentence with distinguished names as people write them: a comma within a value keeps its backslash only where the
/// words behind it could be taken for an attribute.
pub fn readable(text: &str) -> String {
    let mut parts = text.split("\\,");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let kind = part.trim_start().split('=').next().unwrap_or_default();
        let is_kind =
            part.contains('=') && !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        plain.push_str(if is_kind { "\\," } else { "," });
        plain.push_str(part);
    }
    plain
}

fn attribute(part: &str) -> Option<(String, String)> {
    let (kind, value) = part.split_once('=')?;
    let plain = |text: &str| text.trim().replace("\\,", ",");
    Some((plain(kind), plain(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_bare_where_no_attribute_can_be_meant() {
        for (text, expected) in [
            ("C=US, O=Starfield Technologies\\, Inc., OU=x", "C=US, O=Starfield Technologies, Inc., OU=x"),
            ("O=A\\, CN=b", "O=A\\, CN=b"),
            ("nothing here", "nothing here"),
            ("ends\\,", "ends,"),
        ] {
            assert_eq!(readable(text), expected);
        }
    }
}
