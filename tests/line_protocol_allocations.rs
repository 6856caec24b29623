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
