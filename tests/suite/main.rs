//! The one test binary: what the house promises, tried from outside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    unreachable_pub,
    reason = "a test that meets the unexpected should stop and say where"
)]

mod support;

mod apart;
mod citations;
mod cli;
mod containers;
mod corpus;
mod data;
mod determinism;
mod engine;
mod examples;
mod exports;
mod foreign;
mod hostile;
mod http;
mod interrupt;
mod incidents;
mod layers;
mod names;
mod outputs;
mod packages;
mod paste;
mod packets;
mod paths;
mod printed_twice;
mod quic;
mod rfc8448;
mod robustness;
mod rules;
mod samples;
mod secrets;
mod tidy;
mod tls;
mod told;
