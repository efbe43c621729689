//! Who runs a domain's DNS: `aws route53domains get-domain-detail`, and RDAP (RFC 9083).

use super::Shape;
use super::document::Object;
use crate::evidence::Mapping;

/// `get-domain-detail`.
pub static ROUTE53_DOMAIN: Shape = Shape {
    id: "route53domains domain",
    is: |object| object.has(&["DomainName", "Nameservers"]),
    read: |object, _| {
        let servers = object.list("Nameservers").into_iter().filter_map(Object::of);
        Some(Mapping::NameServers {
            domain: object.name("DomainName")?,
            servers: servers.filter_map(|it| it.name("Name")).collect(),
            registrar: object.text("RegistrarName"),
        })
    },
};

/// A domain object of RDAP (RFC 9083 section 5.3).
pub static RDAP_DOMAIN: Shape = Shape {
    id: "RDAP domain",
    is: |object| object.has(&["objectClassName", "ldhName", "nameservers"]),
    read: |object, _| {
        let servers = object.list("nameservers").into_iter().filter_map(Object::of);
        let registrar = object
            .list("entities")
            .into_iter()
            .filter_map(Object::of)
            .find(|entity| entity.texts("roles").iter().any(|role| role == "registrar"))
            .and_then(|entity| full_name(&entity));
        Some(Mapping::NameServers {
            domain: object.name("ldhName")?,
            servers: servers.filter_map(|it| it.name("ldhName")).collect(),
            registrar,
        })
    },
};

/// The `fn` property of a jCard (RFC 7095): `["vcard", [["fn", {}, "text", "Example Registrar"]]]`.
fn full_name(entity: &Object<'_>) -> Option<String> {
    let properties = entity.list("vcardArray").into_iter().nth(1)?;
    super::elements(properties).into_iter().find_map(|property| {
        let parts = super::elements(property);
        let name: String = serde_json::from_str(parts.first()?.get()).ok()?;
        let value = parts.get(3).filter(|_| name == "fn")?;
        serde_json::from_str(value.get()).ok()
    })
}
