//! Times as tools print them.

use crate::provenance::{Time, Zone};

/// `Jun 12 00:00:00 2026 GMT`, as OpenSSL and curl print certificate dates, and `Fri, 12 Jun 2026
/// 00:00:00 GMT` of curl with GnuTLS.
pub fn certificate_date(text: &str) -> Option<Time> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ([month, day, clock, year, zone] | [_, day, month, year, clock, zone]) = words.as_slice() else {
        return None;
    };
    civil(year, month, day, clock, if *zone == "GMT" { Zone::Stated } else { Zone::Unknown })
}

/// `Sun Nov 22 06:54:28 UTC 2026`, as dig and date print; the zone word is not always there. In some
/// languages date prints the hours to twelve, or the day first: `Sun 22 Nov 2026 06:54:28 AM UTC`.
pub fn when(text: &str) -> Option<Time> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let of = |zone: &str| if matches!(zone, "UTC" | "GMT") { Zone::Stated } else { Zone::Unknown };
    match words.as_slice() {
        [_, month, day, clock, half @ ("AM" | "PM"), zone, year]
        | [_, day, month, year, clock, half @ ("AM" | "PM"), zone] => {
            civil(year, month, day, &to_24(clock, half)?, of(zone))
        }
        [_, day, month, year, clock, zone] if day.parse::<u8>().is_ok() => civil(year, month, day, clock, of(zone)),
        [_, month, day, clock, zone, year] => civil(year, month, day, clock, of(zone)),
        [_, month, day, clock, year] => civil(year, month, day, clock, Zone::Unknown),
        _ => None,
    }
}

/// `12:05:00` of `AM` is five past midnight.
fn to_24(clock: &str, half: &str) -> Option<String> {
    let (hour, rest) = clock.split_once(':')?;
    let hour = hour.parse::<u8>().ok()? % 12;
    let hour = if half == "PM" { hour.checked_add(12)? } else { hour };
    Some(format!("{hour}:{rest}"))
}

/// `2026-11-22 07:01:24`, the clock of a machine whose zone nothing says.
pub fn date_and_clock(text: &str) -> Option<Time> {
    let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
    Some(Time::from_civil(civil, Zone::Unknown))
}

/// `2026-11-22 06:55:52 UTC`, as kdig prints.
pub fn civil_utc(text: &str) -> Option<Time> {
    let (clock, zone) = text.trim().rsplit_once(' ')?;
    let civil: jiff::civil::DateTime = clock.parse().ok()?;
    Some(Time::from_civil(civil, if matches!(zone, "UTC" | "GMT") { Zone::Stated } else { Zone::Unknown }))
}

/// `2026-06-12T00:00:00`, `2026-06-12 00:00`: without a zone, which tools of this form mean as UTC. A date
/// alone is no point in time.
pub fn iso(text: &str) -> Option<Time> {
    let text = text.trim();
    let zone = if text.len() > 10 { Zone::Assumed } else { Zone::Unknown };
    let whole = if text.len() > 10 { text.to_owned() } else { format!("{text} 00:00") };
    let civil: jiff::civil::DateTime = whole.trim_end_matches('Z').parse().ok()?;
    Some(Time::from_civil(civil, if text.ends_with('Z') { Zone::Stated } else { zone }))
}

fn civil(year: &str, month: &str, day: &str, clock: &str, zone: Zone) -> Option<Time> {
    let month = MONTHS.iter().position(|name| *name == month)?.checked_add(1)?;
    let mut clock = clock.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let date = jiff::civil::Date::new(year.parse().ok()?, i8::try_from(month).ok()?, day.parse().ok()?).ok()?;
    let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
    Some(Time::from_civil(date.to_datetime(time), zone))
}

const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
