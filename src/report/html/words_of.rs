//! Text from inputs in a page: names that break only before a dot, other values isolated, marked words
//! underlined.

use maud::{Markup, html};

use crate::escape::line as safe;
use crate::report::{Mark, Sign};

/// Words in which host names and what stands in backticks are set as code and everything else stays text.
pub(super) fn prose(text: &str) -> Markup {
    let text = safe(text);
    let is_paired = text.matches('`').count().is_multiple_of(2);
    html! {
        @if is_paired {
            @for (nth, part) in text.split('`').enumerate() {
                @if nth % 2 == 1 { code { (worded(part)) } } @else { (sentence(part)) }
            }
        } @else { (sentence(&text)) }
    }
}

fn sentence(text: &str) -> Markup {
    html! {
        @for (nth, word) in text.split(' ').enumerate() {
            @if nth > 0 { " " }
            @let (lead, core, tail) = parts(word);
            (lead)
            @if is_name(core) { code { (name(core)) } } @else { (core) }
            (tail)
        }
    }
}

/// A value of an input: a host name breaks only before a dot, anything else wraps anywhere.
pub(super) fn value(text: &str) -> Markup {
    let text = safe(text);
    html! {
        @if is_name(&text) { (name(&text)) } @else { bdi.raw { (text) } }
    }
}

/// A value as code with the words underlined that are marked as wrong or doubtful.
pub(super) fn marked(text: &str, marks: &[&Mark]) -> Markup {
    let text = safe(text);
    let lower = text.to_ascii_lowercase();
    let wrong = marks.iter().filter(|mark| matches!(mark.sign, Sign::Wrong | Sign::Doubtful));
    let found = wrong.into_iter().find_map(|mark| {
        let words = safe(&mark.words).to_ascii_lowercase();
        let is_beside = lower.contains(&mark.beside.to_ascii_lowercase());
        let at = lower.find(&words).filter(|_| !words.is_empty() && is_beside)?;
        Some((at, at + words.len(), mark.sign == Sign::Doubtful))
    });
    let Some((from, to, is_doubtful)) = found else {
        return html! { code { (worded(&text)) } };
    };
    let piece = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    html! {
        code {
            (worded(piece(0, from)))
            mark .doubt[is_doubtful] { (worded(piece(from, to))) }
            (worded(piece(to, text.len())))
        }
    }
}

/// The words of code, in which names break before dots.
fn worded(text: &str) -> Markup {
    html! {
        @for (nth, word) in text.split(' ').enumerate() {
            @if nth > 0 { " " }
            @if word.contains('.') && word.len() < NAME_CHARS_MAX && word.chars().all(is_name_char) { (name(word)) }
            @else { (word) }
        }
    }
}

/// A name that breaks before a dot only: not after `*`, not before the last label; a long label breaks
/// every few characters.
fn name(text: &str) -> Markup {
    let whole = text.strip_suffix('.').unwrap_or(text);
    let labels: Vec<&str> = whole.split('.').collect();
    let is_address = whole.parse::<std::net::IpAddr>().is_ok();
    html! {
        bdi.nm {
            @for (nth, label) in labels.iter().enumerate() {
                @let is_star = nth == 1 && labels.first() == Some(&"*");
                @let is_last = nth + 1 == labels.len();
                @if nth > 0 && !is_star && !is_last && !is_address { wbr; }
                @if nth > 0 { "." }
                @if label.len() > LABEL_CHARS_WHOLE {
                    @for (nth, piece) in pieces(label).enumerate() {
                        @if nth > 0 { wbr; }
                        (piece)
                    }
                } @else { (label) }
            }
            @if whole.len() < text.len() { "." }
        }
    }
}

/// A long label of ASCII in pieces.
fn pieces(label: &str) -> impl Iterator<Item = &str> {
    (0..label.len()).step_by(PIECE_CHARS).filter_map(|at| label.get(at..label.len().min(at + PIECE_CHARS)))
}

/// A word, without what stands around a name in a sentence.
fn parts(word: &str) -> (&str, &str, &str) {
    let end = word.trim_end_matches([',', ';', ':', '.', ')', '"', '\'']).len();
    let (core, tail) = word.split_at_checked(end).unwrap_or((word, ""));
    let start = core.len() - core.trim_start_matches(['(', '"', '\'']).len();
    let (lead, core) = core.split_at_checked(start).unwrap_or(("", core));
    (lead, core, tail)
}

fn is_name(text: &str) -> bool {
    let is_long = text.len() >= NAME_CHARS_MAX;
    let is_digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_number = is_digits && text.parse::<std::net::IpAddr>().is_err();
    !is_long && !is_number && text.trim_matches('.').contains('.') && text.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '*' | '<' | '>')
}

const NAME_CHARS_MAX: usize = 254;
const LABEL_CHARS_WHOLE: usize = 20;
const PIECE_CHARS: usize = 12;
