//! A part of a record's JSON that knows its line: [`Node`], read only where it is looked at.
//!
//! Objects keep every pair in order: tshark repeats keys, and the last one is not the only one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::splitter::Record;
use crate::name::Name;

/// A value in a record.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    raw: &'t RawValue,
    record: &'t Record<'t>,
}

#[derive(serde::Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

/// The pairs of an object, repeats included.
struct Pairs<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut pairs = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl<'t> Node<'t> {
    /// The whole record.
    pub fn of(record: &'t Record<'t>) -> Option<Self> {
        let raw: &RawValue = serde_json::from_str(record.text).ok()?;
        Some(Self { raw, record })
    }

    /// The pairs of an object; none of anything else.
    pub fn pairs(&self) -> Vec<(Cow<'t, str>, Self)> {
        let pairs = if self.raw.get().starts_with('{') { serde_json::from_str(self.raw.get()).ok() } else { None };
        let pairs: Vec<(Cow<'t, str>, &'t RawValue)> = pairs.map(|Pairs(pairs)| pairs).unwrap_or_default();
        pairs.into_iter().map(|(key, raw)| (key, Self { raw, record: self.record })).collect()
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.pairs().into_iter().rev().find(|(found, _)| found == key).map(|(_, node)| node)
    }

    /// The value behind several keys.
    pub fn at(&self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(*self, |node, key| node.get(key))
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> Vec<Self> {
        let items: Vec<&'t RawValue> = if self.raw.get().starts_with('[') {
            serde_json::from_str(self.raw.get()).unwrap_or_default()
        } else {
            Vec::new()
        };
        items.into_iter().map(|raw| Self { raw, record: self.record }).collect()
    }

    /// A string, or a number or boolean as it is written; `None` when empty.
    pub fn text(&self) -> Option<Cow<'t, str>> {
        let raw = self.raw.get();
        if raw.starts_with('"') {
            let Key(text) = serde_json::from_str(raw).ok()?;
            return (!text.is_empty()).then_some(text);
        }
        (!raw.starts_with(['{', '[']) && raw != "null").then_some(Cow::Borrowed(raw))
    }

    /// The text of a key.
    pub fn text_of(&self, key: &str) -> Option<String> {
        self.get(key)?.text().map(Cow::into_owned)
    }

    /// A host name of a key.
    pub fn name_of(&self, key: &str) -> Option<Name> {
        Name::parse(&self.get(key)?.text()?)
    }

    /// A number of a key, written as a number or as a string.
    pub fn number_of<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key)?.text()?.parse().ok()
    }

    /// Whether it is an object or a list.
    pub fn is_container(&self) -> bool {
        self.raw.get().starts_with(['{', '['])
    }

    /// Its line, with what can be quoted of it.
    pub fn cite(&self) -> super::Cite {
        let offset = self.record.offset_of(self.raw.get());
        super::Cite { line: self.record.line_at(offset), quote: self.record.quote_at(offset) }
    }

    /// The lines from its first to its last.
    pub fn lines(&self) -> std::ops::RangeInclusive<u32> {
        let offset = self.record.offset_of(self.raw.get());
        self.record.line_at(offset)..=self.record.line_at(offset.saturating_add(self.raw.get().len()).saturating_sub(1))
    }
}
