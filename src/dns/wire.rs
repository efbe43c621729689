//! DNS messages from their wire form, record by record: [`decode`].
//!
//! Follows RFC 1035 section 4. A record that cannot be read costs itself only; a message cut by TC
//! or by a snaplen keeps what came before the cut. Record data is read by hickory-proto; types it
//! does not know are written as RFC 3597 says.

use std::net::SocketAddr;

use hickory_proto::rr::{Name as WireName, Record as WireRecord};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

use super::{Answer, Flags, Question, Record, Section, Transport};
use crate::limits::DNS_RECORDS_MAX;
use crate::name::Name;
use crate::provenance::Time;

/// A DNS message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message id.
    pub id: u16,
    /// The flags.
    pub flags: Flags,
    /// The response code, extended by an OPT record.
    pub rcode: String,
    /// The first question.
    pub question: Option<Question>,
    /// The records of all sections but OPT.
    pub records: Vec<Record>,
    /// What could not be read.
    pub problems: Vec<String>,
}

impl Message {
    /// The answer, when this is a response.
    pub fn into_answer(
        self,
        time: Option<Time>,
        client: SocketAddr,
        server: SocketAddr,
        transport: Transport,
    ) -> Option<Answer> {
        self.flags.qr.then_some(Answer {
            time,
            client: Some(client),
            server: Some(server),
            transport,
            id: Some(self.id),
            rcode: Some(self.rcode),
            flags: Some(self.flags),
            question: self.question,
            records: self.records,
            run: None,
        })
    }
}

/// Whether bytes on any port read as a DNS message: a known opcode, few questions, a question that
/// parses.
pub fn looks_like(bytes: &[u8]) -> bool {
    let Some(header) = header(bytes) else {
        return false;
    };
    let known = matches!((header.bits >> 11) & 0xf, 0 | 4 | 5) && header.bits & 0x40 == 0;
    let few = header.questions == 1 && header.counts.iter().all(|count| *count <= 512);
    known && few && decode(bytes).is_some_and(|message| message.question.is_some() && message.problems.len() < 2)
}

struct Header {
    id: u16,
    bits: u16,
    questions: u16,
    counts: [u16; 3],
}

fn header(bytes: &[u8]) -> Option<Header> {
    let word = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    Some(Header { id: word(0)?, bits: word(2)?, questions: word(4)?, counts: [word(6)?, word(8)?, word(10)?] })
}

/// Reads a message; `None` when it has no whole header.
pub fn decode(bytes: &[u8]) -> Option<Message> {
    let header = header(bytes)?;
    let bit = |at: u16| header.bits & (1 << at) != 0;
    let flags = Flags { qr: bit(15), aa: bit(10), tc: bit(9), rd: bit(8), ra: bit(7), ad: bit(5), cd: bit(4) };
    let mut message = Message {
        id: header.id,
        flags,
        rcode: String::new(),
        question: None,
        records: Vec::new(),
        problems: Vec::new(),
    };
    let mut rcode = header.bits & 0xf;
    let mut at = HEADER_BYTES;
    for _ in 0..header.questions {
        let Some((question, next)) = read_question(bytes, at) else {
            message.problems.push("the question cannot be read".to_owned());
            message.rcode = rcode_name(rcode);
            return Some(message);
        };
        message.question.get_or_insert(question);
        at = next;
    }
    let sections = [Section::Answer, Section::Authority, Section::Additional];
    'message: for (section, count) in sections.into_iter().zip(header.counts) {
        for _ in 0..count {
            if message.records.len() >= DNS_RECORDS_MAX {
                break 'message;
            }
            let Some(frame) = frame(bytes, at) else {
                message.problems.push(format!("a record of the {section:?} section is cut").to_lowercase());
                break 'message;
            };
            if frame.kind == OPT {
                rcode |= u16::from(frame.ttl.to_be_bytes()[0]) << 4;
            } else {
                match read_record(bytes, at, &frame, section) {
                    Some(record) => message.records.push(record),
                    None => message.problems.push(format!("a {} record cannot be read", kind_name(frame.kind))),
                }
            }
            at = frame.end;
        }
    }
    message.rcode = rcode_name(rcode);
    Some(message)
}

fn read_question(bytes: &[u8], at: usize) -> Option<(Question, usize)> {
    let (name, next) = read_name(bytes, at)?;
    let kind = u16::from_be_bytes([*bytes.get(next)?, *bytes.get(next + 1)?]);
    bytes.get(next + 2..next + 4)?;
    Some((Question { name, kind: kind_name(kind) }, next + 4))
}

/// A name at an offset and the offset behind it.
fn read_name(bytes: &[u8], at: usize) -> Option<(Name, usize)> {
    let offset = u16::try_from(at).ok()?;
    let mut decoder = BinDecoder::new(bytes).clone(offset);
    let name = WireName::read(&mut decoder).ok()?;
    Some((comparable(&name)?, decoder.index()))
}

/// The comparable form of a wire name, escaped as RFC 1035 section 5.1 says.
fn comparable(name: &WireName) -> Option<Name> {
    let labels: Vec<String> = name.iter().map(escape_label).collect();
    if labels.is_empty() { Name::parse(".") } else { Name::parse(&labels.join(".")) }
}

fn escape_label(label: &[u8]) -> String {
    label.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            0x21..=0x7e => text.push(char::from(byte.to_ascii_lowercase())),
            _ => text.push_str(format!("\\{byte:03}").as_str()),
        }
        text
    })
}

/// The frame of a record: everything but its owner and its data.
struct RecordFrame {
    kind: u16,
    ttl: u32,
    data: std::ops::Range<usize>,
    end: usize,
}

fn frame(bytes: &[u8], at: usize) -> Option<RecordFrame> {
    let (_, next) = read_name(bytes, at)?;
    let fixed = bytes.get(next..next.checked_add(10)?)?;
    let [k0, k1, _, _, t0, t1, t2, t3, l0, l1] = <[u8; 10]>::try_from(fixed).ok()?;
    let start = next.checked_add(10)?;
    let end = start.checked_add(usize::from(u16::from_be_bytes([l0, l1])))?;
    bytes.get(start..end)?;
    Some(RecordFrame {
        kind: u16::from_be_bytes([k0, k1]),
        ttl: u32::from_be_bytes([t0, t1, t2, t3]),
        data: start..end,
        end,
    })
}

fn read_record(bytes: &[u8], at: usize, frame: &RecordFrame, section: Section) -> Option<Record> {
    let (owner, _) = read_name(bytes, at)?;
    let data = match frame.kind {
        2 | 5 | 12 | 39 => {
            let (target, next) = read_name(bytes, frame.data.start)?;
            (next == frame.end).then(|| dotted(&target))?
        }
        _ => {
            let mut decoder = BinDecoder::new(bytes).clone(u16::try_from(at).ok()?);
            match WireRecord::read(&mut decoder) {
                Ok(record) if !matches!(record.data, hickory_proto::rr::RData::Unknown { .. }) => {
                    record.data.to_string().to_lowercase_if(!matches!(frame.kind, 16 | 64 | 65))
                }
                Ok(_) => unknown_data(bytes.get(frame.data.clone())?),
                Err(_) => return None,
            }
        }
    };
    Some(Record { section, owner, kind: kind_name(frame.kind), ttl: Some(frame.ttl), data })
}

fn dotted(name: &Name) -> String {
    if name.as_str() == "." { ".".to_owned() } else { format!("{name}.") }
}

/// RFC 3597 section 5.
fn unknown_data(data: &[u8]) -> String {
    let digits = data.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("\\# {} {digits}", data.len()).trim_end().to_owned()
}

trait LowercaseIf {
    fn to_lowercase_if(self, is_wanted: bool) -> String;
}

impl LowercaseIf for String {
    fn to_lowercase_if(self, is_wanted: bool) -> String {
        if is_wanted { self.to_lowercase() } else { self }
    }
}

/// The IANA spelling of a type, `TYPEn` where it has none.
pub fn kind_name(kind: u16) -> String {
    let known = KINDS.iter().find(|(number, _)| *number == kind);
    known.map_or_else(|| format!("TYPE{kind}"), |(_, name)| (*name).to_owned())
}

/// The IANA spelling of a response code.
fn rcode_name(rcode: u16) -> String {
    let known = usize::from(rcode);
    RCODES.get(known).map_or_else(
        || match rcode {
            16 => "BADVERS".to_owned(),
            23 => "BADCOOKIE".to_owned(),
            _ => format!("RCODE{rcode}"),
        },
        |name| (*name).to_owned(),
    )
}

const HEADER_BYTES: usize = 12;
const OPT: u16 = 41;
const RCODES: &[&str] = &[
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
    "NOTZONE",
];
const KINDS: &[(u16, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (13, "HINFO"),
    (15, "MX"),
    (16, "TXT"),
    (28, "AAAA"),
    (33, "SRV"),
    (35, "NAPTR"),
    (39, "DNAME"),
    (41, "OPT"),
    (43, "DS"),
    (44, "SSHFP"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (50, "NSEC3"),
    (52, "TLSA"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (257, "CAA"),
];
