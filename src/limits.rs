//! Every bound of the program, each with its reason.
//!
//! Input is hostile: whatever it can make grow or repeat is held by a constant here, and reaching
//! one is a gap ([`crate::provenance::GapReason::Limit`]), never silence.

/// The largest packet record that is believed, in bytes. libpcap writes at most 262,144; USB and
/// D-Bus captures go higher, none over this.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// The size of one positional read, in bytes: measured fastest for captures in the page cache.
pub const WINDOW_BYTES: usize = 1 << 18;

/// The bytes of a capture that are worked on together, by all workers: large enough that handing out
/// work costs little.
pub const ROUND_BYTES: usize = 4 << 20;

/// The bytes that one worker reads and walks at a time: they stay in its core's cache.
pub const PART_BYTES: usize = 1 << 18;

/// Frames that are read with care, one by one, before ordinary records are walked together again.
pub const CAREFUL_FRAMES: usize = 16;

/// Headers within headers (VLAN tags, tunnels) before a packet is given up.
pub const ENCAPSULATION_DEPTH_MAX: usize = 32;

/// Bytes that one direction of a TCP stream may hold back while it waits for a missing segment or
/// for the rest of a handshake.
pub const STREAM_PENDING_BYTES_MAX: usize = 1 << 20;

/// The bytes of a stream that are kept to compare what comes again: a handshake is shorter.
pub const STREAM_COMPARED_BYTES_MAX: usize = 32 << 10;

/// Connections that are followed at the same time in one capture.
pub const FLOWS_MAX: usize = 1 << 20;

/// Connections of one capture that are over and still known, so that what comes late of them is not
/// taken for something new.
pub const FLOWS_OVER_MAX: usize = 1 << 18;

/// The memory that the open connections of a capture may take, unless `--max-memory` says otherwise.
pub const MEMORY_BYTES_MAX: u64 = 512 << 20;

/// Facts of one capture that are held, so that they stand in order behind their source's line. A
/// capture with more of them is written while it is read.
pub const FACTS_HELD_MAX: usize = 4096;

/// The bytes of one TLS handshake message. A Certificate with a long chain stays far below; one of
/// 340 KiB is known, of a server that sent its whole store.
pub const HANDSHAKE_MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The handshakes followed on one connection (renegotiation).
pub const HANDSHAKES_PER_CONNECTION_MAX: usize = 16;

/// The bytes of a host name: 255 octets (RFC 1035 section 2.3.4), each written as `\\DDD` at worst.
/// What is longer is no host name.
pub const NAME_BYTES_MAX: usize = 1020;

/// The certificates taken from one Certificate message.
pub const CHAIN_CERTIFICATES_MAX: usize = 64;

/// The presented identifiers kept of one certificate.
pub const SAN_ENTRIES_MAX: usize = 10_000;

/// The alerts kept of one connection.
pub const ALERTS_PER_CONNECTION_MAX: usize = 32;

/// The records decoded from one DNS message.
pub const DNS_RECORDS_MAX: usize = 4096;

/// The links followed in one CNAME chain.
pub const CNAME_CHAIN_MAX: usize = 32;

/// Handshakes of one client, issuer or certificate that a rule looks at beside its own case: the first
/// thousands show whatever there is to see.
pub const NEIGHBOURS_MAX: usize = 4096;

/// The bytes of a text source that are read.
pub const TEXT_BYTES_MAX: u64 = 256 << 20;

/// The characters of one line of text that are looked at.
pub const LINE_CHARS_MAX: usize = 1 << 20;

/// Gaps kept one by one of one source; the rest are counted in one.
pub const GAPS_PER_SOURCE_MAX: usize = 1000;

/// Frames listed in one gap.
pub const FRAMES_PER_GAP_MAX: usize = 10_000;

/// Files taken from one folder.
pub const FILES_MAX: usize = 100_000;

/// Folders within folders.
pub const FOLDER_DEPTH_MAX: usize = 64;

/// The interfaces of one pcapng section.
pub const INTERFACES_MAX: usize = 65_536;

/// The bytes of one pcapng block that is read whole (larger ones are passed over, with a gap).
pub const BLOCK_BYTES_MAX: usize = 16 << 20;

/// The bytes of IP fragments of one source that wait for the rest of their packets.
pub const FRAGMENTS_PENDING_BYTES_MAX: usize = 64 << 20;

/// The bytes of one record of an export (a frame of tshark, an event of a browser); a longer one is
/// passed over, with a gap.
pub const RECORD_BYTES_MAX: usize = 32 << 20;

/// Connections and requests of a browser's log that are followed at the same time.
pub const LOG_SOURCES_MAX: usize = 1 << 16;

/// The bytes of one file of `--data` or `--roots`: Amazon's ranges take under 3 MB.
pub const DATA_BYTES_MAX: u64 = 64 << 20;

/// The trust anchors read from one file.
pub const ROOTS_MAX: usize = 10_000;

/// The secrets kept of all key logs: the connections of many days of one machine stay below.
pub const KEYS_MAX: usize = 1 << 22;

/// Secrets of one connection for one purpose: logs of several files that disagree.
pub const SECRETS_OF_ONE_LABEL_MAX: usize = 4;

/// QUIC connections followed between the same two ports: a client's socket may carry many.
pub const QUIC_CONNECTIONS_PER_FLOW_MAX: usize = 1024;

/// Connection ids known of one pair of ports; each connection uses a handful.
pub const QUIC_IDS_PER_FLOW_MAX: usize = 8192;

/// Packets that wait for the client's first Initial or for keys, of one pair of ports.
pub const QUIC_PACKETS_WAITING_MAX: usize = 64;

/// The HTTP messages read in one direction of a connection; the first say what rules need.
pub const HTTP_EXCHANGES_PER_CONNECTION_MAX: usize = 256;

/// The bytes of one HTTP head, as servers limit it themselves.
pub const HTTP_HEAD_BYTES_MAX: usize = 64 << 10;

/// The bytes of a header compression table: browsers announce 64 KiB.
pub const HEADER_TABLE_BYTES_MAX: usize = 64 << 10;

/// The bytes of one DNS message (RFC 1035 section 4.2.2).
pub const DNS_MESSAGE_BYTES_MAX: usize = 65_535;

/// Packets opened with keys after the handshake of one QUIC connection: the first exchanges.
pub const QUIC_APPLICATION_PACKETS_MAX: usize = 8192;

/// Packets of one shard that can be of QUIC connections which moved to other ports, and their bytes:
/// they wait, where keys are, until the capture has ended.
pub const QUIC_MOVED_PACKETS_MAX: usize = 1024;
/// See [`QUIC_MOVED_PACKETS_MAX`].
pub const QUIC_MOVED_BYTES_MAX: usize = 1 << 20;

/// Directions of streams read of one QUIC connection.
pub const QUIC_STREAMS_MAX: usize = 128;

/// Bytes read of one direction of a QUIC stream.
pub const QUIC_STREAM_BYTES_MAX: u64 = 16 << 20;

/// Sealed records that are passed over while the key of a later stage can still open one: refused
/// early data (RFC 8446 section 4.2.10), a handshake whose keys a log lacks.
pub const SEALED_RECORDS_PASSED_MAX: usize = 256;

/// Bytes of sealed records of one direction that wait for the other direction's hello.
pub const SEALED_PENDING_BYTES_MAX: usize = 1 << 20;

/// Connections of key logs that are tried on a server's direction whose client is not in the capture:
/// each costs a key schedule and one record.
pub const LONE_KEYS_MAX: usize = 1024;

/// Bytes of one direction before TLS (STARTTLS, proxies): the greetings and capability lists of mail
/// servers stay far below.
pub const PREAMBLE_BYTES_MAX: usize = 8 << 10;

/// Bytes that may come out of one file without a look at how few it was: what is smaller than this
/// does no harm.
pub const UNPACKED_BYTES_FREE: u64 = 16 << 20;

/// How many times its own size may come out of a file beyond that. Captures of text shrink to a
/// tenth, of one repeated packet to a hundredth; a bomb of zeros is a thousand times its size.
pub const UNPACKED_RATIO_MAX: u64 = 250;

/// Bytes that may come out of one file in any case.
pub const UNPACKED_BYTES_MAX: u64 = 256 << 30;

/// Layers of compression and archives in each other: a zip of a tar.gz has three.
pub const UNPACKED_LAYERS_MAX: usize = 5;

/// Archives in each other.
pub const ARCHIVES_DEEP_MAX: usize = 2;

/// Members taken from one archive.
pub const ARCHIVE_MEMBERS_MAX: usize = 10_000;

/// Mails that are attached to a mail, and to those: a thread of forwards has a dozen. The parser
/// descends into each, and its stack ends.
pub const MAILS_DEEP_MAX: usize = 100;

/// The bytes of a zip that comes through a pipe or lies in another archive: its directory stands at
/// its end, so it is held in memory. So is a mail.
pub const ZIP_IN_MEMORY_BYTES_MAX: u64 = 256 << 20;

/// The memory that one xz stream may ask for, in KiB; `xz -9` needs 65 MiB.
pub const XZ_MEMORY_KIB_MAX: u32 = 256 << 10;

/// DNS queries over UDP that wait for their answer, of one shard; the oldest are forgotten first.
pub const DNS_QUERIES_WAITING_MAX: usize = 4096;

/// Certificates at servers of one host that are compared with one another.
pub const VARIANTS_MAX: usize = 32;
