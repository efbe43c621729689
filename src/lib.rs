//! `whycert` says, offline, why the wrong certificate was returned.
//!
//! It reads captures and saved output, joins the asked name, its CNAME chain, the SNI and the
//! presented certificate, and names the cause with the frames and lines that prove it.
//!
//! The modules below are the pipeline, from top to bottom. A module uses what stands above it and
//! nothing below; a test holds the code to this list, the only one there is.
//!
//! | layer | what comes out of it |
//! |---|---|
//! | [`limits`] | every bound in the program, with its reason |
//! | [`escape`] | text from inputs, made harmless for whoever reads it |
//! | [`name`] | a host name in its one comparable form; matching that explains each rejection |
//! | [`provenance`] | where a fact stands, when it happened, what could not be read |
//! | [`input`] | sources: files, folders, standard input; digests; windows of bytes |
//! | [`capture`] | frames of pcap and pcapng files |
//! | [`packet`] | addresses, ports and payload of a frame, through link types and IP |
//! | [`flow`] | TCP streams, each direction on its own, that know which frame gave each byte |
//! | [`x509`] | certificates: names, dates, issuer |
//! | [`dns`] | DNS answers with their records |
//! | [`tls`] | handshakes: SNI, versions, chain; alerts |
//! | [`quic`] | the same handshakes from QUIC: Initial packets without keys, the rest with them |
//! | [`http`] | requests and responses, as far as rules use them; DNS over HTTPS |
//! | [`evidence`] | observations with their places, in a fixed order; facts written and read back |
//! | [`saved`] | the same observations from saved output: dig, openssl, curl, … |
//! | [`provider`] | who a host name or a certificate belongs to |
//! | [`case`] | everything known about one host: resolutions, connections, runs |
//! | [`rules`] | causes: found, ruled out, unknown, or not applicable |
//! | [`report`] | the report, as text and JSON |
//! | [`analyze`] | the stages in order, in parallel |
//! | [`cli`] | the command line |

pub mod limits;
pub mod escape;
pub mod name;
pub mod provenance;
pub mod input;
pub mod capture;
pub mod packet;
pub mod flow;
pub mod x509;
pub mod dns;
pub mod tls;
pub mod quic;
pub mod http;
pub mod evidence;
pub mod saved;
pub mod provider;
pub mod case;
pub mod rules;
pub mod report;
pub mod analyze;
pub mod cli;
