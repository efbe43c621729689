//! `aws cloudfront`: `get-distribution`, an item of `list-distributions`.

use super::Shape;
use crate::evidence::Mapping;

/// A distribution with its alternate domain names.
pub static DISTRIBUTION: Shape = Shape {
    id: "cloudfront distribution",
    is: |object| {
        object.has(&["DomainName", "ARN"]) && (object.has(&["Aliases"]) || object.has(&["DistributionConfig"]))
    },
    read: |object, _| {
        let aliases = object.object("Aliases").or_else(|| object.object("DistributionConfig")?.object("Aliases"));
        Some(Mapping::Distribution {
            domain: object.name("DomainName")?,
            aliases: aliases.map(|it| it.texts("Items")).unwrap_or_default(),
            status: object.text("Status"),
        })
    },
};
