//! Whole runs of the program against the floor of the same machine: a walk over the headers of every
//! packet. Prints ratios, which differ little from machine to machine, unlike times.
//!
//! `cargo bench --bench whole` makes its captures in a temporary folder, from the frames of a sample,
//! takes the floor and the program in turn, and keeps the best of each. `-- growth` measures how the
//! time grows with packets, connections and hosts. On a loaded machine it prints what it measured and
//! refuses to conclude.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring program stops where something is odd, prints, and starts the program"
)]

use std::fs::File;
use std::io::{BufWriter, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use whycert::capture::{Batch, Reader, detect};
use whycert::input::{Digest, Source};

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let is_growth = std::env::args().any(|it| it == "growth");
    let shapes = if is_growth { GROWTH } else { USUAL };
    println!("{:<34} {:>9} {:>9} {:>9} {:>7}", "capture", "MB", "floor s", "facts s", "ratio");
    let mut spread = 1.0_f64;
    for shape in shapes {
        let path = folder.path().join("bench.pcap");
        shape.write(&path);
        let measured = measure(&path, folder.path());
        spread = spread.max(measured.spread);
        let ratio = measured.facts.as_secs_f64() / measured.floor.as_secs_f64();
        println!(
            "{:<34} {:>9} {:>9.3} {:>9.3} {:>7.2}",
            shape.name,
            path.metadata().unwrap().len() / 1_000_000,
            measured.floor.as_secs_f64(),
            measured.facts.as_secs_f64(),
            ratio,
        );
    }
    let load = load();
    if load.is_some_and(|load| load > LOAD_MAX) || spread > SPREAD_MAX {
        println!("the machine is loaded (load {load:?}, the floor varies by {spread:.2}): no conclusion");
        std::process::exit(3);
    }
}

/// What a capture is made of.
struct Shape {
    name: &'static str,
    connections: u32,
    hosts: u32,
    /// Full-size segments behind each handshake.
    bulk: u32,
}

const USUAL: &[Shape] = &[
    Shape { name: "20,000 handshakes", connections: 20_000, hosts: 2000, bulk: 0 },
    Shape { name: "200 handshakes, 300,000 segments", connections: 200, hosts: 200, bulk: 1500 },
];

const GROWTH: &[Shape] = &[
    Shape { name: "packets: 75,000", connections: 50, hosts: 50, bulk: 1500 },
    Shape { name: "packets: 150,000", connections: 50, hosts: 50, bulk: 3000 },
    Shape { name: "packets: 300,000", connections: 50, hosts: 50, bulk: 6000 },
    Shape { name: "connections: 5,000", connections: 5000, hosts: 500, bulk: 0 },
    Shape { name: "connections: 10,000", connections: 10_000, hosts: 500, bulk: 0 },
    Shape { name: "connections: 20,000", connections: 20_000, hosts: 500, bulk: 0 },
    Shape { name: "hosts: 500", connections: 10_000, hosts: 500, bulk: 0 },
    Shape { name: "hosts: 2,000", connections: 10_000, hosts: 2000, bulk: 0 },
    Shape { name: "hosts: 8,000", connections: 10_000, hosts: 8000, bulk: 0 },
];

impl Shape {
    /// Writes the capture: the sample's frames once per connection, with another client and host.
    fn write(&self, path: &Path) {
        let frames = frames();
        let server_side = frames.iter().rev().find(|it| ports(it).is_some_and(|(from, _)| from == 443)).unwrap();
        let client = frames.iter().find(|it| ports(it).is_some_and(|(_, to)| to == 443)).unwrap()[26..30].to_vec();
        let mut out = BufWriter::new(File::create(path).unwrap());
        out.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]).unwrap();
        let mut large = server_side[..54].to_vec();
        large[46] = 0x50;
        large.extend([23, 3, 3, 0x40, 0]);
        large.resize(1514, 0xa5);
        large[16..18].copy_from_slice(&1500_u16.to_be_bytes());
        for nth in 0..self.connections {
            let host = (0..3).map(|place| b'a' + (((nth % self.hosts) / 26_u32.pow(place)) % 26) as u8);
            let host: Vec<u8> = host.collect();
            for frame in &frames {
                record(&mut out, nth, &changed(frame, nth, &client, &host));
            }
            let mut segment = changed(&large, nth, &client, &host);
            let start = u32::from_be_bytes(segment[38..42].try_into().unwrap());
            for at in 0..self.bulk {
                segment[38..42].copy_from_slice(&start.wrapping_add(at * 1460).to_be_bytes());
                record(&mut out, nth, &segment);
            }
        }
        out.flush().unwrap();
    }
}

fn changed(frame: &[u8], nth: u32, client: &[u8], host: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    for place in [26, 30] {
        if frame.get(place..place + 4) == Some(client) {
            frame[place..place + 4].copy_from_slice(&(0x0b00_0000 + nth).to_be_bytes());
        }
    }
    for name in [&b"www.example"[..], b"www\x07example"] {
        while let Some(at) = frame.windows(name.len()).position(|it| it == name) {
            frame[at..at + 3].copy_from_slice(host);
        }
    }
    frame
}

fn record(out: &mut impl Write, second: u32, frame: &[u8]) {
    let length = (frame.len() as u32).to_le_bytes();
    out.write_all(&second.to_le_bytes()).unwrap();
    out.write_all(&[0; 4]).unwrap();
    out.write_all(&length).unwrap();
    out.write_all(&length).unwrap();
    out.write_all(frame).unwrap();
}

/// The frames of a sample.
fn frames() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/stage_url_capture/customer.pcapng");
    let bytes = std::fs::read(path).unwrap();
    let kind = detect(&bytes).unwrap();
    let mut reader = Reader::new(Source::stream(Box::new(Cursor::new(bytes))).window(Digest::None), kind);
    let (mut batch, mut frames) = (Batch::default(), Vec::new());
    while reader.next_batch(&mut batch) {
        frames.extend(batch.frames().map(|(_, bytes)| bytes.to_vec()));
    }
    frames
}

/// The ports of a TCP segment over IPv4.
fn ports(frame: &[u8]) -> Option<(u16, u16)> {
    let is_tcp = frame.get(12..14)? == [8, 0] && *frame.get(23)? == 6 && frame[14] == 0x45;
    is_tcp.then(|| (u16::from_be_bytes([frame[34], frame[35]]), u16::from_be_bytes([frame[36], frame[37]])))
}

struct Measured {
    floor: Duration,
    facts: Duration,
    spread: f64,
}

/// The best of several runs, the floor and the program in turn.
fn measure(path: &Path, folder: &Path) -> Measured {
    let out: PathBuf = folder.join("facts.ndjson");
    let (mut floors, mut facts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert!(walk(path) > 0);
        floors.push(start.elapsed());
        let start = Instant::now();
        let status =
            Command::new(env!("CARGO_BIN_EXE_whycert")).arg("facts").arg("--output").arg(&out).arg(path).status();
        assert!(status.expect("the program starts").success());
        facts.push(start.elapsed());
    }
    floors.sort();
    facts.sort();
    let spread = floors[ROUNDS / 2].as_secs_f64() / floors[0].as_secs_f64();
    Measured { floor: floors[0], facts: facts[0], spread }
}

/// The floor: one thread reads the file in pieces and touches the headers of each packet once.
fn walk(path: &Path) -> u64 {
    let mut file = File::open(path).unwrap();
    let mut piece = vec![0; 1 << 18];
    let (mut kept, mut total, mut skip) = (0, 0_u64, 24);
    loop {
        let read = file.read(&mut piece[kept..]).unwrap();
        if read == 0 {
            return total;
        }
        let end = kept + read;
        let mut at = skip;
        while let Some(header) = piece[..end].get(at..at + 16) {
            let length = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
            let Some(frame) = piece[..end].get(at + 16..at + 16 + length) else {
                break;
            };
            if frame.len() > 54 {
                total += u64::from(frame[23]) + u64::from(frame[47]);
            }
            at += 16 + length;
        }
        let at = at.min(end);
        piece.copy_within(at..end, 0);
        kept = end - at;
        skip = 0;
    }
}

/// The load of the machine over the last minute, where the system tells.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

const ROUNDS: usize = 9;
/// Above this others use the machine: the program alone leaves about its number of threads.
const LOAD_MAX: f64 = 2.5;
/// How far the middle of the floor's times may lie from the best.
const SPREAD_MAX: f64 = 1.25;
