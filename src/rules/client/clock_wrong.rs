//! `client.clock_wrong`: the client's clock is wrong, not the certificate's dates.

use crate::case::{Case, Leaf};
use crate::evidence::{ClientVerdict, Fact, ObservationId, Says};
use crate::name::Name;
use crate::provenance::{SourceId, Time, Zone};
use crate::rules::view::{self, Coverage};
use crate::rules::{Finding, Mark, Severity, Sign, Strength, Verdict, declare_rule, reach};
use crate::tls::Side;

declare_rule! {
    /// # What it finds
    ///
    /// A client that refuses a certificate for its dates, although another clock (the capture's, the
    /// server's `Date` header) lies within its validity; or a client whose own clock lies outside.
    ///
    /// # Why it matters
    ///
    /// Machines without a battery or a time server begin in the past. Every certificate is then not yet
    /// valid, and renewing it does not help.
    ///
    /// # What it needs
    ///
    /// Two clocks: the client's words, alert or own time, and one that is not the client's. A capture made
    /// on the client has the client's clock. Agreeing clocks rule it out.
    ///
    /// # What to do
    ///
    /// Set the client's clock (NTP). Compare `date -u` with the `Date` header of any HTTP response.
    ///
    /// # References
    ///
    /// RFC 5280 section 4.1.2.5; RFC 9110 section 6.6.1.
    "client.clock_wrong", "the client's clock is wrong, not the certificate's dates", since "0.1.0", cap 0.9, rank 140
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(host) = reach::named(case) else {
        return Verdict::NotApplicable;
    };
    let Some(refused) = refused(case) else {
        return Verdict::NotApplicable;
    };
    let clocks = clocks(case, refused.at);
    let Some(leaf) = covering(case, host).next() else {
        return behind(host, &refused, &clocks).unwrap_or_else(|| unknown(host, &refused));
    };
    let suits_all = |clock: &&Clock| covering(case, host).all(|leaf| is_inside(leaf, clock.time));
    let inside = clocks.iter().filter(|clock| !clock.is_clients).find(suits_all);
    let outside = clocks.iter().find(|clock| !is_inside(leaf, clock.time));
    match (inside, outside) {
        (Some(right), wrong) => found(host, leaf, &refused, right, wrong.filter(|clock| clock.is_clients)),
        (None, Some(clock)) if !clock.is_clients => Verdict::Clear {
            because: format!("{} is outside the validity as well: {}", clock.what, clock.time),
            cites: vec![clock.at, leaf.id],
        },
        _ => unknown(host, &refused),
    }
}

/// Without the certificate's dates: a client that calls it too young, and whose clock is days behind
/// another one.
fn behind(host: &Name, refused: &Refused, clocks: &[Clock]) -> Option<Verdict> {
    let own = clocks.iter().find(|clock| clock.is_clients).filter(|_| refused.is_early)?;
    let other =
        clocks.iter().find(|clock| !clock.is_clients && clock.time.seconds.saturating_sub(DAY) > own.time.seconds)?;
    let finding = Finding::new(format!("{host}: the client's clock is wrong"), Severity::Error, Strength::Strong)
        .because(
            format!(
                "The client refuses the certificate as not yet valid, and its clock is behind {}: {} instead of {}.",
                other.what, own.time, other.time
            ),
            REMEDY,
        )
        .verified_by(ask(host), "the same time in both")
        .reason(refused.words.clone(), [refused.at])
        .reason(format!("{} says {}", own.what, own.time), [own.at])
        .reason(format!("{} says {}", other.what, other.time), [other.at])
        .mark(Mark::new(refused.at, "valid", Sign::Wrong, "by the client's clock"));
    Some(finding.found())
}

/// A certificate that is not yet valid is rare, a clock in the past is not; one that has expired is as
/// it looks until a second clock says otherwise.
fn unknown(host: &Name, refused: &Refused) -> Verdict {
    if !refused.is_early {
        return Verdict::NotApplicable;
    }
    Verdict::Unknown { missing: format!("the client's clock beside another one; {}", refused.words), ask: ask(host) }
}

/// What says that the client refused the dates.
struct Refused {
    at: ObservationId,
    words: String,
    is_early: bool,
}

fn refused(case: &Case<'_>) -> Option<Refused> {
    let speaks_of_dates = |it: &ClientVerdict| matches!(it.says, Says::NotYetValid | Says::Expired);
    if let Some((id, it)) = case.verdicts.iter().find(|(_, it)| speaks_of_dates(it)) {
        return Some(Refused {
            at: *id,
            words: format!("{} says: {}", it.client, it.words),
            is_early: it.says == Says::NotYetValid,
        });
    }
    case.connections.iter().flat_map(|it| &it.alerts).find_map(|(id, alert)| {
        let is_date = alert.from == Side::Client && alert.description.as_deref() == Some("certificate_expired");
        is_date.then(|| Refused {
            at: *id,
            words: "the client answers with the alert certificate_expired".to_owned(),
            is_early: false,
        })
    })
}

/// A clock in the evidence.
struct Clock {
    what: String,
    at: ObservationId,
    time: Time,
    is_clients: bool,
}

/// The clocks: the captures' and the servers' first, then those of the client's own commands.
fn clocks(case: &Case<'_>, refused_at: ObservationId) -> Vec<Clock> {
    let mut clocks = Vec::new();
    let clients = place_of(case, refused_at);
    for connection in case.distinct() {
        let time =
            connection.handshake.time.filter(|time| time.zone == Zone::Stated && connection.client_ip().is_some());
        if let (Some(time), Some(run)) = (connection.stated_time(), connection.handshake.run) {
            let place = case.around.run(connection.source, Some(run)).and_then(|(_, run)| run.vantage.clone());
            let is_clients = clients == Some((connection.source, place.clone()));
            let what =
                place.map_or_else(|| "the clock of the command".to_owned(), |place| format!("the clock of {place}"));
            clocks.push(Clock { what, at: connection.id, time, is_clients });
        }
        if let Some(time) = time.filter(|_| connection.handshake.run.is_none()) {
            clocks.push(Clock { what: "the capture's clock".to_owned(), at: connection.id, time, is_clients: false });
        }
    }
    for (id, exchange) in &case.exchanges {
        if let Some(time) = reach::server_clock(exchange) {
            clocks.push(Clock { what: "the server's Date header".to_owned(), at: *id, time, is_clients: false });
        }
    }
    for (id, run) in &case.runs {
        if let Some(time) = run.time.filter(|time| time.zone != Zone::Unknown) {
            clocks.push(Clock { what: format!("the clock of {}", run.tool), at: *id, time, is_clients: true });
        }
    }
    for resolution in case.resolutions.iter().filter(|it| it.run.is_some()) {
        if let Some(time) = resolution.time.filter(|time| time.zone != Zone::Unknown) {
            clocks.push(Clock {
                what: "the client's clock, as dig prints it".to_owned(),
                at: resolution.answer,
                time,
                is_clients: true,
            });
        }
    }
    clocks
}

/// The text and the machine in it where a client said something.
fn place_of(case: &Case<'_>, at: ObservationId) -> Option<(SourceId, Option<String>)> {
    let observation = case.evidence.observation(at)?;
    let Fact::ClientVerdict(verdict) = &*observation.fact else { return None };
    let source = observation.at.first()?.source();
    let run = case.around.run(source, verdict.run).map(|(_, run)| run)?;
    Some((source, run.vantage.clone()))
}

/// The certificates that the host was served, as far as their dates are known: of several the client may
/// have refused any.
fn covering<'c, 'e>(case: &'c Case<'e>, host: &'c Name) -> impl Iterator<Item = &'c Leaf<'e>> {
    let shown = case.connections.iter().filter_map(|it| it.leaf());
    let dated = |leaf: &&Leaf<'e>| leaf.certificate.not_before.is_some() && leaf.certificate.not_after.is_some();
    shown.filter(dated).filter(|leaf| matches!(view::coverage(leaf, host), Coverage::Covers | Coverage::Unknown))
}

fn is_inside(leaf: &Leaf<'_>, time: Time) -> bool {
    let (from, to) = (leaf.certificate.not_before, leaf.certificate.not_after);
    from.is_some_and(|from| from.seconds <= time.seconds) && to.is_some_and(|to| time.seconds <= to.seconds)
}

fn found(host: &Name, leaf: &Leaf<'_>, refused: &Refused, right: &Clock, wrong: Option<&Clock>) -> Verdict {
    let strength = if wrong.is_some() { Strength::Proven } else { Strength::Strong };
    let span = match (leaf.certificate.not_before, leaf.certificate.not_after) {
        (Some(from), Some(to)) => format!("{} to {}", day(from), day(to)),
        _ => String::new(),
    };
    let mut finding = Finding::new(format!("{host}: the client's clock is wrong"), Severity::Error, strength)
        .because(
            format!("The client refuses the certificate for its dates ({span}), and {} lies within them: {}. The client's clock is wrong.", right.what, right.time),
            REMEDY,
        )
        .verified_by(ask(host), "the same time in both")
        .reason(refused.words.clone(), [refused.at])
        .reason(format!("{} says {}, within {span}", right.what, right.time), [right.at, leaf.id])
        .mark(Mark::new(refused.at, "valid", Sign::Wrong, "by the client's clock"));
    if let Some(clock) = wrong {
        finding = finding.reason(format!("{} says {}, outside of it", clock.what, clock.time), [clock.at]);
    }
    finding.found()
}

fn day(time: Time) -> String {
    time.rfc3339().split('T').next().unwrap_or_default().to_owned()
}

fn ask(host: &Name) -> String {
    format!("date -u; curl -skI https://{host}/ | grep -i '^date:'")
}

const REMEDY: &str = "Set the client's clock, with NTP or by hand, and see to it that it keeps it over a restart.";

/// Clocks that differ by less are as good as equal.
const DAY: i64 = 86_400;
