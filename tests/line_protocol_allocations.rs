//! What the encoder promises of memory: one allocation for a usual point, none for its line and for lines in a buffer
//! that has grown.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use influxdb3_blocking::{LineBuffer, Point, Precision, Result, Timestamp};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn allocations<T>(section: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let result = section();
    (COUNT.get() - before, result)
}

#[test]
fn a_usual_point_is_one_allocation_and_its_line_is_none() {
    let (count, point) = allocations(|| {
        Point::new("home")
            .tag("room", "Living Room")
            .tag("floor", "1")
            .tag("building", "main")
            .field("temp", 21.5)
            .field("hum", 35.9)
            .field("co", 0)
            .field("state", "fine")
            .time(Timestamp::nanos(1))
    });
    assert_eq!(count, 1);
    let mut out = Vec::with_capacity(1000);
    let (count, result) = allocations(|| point.write_line_protocol(Precision::Second, &mut out));
    assert!(result.is_ok());
    assert_eq!(count, 0);
}

#[test]
fn a_wide_point_is_encoded_without_allocations() {
    let point = (0..30).fold(Point::new("m").tag("b", "1").tag("a", "2"), |point, column| {
        point.field(format!("column {column}"), f64::from(column))
    });
    let mut out = Vec::with_capacity(2000);
    let (count, result) = allocations(|| point.write_line_protocol(Precision::Second, &mut out));
    assert!(result.is_ok());
    assert_eq!(count, 0);
}

/// The keys of items are held against the default tags, and times become text.
#[cfg(all(feature = "serde", feature = "_fuzzing"))]
#[test]
fn structs_are_encoded_without_an_allocation_a_row() {
    use influxdb3_blocking::Structs;
    use influxdb3_blocking::fuzzing::encode_record_to;

    #[derive(serde::Serialize)]
    struct Home {
        room: &'static str,
        temp: f64,
        co: Option<i64>,
        state: &'static str,
        seen: Timestamp,
        time: Timestamp,
    }
    let items = |rows: i64| -> Vec<Home> {
        let time = Timestamp::millis;
        let item = |n| Home {
            room: "Kitchen",
            temp: 21.5,
            co: Some(n),
            state: "fine",
            seen: time(n),
            time: time(n),
        };
        (0..rows).map(item).collect()
    };
    let mut out = Vec::with_capacity(1 << 20);
    let mut encode = |rows| {
        let items = items(rows);
        let defaults = ["site", "zone", "data center"].map(|key| (key.to_owned(), "x".to_owned()));
        let structs = Structs::new(&items).measurement("home").tags(["room"]);
        let (count, lines) = allocations(|| {
            encode_record_to(&mut out, structs, defaults.to_vec(), Precision::Nanosecond)
        });
        assert_eq!(lines.expect("they can be written"), rows as usize);
        count
    };
    let few = encode(10);
    assert_eq!(encode(1_000), few, "as many for a thousand rows as for ten");
}

#[test]
fn a_line_buffer_that_has_grown_allocates_no_more() {
    fn fill(lines: &mut LineBuffer) -> Result<()> {
        for row in 0..100 {
            // Two kinds of lines in turn, as well as one after the other.
            let line =
                lines.measurement("home")?.tag("room", "Living Room")?.field("temp", 21.5)?;
            line.field("hum", row)?.at(Timestamp::nanos(row))?;
            if row % 3 == 0 {
                let mut line = lines.measurement("wide")?;
                for key in ["a", "b", "c d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"] {
                    line = line.field(key, "text \"with\" quotes")?;
                }
                line.end()?;
            }
        }
        Ok(())
    }
    let mut lines = LineBuffer::new();
    fill(&mut lines).expect("fine");
    for _ in 0..3 {
        lines.clear();
        let (count, result) = allocations(|| fill(&mut lines));
        assert!(result.is_ok());
        assert_eq!(count, 0);
    }
}
