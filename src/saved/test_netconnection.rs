//! PowerShell's `Test-NetConnection`: which host somebody tried.
//!
//! It prints the address that it took and none of the records between, so that an alias looks like an address record:
//! nothing is said of DNS, and the gap says what to ask for. That a port answers says nothing of a certificate.

use super::grammar::address;
use super::{RunText, SavedFormat, Sink};
use crate::evidence::ServerName;
use crate::provenance::GapReason;

/// `Test-NetConnection`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "test_netconnection",
    made_by: "Test-NetConnection",
    is_command: |words| {
        words.first().is_some_and(|word| ["Test-NetConnection", "tnc"].iter().any(|it| it.eq_ignore_ascii_case(word)))
    },
    opens: |line| computer(line).is_some(),
    repeats: true,
    read,
};

/// `ComputerName     : www.example.com`.
fn computer(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("ComputerName")?.trim_start().strip_prefix(':')?.trim();
    (!rest.is_empty()).then_some(rest)
}

fn read(run: &RunText<'_>, sink: &mut Sink) {
    let named = run.lines.iter().find_map(|line| Some((line.number, computer(&line.text)?)));
    let Some((line, name)) = named else { return };
    let host = address::host(name).filter(|host| host.ip().is_none());
    sink.observe(run.fact("Test-NetConnection", None, host.clone(), ServerName::Unknown), [line]);
    if let Some(host) = host {
        let why = format!("it shows an address and no records; ask for Resolve-DnsName {host}");
        sink.gap(line, GapReason::Undecoded { what: "DNS answer".to_owned(), why });
    }
}
