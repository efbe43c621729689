//! The provider table: [`Table`], its rows, and whom a host name, an address or a certificate belongs to.
//!
//! One table is embedded (`providers.toml`); `--data DIR` brings rows of the same shape, which replace
//! those of the same id. Every row has examples, which are checked whenever a table is read, so that a
//! row that does not do what its author meant is refused with its name.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::OnceLock;

use serde::Deserialize;

use super::network::Network;
use super::pattern::{Attributes, Pattern};
use crate::name::Name;
use crate::x509::Certificate;

/// All rows, in the order of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    schema: u32,
    /// The day of the data.
    pub as_of: String,
    #[serde(rename = "provider")]
    rows: Vec<Provider>,
    #[serde(skip)]
    by_end: OnceLock<ByEnd>,
}

/// The rows that can know a host, by its last label: of a hundred rows a few.
#[derive(Clone, Debug)]
struct ByEnd {
    rows: HashMap<String, Vec<usize>>,
    /// Those whose patterns say nothing of the end.
    any: Vec<usize>,
}

impl ByEnd {
    fn of(rows: &[Provider]) -> Self {
        let ends: Vec<Vec<Option<&str>>> =
            rows.iter().map(|row| row.hosts().map(Pattern::last_label).collect()).collect();
        let known: BTreeSet<&str> = ends.iter().flatten().flatten().copied().collect();
        let that_end = |end: Option<&str>| {
            let fits = |own: &[Option<&str>]| own.iter().any(|it| it.is_none() || *it == end);
            ends.iter().enumerate().filter(|(_, own)| fits(own)).map(|(at, _)| at).collect()
        };
        let rows = known.into_iter().map(|end| (end.to_owned(), that_end(Some(end)))).collect();
        Self { rows, any: that_end(None) }
    }

    fn of_name(&self, name: &str) -> &[usize] {
        let end = name.rsplit('.').next().unwrap_or(name);
        self.rows.get(end).unwrap_or(&self.any)
    }
}

/// One provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its id, unique in the table.
    pub id: String,
    /// Its name, as it stands in a sentence.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    #[serde(default)]
    targets: Vec<Pattern>,
    #[serde(default)]
    legacy: Vec<Pattern>,
    #[serde(default)]
    own: Vec<Pattern>,
    #[serde(default)]
    presents: Vec<Pattern>,
    #[serde(default)]
    shared: bool,
    #[serde(default)]
    subject: Vec<Attributes>,
    #[serde(default)]
    issuer: Vec<Attributes>,
    #[serde(default)]
    addresses: Vec<Network>,
    #[serde(default)]
    legacy_addresses: Vec<Network>,
    /// What to do, where it differs from what the kind says.
    pub remedy: Option<String>,
    /// How well it is known.
    pub basis: Basis,
    /// Where it is known from.
    pub source: String,
    yes: Vec<String>,
    no: Vec<String>,
}

/// What a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Rules of its own judge it.
    Dedicated,
    /// A platform that serves many customers' names.
    Hosting,
    /// A load balancer, whose certificates are its owner's.
    Balancer,
    /// A front end's certificate for clients that send no server name.
    NoServerName,
    /// The public name of Encrypted ClientHello.
    OuterName,
    /// An ingress controller.
    Ingress,
    /// Traefik.
    Traefik,
    /// A hosting panel, a distribution or a web server as installed.
    Panel,
    /// A device.
    Appliance,
    /// An authority that no client trusts, for tests.
    TestAuthority,
    /// An authority that only a CDN trusts.
    OriginAuthority,
    /// A captive portal.
    Portal,
    /// A product that signs anew on the path.
    Interceptor,
    /// A product that signs anew on the client itself.
    LocalInterceptor,
}

/// How well a row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Public transcripts show it.
    Seen,
    /// The provider's documentation says it.
    Documented,
    /// A published list of default certificates has it.
    Catalogue,
    /// Unverified: it weighs less.
    Recall,
}

/// What a host name is to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Where the record of a custom name belongs.
    Target,
    /// Where it belonged once, or what serves no certificate for custom names.
    Legacy,
    /// One of its own hosts.
    Own,
}

/// Why a table is refused.
#[derive(Debug, thiserror::Error)]
pub enum NoTable {
    /// Its grammar or its fields.
    #[error("{0}")]
    Unread(String),
    /// Another version.
    #[error("expected schema 1, found {0}")]
    Schema(u32),
    /// Two rows of one id.
    #[error("provider {0} is there twice")]
    Twice(String),
    /// An example that does not hold.
    #[error("provider {id}: the example {example:?} does not hold")]
    Example {
        /// The row.
        id: String,
        /// The example.
        example: String,
    },
    /// A role without an example.
    #[error("provider {id}: {role} has no example")]
    NoExample {
        /// The row.
        id: String,
        /// The role.
        role: &'static str,
    },
}

impl Table {
    /// The embedded table.
    pub fn embedded() -> Result<Self, NoTable> {
        Self::parse(toml::from_str(include_str!("providers.toml")).map_err(|error| NoTable::Unread(error.to_string())))
    }

    /// Reads TOML.
    pub fn from_toml(text: &str) -> Result<Self, NoTable> {
        let table = Self::parse(toml::from_str(text).map_err(|error| NoTable::Unread(error.to_string())))?;
        table.check()?;
        Ok(table)
    }

    /// Reads JSON of the same shape.
    pub fn from_json(text: &str) -> Result<Self, NoTable> {
        let table = Self::parse(serde_json::from_str(text).map_err(|error| NoTable::Unread(error.to_string())))?;
        table.check()?;
        Ok(table)
    }

    /// A table without rows.
    pub fn empty() -> Self {
        Self { schema: 1, as_of: String::new(), rows: Vec::new(), by_end: OnceLock::new() }
    }

    fn parse(read: Result<Self, NoTable>) -> Result<Self, NoTable> {
        let table = read?;
        if table.schema == 1 { Ok(table) } else { Err(NoTable::Schema(table.schema)) }
    }

    /// Whether every row does what its examples say, and has one for each of its roles.
    pub fn check(&self) -> Result<(), NoTable> {
        for (at, row) in self.rows.iter().enumerate() {
            if self.rows.iter().take(at).any(|other| other.id == row.id) {
                return Err(NoTable::Twice(row.id.clone()));
            }
            row.check()?;
        }
        Ok(())
    }

    /// This table with the rows of another, which go before.
    #[must_use]
    pub fn extended_by(mut self, other: Self) -> Self {
        self.rows.retain(|row| other.rows.iter().all(|new| new.id != row.id));
        let mut rows = other.rows;
        rows.append(&mut self.rows);
        Self { schema: self.schema, as_of: other.as_of.max(self.as_of), rows, by_end: OnceLock::new() }
    }

    /// How many rows there are.
    pub fn entries(&self) -> usize {
        self.rows.len()
    }

    /// Whom a host name belongs to, and what it is to them.
    pub fn of_host(&self, name: &Name) -> Option<(&Provider, Role)> {
        let by_end = self.by_end.get_or_init(|| ByEnd::of(&self.rows));
        let rows = by_end.of_name(name.as_str()).iter().filter_map(|at| self.rows.get(*at));
        rows.into_iter().find_map(|row| row.role_of(name.as_str()).map(|role| (row, role)))
    }

    /// Whom an address belongs to: a hint.
    pub fn of_address(&self, address: IpAddr) -> Option<(&Provider, Role)> {
        self.rows.iter().find_map(|row| {
            let holds = |networks: &[Network]| networks.iter().any(|network| network.holds(address));
            match (holds(&row.legacy_addresses), holds(&row.addresses)) {
                (true, _) => Some((row, Role::Legacy)),
                (_, true) => Some((row, Role::Target)),
                _ => None,
            }
        })
    }

    /// The row of an id.
    pub fn by_id(&self, id: &str) -> Option<&Provider> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// The row of a kind whose own certificate this is.
    pub fn own_certificate(&self, certificate: &Certificate, kind: Kind) -> Option<&Provider> {
        let names = Distinguished::of(certificate);
        self.rows.iter().find(|row| row.kind == kind && row.is_own(certificate, &names))
    }

    /// The row of a kind whose own certificate presents these names.
    pub fn presenting(&self, names: &[String], kind: Kind) -> Option<&Provider> {
        let all = |row: &&Provider| !names.is_empty() && row.kind == kind && row.has_presented(names);
        self.rows.iter().find(all)
    }

    /// Whose own certificate this is: by its identifiers, its subject or its issuer.
    pub fn of_certificate(&self, certificate: &Certificate) -> Option<&Provider> {
        let names = Distinguished::of(certificate);
        self.rows.iter().find(|row| row.is_own(certificate, &names))
    }

    /// The interceptor, test or origin authority that an issuer's name belongs to.
    pub fn of_issuer(&self, issuer: &str) -> Option<&Provider> {
        let held = crate::x509::attributes(issuer);
        self.rows.iter().find(|row| row.issuer.iter().any(|it| it.are_among(&held)))
    }
}

/// The attributes of a distinguished name.
type Held = Vec<(String, String)>;

/// The distinguished names of a certificate, read once for all rows.
struct Distinguished {
    subject: Held,
    issuer: Held,
}

impl Distinguished {
    fn of(certificate: &Certificate) -> Self {
        let held = |name: &Option<String>| name.as_deref().map(crate::x509::attributes).unwrap_or_default();
        Self { subject: held(&certificate.subject), issuer: held(&certificate.issuer) }
    }
}

impl Provider {
    /// The patterns of hosts.
    fn hosts(&self) -> impl Iterator<Item = &Pattern> {
        self.targets.iter().chain(&self.legacy).chain(&self.own)
    }

    /// What a host name is to this provider.
    pub fn role_of(&self, name: &str) -> Option<Role> {
        let is = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        if is(&self.targets) {
            Some(Role::Target)
        } else if is(&self.legacy) {
            Some(Role::Legacy)
        } else if is(&self.own) {
            Some(Role::Own)
        } else {
            None
        }
    }

    /// Whether a certificate is its own: all its identifiers are, or its subject or issuer says so.
    pub fn is_own_certificate(&self, certificate: &Certificate) -> bool {
        self.is_own(certificate, &Distinguished::of(certificate))
    }

    fn is_own(&self, certificate: &Certificate, names: &Distinguished) -> bool {
        let identifiers = certificate.san.as_ref().map(|san| (san.dns.as_slice(), san.ip.is_empty()));
        let presents = match identifiers {
            Some((names, no_address)) if !names.is_empty() => self.has_presented(names) && (no_address || self.shared),
            _ => certificate.common_name().is_some_and(|name| self.has_one(&[name])),
        };
        let shared = self.shared && certificate.common_name().is_some_and(|name| self.has_one(&[name]));
        let is = |known: &[Attributes], held: &Held| known.iter().any(|attributes| attributes.are_among(held));
        presents || shared || is(&self.subject, &names.subject) || is(&self.issuer, &names.issuer)
    }

    /// Whether the identifiers of a certificate are its own.
    pub fn has_presented_names(&self, certificate: &Certificate) -> bool {
        certificate.san.as_ref().is_some_and(|san| !san.dns.is_empty() && self.has_presented(&san.dns))
    }

    /// Whether it has targets that serve no certificates for custom names.
    pub fn has_legacy_targets(&self) -> bool {
        !self.legacy.is_empty()
    }

    /// Whether its own certificate carries customers' names as well.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    fn has_presented(&self, names: &[String]) -> bool {
        if self.shared {
            return names.first().is_some_and(|name| self.has_one(&[name]));
        }
        names.iter().all(|name| self.has_one(&[name]))
    }

    fn has_one(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.presents.iter().any(|pattern| pattern.matches(name)))
    }

    /// The names that its own certificate presents, for a sentence.
    pub fn presented(&self) -> Vec<&str> {
        self.presents.iter().map(Pattern::as_str).collect()
    }

    fn check(&self) -> Result<(), NoTable> {
        let wrong = |example: &String| NoTable::Example { id: self.id.clone(), example: example.clone() };
        for example in &self.yes {
            self.holds(example).filter(|holds| *holds).ok_or_else(|| wrong(example))?;
        }
        for example in &self.no {
            self.holds(example).filter(|holds| !*holds).ok_or_else(|| wrong(example))?;
        }
        let roles =
            [("target", self.targets.is_empty()), ("legacy", self.legacy.is_empty()), ("own", self.own.is_empty())];
        for (role, is_empty) in roles {
            let has_example = self.yes.iter().any(|example| example.split(' ').next() == Some(role));
            if !is_empty && !has_example {
                return Err(NoTable::NoExample { id: self.id.clone(), role });
            }
        }
        let any = |is_empty: bool, role: &'static str| if is_empty { Err(role) } else { Ok(()) };
        any(self.yes.is_empty(), "yes")
            .and(any(self.no.is_empty(), "no"))
            .map_err(|role| NoTable::NoExample { id: self.id.clone(), role })
    }

    /// Whether an example `ROLE VALUE` holds; `None` for an unknown role.
    fn holds(&self, example: &str) -> Option<bool> {
        let (role, value) = example.split_once(' ')?;
        let in_any = |networks: &[Network]| {
            value.parse().is_ok_and(|address| networks.iter().any(|network| network.holds(address)))
        };
        Some(match role {
            "target" => self.role_of(value) == Some(Role::Target),
            "legacy" => self.role_of(value) == Some(Role::Legacy),
            "own" => self.role_of(value) == Some(Role::Own),
            "presents" => self.has_one(&[value]),
            "subject" => self.subject.iter().any(|it| it.are_in(value)),
            "issuer" => self.issuer.iter().any(|it| it.are_in(value)),
            "address" => in_any(&self.addresses),
            "legacy-address" => in_any(&self.legacy_addresses),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_does_what_its_examples_say() {
        Table::embedded().unwrap().check().unwrap();
    }

    #[test]
    fn a_table_with_a_fault_is_refused_by_name() {
        let row = |rest: &str| {
            format!(
                "schema = 1\nas_of = \"2026-01-01\"\n[[provider]]\nid = \"x\"\nname = \"X\"\nkind = \"hosting\"\nbasis = \"seen\"\nsource = \"s\"\n{rest}"
            )
        };
        for (rest, expected) in [
            ("targets = [\"{label}.x.com\"]\nyes = [\"target a.x.com\"]\nno = [\"target x.com\"]", ""),
            ("targets = [\"{label}.x.com\"]\nyes = [\"target a.b.x.com\"]\nno = [\"target x.com\"]", "does not hold"),
            ("targets = [\"{label}.x.com\"]\nyes = [\"own a.x.com\"]\nno = []", "does not hold"),
            ("targets = [\"{label}.x.com\"]\nyes = []\nno = [\"target x.com\"]", "no example"),
            ("targets = [\"{x}.x.com\"]\nyes = []\nno = []", "no such placeholder"),
            ("colour = 1\nyes = []\nno = []", "unknown field"),
        ] {
            let said = Table::from_toml(&row(rest)).map_or_else(|error| error.to_string(), |_| String::new());
            assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{rest}: {said}");
        }
    }

    #[test]
    fn a_users_row_goes_before() {
        let own = r#"{"schema": 1, "as_of": "2027-01-01", "provider": [{"id": "heroku", "name": "Mine", "kind": "hosting",
            "targets": ["{label}.mine.example"], "basis": "seen", "source": "us",
            "yes": ["target a.mine.example"], "no": ["target mine.example"]}]}"#;
        let table = Table::embedded().unwrap().extended_by(Table::from_json(own).unwrap());
        let of = |name: &str| table.of_host(&Name::parse(name).unwrap()).map(|(row, _)| row.name.clone());
        assert_eq!(of("a.mine.example").as_deref(), Some("Mine"));
        assert_eq!(of("demo.herokuapp.com"), None);
        assert_eq!(table.as_of, "2027-01-01");
    }
}
