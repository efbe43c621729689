//! Where a fact stands, when it happened, and what could not be read: [`Place`], [`Time`], [`Gap`].
//!
//! Every reader yields these; nobody invents them later. A place is never a range around a fact:
//! it lists exactly the frames or the lines that hold it. Frame numbers count from 1 as Wireshark
//! counts them, lines count from 1 in the original file, columns count characters from 1.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a source in its evidence, in the order of the source names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// The number of a captured packet in its file, from 1, as Wireshark counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FrameNumber(pub u64);

/// Where a fact stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// In these frames of a capture: sorted, without repeats, never empty.
    Frames {
        /// The capture.
        source: SourceId,
        /// The frames that hold the bytes.
        frames: Vec<FrameNumber>,
    },
    /// In these lines of a text.
    Lines {
        /// The text.
        source: SourceId,
        /// The first line, from 1.
        first: u32,
        /// The last line, `first` when it is one line.
        last: u32,
        /// The first and last column in characters from 1, when the words are known.
        columns: Option<(u32, u32)>,
    },
    /// In the source as a whole: a file that could not be opened, an empty file.
    Whole {
        /// The source.
        source: SourceId,
    },
}

impl Place {
    /// A place in frames; sorts them and removes repeats.
    pub fn in_frames(source: SourceId, frames: impl IntoIterator<Item = FrameNumber>) -> Self {
        let mut frames: Vec<FrameNumber> = frames.into_iter().collect();
        frames.sort_unstable();
        frames.dedup();
        Self::Frames { source, frames }
    }

    /// A place that is one line.
    pub fn on_line(source: SourceId, line: u32) -> Self {
        Self::Lines { source, first: line, last: line, columns: None }
    }

    /// A place that is a block of lines, each of which belongs to the fact.
    pub fn on_lines(source: SourceId, first: u32, last: u32) -> Self {
        Self::Lines { source, first, last, columns: None }
    }

    /// The source that holds the place.
    pub fn source(&self) -> SourceId {
        match self {
            Self::Frames { source, .. } | Self::Lines { source, .. } | Self::Whole { source } => *source,
        }
    }

    /// The first frame or line, 0 for a whole source: what sorts observations.
    pub fn start(&self) -> u64 {
        match self {
            Self::Frames { frames, .. } => frames.first().map_or(0, |frame| frame.0),
            Self::Lines { first, .. } => u64::from(*first),
            Self::Whole { .. } => 0,
        }
    }

    /// The same place in another source: used when sources get their final numbers.
    #[must_use]
    pub fn moved_to(mut self, to: SourceId) -> Self {
        self.move_to(to);
        self
    }

    /// Makes it the same place in another source.
    pub fn move_to(&mut self, to: SourceId) {
        match self {
            Self::Frames { source, .. } | Self::Lines { source, .. } | Self::Whole { source } => *source = to,
        }
    }
}

/// Something that could not be read or was not seen, with its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Where it is.
    pub at: Vec<Place>,
    /// What is missing, in one lower-case sentence that also says what to ask for.
    pub reason: GapReason,
}

impl Gap {
    /// A gap at one place.
    pub fn new(at: Place, reason: GapReason) -> Self {
        Self { at: vec![at], reason }
    }
}

/// Why something could not be read. The words are for the person who must ask the customer again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum GapReason {
    /// The file holds no byte.
    #[error("the file is empty; ask for it again")]
    Empty,
    /// The path could not be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Neither a capture nor text that any reader knows.
    #[error("not recognised as a capture or as the output of a known command{0}")]
    Unrecognised(String),
    /// A readable source without any DNS answer, handshake or certificate.
    #[error("holds no DNS answer, no TLS handshake and no certificate")]
    NoEvidence,
    /// The capture ends within a record.
    #[error("the capture ends in the middle of a packet: {0}")]
    CutFile(String),
    /// A damaged part of a capture file that was passed over.
    #[error("damaged capture structure: {0}")]
    DamagedCapture(String),
    /// A link type that is not decoded.
    #[error("link type {0} is not decoded")]
    UnknownLinkType(u32),
    /// A packet whose headers could not be read.
    #[error("packet not decoded: {0}")]
    UndecodedPacket(String),
    /// The capture kept only the first bytes of packets that mattered.
    #[error("packets were cut at {0} bytes when captured; ask for a capture with tcpdump -s 0")]
    Snaplen(u32),
    /// Bytes of a stream that no packet holds.
    #[error("{missing} bytes of a TCP stream are not in the capture, {lost} is lost; ask for a new capture")]
    MissingSegment {
        /// How many bytes, as far as known.
        missing: u64,
        /// What could not be read because of it.
        lost: String,
    },
    /// Segments of a stream that contradict each other.
    #[error("segments of a TCP stream overlap with different bytes; those captured first were read")]
    Conflict,
    /// Only one direction of a connection was captured.
    #[error("only one direction of the connection is in the capture: {0}; capture where both directions pass")]
    OneDirection(String),
    /// TLS 1.3 encrypts the certificate and no key is here.
    #[error("Certificate message encrypted (TLS 1.3), no key")]
    EncryptedCertificate,
    /// A handshake over UDP other than QUIC.
    #[error(
        "DTLS handshakes, from this frame on, are not read; ask for the output of openssl s_client -dtls -showcerts"
    )]
    Dtls,
    /// A resolver was asked over encryption and no key is here.
    #[error(
        "{resolver} is a resolver asked over {how}, what it answered is encrypted; ask for a key log, or for dig's output"
    )]
    EncryptedResolver {
        /// Its name or address.
        resolver: String,
        /// `TLS`, `HTTPS` or `QUIC`.
        how: &'static str,
    },
    /// A message that its grammar refuses.
    #[error("{what} not decoded: {why}")]
    Undecoded {
        /// What it is, such as `DNS message`.
        what: String,
        /// Why it cannot be read.
        why: String,
    },
    /// A bound of [`crate::limits`] was reached.
    #[error("{what}: stopped at the limit of {limit}")]
    Limit {
        /// What was counted.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// Connections that had to be given up before their end.
    #[error("{0} open connections were given up for lack of memory; try again with a larger --max-memory")]
    GivenUp(u64),
    /// Keys that are for none of the connections.
    #[error("the keys of {unused} of {all} connections in it match no connection of the captures")]
    UnusedKeys {
        /// How many connections were not met.
        unused: usize,
        /// How many connections there are keys for.
        all: usize,
    },
    /// The source changed while it was read.
    #[error("the file changed while it was read")]
    Changed,
    /// Somebody ended the reading before its time.
    #[error("the reading was ended before its time; what follows is not in the evidence")]
    Stopped,
    /// A gap read back from a facts file, in its own words.
    #[error("{0}")]
    Recorded(String),
}

impl GapReason {
    /// Whether somebody ended the reading before its time, in this run or in the one that wrote the facts.
    pub fn is_stop(&self) -> bool {
        match self {
            Self::Stopped => true,
            Self::Recorded(words) => *words == Self::Stopped.to_string(),
            _ => false,
        }
    }
}

/// A point in time as the evidence gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds within the second, below 1,000,000,000.
    pub nanos: u32,
    /// How the zone is known.
    pub zone: Zone,
}

/// How the zone of a [`Time`] is known. An unknown zone never drives a verdict about dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// The evidence says it (captures, `GMT`, `UTC`, an offset).
    Stated,
    /// A convention of the format says it.
    Assumed,
    /// Nothing says it; the time is read as if it were UTC.
    Unknown,
}

impl Time {
    /// A time whose zone the evidence states.
    pub fn stated(seconds: i64, nanos: u32) -> Self {
        Self { seconds, nanos, zone: Zone::Stated }
    }

    /// A time from a calendar date and clock reading.
    pub fn from_civil(civil: jiff::civil::DateTime, zone: Zone) -> Self {
        let days = civil.date().duration_since(jiff::civil::date(1970, 1, 1)).as_secs();
        let clock = i64::from(civil.hour()) * 3600 + i64::from(civil.minute()) * 60 + i64::from(civil.second());
        let nanos = u32::try_from(civil.subsec_nanosecond()).unwrap_or(0);
        Self { seconds: days + clock, nanos, zone }
    }

    /// The calendar date and clock reading in UTC; `None` beyond the year 9999.
    pub fn civil(&self) -> Option<jiff::civil::DateTime> {
        let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
        let shift = jiff::SignedDuration::new(self.seconds, i32::try_from(self.nanos).unwrap_or(0));
        epoch.checked_add(shift).ok()
    }

    /// RFC 3339 in UTC: no fraction for whole seconds, else 6 digits, or 9 where they are needed.
    pub fn rfc3339(&self) -> String {
        let Some(civil) = self.civil() else {
            return "9999-12-31T23:59:59Z".to_owned();
        };
        let mut text = String::with_capacity("2026-11-22T07:25:14.107600000Z".len());
        if civil.year() < 0 {
            text.push('-');
        }
        let parts = [civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second()];
        push_digits(&mut text, u32::from(civil.year().unsigned_abs()), 4);
        for (before, part) in ['-', '-', 'T', ':', ':'].into_iter().zip(parts) {
            text.push(before);
            push_digits(&mut text, u32::from(part.unsigned_abs()), 2);
        }
        if self.nanos > 0 {
            text.push('.');
            let is_whole = self.nanos.is_multiple_of(1000);
            let (number, width) = if is_whole { (self.nanos / 1000, 6) } else { (self.nanos, 9) };
            push_digits(&mut text, number, width);
        }
        text.push('Z');
        text
    }

    /// Reads what [`Time::rfc3339`] wrote.
    pub fn parse_rfc3339(text: &str, zone: Zone) -> Option<Self> {
        let civil: jiff::civil::DateTime = text.strip_suffix('Z')?.parse().ok()?;
        Some(Self::from_civil(civil, zone))
    }
}

/// Writes the last `width` digits of a number: one time stands in every line of facts.
fn push_digits(text: &mut String, number: u32, width: u32) {
    let digits = (0..width).rev().map(|place| number / 10_u32.saturating_pow(place) % 10);
    text.extend(digits.filter_map(|digit| char::from_digit(digit, 10)));
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Time")]
struct TimeOnPaper {
    utc: String,
    zone: Zone,
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TimeOnPaper { utc: self.rfc3339(), zone: self.zone }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let paper = TimeOnPaper::deserialize(deserializer)?;
        Self::parse_rfc3339(&paper.utc, paper.zone)
            .ok_or_else(|| serde::de::Error::custom(format!("expected an RFC 3339 time, found {}", paper.utc)))
    }
}

impl schemars::JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        TimeOnPaper::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_being_written() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_795_332_314, 107_600_000, "2026-11-22T07:25:14.107600Z"),
            (1_795_332_314, 7, "2026-11-22T07:25:14.000000007Z"),
            (-1, 0, "1969-12-31T23:59:59Z"),
            (-62_135_596_800, 9_000, "0001-01-01T00:00:00.000009Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59Z"),
        ] {
            let time = Time::stated(seconds, nanos);
            assert_eq!(time.rfc3339(), text);
            assert_eq!(Time::parse_rfc3339(text, Zone::Stated), Some(time), "{text}");
        }
    }
}
