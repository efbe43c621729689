//! Which captures are files of one ring buffer: [`rings`].
//!
//! A capturing tool that changes files as it goes leaves files whose names differ in numbers or times
//! alone, whose headers are the same to the byte (format, link type, interface, snaplen), and whose
//! packets follow each other in time without a packet in common. Those are read as one stream in time
//! order. Any other two files are two vantage points and are never put together, so that the same
//! packet seen twice stays two observations.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::capture::Probe;
use crate::input::InputFile;

/// The rings among `files`, each in the order of its time, as places in `files`.
pub(super) fn rings(files: &[InputFile]) -> Vec<Vec<usize>> {
    let mut alike: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        if file.bytes().is_some() {
            let (pattern, numbers) = pattern(&file.name);
            alike.entry(pattern).or_default().push(Member { at, numbers, probe: None });
        }
    }
    let mut rings = Vec::new();
    for (_, members) in alike.into_iter().filter(|(_, members)| members.len() > 1) {
        let probed: Vec<Member> = members
            .into_par_iter()
            .map(|it| Member { probe: files.get(it.at).and_then(probe), ..it })
            .filter(|it| it.probe.is_some())
            .collect();
        rings.extend(rings_of(probed));
    }
    rings
}

/// A file whose name has numbers in it.
struct Member {
    at: usize,
    numbers: Vec<u128>,
    probe: Option<Probe>,
}

fn probe(file: &InputFile) -> Option<Probe> {
    Probe::of(&file.open().ok()?)
}

/// The rings among files with names alike. Where all of them do not follow each other, files that
/// have their first numbers in common may: the number of a machine stands before the one that counts.
fn rings_of(members: Vec<Member>) -> Vec<Vec<usize>> {
    let mut by_header: BTreeMap<Vec<u8>, Vec<Member>> = BTreeMap::new();
    for member in members {
        let header = member.probe.as_ref().map(|probe| probe.header.clone()).unwrap_or_default();
        by_header.entry(header).or_default().push(member);
    }
    let mut rings = Vec::new();
    for mut members in by_header.into_values() {
        members.sort_by_key(|it| (it.probe.as_ref().map(|probe| probe.first.time), it.at));
        for counting in [usize::MAX, 2, 1] {
            let mut groups: BTreeMap<Vec<u128>, Vec<&Member>> = BTreeMap::new();
            for member in &members {
                let fixed = member.numbers.len().saturating_sub(counting);
                groups.entry(member.numbers.iter().take(fixed).copied().collect()).or_default().push(member);
            }
            let found: Vec<Vec<usize>> = groups
                .into_values()
                .filter(|group| group.len() > 1 && is_ring(group))
                .map(|group| group.into_iter().map(|it| it.at).collect())
                .collect();
            if !found.is_empty() {
                rings.extend(found);
                break;
            }
        }
    }
    rings
}

/// Whether each file, in the order of time, begins when the one before it has ended.
fn is_ring(group: &[&Member]) -> bool {
    group.windows(2).all(|pair| {
        let [Member { probe: Some(before), numbers: earlier, .. }, Member { probe: Some(after), numbers: later, .. }] =
            pair
        else {
            return false;
        };
        let (end, begin) = (&before.last, &after.first);
        let follows = end.time < begin.time || (end.time == begin.time && end.bytes != begin.bytes);
        follows && (is_counted(earlier, later) || begin.time.seconds.saturating_sub(end.time.seconds) <= ABUTS_SECONDS)
    })
}

/// Whether the numbers of two names are those of neighbours: counted on by one, come round to the
/// beginning, or times of day.
fn is_counted(earlier: &[u128], later: &[u128]) -> bool {
    let is_time = |numbers: &[u128]| numbers.iter().any(|number| *number >= TIME_OF_DAY_MIN);
    let counts = |(one, other): (&u128, &u128)| *other == one.saturating_add(1) || other < one;
    is_time(later) || earlier.iter().zip(later).any(counts) || earlier.len() != later.len()
}

/// A name with its runs of digits taken out. The first file of `tcpdump -C` has no number, the others
/// have theirs behind the extension.
fn pattern(name: &str) -> (String, Vec<u128>) {
    let (mut pattern, mut numbers) = (String::new(), Vec::new());
    let mut digits = String::new();
    for c in name.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            numbers.push(digits.parse().unwrap_or(u128::MAX));
            pattern.push('#');
            digits.clear();
        }
        pattern.push(c);
    }
    let bare = pattern.trim_end_matches('\n');
    let Some(counted) = bare.strip_suffix("cap#") else {
        if bare.ends_with("cap") || bare.ends_with("pcapng") {
            numbers.push(0);
        }
        return (bare.to_owned(), numbers);
    };
    (format!("{counted}cap"), numbers)
}

/// Files of a tool that changes files by the clock abut to the second.
const ABUTS_SECONDS: i64 = 1;
/// Numbers of six digits and more are taken for times, such as 071425 and 20261122071425.
const TIME_OF_DAY_MIN: u128 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_ring_have_one_pattern() {
        for (one, other) in [
            ("ring_00001_20261122071425.pcapng", "ring_00002_20261122071501.pcapng"),
            ("x.pcap", "x.pcap1"),
            ("x.pcap9", "x.pcap10"),
            ("day/cap-071425.pcap", "day/cap-081425.pcap"),
        ] {
            assert_eq!(pattern(one).0, pattern(other).0, "{one} {other}");
            assert!(is_counted(&pattern(one).1, &pattern(other).1), "{one} {other}");
        }
        for (one, other) in [("client.pcap", "server.pcap"), ("a/1.pcap", "b/1.pcap")] {
            assert_ne!(pattern(one).0, pattern(other).0, "{one} {other}");
        }
    }
}
