//! Patterns of the provider table: [`Pattern`] for names, [`Attributes`] for distinguished names.
//!
//! A pattern is text with placeholders in braces; everything else stands for itself, without regard
//! to case. The table is data that a user can bring, so a pattern that could take long is refused
//! when it is read ([`Pattern::parse`]), and matching counts its steps.

use std::borrow::Cow;

use serde::Deserialize;

use super::execute_api;

/// A pattern of a name, such as `{label}.herokuapp.com`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Of(Kind),
}

/// What a placeholder stands for; never for nothing, but for `{any}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Label,
    Labels,
    Word,
    Digits,
    Hex,
    Region,
    Any,
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is no pattern: {why}")]
pub struct NoPattern {
    pattern: String,
    why: &'static str,
}

impl TryFrom<String> for Pattern {
    type Error = NoPattern;

    fn try_from(text: String) -> Result<Self, NoPattern> {
        Self::parse(&text)
    }
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, NoPattern> {
        let refused = |why| NoPattern { pattern: text.to_owned(), why };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (word, behind) = after.split_once('}').ok_or_else(|| refused("a brace is not closed"))?;
            let kind = Kind::of(word).ok_or_else(|| refused("no such placeholder"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_lowercase()));
            }
            parts.push(Part::Of(kind));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_lowercase()));
        }
        let placeholders = parts.iter().filter(|part| matches!(part, Part::Of(_))).count();
        match placeholders {
            _ if parts.is_empty() => Err(refused("it is empty")),
            0..=PLACEHOLDERS_MAX => Ok(Self { text: text.to_owned(), parts }),
            _ => Err(refused("too many placeholders")),
        }
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The last label of every name of this shape, where the pattern says it.
    pub fn last_label(&self) -> Option<&str> {
        match self.parts.last() {
            Some(Part::Text(end)) => end.rsplit_once('.').map(|(_, label)| label),
            _ => None,
        }
    }

    /// Whether a text has this shape as a whole.
    pub fn matches(&self, text: &str) -> bool {
        if text.len() > TEXT_BYTES_MAX {
            return false;
        }
        let lower: Cow<'_, str> = if text.bytes().any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase()) {
            text.to_lowercase().into()
        } else {
            text.into()
        };
        let may_end = match self.parts.last() {
            Some(Part::Text(end)) => lower.ends_with(end.as_str()),
            _ => true,
        };
        let mut steps = STEPS_MAX;
        may_end && fits(&self.parts, &lower, &mut steps)
    }
}

fn fits(parts: &[Part], text: &str, steps: &mut u32) -> bool {
    let Some(left) = steps.checked_sub(1) else {
        return false;
    };
    *steps = left;
    let Some((first, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    match first {
        Part::Text(own) => text.strip_prefix(own.as_str()).is_some_and(|behind| fits(rest, behind, steps)),
        Part::Of(kind) => {
            let reach = text.bytes().take_while(|byte| kind.takes(*byte)).count();
            let splits = (0..=reach).filter_map(|end| text.split_at_checked(end));
            splits.into_iter().any(|(start, behind)| kind.is(start) && fits(rest, behind, steps))
        }
    }
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "label" => Self::Label,
            "labels" => Self::Labels,
            "word" => Self::Word,
            "digits" => Self::Digits,
            "hex" => Self::Hex,
            "region" => Self::Region,
            "any" => Self::Any,
            _ => return None,
        })
    }

    /// Whether a byte can stand in a text of this kind.
    fn takes(self, byte: u8) -> bool {
        let of_label = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match self {
            Self::Label | Self::Region => of_label,
            Self::Labels => of_label || byte == b'.',
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::Digits => byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Any => true,
        }
    }

    fn is(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Region => execute_api::is_region(text),
            Self::Labels => !text.is_empty() && text.split('.').all(|label| !label.is_empty()),
            _ => !text.is_empty(),
        }
    }
}

/// Attributes that a distinguished name has to hold, such as `O=Plesk, CN=Plesk`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Attributes(Vec<(String, Pattern)>);

impl TryFrom<String> for Attributes {
    type Error = NoPattern;

    fn try_from(text: String) -> Result<Self, NoPattern> {
        Self::parse(&text)
    }
}

impl Attributes {
    /// Reads the attributes.
    pub fn parse(text: &str) -> Result<Self, NoPattern> {
        let read: Result<Vec<(String, Pattern)>, NoPattern> = crate::x509::attributes(text)
            .into_iter()
            .map(|(kind, value)| Ok((kind.to_ascii_uppercase(), Pattern::parse(&value)?)))
            .collect();
        let read = read?;
        if read.is_empty() {
            return Err(NoPattern { pattern: text.to_owned(), why: "no attribute" });
        }
        Ok(Self(read))
    }

    /// Whether a distinguished name holds all of them.
    pub fn are_in(&self, name: &str) -> bool {
        self.are_among(&crate::x509::attributes(name))
    }

    /// Whether all of them are among attributes that were read already.
    pub fn are_among(&self, held: &[(String, String)]) -> bool {
        let is_held = |kind: &str, pattern: &Pattern| {
            held.iter().any(|(own, value)| own.eq_ignore_ascii_case(kind) && pattern.matches(value))
        };
        self.0.iter().all(|(kind, pattern)| is_held(kind, pattern))
    }
}

/// The placeholders of one pattern.
const PLACEHOLDERS_MAX: usize = 6;

/// The steps of one comparison. Host names take a few hundred at most.
const STEPS_MAX: u32 = 20_000;

/// The longest text that is compared: names end at 255 bytes, attributes of authorities stay below.
const TEXT_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_what_they_say() {
        for (pattern, text, expected) in [
            ("{label}.herokuapp.com", "demo-1.herokuapp.com", true),
            ("{label}.herokuapp.com", "a.demo.herokuapp.com", false),
            ("{label}.herokuapp.com", ".herokuapp.com", false),
            ("{labels}.herokudns.com", "www.example.com.herokudns.com", true),
            ("{labels}.herokudns.com", "a..herokudns.com", false),
            ("{hex}.{hex}.traefik.default", "0a1b.ff.traefik.default", true),
            ("{hex}.{hex}.traefik.default", "0a1b.xyz.traefik.default", false),
            ("*.s3.{region}.amazonaws.com", "*.s3.us-gov-west-1.amazonaws.com", true),
            ("*.s3.{region}.amazonaws.com", "*.s3.west.amazonaws.com", false),
            ("sni{digits}.x.com", "sni12.X.com", true),
            ("sni{digits}.x.com", "sni.x.com", false),
            ("ab{any}", "ab", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), expected, "{pattern} on {text}");
        }
        for pattern in ["", "{", "{nothing}", "{any}{any}{any}{any}{any}{any}{any}"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
        let slow = Pattern::parse("{any}a{any}a{any}a{any}a{any}a{any}b").unwrap();
        assert!(!slow.matches(&"a".repeat(1_000)), "a hostile text ends");
    }

    #[test]
    fn attributes_are_looked_for_one_by_one() {
        for (attributes, name, expected) in [
            ("O=Plesk, CN=Plesk", "C=CH, CN=Plesk, O=Plesk", true),
            ("O=Plesk, CN=Plesk", "CN=Plesk", false),
            ("O=Synology Inc.", "C=TW, O=Synology Inc., CN=x", true),
            ("O=QNAP Systems{any}", "O=QNAP Systems\\, Inc., CN=QNAP NAS", true),
            ("CN=x", "O=CN=x", false),
        ] {
            assert_eq!(Attributes::parse(attributes).unwrap().are_in(name), expected, "{attributes} in {name}");
        }
    }
}
