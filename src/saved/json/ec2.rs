//! `aws ec2`: `describe-vpc-endpoints`, `describe-network-interfaces`.

use super::Shape;
use super::document::Object;
use crate::evidence::Mapping;
use crate::evidence::cloud::VpcEndpoint;

/// An interface VPC endpoint.
pub static VPC_ENDPOINT: Shape = Shape {
    id: "ec2 VPC endpoint",
    is: |object| object.has(&["VpcEndpointId", "ServiceName"]),
    read: |object, _| {
        let entries = object.list("DnsEntries").into_iter().filter_map(Object::of);
        Some(Mapping::VpcEndpoint(VpcEndpoint {
            id: object.text("VpcEndpointId")?,
            service: object.text("ServiceName")?,
            private_dns: object.boolean("PrivateDnsEnabled").unwrap_or(false),
            dns_names: entries.filter_map(|it| it.text("DnsName")).collect(),
        }))
    },
};

/// A network interface.
pub static NETWORK_INTERFACE: Shape = Shape {
    id: "ec2 network interface",
    is: |object| object.has(&["NetworkInterfaceId", "PrivateIpAddress"]),
    read: |object, _| {
        let first = object.text("PrivateIpAddress").and_then(|text| text.parse().ok());
        let others = object.list("PrivateIpAddresses").into_iter().filter_map(Object::of);
        let others = others.filter_map(|it| it.text("PrivateIpAddress")?.parse().ok());
        let mut addresses: Vec<std::net::IpAddr> = first.into_iter().chain(others).collect();
        addresses.sort_unstable();
        addresses.dedup();
        Some(Mapping::NetworkInterface { description: object.text("Description"), addresses })
    },
};
