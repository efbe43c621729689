//! Causes that lie on the way from a name to a server: what DNS answered, to whom, and when.

pub mod hijack_or_poisoning;
pub mod https_rr_alt_endpoint;
pub mod ipv6_differs;
pub mod mixed_answer_set;
pub mod recycled_cloud_ip;
pub mod search_suffix_wildcard;
pub mod split_horizon;
pub mod stale_answer;
pub mod wildcard_record;

use crate::name::Name;
use crate::rules::view::Shown;
use crate::rules::{Finding, Mark, Severity, Sign, Strength, reach};

/// A finding about a connection for the host that was shown another certificate.
fn served(host: &Name, it: &Shown<'_, '_>, strength: Strength) -> Finding {
    let label = it.label();
    Finding::new(format!("{host} is served the certificate of {label}"), Severity::Error, strength)
        .reason(
            format!("{} presents the certificate {label}", reach::server(it.connection)),
            [it.leaf.id, it.connection.id],
        )
        .mark(Mark::new(it.leaf.id, &label, Sign::Wrong, format!("does not cover {host}")))
}

/// What another address of the host serves.
fn served_right(finding: Finding, host: &Name, it: &Shown<'_, '_>) -> Finding {
    finding
        .reason(
            format!("{} presents {}, which covers {host}", reach::server(it.connection), it.label()),
            [it.leaf.id, it.connection.id],
        )
        .mark(Mark::new(it.leaf.id, it.label(), Sign::Confirms, format!("covers {host}")))
}
