//! Text from inputs made harmless: control, bidirectional and invisible characters are shown as
//! `\u{202e}`, long values are cut at their end with the count; in JSON they are escaped as JSON does and
//! nothing is cut.

use std::io;

use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter};

/// One line of text from an input, safe to print.
pub fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if at >= VALUE_BYTES_MAX {
            safe.push_str(format!("… ({} bytes more)", text.len() - at).as_str());
            break;
        }
        if is_unsafe(c) {
            safe.push_str(format!("\\u{{{:x}}}", u32::from(c)).as_str());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The same as a word of a shell, in quotes where it needs them.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+,=~".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) && !text.starts_with(['-', '~']) {
        return line(text);
    }
    let begins = if text.starts_with('-') { "./" } else { "" };
    format!("'{begins}{}'", line(text).replace('\'', r"'\''"))
}

/// JSON on one line, in which what steers a terminal is written as `\u202e`: it means the same and can be
/// shown.
pub fn json_line<T: serde::Serialize>(to: &mut Vec<u8>, value: &T) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(to, Harmless(CompactFormatter)))
}

/// The same over many lines, for people.
pub fn json_pretty<T: serde::Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Harmless(PrettyFormatter::new())))?;
    text.push(b'\n');
    Ok(String::from_utf8(text).unwrap_or_default())
}

/// Formats as another does, and escapes more characters of strings.
struct Harmless<F>(F);

/// Hands methods of a formatter on.
macro_rules! as_the_other {
    ($($method:ident($($more:ident: $of:ty),*);)+) => {$(
        fn $method<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $more: $of)*) -> io::Result<()> {
            self.0.$method(writer $(, $more)*)
        }
    )+};
}

impl<F: Formatter> Formatter for Harmless<F> {
    as_the_other! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
        write_char_escape(escape: CharEscape);
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Without an early end: nearly all are plain, and so many bytes are compared at once. What stands
        // below a space has been escaped before.
        if fragment.bytes().fold(0, u8::max) < DELETE {
            return writer.write_all(fragment.as_bytes());
        }
        let mut begins = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| is_unsafe(*c)) {
            writer.write_all(fragment.get(begins..at).unwrap_or_default().as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            begins = at.saturating_add(c.len_utf8());
        }
        writer.write_all(fragment.get(begins..).unwrap_or_default().as_bytes())
    }
}

const DELETE: u8 = 0x7f;

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xad | 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2069 | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}

const VALUE_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        for (text, expected) in [
            ("www.example.com", "www.example.com"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
        ] {
            assert_eq!(line(text), expected);
        }
        assert!(line(&"x".repeat(3000)).ends_with("… (1976 bytes more)"));
    }
    #[test]
    fn json_means_the_same_and_can_be_shown() {
        let value =
            serde_json::json!({"a\u{202e}": ["\u{e0041}\u{7f}b\u{9b}\u{1b}\"\\", "z\u{fc}rich", 1.5, null, {}]});
        let mut line = Vec::new();
        json_line(&mut line, &value).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(
            line,
            "{\"a\\u202e\":[\"\\udb40\\udc41\\u007fb\\u009b\\u001b\\\"\\\\\",\"z\u{fc}rich\",1.5,null,{}]}"
        );
        let pretty = json_pretty(&value).unwrap();
        for text in [&line, &pretty] {
            assert_eq!(serde_json::from_str::<serde_json::Value>(text).unwrap(), value);
            assert!(!text.chars().any(|c| is_unsafe(c) && c != '\n'), "{text}");
        }
        assert_eq!(json_pretty(&[1]).unwrap(), "[\n  1\n]\n");
    }
}
