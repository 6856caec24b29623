//! Puts points into a buffer of lines.

use influxdb3_blocking::{LineBuffer, Point, Result};

fn main() -> Result<()> {
    let mut lines = LineBuffer::new();
    lines.push(&Point::new("home").tag("room", "Kitchen").field("temp", 21.5))?;
    print!("{}", String::from_utf8_lossy(lines.as_bytes()));
    Ok(())
}
