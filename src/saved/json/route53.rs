//! `aws route53`: record sets, `test-dns-answer`, hosted zones.

use super::Shape;
use super::document::Object;
use crate::evidence::Mapping;
use crate::evidence::cloud::RecordSet;
use crate::saved::command;

/// An item of `list-resource-record-sets`.
pub static RECORD_SET: Shape = Shape {
    id: "route53 record set",
    is: |object| object.has(&["Name", "Type"]) && (object.has(&["ResourceRecords"]) || object.has(&["AliasTarget"])),
    read: record_set,
};

/// `test-dns-answer`.
pub static TEST_DNS_ANSWER: Shape = Shape {
    id: "route53 test-dns-answer",
    is: |object| object.has(&["RecordName", "RecordType", "RecordData"]),
    read: |object, words| {
        Some(Mapping::Record(RecordSet {
            owner: object.name("RecordName")?,
            kind: object.text("RecordType")?,
            ttl: None,
            values: object.texts("RecordData"),
            alias_target: None,
            alias_zone: None,
            set_identifier: None,
            name_server: object.name("Nameserver"),
            zone_id: zone_asked(words),
        }))
    },
};

/// An item of `list-hosted-zones`, or the zone of `get-hosted-zone`.
pub static HOSTED_ZONE: Shape = Shape {
    id: "route53 hosted zone",
    is: |object| object.has(&["Id", "Name", "CallerReference"]),
    read: |object, _| {
        Some(Mapping::Zone {
            zone: object.name("Name")?,
            id: object.text("Id").map(|id| id.trim_start_matches("/hostedzone/").to_owned()),
            private: object.object("Config").and_then(|it| it.boolean("PrivateZone")).unwrap_or(false),
        })
    },
};

fn record_set(object: &Object<'_>, words: &[String]) -> Option<Mapping> {
    let alias = object.object("AliasTarget");
    let records = object.list("ResourceRecords").into_iter().filter_map(Object::of);
    Some(Mapping::Record(RecordSet {
        owner: object.name("Name")?,
        kind: object.text("Type")?,
        ttl: object.number("TTL"),
        values: records.filter_map(|it| it.text("Value")).collect(),
        alias_target: alias.as_ref().and_then(|it| it.name("DNSName")),
        alias_zone: alias.as_ref().and_then(|it| it.text("HostedZoneId")),
        set_identifier: object.text("SetIdentifier"),
        name_server: None,
        zone_id: zone_asked(words),
    }))
}

fn zone_asked(words: &[String]) -> Option<String> {
    command::value(words, &["--hosted-zone-id", "--id"]).map(|id| id.trim_start_matches("/hostedzone/").to_owned())
}
