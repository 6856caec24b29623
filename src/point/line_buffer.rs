//! A line buffer takes points.

use crate::{LineBuffer, Point, Result};

impl LineBuffer {
    /// Adds the line of a point.
    ///
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Point};
    ///
    /// let mut lines = LineBuffer::new();
    /// lines.push(&Point::new("home").tag("room", "Kitchen").field("temp", 21.5))?;
    /// lines.measurement("home")?.field("temp", 24.0)?.end()?;
    /// let expected = b"home,room=Kitchen temp=21.5\nhome temp=24.0\n";
    /// assert_eq!(lines.into_bytes(), expected);
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) for what is refused (see [`Point`]), also for a point that has no
    /// field to write.
    pub fn push(&mut self, point: &Point) -> Result<()> {
        let precision = self.precision();
        self.append(|bytes| {
            point.write_line_protocol(precision, bytes)?;
            Ok((1, point.timestamp().is_some()))
        })
    }
}
