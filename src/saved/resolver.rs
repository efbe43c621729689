//! The settings of a machine's resolver: `resolv.conf`, `scutil --dns`. They are known and say which
//! servers are asked; they hold no answer.

use super::{RunText, SavedFormat, Sink};
use crate::evidence::ServerName;

/// `resolv.conf` and `scutil --dns`.
pub static FORMAT: SavedFormat = SavedFormat {
    id: "resolver",
    made_by: "cat /etc/resolv.conf, scutil --dns",
    is_command: |words| {
        words.first().is_some_and(|word| word == "scutil")
            || (words.first().is_some_and(|word| word == "cat")
                && words.iter().any(|word| word.ends_with("resolv.conf")))
    },
    opens: |line| {
        let server = line.strip_prefix("nameserver ").or_else(|| line.trim_start().strip_prefix("nameserver[0] : "));
        server.is_some_and(|address| address.trim().parse::<std::net::IpAddr>().is_ok())
    },
    repeats: false,
    read: |run: &RunText<'_>, sink: &mut Sink| {
        sink.observe(run.fact("resolv.conf", None, None, ServerName::Unknown), [run.first_line()]);
    },
};
