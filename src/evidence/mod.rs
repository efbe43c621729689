//! All that is known: [`Evidence`], a list of [`Observation`]s with their places, and the gaps.
//!
//! Both branches meet here; after this nobody knows whether a fact came from a capture or from a
//! transcript except through its place. Observations stand in source order, then by place, so the
//! same input gives the same numbers whatever the thread count ([`order`]). Evidence is written as
//! facts and read back in [`facts`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::provenance::{Gap, Place, SourceId, Time};
use crate::{dns, tls, x509};

pub mod cloud;
pub mod facts;
pub mod order;

pub use cloud::{CloudMapping, Mapping};

pub use crate::http::Exchange as HttpExchange;

/// The number of an observation in its evidence: what reasons cite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ObservationId(pub u32);

/// One fact with its places.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Where it stands; in the order of the file.
    pub at: Vec<Place>,
    /// The fact; apart, so that whoever looks for one kind passes the others quickly.
    pub fact: Box<Fact>,
}

/// What can be observed.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a fact lies in a box of its own in its observation")]
pub enum Fact {
    /// A DNS response.
    DnsAnswer(dns::Answer),
    /// A TLS handshake.
    TlsHandshake(tls::Handshake),
    /// A TLS alert.
    TlsAlert(tls::Alert),
    /// A certificate, once per source.
    Certificate(x509::Certificate),
    /// An HTTP exchange.
    HttpExchange(HttpExchange),
    /// One command of a transcript.
    Run(Run),
    /// DNS or SNI was forced.
    Override(Override),
    /// What a client said in its own words.
    ClientVerdict(ClientVerdict),
    /// What exported configuration says.
    CloudMapping(CloudMapping),
}

impl Fact {
    /// The contract's name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DnsAnswer(_) => "dns.answer",
            Self::TlsHandshake(_) => "tls.handshake",
            Self::TlsAlert(_) => "tls.alert",
            Self::Certificate(_) => "certificate",
            Self::HttpExchange(_) => "http.exchange",
            Self::Run(_) => "run",
            Self::Override(_) => "override",
            Self::ClientVerdict(_) => "client.verdict",
            Self::CloudMapping(_) => "cloud.mapping",
        }
    }
}

/// One command of a transcript, as far as the paste says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Run {
    /// Counted from 1 in its source; the facts of the run carry it.
    pub run: u32,
    /// The tool: `dig`, `openssl s_client`, `openssl x509`, `curl`, `browser`.
    pub tool: String,
    /// Its version as printed, such as `OpenSSL 1.0.2k` or `curl 8.5.0`.
    pub version: Option<String>,
    /// The command line with secrets removed; `None` where the paste has none.
    pub command: Option<String>,
    /// Where it ran: the prompt's user and host, or a heading.
    pub vantage: Option<String>,
    /// When, if the output says.
    pub time: Option<Time>,
    /// The host the command names: the name dug for, the host of `-connect` or of the URL.
    pub host: Option<Name>,
    /// The server name the command sends, as far as the command line and the version tell.
    pub server_name: ServerName,
}

impl Run {
    /// The words of its command line, without the quotes around them.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.command.as_deref().unwrap_or_default().split_whitespace();
        words.map(|word| word.trim_matches(['"', '\'']))
    }

    /// The word behind an option of its command line.
    pub fn value(&self, option: &str) -> Option<&str> {
        self.words().skip_while(|word| *word != option).nth(1)
    }
}

/// The SNI a command line leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "sent", content = "name", rename_all = "snake_case")]
pub enum ServerName {
    /// This name.
    Yes(String),
    /// None: a switch, the version or an IP literal says so.
    No,
    /// The paste does not say.
    Unknown,
}

/// What forced DNS or the address of a run, so that it is no evidence of DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Override {
    /// How.
    pub by: OverrideKind,
    /// The name whose resolution was forced.
    pub host: Option<Name>,
    /// The address or resolver it was forced to.
    pub to: Option<String>,
    /// The run that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
}

/// How DNS was forced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverrideKind {
    /// `curl --resolve`.
    Resolve,
    /// `curl --connect-to`.
    ConnectTo,
    /// `openssl s_client -connect ADDRESS`.
    ConnectIp,
    /// `dig @server`.
    Server,
    /// A hosts file.
    Hosts,
    /// A Host header that names another host than the URL.
    HostHeader,
    /// A proxy, which resolves names and connects for the client.
    Proxy,
}

/// What a client said of the certificate, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClientVerdict {
    /// Who says it: `curl`, `openssl`, `chrome`, …
    pub client: String,
    /// What it says.
    pub says: Says,
    /// The host it speaks of.
    pub host: Option<Name>,
    /// The names it says were presented.
    pub presented: Vec<String>,
    /// Its own code, such as `60` or `NET::ERR_CERT_COMMON_NAME_INVALID`.
    pub code: Option<String>,
    /// Its words, in one line.
    pub words: String,
    /// The subject of the certificate that it speaks of, where it names one above the leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
    /// The run that printed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
}

/// What a client can say of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// It covers the host.
    NameMatches,
    /// It does not cover the host.
    NameMismatch,
    /// The chain is trusted; says nothing about the name.
    ChainTrusted,
    /// The chain is not trusted.
    ChainUntrusted,
    /// It has expired.
    Expired,
    /// It is not yet valid.
    NotYetValid,
    /// The client's time lies outside its validity; the words do not say on which side.
    DateInvalid,
    /// It is refused; the words do not say why.
    Refused,
    /// The handshake failed before a certificate was judged.
    HandshakeFailed,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Source {
    /// The name of the source: never an absolute path.
    pub path: String,
    /// `pcap`, `pcapng`, `text`, `facts`, `der`, `keylog`, or `unknown`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many bytes were read.
    pub bytes: u64,
    /// SHA-256 of exactly these bytes, when a digest was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How many frames a capture holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
    /// How many lines a text holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// How many lines with text belong to no output that a reader knows: prose, other commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_lines: Option<u64>,
    /// The link types of a capture, as libpcap spells them without `LINKTYPE_`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link_types: Vec<String>,
    /// The first time in it.
    pub first: Option<Time>,
    /// The last time in it.
    pub last: Option<Time>,
    /// Packets that the capturing machine says it dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
    /// The capture that a file of a ring buffer belongs to; its own name otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
}

/// What one source yields.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The source.
    pub source: Source,
    /// What was seen in it; places name source 0, which is this one, or one of the others, counted
    /// from 1, until [`Evidence::gather`] numbers them all.
    pub observations: Vec<Observation>,
    /// The names of other sources that places speak of: the files of the same ring buffer.
    pub others: Vec<String>,
    /// What could not be read in it.
    pub gaps: Vec<Gap>,
    /// Counted while reading.
    pub counts: Counts,
    /// The lines of a text that observations stand on, so that a report can quote them.
    pub quotes: BTreeMap<u32, String>,
}

/// What was counted while reading, for the report's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Counts {
    /// ClientHello messages.
    pub client_hellos: u64,
    /// ServerHello messages.
    pub server_hellos: u64,
}

/// All that is known. Immutable once gathered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The sources, by name.
    pub sources: Vec<Source>,
    /// The observations in source order, then by place.
    pub observations: Vec<Observation>,
    /// The gaps in source order, then by place.
    pub gaps: Vec<Gap>,
    /// What was counted in each source, in the order of the sources.
    pub counts: Vec<Counts>,
    /// Lines of text sources by source and line, to quote. Not part of any contract.
    pub quotes: BTreeMap<(SourceId, u32), String>,
}

impl Source {
    /// A source of which only this is known.
    pub fn named(path: &str, kind: &str, bytes: u64) -> Self {
        Self {
            path: path.to_owned(),
            kind: kind.to_owned(),
            bytes,
            sha256: None,
            frames: None,
            lines: None,
            unknown_lines: None,
            link_types: Vec::new(),
            first: None,
            last: None,
            dropped: None,
            capture: None,
        }
    }
}

impl Reading {
    /// A reading without anything in it yet.
    pub fn of(source: Source) -> Self {
        Self {
            source,
            observations: Vec::new(),
            others: Vec::new(),
            gaps: Vec::new(),
            counts: Counts::default(),
            quotes: BTreeMap::new(),
        }
    }

    /// Whether it holds a DNS answer, a handshake or a certificate: what a diagnosis is made of.
    pub fn holds_evidence(&self) -> bool {
        self.observations.iter().any(|observation| {
            matches!(*observation.fact, Fact::DnsAnswer(_) | Fact::TlsHandshake(_) | Fact::Certificate(_))
        })
    }
}

impl Evidence {
    /// The observation of that number.
    pub fn observation(&self, id: ObservationId) -> Option<&Observation> {
        self.observations.get(usize::try_from(id.0).ok()?)
    }

    /// All observations with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (ObservationId, &Observation)> {
        (0..).map(ObservationId).zip(&self.observations)
    }
}
