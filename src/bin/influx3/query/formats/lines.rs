//! Line protocol: what is a tag, a field and the time is what the server says.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use influxdb3_blocking::{Precision, Rows, arrow_array, arrow_schema};

use super::super::destination::Destination;
use super::super::output::{Output, Shown};
use super::plain_text::PlainText;
use crate::failure::Failure;

pub(super) struct Lines {
    text: PlainText,
    measurement: Option<String>,
    precision: Precision,
}

/// The column of InfluxQL.
const MEASUREMENT: &str = "iox::measurement";

impl Lines {
    pub(super) fn new(schema: &SchemaRef, shown: Shown, out: Destination) -> Result<Self, Failure> {
        let Shown { measurement, precision, .. } = shown;
        if measurement.is_none() && schema.column_with_name(MEASUREMENT).is_none() {
            return Err(Failure::usage("line protocol needs a measurement")
                .with_advice("name it with --measurement NAME"));
        }
        Ok(Self { text: PlainText::new(out), measurement, precision })
    }
}

impl Output for Lines {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        for row in Rows::new(batch) {
            let measurement = match &self.measurement {
                Some(name) => name,
                None => row.get::<&str>(MEASUREMENT)?,
            };
            let point = row.to_point(measurement)?;
            // A row of nulls says nothing.
            if point.fields().next().is_some() {
                point.write_line_protocol(self.precision, &mut self.text.buffer)?;
            }
            self.text.spill()?;
        }
        self.text.end_batch()
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.text.finish()
    }
}
