//! Bytes become [`Line`]s: encodings, terminal controls, what mail, logs, editors and web forms put
//! around a text, hard wraps. Line numbers stay the file's own.
//!
//! The order matters: an encoding first ([`encoding`]), then what a terminal would have shown
//! ([`terminal`]), the layout of the whole text ([`layout`]), markup ([`markup`]) with its links
//! ([`links`]), prefixes that a whole block carries ([`prefix`]), and wraps that the grammar proves
//! ([`strings`], [`wrap`]). Each step is lossless for what it does not know. What must never be
//! printed is told by [`secret`].

pub mod encoding;
pub mod layout;
pub mod links;
pub mod markup;
pub mod prefix;
pub mod secret;
pub mod strings;
pub mod terminal;
pub mod wrap;

use std::collections::BTreeMap;

use super::Line;

/// A decoded text.
#[derive(Debug, Default)]
pub struct Text {
    /// Its lines; a line that was wrapped is whole here and knows the lines it came from.
    pub lines: Vec<Line>,
    /// The parts of lines that were put together, by the number of the line each stood on.
    pub parts: BTreeMap<u32, String>,
    /// How many lines the file has.
    pub count: u32,
}

/// The lines of a text; `Err` says why the bytes are no text.
pub fn text(bytes: &[u8]) -> Result<Text, String> {
    let whole = encoding::decode(bytes)?;
    let mut lines = terminal::lines(&whole);
    let count = lines.last().map_or(0, |line| line.number);
    layout::restore(&mut lines);
    let mut parts = BTreeMap::new();
    if is_json(&lines) {
        let lines = strings::rejoin(lines, &mut parts);
        return Ok(Text { lines, parts, count });
    }
    markup::unwrap(&mut lines);
    prefix::unwrap(&mut lines);
    layout::restore(&mut lines);
    let width = wrap::full_width(&lines);
    let lines = strings::rejoin(lines, &mut parts);
    let lines = wrap::rejoin(lines, width, &mut parts);
    Ok(Text { lines, parts, count })
}

/// A JSON document has its own grammar, and nothing is put around its lines.
fn is_json(lines: &[Line]) -> bool {
    let mut full = lines.iter().map(|line| line.text.trim()).filter(|text| !text.is_empty());
    let (first, last) = (full.next().unwrap_or_default(), full.next_back().unwrap_or_default());
    let opens = first.starts_with("{\"") || matches!(first, "{" | "[" | "[{") || first.starts_with("[{\"");
    opens && (last.is_empty() || last.ends_with(['}', ']', ',', '"', '{', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<String> {
        text(bytes).unwrap().lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn one_text_in_every_encoding() {
        let plain = "a\nb c\n";
        let utf16: Vec<u8> = plain.replace('\n', "\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let with_mark: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16.clone()).collect();
        let big: Vec<u8> = plain.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked: Vec<u8> = [0xef, 0xbb, 0xbf].into_iter().chain(plain.bytes()).collect();
        let old_mac = plain.replace('\n', "\r").into_bytes();
        for bytes in [plain.as_bytes().to_vec(), plain.replace('\n', "\r\n").into_bytes(), utf16, with_mark] {
            assert_eq!(texts(&bytes), ["a", "b c", ""], "{bytes:?}");
        }
        for bytes in [big, marked, old_mac] {
            assert_eq!(texts(&bytes), ["a", "b c", ""], "{bytes:?}");
        }
        assert_eq!(texts(b"caf\xe9 \x91x\x92"), ["caf\u{e9} 'x'"], "Windows-1252");
    }

    #[test]
    fn what_was_put_around_is_gone() {
        let body = "; <<>> DiG 9.18.1 <<>> www.example.com\n;; Got answer:\n\n;www.example.com.\t\tIN\tA\n\
                    www.example.com.\t60\tIN\tA\t192.0.2.1";
        let each = |f: &dyn Fn(usize, &str) -> String| -> String {
            body.lines().enumerate().map(|(at, line)| f(at + 1, line) + "\n").collect()
        };
        for wrapped in [
            each(&|_, line| format!("> {line}")),
            each(&|_, line| format!(">> {line}")),
            each(&|_, line| format!("> > {line}").trim_end().to_owned()),
            each(&|at, line| format!("{at:>6}\t{line}")),
            each(&|at, line| format!("{at}: {line}")),
            each(&|at, line| format!("{at}|{line}")),
            each(&|at, line| format!("  {at} {line}")),
            each(&|at, line| format!("Nov 22 07:01:{at:02} ip-10-0-3-100 app[812]: {line}")),
            each(&|at, line| format!("2026-11-22T07:01:{at:02}.123456Z {line}")),
            each(&|at, line| format!("2026-11-22T07:01:{at:02}.123456789Z stdout F {line}")),
            each(&|at, line| format!("[2026-11-22 07:01:{at:02}] {line}")),
            each(&|at, line| format!("web_1  | 2026-11-22T07:01:{at:02}Z {line}")),
            each(&|at, line| format!("> {at}: {line}")),
            each(&|_, line| format!("| {line}")),
            each(&|_, line| format!("    {line}")),
            each(&|_, line| line.to_owned()),
        ] {
            let found: Vec<String> =
                texts(wrapped.as_bytes()).into_iter().filter(|line| !line.trim().is_empty()).collect();
            let expected: Vec<&str> = body.lines().filter(|line| !line.is_empty()).collect();
            assert_eq!(found, expected, "{wrapped}");
        }
    }
}
