//! DNS answers as JSON: what public resolvers give over HTTPS (`application/dns-json`), and `kdig +json`
//! (RFC 8427).

use serde_json::value::RawValue;

use super::document::Object;
use crate::dns::{Answer, Flags, Question, Record, Section, iana};
use crate::provenance::Time;
use crate::saved::RunText;
use crate::saved::grammar::{address, rr};

/// The answer that an object is.
pub fn answer(object: &Object<'_>, run: &RunText<'_>) -> Option<Answer> {
    if object.has(&["Status", "Question"]) {
        return over_https(object, run);
    }
    if object.has(&["QNAME", "RCODE", "ID"]) {
        return Some(kdig(object, run));
    }
    None
}

fn over_https(object: &Object<'_>, run: &RunText<'_>) -> Option<Answer> {
    let question = Object::of(object.list("Question").first()?)?;
    let mut answer = Answer {
        rcode: object.number("Status").map(iana::rcode_name),
        flags: Some(flags(object)),
        question: Some(Question { name: question.name("name")?, kind: iana::kind_name(question.number("type")?) }),
        server: object
            .text("Comment")
            .and_then(|it| address::server(it.strip_prefix("Response from ")?.trim_end_matches('.'))),
        ..run.answer()
    };
    for (key, section) in SECTIONS {
        answer.records.extend(object.list(key).into_iter().filter_map(|it| {
            let it = Object::of(it)?;
            let kind = iana::kind_name(it.number("type")?);
            record(&it.text("name")?, it.number("TTL"), &kind, &it.text("data")?, *section)
        }));
    }
    Some(answer)
}

fn kdig(object: &Object<'_>, run: &RunText<'_>) -> Answer {
    let mut answer = Answer {
        rcode: object.number("RCODE").map(iana::rcode_name),
        flags: Some(flags(object)),
        id: object.number("ID"),
        time: object.number("dateSeconds").map(|seconds| Time::stated(seconds, 0)),
        question: object
            .name("QNAME")
            .zip(object.text("QTYPEname"))
            .map(|(name, kind)| Question { name, kind: kind.into() }),
        ..run.answer()
    };
    for (key, section) in KDIG_SECTIONS {
        answer.records.extend(object.list(key).into_iter().filter_map(|it| kdig_record(it, *section)));
    }
    answer
}

fn kdig_record(value: &RawValue, section: Section) -> Option<Record> {
    let it = Object::of(value)?;
    let kind = it.text("TYPEname")?;
    record(&it.text("NAME")?, it.number("TTL"), &kind, &it.text(&format!("rdata{kind}"))?, section)
}

/// The record in the one form that every tool's records have.
fn record(owner: &str, ttl: Option<u32>, kind: &str, data: &str, section: Section) -> Option<Record> {
    let owner = owner.trim_end_matches('.');
    let mut record = rr::record(&format!("{owner}. IN {kind} {data}"), section)?;
    record.ttl = ttl;
    Some(record)
}

fn flags(object: &Object<'_>) -> Flags {
    let has = |key: &str| object.boolean(key).unwrap_or(false) || object.number(key) == Some(1);
    Flags { qr: true, aa: has("AA"), tc: has("TC"), rd: has("RD"), ra: has("RA"), ad: has("AD"), cd: has("CD") }
}

const SECTIONS: &[(&str, Section)] =
    &[("Answer", Section::Answer), ("Authority", Section::Authority), ("Additional", Section::Additional)];
const KDIG_SECTIONS: &[(&str, Section)] =
    &[("answerRRs", Section::Answer), ("authorityRRs", Section::Authority), ("additionalRRs", Section::Additional)];
