//! The picture of the path from the asked name to the certificate, once wide and once narrow: the shape
//! says the kind of thing, the broken link is plain without colour.

use maud::{Markup, html};

use super::path::{Kind, Link, Node, Path, has_path, path_of};
use crate::escape::line as safe;
use crate::report::{CaseEntry, Report};

/// The section with both pictures; one of them is not displayed, so that one is read.
pub(super) fn section(report: &Report, case: &CaseEntry, suffix: &str) -> Markup {
    if !has_path(case) {
        return html! {};
    }
    let path = path_of(report, case);
    html! {
        section id=(format!("path{suffix}")) aria-labelledby=(format!("h-path{suffix}")) {
            h2 id=(format!("h-path{suffix}")) { "The path of the request" }
            figure {
                (wide(&path, suffix))
                (narrow(&path, suffix))
                figcaption {
                    @if path.nodes.iter().any(|node| node.link.is_broken) {
                        "The link marked " strong { "✗ broken" } " is the cause"
                        @if path.symptom.is_some() { "; the mark " strong { "≠" } " is what the client noticed" }
                        ". "
                    } @else if path.symptom.is_some() {
                        "The mark " strong { "≠" } " is what the client noticed. "
                    }
                    "Numbers are frames or lines of the sources."
                }
            }
        }
    }
}

/// A text in lines of a node: names break before a dot, a long label every few characters.
fn lines(text: &str, columns: usize) -> Vec<String> {
    let text: String = safe(text).chars().take(TEXT_CHARS_MAX).collect();
    let labels: Vec<&str> = text.split('.').collect();
    let mut pieces: Vec<String> = Vec::new();
    for (nth, label) in labels.iter().enumerate() {
        let label = if nth == 0 { (*label).to_owned() } else { format!(".{label}") };
        let is_last = nth > 0 && nth + 1 == labels.len();
        match pieces.last_mut() {
            Some(before) if is_last && before.chars().count() + label.chars().count() <= columns => {
                before.push_str(&label);
            }
            _ => {
                let chars: Vec<char> = label.chars().collect();
                pieces.extend(chars.chunks(columns).map(|piece| piece.iter().collect::<String>()));
            }
        }
    }
    let mut rows: Vec<String> = Vec::new();
    for piece in pieces {
        let room = rows.last().is_some_and(|row| row.chars().count() + piece.chars().count() <= columns);
        match rows.last_mut() {
            Some(row) if room => row.push_str(&piece),
            _ => rows.push(piece),
        }
    }
    rows.truncate(LINES_MAX);
    rows
}

/// The picture for wide screens: from left to right.
fn wide(path: &Path, suffix: &str) -> Markup {
    let rows: Vec<Vec<String>> = path.nodes.iter().map(|node| lines(&node.text, WIDE_COLUMNS)).collect();
    let tallest = rows.iter().map(Vec::len).max().unwrap_or(1);
    let height = 40 + 23 * tallest.max(3);
    let top = if path.symptom.is_some() { 104 } else { 44 };
    let middle = top + height / 2;
    let count = path.nodes.len();
    let width = NODE_WIDTH * count + LINK_WIDTH * count.saturating_sub(1) + 2 * EDGE;
    let x_of = |nth: usize| EDGE + nth * (NODE_WIDTH + LINK_WIDTH);
    let below = top + height + 46;
    let full = if path.should_be.is_some() { below + 90 } else { top + height + 30 };
    html! {
        svg.path.wide viewBox=(format!("0 0 {width} {full}")) role="img" aria-labelledby=(format!("tw{suffix} dw{suffix}")) {
            title id=(format!("tw{suffix}")) { "The path from the asked name to the certificate" }
            desc id=(format!("dw{suffix}")) { (safe(&path.words.join(" "))) }
            @for (nth, (node, rows)) in path.nodes.iter().zip(&rows).enumerate() {
                @let x = x_of(nth);
                @if nth > 0 { (wide_link(&node.link, x - LINK_WIDTH, middle)) }
                text .(if node.is_bad { "b r" } else { "q" }) x=(x) y=(top - 14) font-size="15" { (node.caption) }
                (shape(node, x, top, NODE_WIDTH, height))
                @let first = middle + 6 - 23 * rows.len().saturating_sub(1) / 2;
                @for (at, row) in rows.iter().enumerate() {
                    text .(if at == 0 { "m b" } else { "m" }) x=(x + 15) y=(first + 23 * at) font-size="16" { (row) }
                }
            }
            @if let Some(symptom) = &path.symptom {
                @let from = x_of(count.saturating_sub(1)) + NODE_WIDTH / 2;
                @let to = x_of(0) + NODE_WIDTH / 2;
                @let chip = 60 + 10 * symptom.chars().count().min(70);
                path.back d=(format!("M{from} 70V40H{to}V70")) {}
                rect.chip x=(width.saturating_sub(chip) / 2) y="22" width=(chip) height="36" rx="18" {}
                text.b.r x=(width / 2) y="46" text-anchor="middle" font-size="17" { "≠  " (cut(symptom, 70)) }
            }
            @if let Some((nth, target)) = &path.should_be {
                @let from = x_of(*nth) + NODE_WIDTH / 2;
                @let to = x_of(nth + 1);
                path.lng d=(format!("M{from} {}V{}H{}", top + height + 1, below + 34, to - 10)) {}
                path.ahg d=(format!("M{} {}l-12 -7v14z", to - 1, below + 34)) {}
                text.b.g x=(from.midpoint(to)) y=(below + 24) text-anchor="middle" font-size="16" { "should be" }
                rect.ghost x=(to) y=(below) width=(32 + 10 * target.chars().count().clamp(30, 80)) height="66" rx="14" {}
                text.m.b x=(to + 16) y=(below + 40) font-size="15.5" { (cut(target, 80)) }
            }
        }
    }
}

/// A link from left to right, beginning at `x`.
fn wide_link(link: &Link, x: usize, middle: usize) -> Markup {
    let end = x + LINK_WIDTH;
    let center = x + LINK_WIDTH / 2;
    html! {
        @if link.is_broken {
            path.lnr d=(format!("M{} {middle}H{}", x + 2, center - 22)) {}
            path.lnr d=(format!("M{} {middle}H{}", center + 22, end - 14)) {}
            path.ahr d=(format!("M{} {middle}l-15 -8v16z", end - 1)) {}
            (disc(center, middle))
            text.b.r x=(center) y=(middle - 32) text-anchor="middle" font-size="16" { (link.label) }
            text.b.r x=(center) y=(middle + 44) text-anchor="middle" font-size="16" { "broken" }
            text.q x=(center) y=(middle + 64) text-anchor="middle" font-size="14.5" { (link.place) }
        } @else {
            path.ln d=(format!("M{} {middle}H{}", x + 1, end - 9)) {}
            path.ah d=(format!("M{} {middle}l-11 -6v12z", end - 1)) {}
            text.b x=(center) y=(middle - 12) text-anchor="middle" font-size="16" { (link.label) }
            text.q x=(center) y=(middle + 27) text-anchor="middle" font-size="14.5" { (link.place) }
        }
    }
}

/// The sign of a broken link.
fn disc(x: usize, y: usize) -> Markup {
    let far = 19;
    let points = [
        (x + 8, y - far),
        (x + far, y - 8),
        (x + far, y + 8),
        (x + 8, y + far),
        (x - 8, y + far),
        (x - far, y + 8),
        (x - far, y - 8),
        (x - 8, y - far),
    ];
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
    html! {
        polygon.disc points=(points.join(" ")) {}
        path.discx d=(format!("M{} {}l14 14M{} {}l-14 14", x - 7, y - 7, x + 7, y - 7)) {}
    }
}

/// The picture for narrow screens: from top to bottom.
fn narrow(path: &Path, suffix: &str) -> Markup {
    let rows: Vec<Vec<String>> = path.nodes.iter().map(|node| lines(&node.text, NARROW_COLUMNS)).collect();
    let mut y = 16;
    let mut tops: Vec<(usize, usize)> = Vec::new();
    for (nth, rows) in rows.iter().enumerate() {
        let height = 40 + 20 * rows.len();
        tops.push((y, height));
        let ghost = path.should_be.as_ref().is_some_and(|(at, _)| *at == nth);
        y += height + if ghost { 150 } else { NARROW_LINK };
    }
    let bottom = y.saturating_sub(NARROW_LINK - 14);
    let full = if path.symptom.is_some() { bottom + 50 } else { bottom + 6 };
    html! {
        svg.path.narrow viewBox=(format!("0 0 360 {full}")) role="img" aria-labelledby=(format!("tn{suffix} dn{suffix}")) {
            title id=(format!("tn{suffix}")) { "The path from the asked name to the certificate" }
            desc id=(format!("dn{suffix}")) { (safe(&path.words.join(" "))) }
            @for (nth, ((node, rows), (top, height))) in path.nodes.iter().zip(&rows).zip(&tops).enumerate() {
                @if nth > 0 {
                    @let begin = tops.get(nth - 1).map_or(16, |(top, height)| top + height);
                    (narrow_link(&node.link, begin, *top))
                    @if let Some((_, target)) = path.should_be.as_ref().filter(|(at, _)| at + 1 == nth) {
                        rect.ghost x="96" y=(begin + 54) width="248" height="62" rx="10" {}
                        text.b.g x="108" y=(begin + 72) font-size="13" { "should be" }
                        @for (at, row) in lines(target, 27).iter().take(2).enumerate() {
                            text.m.b x="108" y=(begin + 89 + 16 * at) font-size="13" { (row) }
                        }
                    }
                }
                (shape(node, 16, *top, 328, *height))
                text .(if node.is_bad { "b r" } else { "q" }) x="36" y=(top + 22) font-size="13" { (node.caption) }
                @for (at, row) in rows.iter().enumerate() {
                    text .(if at == 0 { "m b" } else { "m" }) x="36" y=(top + 44 + 20 * at) font-size="14" { (row) }
                }
            }
            @if let Some(symptom) = &path.symptom {
                rect.chip x="16" y=(bottom) width="328" height="34" rx="17" {}
                text.b.r x="180" y=(bottom + 22) text-anchor="middle" font-size="14" { "≠  " (cut(symptom, 40)) }
            }
        }
    }
}

/// A link from top to bottom.
fn narrow_link(link: &Link, from: usize, to: usize) -> Markup {
    let words = [link.label.as_str(), link.place.as_str()];
    let words: Vec<&str> = words.into_iter().filter(|it| !it.is_empty()).collect();
    html! {
        @if link.is_broken {
            path.lnr d=(format!("M70 {}V{}", from + 2, to.saturating_sub(14))) {}
            path.ahr d=(format!("M70 {}l-8 -15h16z", to.saturating_sub(1))) {}
            (disc(70, from + 24))
            text.b.r x="100" y=(from + 29) font-size="14" { "broken: " (words.join(", ")) }
        } @else {
            path.ln d=(format!("M70 {}V{}", from + 1, to.saturating_sub(9))) {}
            path.ah d=(format!("M70 {}l-6 -11h12z", to.saturating_sub(1))) {}
            text.q x="92" y=(from + 26) font-size="13" { (words.join(", ")) }
        }
    }
}

fn shape(node: &Node, x: usize, y: usize, width: usize, height: usize) -> Markup {
    let class = if node.is_bad { "boxr" } else { "box" };
    let (right, bottom, middle) = (x + width, y + height, height / 2);
    html! {
        @match node.kind {
            Kind::Name => rect .(class) x=(x) y=(y) width=(width) height=(height) rx="14" {},
            Kind::Address => rect .(class) x=(x) y=(y) width=(width) height=(height) {},
            Kind::Connection => path .(class) d=(format!("M{} {y}H{}l14 {middle}l-14 {middle}H{}l-14 -{middle}z", x + 14, right - 14, x + 14)) {},
            Kind::Certificate => {
                path .(class) d=(format!("M{x} {y}H{}l18 18V{bottom}H{x}z", right - 18)) {}
                path .(class) d=(format!("M{} {y}v18h18", right - 18)) {}
            },
        }
    }
}

/// The first characters of a text.
fn cut(text: &str, columns: usize) -> String {
    let text = safe(text);
    if text.chars().count() <= columns { text } else { text.chars().take(columns).chain(['…']).collect() }
}

const WIDE_COLUMNS: usize = 18;
const NARROW_COLUMNS: usize = 34;
const NODE_WIDTH: usize = 206;
const LINK_WIDTH: usize = 96;
const NARROW_LINK: usize = 46;
const EDGE: usize = 20;
const TEXT_CHARS_MAX: usize = 253;
const LINES_MAX: usize = 8;
