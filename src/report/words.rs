//! The words that every output for people shares: what an outcome is called, what a case comes to in
//! one line, how strong a finding is.

use super::{AskFor, CaseEntry, FindingEntry, Ignored, Outcome, PlaceEntry, Report, Severity, Strength};
use crate::provenance::Time;
use crate::rules::view::{self, NoAddress};

/// Why a report has no case: in a few words, and in a clause.
pub fn no_case(report: &Report) -> (&'static str, String) {
    let Some(left_out) = report.left_out else {
        let why = "no host is named by a DNS question, a handshake, a command or a client's words";
        return ("nothing could be judged", why.to_owned());
    };
    let hosts = if left_out == 1 {
        "1 host was judged".to_owned()
    } else {
        format!("{} hosts were judged", thousands(u64::try_from(left_out).unwrap_or(u64::MAX)))
    };
    ("nothing selected was found", format!("{hosts}, and none of the selected rules found anything"))
}

/// An outcome as people read it.
#[derive(Debug)]
pub struct Group {
    /// Which; `None` for hosts of which all that is wrong is accepted.
    pub outcome: Option<Outcome>,
    /// Its sign; never colour alone.
    pub glyph: &'static str,
    /// The ANSI colour that repeats the sign.
    pub colour: &'static str,
    /// Behind a count, in a row of counts.
    pub short: &'static str,
    /// Behind the count of one, in a sentence, and over a list.
    pub title: &'static str,
    /// Behind the count of several, in a sentence.
    pub titles: &'static str,
}

impl Group {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.outcome == Some(Outcome::Ok)
    }

    /// Whether a host belongs to it.
    pub fn holds(&self, case: &CaseEntry) -> bool {
        self.outcome == Some(case.outcome).filter(|_| !case.is_accepted())
    }
}

/// All outcomes, worst first.
pub static GROUPS: &[Group] = &[
    Group {
        outcome: Some(Outcome::WrongCertificate),
        glyph: "✗",
        colour: "1;91",
        short: "wrong",
        title: "wrong certificate",
        titles: "wrong certificates",
    },
    Group {
        outcome: Some(Outcome::InvalidCertificate),
        glyph: "!",
        colour: "1;91",
        short: "invalid",
        title: "invalid certificate",
        titles: "invalid certificates",
    },
    Group {
        outcome: Some(Outcome::HandshakeFailed),
        glyph: "%",
        colour: "1;91",
        short: "handshake failed",
        title: "handshake failed",
        titles: "failed handshakes",
    },
    open(Some(Outcome::NoHandshake), "-", "no handshake"),
    open(Some(Outcome::Inconclusive), "?", "inconclusive"),
    open(None, "○", "accepted"),
    Group { colour: "1;92", ..open(Some(Outcome::Ok), "✓", "ok") },
];

/// A group of which one word is said, whatever the count.
const fn open(outcome: Option<Outcome>, glyph: &'static str, word: &'static str) -> Group {
    Group { outcome, glyph, colour: "1;93", short: word, title: word, titles: word }
}

/// What came of a host, as people read it.
pub fn group(case: &CaseEntry) -> &'static Group {
    static UNKNOWN: Group = open(Some(Outcome::Inconclusive), "?", "unknown");
    GROUPS.iter().find(|group| group.holds(case)).unwrap_or(&UNKNOWN)
}

/// What was seen of a host, whether it is accepted or not.
pub fn title_of(outcome: Outcome) -> &'static str {
    GROUPS.iter().find(|group| group.outcome == Some(outcome)).map_or("unknown", |group| group.title)
}

/// The errors of a host of which all that is wrong is accepted.
pub fn accepted(case: &CaseEntry) -> Vec<&Ignored> {
    let errors = case.ignored.iter().filter(|it| it.severity == Severity::Error);
    errors.filter(|_| case.is_accepted()).collect()
}

/// Why a finding is accepted, and until when.
pub fn acceptance(it: &Ignored) -> String {
    let until = match (&it.until, it.is_undated) {
        (None, _) => String::new(),
        (Some(until), false) => format!("; until {until}"),
        (Some(until), true) => format!("; until {until}, which evidence without a time cannot tell"),
    };
    format!("{}{until}", it.reason)
}

/// What heads a report of which not all was read, behind its label.
pub const PARTIAL: &str = "The reading was ended before its time: what was not read can change every answer below.";

/// A number with commas.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 more host`, `2 more hosts`.
pub fn more(count: usize, one: &str, many: &str) -> String {
    format!("{count} more {}", if count == 1 { one } else { many })
}

/// What heads a report on one host: `error[rule]`, `ok[none.certificate_ok]`, `inconclusive[…]`.
pub fn head(case: &CaseEntry) -> String {
    if case.is_accepted() {
        return format!("accepted[{}]", causes_of(case));
    }
    if is_error(case) {
        return format!("error[{}]", causes_of(case));
    }
    let word = match case.outcome {
        Outcome::Ok => return "ok[none.certificate_ok]".to_owned(),
        Outcome::WrongCertificate => "wrong-certificate",
        Outcome::InvalidCertificate => "invalid-certificate",
        Outcome::HandshakeFailed => "handshake-failed",
        Outcome::NoHandshake => "no-handshake",
        Outcome::Inconclusive => "inconclusive",
    };
    insufficient(case).map_or_else(|| word.to_owned(), |rule| format!("{word}[{rule}]"))
}

/// The sentence behind it.
pub fn headline(case: &CaseEntry) -> String {
    if let Some(finding) = case.findings.first().filter(|_| is_error(case)) {
        return finding.headline.clone();
    }
    if let Some(it) = accepted(case).first() {
        return it.headline.clone();
    }
    let Some(host) = case.host.as_deref() else {
        return of_nobody(case.outcome).to_owned();
    };
    match case.outcome {
        Outcome::Ok if case.is_unserved => unserved(host, true),
        Outcome::WrongCertificate if case.is_unserved => unserved(host, false),
        Outcome::Ok => format!("{host} is served a certificate that covers it"),
        Outcome::WrongCertificate => format!("{host} is served a certificate that does not cover it"),
        Outcome::InvalidCertificate => format!("{host} is served a certificate that the client refuses"),
        Outcome::HandshakeFailed => format!("{host}: the handshake ended before a certificate"),
        Outcome::NoHandshake => without_handshake(case, host),
        Outcome::Inconclusive => format!("this evidence cannot show which certificate {host} was served"),
    }
}

/// The sentence of a case without a handshake: what the rest of it holds.
fn without_handshake(case: &CaseEntry, host: &str) -> String {
    if let Some(covers) = case.covering {
        return unserved(host, covers);
    }
    match case.no_address {
        None => format!("no handshake with {host} is in this evidence"),
        Some(NoAddress::Gone) => format!("DNS says that {host} does not exist: without an address there is no TLS"),
        Some(NoAddress::Circle) => {
            format!("the aliases of {host} lead back to themselves: without an address there is no TLS")
        }
        Some(NoAddress::Nothing) => format!("no answer here gives an address of {host}: without one there is no TLS"),
    }
}

/// The sentence of a case whose certificates nobody was seen to present.
fn unserved(host: &str, covers: bool) -> String {
    let does = if covers { "covers" } else { "does not cover" };
    format!("a certificate here {does} {host}; that it is served is not shown")
}

/// The sentence of a case without a host: what holds whatever the host was.
fn of_nobody(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::WrongCertificate => "the client says that the certificate does not cover the host, which is not named",
        Outcome::InvalidCertificate => "the client refuses the certificate that it was served; the host is not named",
        Outcome::HandshakeFailed => "the handshake ended before a certificate; the host is not named",
        _ => "no host is named: what was served cannot be compared with it",
    }
}

/// Whether an error heads the case.
pub fn is_error(case: &CaseEntry) -> bool {
    case.findings.first().is_some_and(|it| it.severity == Severity::Error)
}

/// Whether a finding is beside what came of the case: to act on it does not change the outcome.
pub fn is_beside(case: &CaseEntry, finding: &FindingEntry) -> bool {
    match case.outcome {
        Outcome::Ok => true,
        Outcome::Inconclusive | Outcome::NoHandshake => false,
        _ => finding.severity == Severity::Note,
    }
}

/// The rule whose page says more of what came of a case.
pub fn to_explain(case: &CaseEntry) -> Option<&'static str> {
    let first = case.findings.first().filter(|it| !is_beside(case, it)).map(|it| it.rule);
    let first = accepted(case).first().map(|it| it.rule).or(first);
    let of_outcome = if case.outcome == Outcome::Ok { Some("none.certificate_ok") } else { insufficient(case) };
    first.or(of_outcome)
}

/// What leads to a cure that nothing proves yet, with the rule it is of; `None` where the cause is proven
/// and only the certificate is not seen.
pub fn only_if(case: &CaseEntry, finding: &FindingEntry) -> Option<String> {
    if finding.strength == Strength::Proven {
        return None;
    }
    let that = match case.ask_for.as_slice() {
        [] => "more evidence",
        [only] if only.or.is_empty() => "that",
        _ => "one of these",
    };
    Some(format!("Only if {that} confirms {}:", finding.rule))
}

/// What the certificate that is asked for would mean: a sign, a rule, and the condition.
pub fn then(case: &CaseEntry) -> Vec<(&'static str, &'static str, String)> {
    let (Some(host), Some(_)) = (case.host.as_deref(), insufficient(case)) else {
        return Vec::new();
    };
    let open = case.headed_by().iter().filter(|it| !is_beside(case, it));
    let mut rows: Vec<(&'static str, &'static str, String)> =
        open.filter_map(|it| Some(("✗", it.rule, format!("if {}", it.confirmed_if.as_ref()?)))).collect();
    if !rows.is_empty() {
        rows.push(("✓", "none.certificate_ok", format!("if it covers {host}")));
    }
    rows
}

/// What stands over the reasons of what heads a case.
pub fn over_reasons(case: &CaseEntry) -> &'static str {
    if is_error(case) { "What proves it" } else { "What is known" }
}

/// What stands behind a finding that is beside what came of the case.
pub const BESIDE: &str = "This does not change the answer above.";

/// The same, with where to read what can be done about it.
pub fn beside(finding: &FindingEntry) -> String {
    format!("{BESIDE} `whycert explain {}` says more.", finding.rule)
}

/// With a capital letter, as a sentence begins; a name keeps its own, of a host as of a program.
pub fn capital(words: &str) -> String {
    if words.split(' ').next().is_some_and(|word| word.contains('.') || PROGRAMS.contains(&word)) {
        return words.to_owned();
    }
    view::capitalised(words)
}

/// Programs that sentences begin with.
const PROGRAMS: &[&str] = &["curl", "dig", "openssl"];

/// Over several commands of which each is enough.
pub const ANY_ONE: &str = "any one of these decides it:";

/// Which `insufficient.*` keeps the case from being judged.
pub fn insufficient(case: &CaseEntry) -> Option<&'static str> {
    case.undecided.iter().map(|it| it.rule).find(|rule| rule.starts_with("insufficient."))
}

/// The rules that head a case, joined by `or` where the evidence does not separate them.
pub fn causes_of(case: &CaseEntry) -> String {
    let known = accepted(case);
    if !known.is_empty() {
        return known.iter().map(|it| it.rule).collect::<Vec<_>>().join(" and ");
    }
    let rules: Vec<&str> = case.headed_by().iter().filter(|it| !is_beside(case, it)).map(|it| it.rule).collect();
    if rules.is_empty() { insufficient(case).unwrap_or("no cause found").to_owned() } else { rules.join(" or ") }
}

/// What a case comes to, without its host, in one line.
pub fn detail_of(case: &CaseEntry) -> String {
    if let Some(it) = accepted(case).first() {
        return acceptance(it);
    }
    let finding = case.findings.first();
    if let Some(finding) = finding.filter(|_| is_error(case)) {
        let host = case.host.as_deref().unwrap_or_default();
        let rest = finding
            .headline
            .strip_prefix(host)
            .map(|rest| rest.trim_start_matches([':', ',', ' ']))
            .filter(|rest| !rest.is_empty());
        let rest = rest.map(|rest| {
            rest.strip_prefix("is served the certificate of ")
                .map_or_else(|| rest.to_owned(), |name| format!("is served {name}"))
        });
        return rest.unwrap_or_else(|| finding.headline.clone());
    }
    let alert =
        case.connections.iter().flat_map(|it| &it.alerts).find_map(|it| Some((it.from, it.description.as_ref()?)));
    match (case.outcome, alert) {
        (Outcome::HandshakeFailed, Some((crate::tls::Side::Server, says))) => format!("server alert: {says}"),
        (Outcome::HandshakeFailed, Some((crate::tls::Side::Client, says))) => format!("client alert: {says}"),
        (Outcome::WrongCertificate | Outcome::InvalidCertificate, _) => {
            let leaf = case.connections.iter().find_map(|it| it.chain.first());
            let name = leaf.and_then(|it| it.san.as_ref().and_then(|names| names.first()).or(it.subject.as_ref()));
            name.map_or_else(String::new, |name| format!("is served {name}"))
        }
        _ => finding
            .map(|it| it.headline.clone())
            .filter(|it| !it.is_empty())
            .unwrap_or_else(|| case.ask_for.first().map_or_else(String::new, |it| format!("ask for: {}", it.command))),
    }
}

/// How strong a finding is, in the word of the contract.
pub fn strength(finding: &FindingEntry) -> &'static str {
    match finding.strength {
        Strength::Proven => "proven",
        Strength::Strong => "strong",
        Strength::Consistent => "consistent",
    }
}

/// A time to the second, as people read it.
pub fn moment(time: Time) -> String {
    Time { nanos: 0, ..time }.rfc3339().replace('T', " ").replace('Z', " UTC")
}

/// The first frame or line of a place; `None` for a whole source.
pub fn first_of(place: &PlaceEntry) -> Option<u64> {
    match place {
        PlaceEntry::Frames { frames, .. } => frames.first().copied(),
        PlaceEntry::Lines { lines: [first, _], .. } => Some(u64::from(*first)),
        PlaceEntry::Whole { .. } => None,
    }
}

/// `frame 14`, `frames 14, 15 and 3 more`, `line 4`, `lines 4-9`; nothing for a whole source.
pub fn place(place: &PlaceEntry) -> String {
    match place {
        PlaceEntry::Frames { frames, more, .. } => match (frames.as_slice(), more.unwrap_or(0)) {
            ([], _) => String::new(),
            ([one], 0) => format!("frame {one}"),
            (all, 0) if all.len() <= FRAMES_SHOWN => {
                format!("frames {}", all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
            ([one], more) => format!("frame {one} and {} more", thousands(more)),
            ([one, other, rest @ ..], more) => {
                let rest = u64::try_from(rest.len()).unwrap_or(u64::MAX).saturating_add(more);
                format!("frames {one}, {other} and {} more", thousands(rest))
            }
        },
        PlaceEntry::Lines { lines: [first, last], .. } if first == last => format!("line {first}"),
        PlaceEntry::Lines { lines: [first, last], .. } => format!("lines {first}-{last}"),
        PlaceEntry::Whole { .. } => String::new(),
    }
}

const FRAMES_SHOWN: usize = 4;

/// What a command to ask for would decide: in words, and the causes where it decides several.
pub fn decides(it: &AskFor) -> String {
    let tells = it.tells.first().map_or("", String::as_str);
    // What names an outcome is no cause that a customer could look up.
    let causes: Vec<&str> = it.decides.iter().copied().filter(|rule| !rule.starts_with("insufficient.")).collect();
    match (causes.get(..CAUSES_SHOWN), causes.len()) {
        (_, 0) => format!("decides {tells}"),
        (_, 1) if it.decides.len() == 1 => format!("decides {tells}"),
        (Some(first), all) if all > CAUSES_SHOWN + 1 => {
            format!("decides {tells} ({} and {} more causes)", first.join(", "), all - CAUSES_SHOWN)
        }
        _ => format!("decides {tells} ({})", causes.join(", ")),
    }
}

/// So many causes stand behind a command; JSON has them all.
const CAUSES_SHOWN: usize = 3;
