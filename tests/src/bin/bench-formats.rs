//! `bench-formats`: how fast each format is converted, next to what this machine needs only to read the same bytes.
//!
//! One thread, the samples as they are; where all of a format are so small that a report's header is most of them, also
//! one file that is made here, in a row of its own. Both are given the bytes of a file and begin anew with each: bare reading decodes
//! them as well, which takes a text of its own only where the bytes are none. Rates of one run are comparable with each other only;
//! conversion and bare reading take turns, and each row is the median of several rounds.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use wats::Report;
use wats_converters::{Arguments, Companion, ConvertError, Converter, Input, Station, choose};

/// Measures every format that has a sample.
#[derive(Debug, Parser)]
struct Args {
    /// The folder of samples, below which those of each format are looked for.
    #[arg(long, default_value = "../shared/samples")]
    samples: PathBuf,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each is measured in a round.
    #[arg(long, default_value_t = 150)]
    milliseconds: u64,
    /// Only these formats.
    formats: Vec<String>,
}

/// Counts what is asked of the system's allocator.
struct Counting;

static ASKED: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came.
#[expect(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// How many cells the lines of a text have, each handed over on the way.
type Cells = fn(&str) -> usize;

/// How the same bytes are only read.
#[derive(Debug, Clone, Copy)]
enum Bare {
    /// Decoded, and every event of the document.
    Xml,
    /// Parsed to a tape: every text, number and word in the order in which they come.
    Json,
    /// Decoded, split into lines, and these at the signs that separate the cells of the format.
    Lines(Cells),
    /// Unpacked, and the fields of each record read: numbers, and texts that are found to be texts.
    Records,
    /// Entries unpacked, and every event of those.
    Archive,
}

impl Bare {
    fn name(self) -> &'static str {
        match self {
            Self::Xml => "XML events",
            Self::Json => "JSON to a tape",
            Self::Lines(_) => "lines and cells",
            Self::Records => "fields of records",
            Self::Archive => "unpacked XML",
        }
    }

    /// How many times as long a conversion may take; `None` where none is set.
    fn most(self) -> Option<f64> {
        match self {
            Self::Xml | Self::Json => Some(4.0),
            Self::Lines(_) => Some(6.0),
            Self::Records | Self::Archive => None,
        }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut by_format: BTreeMap<&'static str, Vec<Input>> = BTreeMap::new();
    for path in inputs(&args.samples)? {
        let input = input(&path)?;
        let Some(converter) = choose(&input) else { continue };
        let arguments = Arguments::defaults(converter.about().arguments);
        match converter.convert(&input, &arguments) {
            Ok(_) => by_format.entry(converter.about().name).or_default().push(input),
            Err(error) => eprintln!("{} is left out: {error}", path.display()),
        }
    }
    ensure!(!by_format.is_empty(), "no sample below {}", args.samples.display());
    println!(
        "| Format | Files | kB | MB/s | Files/s | Bare | Bare MB/s | Times as long | Allocations for each kB | Bare |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut beyond = Vec::new();
    for (name, inputs) in by_format {
        if !args.formats.is_empty() && !args.formats.iter().any(|it| it == name) {
            continue;
        }
        let converter = wats_converters::find(name).context("a converter of the catalogue")?;
        let made = made(name)
            .zip(inputs.first())
            .map(|(text, first)| Input { bytes: text.into_bytes(), ..first.clone() });
        let of_samples = (format!("`{name}`"), inputs);
        let of_made = made.map(|input| (format!("`{name}`, a larger file, made for this"), vec![input]));
        for (shown, inputs) in std::iter::once(of_samples).chain(of_made) {
            let row = Row::measure(converter, &inputs, &args)?;
            println!("{}", row.markdown(&shown));
            if row.bare.most().is_some_and(|most| row.ratio() > most) {
                beyond.push(format!("{shown} ({:.1})", row.ratio()));
            }
        }
    }
    println!();
    println!("Targets: 4 times for XML and JSON, 6 times for lines.");
    match beyond.as_slice() {
        [] => println!("All are within their targets."),
        beyond => println!("Beyond their targets: {}.", beyond.join(", ")),
    }
    Ok(())
}

struct Row {
    files: usize,
    bytes: usize,
    bare: Bare,
    /// Seconds for all files, and allocations.
    converted: (f64, u64),
    read: (f64, u64),
}

impl Row {
    fn measure(converter: &dyn Converter, inputs: &[Input], args: &Args) -> anyhow::Result<Self> {
        let arguments = Arguments::defaults(converter.about().arguments);
        let bare = bare(converter, inputs.first().context("a format without a file")?);
        for input in inputs {
            converter.convert(input, &arguments).context("converting what is measured")?;
        }
        let mut convert = || {
            let mut each = |report: Report| -> Result<(), ConvertError> {
                black_box(&report);
                Ok(())
            };
            for input in inputs {
                let done = match bare {
                    // These hand over each report by itself, from an input of their own.
                    Bare::Records => converter.convert_each(input.clone(), &arguments, &mut each).map(drop),
                    _ => converter
                        .convert(input, &arguments)
                        .and_then(|done| done.reports.into_iter().try_for_each(&mut each)),
                };
                black_box(done.is_ok());
            }
        };
        let mut read = || {
            for input in inputs {
                black_box(only_read(bare, &input.bytes));
                for companion in &input.companions {
                    black_box(only_read(bare, &companion.bytes));
                }
            }
        };
        let time = Duration::from_millis(args.milliseconds);
        let (mut converted, mut bare_times) = (Vec::new(), Vec::new());
        for _ in 0..args.rounds {
            bare_times.push(seconds(time, &mut read));
            converted.push(seconds(time, &mut convert));
        }
        let size = |input: &Input| {
            let companions = input.companions.iter().map(|it| unpacked_size(bare, &it.bytes));
            unpacked_size(bare, &input.bytes) + companions.sum::<usize>()
        };
        Ok(Self {
            files: inputs.len(),
            bytes: inputs.iter().map(size).sum(),
            bare,
            converted: (median(converted), asked(&mut convert)),
            read: (median(bare_times), asked(&mut read)),
        })
    }

    fn ratio(&self) -> f64 {
        self.converted.0 / self.read.0
    }

    #[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
    fn markdown(&self, name: &str) -> String {
        let megabytes = self.bytes as f64 / 1e6;
        format!(
            "| {name} | {} | {:.0} | {:.1} | {:.0} | {} | {:.0} | {:.1} | {:.1} | {:.1} |",
            self.files,
            megabytes * 1e3,
            megabytes / self.converted.0,
            self.files as f64 / self.converted.0,
            self.bare.name(),
            megabytes / self.read.0,
            self.ratio(),
            self.converted.1 as f64 / megabytes / 1e3,
            self.read.1 as f64 / megabytes / 1e3,
        )
    }
}

/// Seconds of one call, over as many as fit into the time. The clock is looked at so seldom that it does not count beside small files.
fn seconds(time: Duration, work: &mut dyn FnMut()) -> f64 {
    let started = Instant::now();
    work();
    let once = started.elapsed().max(Duration::from_nanos(1));
    let at_once = (time.as_nanos() / 100 / once.as_nanos()).clamp(1, 10_000);
    let started = Instant::now();
    let mut calls = 0_u32;
    while started.elapsed() < time || calls == 0 {
        for _ in 0..at_once {
            work();
            calls += 1;
        }
    }
    started.elapsed().as_secs_f64() / f64::from(calls)
}

fn asked(work: &mut dyn FnMut()) -> u64 {
    let before = ASKED.load(Ordering::Relaxed);
    work();
    ASKED.load(Ordering::Relaxed) - before
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What the bytes of a format are for someone who only reads them.
fn bare(converter: &dyn Converter, input: &Input) -> Bare {
    let trimmed = input.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&input.bytes).trim_ascii_start();
    match converter.about().name {
        "stdf" => Bare::Records,
        _ if trimmed.starts_with(b"PK") => Bare::Archive,
        _ if trimmed.starts_with(b"<") => Bare::Xml,
        "wats-json" => Bare::Json,
        name => Bare::Lines(cells(name)),
    }
}

/// The cells of a format's lines, as the standard library splits them. Where parts of a file have signs of their own, all of them
/// separate.
fn cells(format: &str) -> Cells {
    fn all(text: &str, of_line: impl Fn(&str) -> usize) -> usize {
        text.lines().map(of_line).sum()
    }
    macro_rules! cells {
        ($signs:expr) => {
            |text| all(text, |line| line.split($signs).map(black_box).count())
        };
    }
    match format {
        "spea" => cells!(';'),
        "listen-soundcheck" | "wats-text" => cells!('\t'),
        "klippel" => cells!(['\t', '=']),
        "takaya-atd" => cells!(['\t', ':']),
        "takaya-atdx" => cells!([';', ':']),
        "takaya-apt94xx" => cells!(['"', ' ', ':']),
        "teradyne-ict" => cells!(['=', '#', '<', '>', '%', '(', ',', ')', ' ', '\t']),
        "teradyne-spectrum" => cells!(['(', ')', ':', '"', ' ']),
        // A table has one of the first four, and quotes.
        _ => cells!([',', ';', '\t', '|', '"']),
    }
}

/// Reads and keeps nothing; answers with how many pieces there were.
fn only_read(bare: Bare, bytes: &[u8]) -> usize {
    match bare {
        Bare::Json => serde_json::from_slice::<Tape<'_>>(bytes).map_or(0, |tape| tape.0.len()),
        Bare::Xml => events(&decoded(bytes)),
        Bare::Lines(cells) => cells(&decoded(bytes)),
        Bare::Records => records(bytes),
        Bare::Archive => entries(bytes),
    }
}

/// What a JSON document holds, without a tree.
#[derive(Default)]
struct Tape<'a>(Vec<Token<'a>>);

#[expect(dead_code, reason = "what is read is kept, and nobody asks for it")]
enum Token<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Word(bool),
    Null,
    Begin,
    End,
}

impl<'de> Deserialize<'de> for Tape<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut tape = Self::default();
        from.deserialize_any(Onto(&mut tape.0))?;
        Ok(tape)
    }
}

/// Reads one value onto the tape.
struct Onto<'t, 'a>(&'t mut Vec<Token<'a>>);

impl<'de> serde::de::DeserializeSeed<'de> for Onto<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Onto<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.0.push(Token::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push(Token::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.push(Token::Number(number));
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "the numbers of reports are doubles")]
    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.push(Token::Number(number as f64));
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "the numbers of reports are doubles")]
    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.push(Token::Number(number as f64));
        Ok(())
    }

    fn visit_bool<E>(self, word: bool) -> Result<(), E> {
        self.0.push(Token::Word(word));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push(Token::Null);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        self.0.push(Token::Begin);
        while values.next_element_seed(Onto(&mut *self.0))?.is_some() {}
        self.0.push(Token::End);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.0.push(Token::Begin);
        while members.next_key_seed(Onto(&mut *self.0))?.is_some() {
            members.next_value_seed(Onto(&mut *self.0))?;
        }
        self.0.push(Token::End);
        Ok(())
    }
}

fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, length)) => {
            encoding.decode_without_bom_handling(bytes.get(length..).unwrap_or_default()).0
        }
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
    }
}

fn events(text: &str) -> usize {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut count = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) | Err(_) => return count,
            Ok(Event::Start(tag) | Event::Empty(tag)) => count += 1 + tag.attributes().count(),
            Ok(event) => {
                black_box(&event);
                count += 1;
            }
        }
    }
}

fn records(bytes: &[u8]) -> usize {
    let unpacked = if bytes.starts_with(b"\x1f\x8b") {
        let mut unpacked = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut unpacked).ok();
        Cow::Owned(unpacked)
    } else {
        Cow::Borrowed(bytes)
    };
    let big = unpacked.first() == Some(&0);
    let (mut rest, mut count) = (&*unpacked, 0);
    while let [first, second, kind, sub, after @ ..] = rest {
        let length = [*first, *second];
        let length = if big { u16::from_be_bytes(length) } else { u16::from_le_bytes(length) };
        let (record, behind) = after.split_at_checked(length.into()).unwrap_or((after, &[]));
        let layout = LAYOUTS.iter().find(|(of, _)| *of == (*kind, *sub)).map_or("", |(_, layout)| layout);
        count += 1 + fields(record, layout, big);
        rest = behind;
    }
    count
}

/// The fields of the records that a file has many of, in the order of the standard: whole numbers by their size in bytes,
/// numbers with a fraction (f) and texts behind their length (t). Others are passed over.
const LAYOUTS: &[((u8, u8), &str)] = &[
    ((1, 10), "44111121tttttttttttttttttttttttttttttt"),
    ((5, 10), "11"),
    ((5, 20), "111222224ttt"),
    ((10, 30), "1114444t"),
    ((15, 10), "41111ftt1111ffttttff"),
    ((20, 10), "t"),
];

/// Reads the fields of a record as far as it has them; answers with how many there were.
fn fields(record: &[u8], layout: &str, big: bool) -> usize {
    fn number<const N: usize>(bytes: &[u8], big: bool) -> Option<[u8; N]> {
        let mut number: [u8; N] = bytes.try_into().ok()?;
        if big != cfg!(target_endian = "big") {
            number.reverse();
        }
        Some(number)
    }
    let (mut rest, mut count) = (record, 0);
    for field in layout.bytes() {
        let length = match field {
            b'1' => 1,
            b'2' => 2,
            b'4' | b'f' => 4,
            _ => rest.first().map_or(1, |length| usize::from(*length) + 1),
        };
        let Some((bytes, behind)) = rest.split_at_checked(length) else { break };
        match field {
            b'1' => _ = black_box(bytes.first()),
            b'2' => _ = black_box(number(bytes, big).map(u16::from_ne_bytes)),
            b'4' => _ = black_box(number(bytes, big).map(u32::from_ne_bytes)),
            b'f' => _ = black_box(number(bytes, big).map(f32::from_ne_bytes)),
            _ => _ = black_box(bytes.get(1..).map(std::str::from_utf8)),
        }
        count += 1;
        rest = behind;
    }
    count
}

/// How many bytes the rates are of: of packed files, those that are in them.
fn unpacked_size(bare: Bare, bytes: &[u8]) -> usize {
    match bare {
        Bare::Records if bytes.starts_with(b"\x1f\x8b") => {
            let size = std::io::copy(&mut flate2::read::MultiGzDecoder::new(bytes), &mut std::io::sink());
            size.ok().and_then(|size| size.try_into().ok()).unwrap_or_default()
        }
        Bare::Archive => {
            let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(bytes)) else { return 0 };
            let sizes =
                (0..archive.len()).filter_map(|at| usize::try_from(archive.by_index(at).ok()?.size()).ok());
            sizes.sum()
        }
        _ => bytes.len(),
    }
}

fn entries(bytes: &[u8]) -> usize {
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(bytes)) else { return 0 };
    let mut count = 0;
    for index in 0..archive.len() {
        let mut unpacked = Vec::new();
        if let Ok(mut entry) = archive.by_index(index)
            && entry.read_to_end(&mut unpacked).is_ok()
        {
            count += events(&decoded(&unpacked));
        }
    }
    count
}

/// A file of a format whose samples all have a few lines, as large as testers write them.
fn made(format: &str) -> Option<String> {
    match format {
        "example-csv" => Some(made_csv()),
        "teradyne-ict" => Some(made_log()),
        _ => None,
    }
}

/// 50 units of 20 tests.
fn made_csv() -> String {
    let mut text =
        "serial_number,part_number,station,process,test_name,value,unit,low_limit,high_limit,status\n"
            .to_owned();
    for row in 0..1000 {
        let (unit, test) = (row / 20, row % 20);
        text += &match test {
            0 => format!("SN{unit:05},PN-123,Station1,10,Serial readback,SN{unit:05},,,,P\n"),
            1 => format!("SN{unit:05},PN-123,Station1,10,Cover closed,,,,,P\n"),
            _ => format!(
                "SN{unit:05},PN-123,Station1,10,Voltage at TP{test},{}.{:03},V,4.5,5.5,P\n",
                4 + row % 2,
                row
            ),
        };
    }
    text
}

/// 10 boards of 100 components, with set-ups of sources between them.
fn made_log() -> String {
    let mut text =
        "M:\\ICT\\Programs\\W005506\\binary\\W005506_Merged.obc[14-SEP-20  12:01:45\r\n".to_owned();
    for board in 0..10 {
        text += &format!("@31-JUL-23  14:{board:02}:10 SN MP3774501MRS{board:06}E\r\n");
        for part in 101..126 {
            text += &format!("R{part}={}.{board:06}K(92.919K,105.131K)R \r\n", part - 7);
            text += &format!("R{part}_B#{board}.{part}59(,)R \r\n");
        }
        for part in 201..226 {
            text += &format!("C{part}=10.{part}{board:03}N(7.999999N,12.000001N)CP\r\n");
        }
        for part in 1..26 {
            text += &format!("K{part}_START#(,)VS\r\nK{part}_NO={}.{board:06}M(-500M,500M)V \r\n", part + 60);
        }
        text += &format!("\"31-JUL-23  14:{board:02}:59\r\n");
    }
    text
}

/// All files below the folder, by name; those that say what a sample should give are none.
fn inputs(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let beside = [".expected.json", ".intended.json", ".note.md", ".rejection.txt", ".xsd", ".tsv"];
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("reading {}; name the samples with --samples", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !beside.iter().any(|it| name.ends_with(it)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn input(path: &Path) -> anyhow::Result<Input> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("reading {}", path.display()));
    let beside = path.with_extension("");
    let mut companions = Vec::new();
    if beside != path && beside.is_dir() {
        for entry in std::fs::read_dir(&beside)? {
            let path = entry?.path();
            if path.is_file() {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                companions.push(Companion { name, bytes: read(&path)? });
            }
        }
    }
    Ok(Input {
        file_name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        bytes: read(path)?,
        companions,
        modified: "2026-01-02T03:04:05Z".parse()?,
        station: Station {
            name: "BENCH".to_owned(),
            location: "Lab".to_owned(),
            purpose: "Measuring".to_owned(),
            time_zone: jiff::tz::TimeZone::UTC,
        },
        now: "2026-01-02T03:05:00Z".parse()?,
    })
}
