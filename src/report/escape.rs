//! Text from inputs made harmless: control, bidirectional and invisible characters are shown as
//! `\u{202e}`, long values are cut at their end with the count.

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

/// JSON in which what steers a terminal is written as `\u202e`, so that it means the same and can be
/// shown. Such characters stand within strings only.
pub fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                safe.push_str(format!("\\u{unit:04x}").as_str());
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

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
        assert_eq!(
            json("{\n \"a\": \"\u{202e}\u{e0041}\u{7f}b\"}\n"),
            "{\n \"a\": \"\\u202e\\udb40\\udc41\\u007fb\"}\n"
        );
        assert!(line(&"x".repeat(3000)).ends_with("… (1976 bytes more)"));
    }
}
