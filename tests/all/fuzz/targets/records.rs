//! Files that the tool itself writes, and that anybody may have changed: plans, journals, worlds.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use switchover::apply::engine::{Program, telling};
use switchover::apply::event::Sink;
use switchover::apply::journal::s3::object;
use switchover::apply::journal::{Entry, Record, RunState, codec, fold};
use switchover::apply::operation::Operations;
use switchover::declare::VariableSources;
use switchover::kinds;
use switchover::plan::{Plan, digest, file};
use switchover::report::Progress;
use switchover::review::Style;
use switchover::world::Readers;
use switchover::world::sim::{SimOptions, SimWorld};

use crate::fuzz::oracle;
use crate::fuzz::planning::{self, Room};

thread_local! {
    static ROOM: RefCell<Room> = RefCell::new(Room::new());
}

/// A saved plan as it is; and once more with a digest that fits, since a fuzzer cannot guess one.
pub fn plan(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match file::parse(&text, Path::new("plan.json")) {
        Ok(plan) => show(plan),
        Err(error) => oracle::error(&error),
    }
    let Ok(mut plan) = serde_json::from_str::<Plan>(&text) else { return };
    plan.digest = digest::of(&plan);
    match file::parse(&file::text(&plan), Path::new("plan.json")) {
        Ok(same) => {
            assert!(same == plan, "a plan is what it is read as");
            show(plan);
        }
        Err(error) => oracle::error(&error),
    }
}

/// In every form, and as a program: operations that no version of the tool made are refused, not run.
fn show(plan: Plan) {
    planning::show(&plan);
    if let Err(error) = Program::new(Arc::new(plan), |kind| kinds::find(kind).map(|kind| kind as &dyn Operations)) {
        oracle::error(&error);
    }
}

/// A journal as it is, in a folder or (its lines are the rows of a database) in a table, and as an object of a bucket; and once more with
/// checksums that fit.
pub fn journal(bytes: &[u8]) {
    object(bytes);
    if let Ok(decoded) = codec::decode(bytes) {
        encode_again(&decoded.entries);
        history(&decoded.entries);
    }
    let records = String::from_utf8_lossy(bytes).into_owned();
    let records = records.lines().filter_map(|line| serde_json::from_str::<Entry>(line.split_once(' ')?.1).ok());
    let entries: Vec<Entry> = records.enumerate().map(|(at, entry)| Entry { seq: at as u64, ..entry }).collect();
    encode_again(&entries);
    history(&entries);
    object_again(&entries);
}

/// An object as it is; and once more with a checksum that fits, as the one that it says it is.
fn object(bytes: &[u8]) {
    if let Ok((header, _)) = object::read(bytes, "lease", 7) {
        assert_eq!((header.fence.as_str(), header.number), ("lease", 7));
    }
    let (first, rest) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let Some(header) = first.get(9..).and_then(|json| serde_json::from_slice::<object::Header>(json).ok()) else { return };
    let json = serde_json::to_string(&header).expect("what was read can be written");
    let mut mended = format!("{:08x} {json}", crc32fast::hash(json.as_bytes())).into_bytes();
    mended.extend_from_slice(rest);
    let Ok((again, lines)) = object::read(&mended, &header.fence, header.number) else { return };
    assert!(again == header, "a header is what it is read as");
    if let object::Holds::Records { from, .. } = again.holds
        && let Ok(decoded) = codec::decode_after(lines, from, 0)
    {
        history(&decoded.entries);
    }
}

/// What is put into a bucket is read again as it was, and is nobody else's.
fn object_again(entries: &[Entry]) {
    let (bytes, chain) = object::write_records("lease", 7, "run", entries, 0).expect("entries in order can be written");
    let (header, lines) = object::read(&bytes, "lease", 7).expect("what was written can be read");
    assert_eq!(header.holds, object::Holds::Records { run: "run".to_owned(), from: 0, count: entries.len() as u64 });
    let decoded = codec::decode_after(lines, 0, 0).expect("what was written can be read");
    assert!(decoded.entries == entries && decoded.chain == chain, "records are read as they were written");
    assert!(object::read(&bytes, "lease", 8).is_err() && object::read(&bytes, "other", 7).is_err());
}

/// What is written is read again as it was, whole and torn.
fn encode_again(entries: &[Entry]) {
    let (mut text, mut chain, mut last) = (String::new(), 0, 0);
    for entry in entries {
        let (line, sum) = codec::encode(entry, chain).expect("what was read can be written");
        (last, chain) = (line.len(), sum);
        text.push_str(&line);
    }
    let again = codec::decode(text.as_bytes()).expect("what was written can be read");
    assert!(again.entries == entries && again.chain == chain, "entries are read as they were written");
    if last > 1 {
        let torn = codec::decode(&text.as_bytes()[..text.len() - 1]).expect("a torn tail is left out");
        assert!(torn.entries == entries[..entries.len() - 1]);
    }
}

/// A history is refused, or told to its end.
fn history(entries: &[Entry]) {
    let folded = fold::fold(entries);
    let Some(Entry { record: Record::Begun { plan, actor }, time, .. }) = entries.first() else {
        assert!(folded.is_err(), "a history begins with its plan");
        return;
    };
    let told = Told::default();
    let mut progress = Progress::new(Box::new(told.clone()), Style::plain(100), Arc::clone(plan)).with_report();
    let mut state = RunState::begin(Arc::clone(plan), actor.clone(), *time);
    for entry in entries {
        if !matches!(entry.record, Record::Begun { .. }) && state.apply(entry.time, &entry.record).is_err() {
            assert!(folded.is_err(), "a step of a history that was refused is refused in the whole");
            break;
        }
        if let Some(event) = telling::event_of(&entry.record, entry.time, &state) {
            oracle::is_harmless(&serde_json::to_string(&event).map(|text| switchover::review::escape::json(&text)).unwrap());
            progress.event(&event);
        }
    }
    oracle::is_harmless(&String::from_utf8(told.0.lock().unwrap().clone()).expect("what is told is text"));
}

/// Where progress is written to.
#[derive(Clone, Default)]
struct Told(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A world file, perhaps with a log behind a line of `--`; what is accepted can be planned in and written again.
pub fn world(bytes: &[u8]) {
    let (world, log) = match bytes.windows(4).position(|window| window == b"\n--\n") {
        Some(at) => (&bytes[..at], &bytes[at + 4..]),
        None => (bytes, &[][..]),
    };
    ROOM.with_borrow(|room| {
        let path = room.write("world.json", world);
        if log.is_empty() {
            let _none = std::fs::remove_file(room.path("world.json.log"));
        } else {
            room.write("world.json.log", log);
        }
        let world = match SimWorld::open(&path, SimOptions { seed: Some(7), pace: None }) {
            Ok(world) => world,
            Err(error) => return oracle::error(&error),
        };
        let snapshot = world.snapshot();
        let again = SimWorld::from_json(&snapshot, SimOptions::default()).expect("a world that was read can be written and read again");
        assert_eq!(again.snapshot(), snapshot);
        for example in [
            include_str!("../../../../examples/openverse/environments/staging.hcl"),
            include_str!("../../../../examples/gigadb/environments/gigadb.hcl"),
        ] {
            std::fs::create_dir_all(room.path("sql")).unwrap();
            room.write("sql/anonymise.sql", b"UPDATE a SET b = 1;");
            let reading = room.read(example.as_bytes(), VariableSources::default()).unwrap();
            if let Some(desired) = &reading.desired {
                planning::plan(desired, &*world as &dyn Readers);
            }
        }
    });
}
