//! The parts of a mail (RFC 5322, RFC 2045) whose text is encoded, and what is attached to it, each as a member.
//!
//! A mail in plain text is a text like any other, and keeps its own lines: only what base64 or quoted-printable hide
//! makes members. Of a text that comes in several forms the plain one is read.

use std::io::{self, Read};

use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::archive::{Names, full};
use super::{Depth, Unpacker, in_memory, too_deep};
use crate::limits;

impl Unpacker {
    /// The decoded parts of a mail; the mail itself where nothing in it is encoded.
    pub(super) fn mail(&mut self, name: &str, reader: &mut dyn Read, depth: Depth) {
        let bytes = match in_memory(reader, "bytes of a mail") {
            Ok(bytes) => bytes,
            Err(reason) => return self.tell(name, reason),
        };
        if within(&bytes) > limits::MAILS_DEEP_MAX {
            self.tell(name, too_deep("mails within a mail", limits::MAILS_DEEP_MAX));
            return;
        }
        let parts = MessageParser::default().parse(&bytes).filter(is_encoded).map(|message| parts(&message));
        let Some(parts) = parts.filter(|parts| !parts.is_empty()) else {
            return self.hand_on(name, &mut io::Cursor::new(&bytes));
        };
        let mut names = Names::default();
        for (part, contents) in parts {
            if names.is_full() {
                return self.tell(name, full());
            }
            if let Some(member) = names.of(name, &part) {
                self.walk(&member, &mut io::Cursor::new(contents), depth);
            }
            if self.is_stopped {
                return;
            }
        }
    }
}

/// How many mails a mail holds at most, in each other or beside each other: the parser follows them to the bottom.
fn within(bytes: &[u8]) -> usize {
    let mark = b"message/rfc822";
    let is_mark = |window: &&[u8]| matches!(window, [b'm' | b'M', ..]) && window.eq_ignore_ascii_case(mark);
    bytes.windows(mark.len()).filter(is_mark).take(limits::MAILS_DEEP_MAX.saturating_add(1)).count()
}

/// Whether a part is encoded; a mail within the mail is looked at in its turn.
fn is_encoded(message: &Message<'_>) -> bool {
    message.parts.iter().any(|part| part.encoding != Encoding::None || matches!(part.body, PartType::Message(_)))
}

/// The name and the bytes of each part that is no other's alternative.
fn parts(message: &Message<'_>) -> Vec<(String, Vec<u8>)> {
    let wanted = message.text_body.iter().chain(&message.attachments);
    let mut numbers: Vec<u32> = wanted.copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let parts = numbers.into_iter().filter_map(|number| message.parts.get(usize::try_from(number).ok()?));
    parts.filter_map(|part| Some((name_of(part), contents(message, part)?))).collect()
}

fn name_of(part: &MessagePart<'_>) -> String {
    let given = part.attachment_name().map(|name| name.replace(['/', '\\'], "_")).filter(|name| !name.starts_with('.'));
    given.unwrap_or_else(|| {
        match part.body {
            PartType::Html(_) => "text.html",
            PartType::Message(_) => "message.eml",
            PartType::Text(_) => "text.txt",
            _ => "attachment",
        }
        .to_owned()
    })
}

fn contents(message: &Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    Some(match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.as_bytes().to_vec(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.to_vec(),
        PartType::Message(inner) => {
            let from = usize::try_from(part.offset_body).ok()?;
            let to = usize::try_from(part.offset_end).ok()?;
            let whole = message.raw_message.get(from..to);
            whole.filter(|_| part.encoding == Encoding::None).unwrap_or(&inner.raw_message).to_vec()
        }
        PartType::Multipart(_) => return None,
    })
}

/// Whether a file begins with the header of a mail.
pub(super) fn is_mail(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let mut known = 0_usize;
    // The line that a mailbox puts before each mail.
    let first = lines.next().unwrap_or_default();
    let first = if first.starts_with("From ") { lines.next().unwrap_or_default() } else { first };
    for line in std::iter::once(first).chain(lines) {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        // The head is cut somewhere, which may be within a field.
        let Some((field, _)) = line.split_once(':') else { break };
        let is_field = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_field {
            return false;
        }
        known = known.saturating_add(usize::from(FIELDS.iter().any(|it| it.eq_ignore_ascii_case(field))));
    }
    known >= FIELDS_MIN
}

/// Fields that mails have and responses of web servers do not.
const FIELDS: &[&str] = &[
    "From",
    "To",
    "Cc",
    "Subject",
    "Received",
    "Return-Path",
    "Delivered-To",
    "Message-ID",
    "MIME-Version",
    "Reply-To",
    "In-Reply-To",
    "References",
    "DKIM-Signature",
    "ARC-Seal",
    "Authentication-Results",
    "Content-Transfer-Encoding",
    "Thread-Topic",
];
const FIELDS_MIN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_told_from_other_headers() {
        for (head, expected) in [
            ("From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\n\r\nhello", true),
            ("Received: from a\r\n by b; Mon, 1 Jan 2026\r\nMIME-Version: 1.0\r\nSubj", true),
            ("From a@example.com Mon Jan  1 00:00:00 2026\nReturn-Path: <a@example.com>\nTo: x\n", true),
            ("HTTP/1.1 200 OK\r\ndate: x\r\ncontent-type: text/html\r\n", false),
            ("Server: 10.0.0.1\nAddress: 10.0.0.1\n", false),
            ("$ dig www.example.com\n", false),
            ("Subject: one field is a certificate's too\n", false),
            ("", false),
        ] {
            assert_eq!(is_mail(head.as_bytes()), expected, "{head}");
        }
    }

    #[test]
    fn parts_are_decoded_and_named() {
        let mail = "From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
                    Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/plain; charset=utf-8\r\n\
                    Content-Transfer-Encoding: quoted-printable\r\n\r\nwww.example.com. 60 IN CN=\r\nAME a=3D.\r\n\
                    --q\r\n\
                    Content-Type: application/octet-stream; name=\"../c.pcap\"\r\nContent-Transfer-Encoding: base64\r\n\
                    Content-Disposition: attachment; filename=\"c.pcap\"\r\n\r\n1MOyoQ==\r\n--q--\r\n";
        let message = MessageParser::default().parse(mail).unwrap();
        assert!(is_encoded(&message));
        let found = parts(&message);
        let found: Vec<(&str, &[u8])> = found.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        assert_eq!(
            found,
            [("text.txt", b"www.example.com. 60 IN CNAME a=.".as_slice()), ("c.pcap", &[0xd4, 0xc3, 0xb2, 0xa1])]
        );
    }
}
