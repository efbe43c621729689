//! DNS messages from their wire form, record by record: [`decode`].
//!
//! Follows RFC 1035 section 4. A record that cannot be read costs itself only; a message cut by TC
//! or by a snaplen keeps what came before the cut. Record data is read by hickory-proto; types it
//! does not know are written as RFC 3597 says.

use std::net::SocketAddr;

use smol_str::SmolStr;

use super::{Answer, ExtendedError, Flags, Question, Record, Section, Transport, data, iana, wire_name};
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
    pub rcode: SmolStr,
    /// The first question.
    pub question: Option<Question>,
    /// The records of all sections but OPT.
    pub records: Vec<Record>,
    /// Why the server says that it answered so.
    pub extended_errors: Vec<ExtendedError>,
    /// What could not be read.
    pub problems: Vec<String>,
    is_plausible: bool,
    is_cut: bool,
}

impl Message {
    /// Whether it is a message where one is expected: an opcode that is assigned, and a question or
    /// a record that reads as one, where the header counts any.
    pub fn is_plausible(&self) -> bool {
        self.is_plausible
    }

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
            extended_errors: self.extended_errors,
            carried: None,
            run: None,
            is_cut: self.is_cut,
        })
    }
}

/// Reads a message on any port: a known opcode, one question of a known class, counts and records
/// that a resolver would take.
pub fn recognise(bytes: &[u8]) -> Option<Message> {
    let header = header(bytes)?;
    let few = header.counts.iter().all(|count| *count <= COUNT_MAX);
    if !may_begin(bytes) || !few || !has_question(bytes) {
        return None;
    }
    decode(bytes).filter(|message| message.question.is_some() && message.problems.len() < 2)
}

/// Whether a message on any port may begin with these bytes, however few they are: its id, the bits
/// of a standard query, a notification or an update, one question.
pub fn may_begin(bytes: &[u8]) -> bool {
    let opcode = bytes.get(2).map_or(0, |high| (high >> 3) & 0xf);
    let reserved = bytes.get(3).map_or(0, |low| low & 0x40);
    let questions = bytes.get(4).map_or(0, |high| *high) == 0 && bytes.get(5).is_none_or(|low| *low == 1);
    matches!(opcode, 0 | 4 | 5) && reserved == 0 && questions
}

/// Whether a question of a known class follows the header.
pub fn has_question(bytes: &[u8]) -> bool {
    read_question(bytes, HEADER_BYTES).is_some_and(|(_, next)| {
        let class = next.checked_sub(2).and_then(|at| bytes.get(at..)?.first_chunk());
        // The highest bit asks for a unicast answer (RFC 6762 section 5.4).
        class.is_some_and(|class| matches!(u16::from_be_bytes(*class) & 0x7fff, 1 | 3 | 4 | 254 | 255))
    })
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
        rcode: SmolStr::default(),
        question: None,
        records: Vec::new(),
        extended_errors: Vec::new(),
        problems: Vec::new(),
        is_cut: false,
        is_plausible: (header.bits >> 11) & 0xf <= OPCODE_MAX,
    };
    let mut rcode = header.bits & 0xf;
    let mut at = HEADER_BYTES;
    for _ in 0..header.questions {
        let Some((question, next)) = read_question(bytes, at) else {
            message.problems.push("the question cannot be read".to_owned());
            message.is_plausible &= message.question.is_some();
            message.rcode = iana::rcode_name(rcode);
            return Some(message);
        };
        message.question.get_or_insert(question);
        at = next;
    }
    let sections = [Section::Answer, Section::Authority, Section::Additional];
    'message: for (section, count) in sections.into_iter().zip(header.counts) {
        for _ in 0..count {
            if message.records.len() >= DNS_RECORDS_MAX {
                message.problems.push(format!("more than {DNS_RECORDS_MAX} records"));
                break 'message;
            }
            let Some(frame) = frame(bytes, at, message.question.as_ref())
                .filter(|it| !it.is_cut || data::is_whole_name(bytes, it.kind, &it.data))
            else {
                message.problems.push(format!("a record of the {section:?} section is cut").to_lowercase());
                message.is_cut |= section == Section::Answer;
                message.is_plausible &= message.question.is_some() || !message.records.is_empty();
                break 'message;
            };
            let end = frame.end;
            if frame.kind == OPT {
                rcode |= u16::from(frame.ttl.to_be_bytes()[0]) << 4;
                message.extended_errors.extend(ExtendedError::list(bytes.get(frame.data).unwrap_or_default()));
            } else {
                let kind = iana::kind_name(frame.kind);
                let data = data::present(bytes, at, frame.kind, frame.data);
                if !data.is_sound {
                    message.problems.push(format!("a {kind} record does not follow its grammar"));
                }
                message.records.push(Record {
                    section,
                    owner: frame.owner,
                    kind,
                    ttl: Some(frame.ttl),
                    data: data.text,
                });
            }
            at = end;
        }
    }
    message.rcode = iana::rcode_name(rcode);
    Some(message)
}

fn read_question(bytes: &[u8], at: usize) -> Option<(Question, usize)> {
    let (name, next) = wire_name::read(bytes, at)?;
    let kind = u16::from_be_bytes([*bytes.get(next)?, *bytes.get(next + 1)?]);
    bytes.get(next + 2..next + 4)?;
    Some((Question { name, kind: iana::kind_name(kind) }, next + 4))
}

/// A record without what its data means.
struct RecordFrame {
    owner: Name,
    kind: u16,
    ttl: u32,
    data: std::ops::Range<usize>,
    end: usize,
    /// Whether the message ends before its data does.
    is_cut: bool,
}

fn frame(bytes: &[u8], at: usize, question: Option<&Question>) -> Option<RecordFrame> {
    let (owner, next) = match question {
        Some(question) if bytes.get(at..)?.starts_with(&TO_QUESTION) => (question.name.clone(), at.checked_add(2)?),
        _ => wire_name::read(bytes, at)?,
    };
    let fixed = bytes.get(next..next.checked_add(10)?)?;
    let [k0, k1, _, _, t0, t1, t2, t3, l0, l1] = <[u8; 10]>::try_from(fixed).ok()?;
    let start = next.checked_add(10)?;
    let end = start.checked_add(usize::from(u16::from_be_bytes([l0, l1])))?;
    let is_cut = end > bytes.len();
    Some(RecordFrame {
        owner,
        kind: u16::from_be_bytes([k0, k1]),
        ttl: u32::from_be_bytes([t0, t1, t2, t3]),
        data: start..end.min(bytes.len()),
        end,
        is_cut,
    })
}

/// A name in data, with its final dot.
pub(super) fn dotted(name: &Name) -> String {
    if name.as_str() == "." { ".".to_owned() } else { [name.as_str(), "."].concat() }
}

/// Data without compression in the presentation form of its type; `None` where it has none here.
pub fn data_text(kind: u16, bytes: &[u8]) -> Option<SmolStr> {
    let data = data::present(bytes, 0, kind, 0..bytes.len());
    (data.is_sound && !data.text.starts_with("\\#")).then_some(data.text)
}

const HEADER_BYTES: usize = 12;
/// The pointer to the name behind the header (RFC 1035 section 4.1.4), as nearly every answer's owner.
const TO_QUESTION: [u8; 2] = [0xc0, 12];
const OPCODE_MAX: u16 = 6;
/// The records of one section that a message on an unknown port may count.
const COUNT_MAX: u16 = 512;
const OPT: u16 = 41;
