//! The fact of an observation as a report shows it: [`FactEntry`], its fields by name.
//!
//! A capture holds a hundred thousand facts and a page shows some dozen: an entry points at its
//! evidence, and spells a fact out when a field is asked for or the whole is written.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::evidence::{Evidence, Fact, ObservationId};

/// One fact, by the names of its fields in `whycert schema facts`, without `der`.
#[derive(Clone)]
pub struct FactEntry {
    evidence: Arc<Evidence>,
    id: ObservationId,
    read: OnceLock<Map<String, Value>>,
}

impl FactEntry {
    /// That of an observation.
    pub fn of(evidence: &Arc<Evidence>, id: ObservationId) -> Self {
        Self { evidence: Arc::clone(evidence), id, read: OnceLock::new() }
    }

    /// A field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields().get(name)
    }

    /// All fields.
    pub fn fields(&self) -> &Map<String, Value> {
        self.read.get_or_init(|| self.spelled_out())
    }

    fn spelled_out(&self) -> Map<String, Value> {
        let Some(it) = self.evidence.observation(self.id) else {
            return Map::new();
        };
        let mut fact = match &*it.fact {
            Fact::DnsAnswer(fact) => object(fact),
            Fact::TlsHandshake(fact) => object(fact),
            Fact::TlsAlert(fact) => object(fact),
            Fact::Certificate(fact) => object(fact),
            Fact::HttpExchange(fact) => object(fact),
            Fact::Run(fact) => object(fact),
            Fact::Override(fact) => object(fact),
            Fact::ClientVerdict(fact) => object(fact),
            Fact::CloudMapping(fact) => object(fact),
        };
        fact.remove("der");
        fact
    }
}

fn object<T: Serialize>(fact: &T) -> Map<String, Value> {
    match serde_json::to_value(fact) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

impl Serialize for FactEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Not kept: who writes the whole report reads each fact once.
        match self.read.get() {
            Some(fields) => fields.serialize(serializer),
            None => self.spelled_out().serialize(serializer),
        }
    }
}

impl PartialEq for FactEntry {
    fn eq(&self, other: &Self) -> bool {
        self.fields() == other.fields()
    }
}

impl fmt::Debug for FactEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields().fmt(f)
    }
}
