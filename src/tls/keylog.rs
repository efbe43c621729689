//! Secrets of key logs: [`Keys`], found by client random and [`Label`].
//!
//! The format is that of `SSLKEYLOGFILE` (RFC 9850): a label, the client random and a secret, in
//! hexadecimal digits, one a line; `#` begins a comment. QUIC's older spellings (`QUIC_` before the
//! label) mean the same. A line that is no such line costs itself only.
//!
//! A secret is never printed: no type here shows one, and what a report says is which file gave it.
//! Two logs that give different secrets for one connection are both kept; which one is right is
//! decided by authentication, never guessed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashMap;

use crate::limits::{KEYS_MAX, SECRETS_OF_ONE_LABEL_MAX};

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// `CLIENT_RANDOM`: the master secret of TLS 1.2 and older.
    Master,
    /// `PMS_CLIENT_RANDOM`: its premaster secret.
    Premaster,
    /// `CLIENT_EARLY_TRAFFIC_SECRET`: 0-RTT data.
    ClientEarly,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`.
    ClientHandshake,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`.
    ServerHandshake,
    /// `CLIENT_TRAFFIC_SECRET_0`.
    ClientTraffic,
    /// `SERVER_TRAFFIC_SECRET_0`.
    ServerTraffic,
    /// A secret that opens no record: `EXPORTER_SECRET`, `EARLY_EXPORTER_SECRET`,
    /// `CLIENT_TRAFFIC_SECRET_1` and later ones (they follow from the first), `ECH_SECRET`.
    Other,
}

/// The secrets of all key logs.
#[derive(Clone, Default)]
pub struct Keys {
    files: Vec<String>,
    by_random: HashMap<[u8; RANDOM_BYTES], Known, foldhash::fast::FixedState>,
    by_encrypted_premaster: HashMap<[u8; 8], Known, foldhash::fast::FixedState>,
    count: usize,
}

/// What is known of one client random.
#[derive(Clone, Default)]
struct Known {
    /// Each with the file that gave it.
    secrets: Vec<(Label, Arc<[u8]>, usize)>,
    file: usize,
    is_used: Arc<AtomicBool>,
}

/// What one key log held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Its lines.
    pub lines: u64,
    /// Lines that hold a secret.
    pub secrets: u64,
    /// The first lines that are neither a secret nor a comment, counted from 1.
    pub undecoded: Vec<u32>,
    /// More secrets than are kept.
    pub is_full: bool,
}

/// One line of a key log.
enum Line<'t> {
    Secret(Label, &'t str, &'t str),
    Rsa(&'t str, &'t str),
    Nothing,
    Unknown,
}

impl Keys {
    /// Takes the secrets of a key log named `name`.
    pub fn read(&mut self, name: &str, bytes: &[u8]) -> Taken {
        let mut taken = Taken::default();
        let file = self.files.iter().position(|known| known == name).unwrap_or_else(|| {
            self.files.push(name.to_owned());
            self.files.len().saturating_sub(1)
        });
        for (number, line) in (1_u32..).zip(lines(bytes)) {
            taken.lines += 1;
            let is_read = match parse(line) {
                Line::Nothing => continue,
                Line::Unknown => false,
                Line::Secret(label, random, secret) => self.secret_line(label, random, secret, file),
                Line::Rsa(start, secret) => self.rsa_line(start, secret, file),
            };
            if is_read {
                taken.secrets += 1;
            } else if taken.undecoded.len() < UNDECODED_LINES_MAX {
                taken.undecoded.push(number);
            }
            if self.count >= KEYS_MAX {
                taken.is_full = true;
                break;
            }
        }
        taken
    }

    fn secret_line(&mut self, label: Label, random: &str, secret: &str, file: usize) -> bool {
        let (Some(random), Some(secret)) = (bytes_of(random), bytes_of(secret)) else {
            return false;
        };
        let Ok(random) = <[u8; RANDOM_BYTES]>::try_from(random) else {
            return false;
        };
        if secret.is_empty() || secret.len() > SECRET_BYTES_MAX {
            return false;
        }
        self.count = self.count.saturating_add(1);
        let known = self.by_random.entry(random).or_insert_with(|| Known { file, ..Known::default() });
        known.add(label, &secret, file);
        true
    }

    fn rsa_line(&mut self, start: &str, secret: &str, file: usize) -> bool {
        let (Some(start), Some(secret)) = (bytes_of(start), bytes_of(secret)) else {
            return false;
        };
        let Ok(start) = <[u8; 8]>::try_from(start) else {
            return false;
        };
        self.count = self.count.saturating_add(1);
        let known = self.by_encrypted_premaster.entry(start).or_insert_with(|| Known { file, ..Known::default() });
        known.add(Label::Premaster, &secret, file);
        true
    }

    /// Adds what another one knows.
    pub fn add(&mut self, other: &Self) {
        let files: Vec<usize> = other.files.iter().map(|name| self.file_number(name)).collect();
        let number = |file: usize| files.get(file).copied().unwrap_or_default();
        let mut randoms: Vec<(&[u8; RANDOM_BYTES], &Known)> = other.by_random.iter().collect();
        randoms.sort_unstable_by_key(|(random, _)| **random);
        for (random, theirs) in randoms {
            let is_used = || Arc::clone(&theirs.is_used);
            let new = || Known { file: number(theirs.file), is_used: is_used(), ..Known::default() };
            let known = self.by_random.entry(*random).or_insert_with(new);
            theirs.secrets.iter().for_each(|(label, secret, file)| known.add(*label, secret, number(*file)));
        }
        let mut starts: Vec<(&[u8; 8], &Known)> = other.by_encrypted_premaster.iter().collect();
        starts.sort_unstable_by_key(|(start, _)| **start);
        for (start, theirs) in starts {
            let is_used = || Arc::clone(&theirs.is_used);
            let new = || Known { file: number(theirs.file), is_used: is_used(), ..Known::default() };
            let known = self.by_encrypted_premaster.entry(*start).or_insert_with(new);
            theirs.secrets.iter().for_each(|(label, secret, file)| known.add(*label, secret, number(*file)));
        }
        self.count = self.count.saturating_add(other.count);
    }

    fn file_number(&mut self, name: &str) -> usize {
        self.files.iter().position(|known| known == name).unwrap_or_else(|| {
            self.files.push(name.to_owned());
            self.files.len().saturating_sub(1)
        })
    }

    fn name_of(&self, known: &Known) -> &str {
        self.files.get(known.file).map_or("", String::as_str)
    }

    /// Whether there is no secret at all.
    pub fn is_empty(&self) -> bool {
        self.by_random.is_empty() && self.by_encrypted_premaster.is_empty()
    }

    /// Whether secrets are for a client random that begins so.
    pub fn has_start(&self, starts: &hashbrown::HashSet<u64>) -> bool {
        self.by_random.keys().any(|random| start_of(random).is_some_and(|start| starts.contains(&start)))
    }

    /// Whether no log has an `RSA` line.
    pub fn has_no_premasters(&self) -> bool {
        self.by_encrypted_premaster.is_empty()
    }

    /// Whether any secret is for the connection with this client random.
    pub fn has(&self, client_random: &[u8]) -> bool {
        self.known(client_random).is_some()
    }

    /// The client randoms that secrets are known for; `None` when they are more than so many.
    pub(super) fn randoms(&self, most: usize) -> Option<Vec<&[u8; RANDOM_BYTES]>> {
        if self.by_random.len() > most {
            return None;
        }
        let mut all: Vec<&[u8; RANDOM_BYTES]> = self.by_random.keys().collect();
        all.sort_unstable();
        Some(all)
    }

    /// The secrets of a connection for one purpose: one, or as many as logs disagree.
    pub fn secrets(&self, client_random: &[u8], label: Label) -> impl Iterator<Item = &[u8]> {
        let known = self.known(client_random).into_iter().flat_map(|known| &known.secrets);
        known.filter(move |(it, ..)| *it == label).map(|(_, secret, _)| &**secret)
    }

    /// The premaster secrets of an `RSA` line whose encrypted form begins with these bytes.
    pub fn premasters(&self, encrypted: &[u8]) -> impl Iterator<Item = &[u8]> {
        let start = encrypted.get(..8).and_then(|start| <[u8; 8]>::try_from(start).ok());
        let known = start.and_then(|start| self.by_encrypted_premaster.get(&start));
        known.into_iter().flat_map(|known| &known.secrets).map(|(_, secret, _)| &**secret)
    }

    /// The file that gave the secrets of a connection; they count as used from now on.
    pub fn used_for(&self, client_random: &[u8]) -> Option<&str> {
        let known = self.known(client_random)?;
        known.is_used.store(true, Ordering::Relaxed);
        Some(self.name_of(known))
    }

    /// The file that gave one of the secrets of a connection; they count as used from now on.
    pub fn file_of(&self, client_random: &[u8], secret: &[u8]) -> Option<&str> {
        let known = self.known(client_random)?;
        known.is_used.store(true, Ordering::Relaxed);
        let file = known.secrets.iter().find(|(_, it, _)| **it == *secret).map_or(known.file, |(.., file)| *file);
        self.files.get(file).map(String::as_str)
    }

    /// How many connections the secrets of a file are for, and how many of these were met.
    pub fn counts_of(&self, name: &str) -> (usize, usize) {
        let Some(file) = self.files.iter().position(|known| known == name) else {
            return (0, 0);
        };
        let own = self.by_random.values().filter(|known| known.file == file);
        own.fold((0, 0), |(all, used), known| {
            let is_used = known.is_used.load(Ordering::Relaxed);
            (all.saturating_add(1), used.saturating_add(usize::from(is_used)))
        })
    }

    fn known(&self, client_random: &[u8]) -> Option<&Known> {
        self.by_random.get(<&[u8; RANDOM_BYTES]>::try_from(client_random).ok()?)
    }
}

impl Known {
    fn add(&mut self, label: Label, secret: &[u8], file: usize) {
        let same = self.secrets.iter().filter(|(it, ..)| *it == label);
        let (count, is_here) = same.fold((0_usize, false), |(count, is_here), (_, known, _)| {
            (count.saturating_add(1), is_here || **known == *secret)
        });
        if !is_here && count < SECRETS_OF_ONE_LABEL_MAX {
            self.secrets.push((label, secret.into(), file));
        }
    }
}

/// Nothing but how much there is.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("files", &self.files).field("count", &self.count).finish_non_exhaustive()
    }
}

/// The first bytes of a client random, as a number: enough to know it again.
pub fn start_of(random: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(<[u8; 8]>::try_from(random.get(..8)?).ok()?))
}

/// Whether a text is a key log: its first line that is no comment is one of a key log.
pub fn is_key_log(bytes: &[u8]) -> bool {
    let first = lines(bytes).take(COMMENT_LINES_MAX).map(parse).find(|line| !matches!(line, Line::Nothing));
    matches!(first, Some(Line::Secret(..) | Line::Rsa(..)))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n')
}

fn parse(line: &[u8]) -> Line<'_> {
    let Ok(text) = std::str::from_utf8(line) else {
        return Line::Unknown;
    };
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Line::Nothing;
    }
    let mut words = text.split_ascii_whitespace();
    let (Some(label), Some(id), Some(secret), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Line::Unknown;
    };
    let is_hex = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex(id) || !is_hex(secret) {
        return Line::Unknown;
    }
    if label == "RSA" {
        return Line::Rsa(id, secret);
    }
    label_of(label).map_or(Line::Unknown, |label| Line::Secret(label, id, secret))
}

fn label_of(word: &str) -> Option<Label> {
    let word = word.strip_prefix("QUIC_").unwrap_or(word);
    let later = |rest: Option<&str>| rest.is_some_and(|number| number.parse::<u32>().is_ok());
    Some(match word {
        "CLIENT_RANDOM" => Label::Master,
        "PMS_CLIENT_RANDOM" => Label::Premaster,
        "CLIENT_EARLY_TRAFFIC_SECRET" => Label::ClientEarly,
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
        "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
        "CLIENT_TRAFFIC_SECRET_0" => Label::ClientTraffic,
        "SERVER_TRAFFIC_SECRET_0" => Label::ServerTraffic,
        "EXPORTER_SECRET" | "EARLY_EXPORTER_SECRET" | "EARLY_EXPORTER_MASTER_SECRET" | "ECH_SECRET" | "ECH_CONFIG" => {
            Label::Other
        }
        _ if later(word.strip_prefix("CLIENT_TRAFFIC_SECRET_")) => Label::Other,
        _ if later(word.strip_prefix("SERVER_TRAFFIC_SECRET_")) => Label::Other,
        _ => return None,
    })
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect()
}

/// The length of a client random.
pub const RANDOM_BYTES: usize = 32;
/// A premaster secret of a finite-field group of 8192 bits is the longest.
const SECRET_BYTES_MAX: usize = 1024;
const UNDECODED_LINES_MAX: usize = 16;
const COMMENT_LINES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn every_label_is_known() {
        let random = bytes_of(RANDOM).unwrap();
        for (word, label) in [
            ("CLIENT_RANDOM", Label::Master),
            ("PMS_CLIENT_RANDOM", Label::Premaster),
            ("CLIENT_EARLY_TRAFFIC_SECRET", Label::ClientEarly),
            ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", Label::ClientHandshake),
            ("SERVER_HANDSHAKE_TRAFFIC_SECRET", Label::ServerHandshake),
            ("CLIENT_TRAFFIC_SECRET_0", Label::ClientTraffic),
            ("SERVER_TRAFFIC_SECRET_0", Label::ServerTraffic),
            ("QUIC_CLIENT_HANDSHAKE_TRAFFIC_SECRET", Label::ClientHandshake),
            ("QUIC_SERVER_HANDSHAKE_TRAFFIC_SECRET", Label::ServerHandshake),
            ("QUIC_CLIENT_TRAFFIC_SECRET_0", Label::ClientTraffic),
            ("QUIC_SERVER_TRAFFIC_SECRET_0", Label::ServerTraffic),
            ("EXPORTER_SECRET", Label::Other),
            ("EARLY_EXPORTER_SECRET", Label::Other),
            ("CLIENT_TRAFFIC_SECRET_1", Label::Other),
            ("SERVER_TRAFFIC_SECRET_17", Label::Other),
        ] {
            let text = format!("# a comment\r\n\r\n{word} {} 0A0b\r\n", RANDOM.to_uppercase());
            assert!(is_key_log(text.as_bytes()), "{word}");
            let mut keys = Keys::default();
            let taken = keys.read("log", text.as_bytes());
            assert_eq!((taken.lines, taken.secrets, taken.undecoded.len()), (3, 1, 0), "{word}");
            assert_eq!(keys.secrets(&random, label).collect::<Vec<_>>(), [[0x0a, 0x0b]], "{word}");
        }
    }

    #[test]
    fn a_bad_line_costs_itself_only() {
        let good = format!("CLIENT_RANDOM {RANDOM} 0102");
        for bad in [
            "CLIENT_RANDOM",
            "CLIENT_RANDOM 0011 2233",
            "CLIENT_RANDOM zz zz",
            "hello there you",
            "CLIENT_TRAFFIC_SECRET_X 00 00",
            "RSA 0011 22",
            &format!("CLIENT_RANDOM {RANDOM} 010"),
            &format!("CLIENT_RANDOM {RANDOM} 01 02"),
            "\u{0}\u{1}",
        ] {
            let mut keys = Keys::default();
            let taken = keys.read("log", format!("{bad}\n{good}").as_bytes());
            assert_eq!((taken.secrets, taken.undecoded.as_slice()), (1, [1].as_slice()), "{bad}");
        }
    }

    #[test]
    fn other_texts_are_no_key_logs() {
        for text in ["", "# only a comment\n", "www.example.com. 300 IN A 192.0.2.1\n", "RSA key 2048\n", "a b c"] {
            assert!(!is_key_log(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn rsa_lines_are_found_by_the_encrypted_premaster() {
        let mut keys = Keys::default();
        keys.read("log", b"RSA 0102030405060708 0a0b");
        assert_eq!(keys.premasters(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).collect::<Vec<_>>(), [[0x0a, 0x0b]]);
        assert_eq!(keys.premasters(&[1, 2]).count(), 0);
    }

    #[test]
    fn no_secret_is_shown() {
        let mut keys = Keys::default();
        keys.read("log", format!("CLIENT_RANDOM {RANDOM} deadbeef").as_bytes());
        let shown = format!("{keys:?}");
        assert!(shown.contains("log") && !shown.contains("de") && !shown.contains("222"), "{shown}");
    }

    #[test]
    fn what_was_used_is_counted() {
        let random = bytes_of(RANDOM).unwrap();
        let mut keys = Keys::default();
        keys.read("log", format!("CLIENT_RANDOM {RANDOM} 0102\nCLIENT_RANDOM {RANDOM} 0103").as_bytes());
        assert_eq!(keys.secrets(&random, Label::Master).count(), 2, "logs that disagree are both kept");
        assert_eq!(keys.counts_of("log"), (1, 0));
        let copy = keys.clone();
        assert_eq!(copy.used_for(&random), Some("log"));
        assert_eq!(keys.counts_of("log"), (1, 1));
        let mut all = Keys::default();
        all.add(&keys);
        assert!(all.has(&random) && all.used_for(&random) == Some("log"));
    }
}
