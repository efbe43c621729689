//! Hosts of `--host` that no input names: [`unnamed`] says so, with the host that may have been meant.

use std::sync::Arc;

use crate::case::{Cases, HostSource};
use crate::escape;
use crate::evidence::Evidence;
use crate::provider::Knowledge;
use crate::report::Report;

/// One sentence for each host that was selected and of which nothing is here.
pub(super) fn unnamed(report: &Report, evidence: &Arc<Evidence>, known: &Knowledge) -> Vec<String> {
    let is_unnamed = |case: &&crate::report::CaseEntry| {
        case.host_source == Some(HostSource::Option) && case.connections.is_empty() && case.resolutions.is_empty()
    };
    let unnamed: Vec<&str> = report.cases.iter().filter(is_unnamed).filter_map(|case| case.host.as_deref()).collect();
    if unnamed.is_empty() {
        return Vec::new();
    }
    let cases = Cases::of(evidence, &[], known);
    let hosts: Vec<&str> = cases.hosts().map(crate::name::Name::as_str).collect();
    if hosts.is_empty() {
        // What names nobody, such as a certificate alone, is about the host that is given.
        return Vec::new();
    }
    unnamed.into_iter().map(|host| sentence(host, &hosts)).collect()
}

fn sentence(host: &str, hosts: &[&str]) -> String {
    let shown = escape::line(host);
    let alike = |known: &&&str| strsim::normalized_damerau_levenshtein(host, known) >= ALIKE;
    let nearest = hosts.iter().filter(alike).max_by(|one, other| {
        let to = |known: &str| strsim::normalized_damerau_levenshtein(host, known);
        to(one).total_cmp(&to(other))
    });
    match (nearest, hosts) {
        (Some(near), _) => format!("no input names {shown}; {} is there", escape::line(near)),
        (None, [only]) => format!("no input names {shown}; {} is the only host", escape::line(only)),
        (None, several) => format!("no input names {shown}; {} other hosts are there", several.len()),
    }
}

/// How alike a name must be to be meant: 1 is the same.
const ALIKE: f64 = 0.75;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_host_is_recognised() {
        for (host, hosts, expected) in [
            ("www.exmaple.com", &["a.example", "www.example.com"][..], "www.example.com is there"),
            ("nothing.at.all", &["a.example", "www.example.com"], "2 other hosts are there"),
            ("nothing.at.all", &["a.example"], "a.example is the only host"),
        ] {
            assert!(sentence(host, hosts).ends_with(expected), "{host}: {}", sentence(host, hosts));
        }
    }
}
