//! ORC files.

mod tail;

use std::io;

use bytes::Bytes;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::ChunkReader;
use orc_rust::{ArrowReader, ArrowReaderBuilder};

use crate::file::batches::{BatchReader, Batches, Placed, damaged, guarded};
use crate::file::input::Origin;
use crate::file::places::{At, Places};
use crate::file::{Reading, Source};
use crate::line_protocol::TagRules;
use crate::record::BatchEncoder;
use crate::{Precision, Result};

pub(super) fn open(
    origin: &Origin<'_>,
    reading: &Reading,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn Source>> {
    let places = origin.bytes()?;
    let counter = places.counter.clone();
    let chunks = Chunks(places);
    let builder = guarded(|| {
        tail::check(&chunks.0)?;
        ArrowReaderBuilder::try_new(chunks).map_err(damaged)
    })?;
    let schema = guarded(|| Ok(builder.schema()))?;
    let mut encoder = BatchEncoder::new(&schema, &reading.layout, rules, precision)?;
    let columns = encoder.narrow();
    let reader = guarded(|| {
        let root = builder.file_metadata().root_data_type();
        let columns = columns.iter().filter_map(|&place| root.children().get(place));
        let columns = columns.map(|column| column.data_type().column_index());
        let columns = ProjectionMask::roots(root, columns);
        Ok(builder.with_projection(columns).build())
    })?;
    Ok(Box::new(Batches::new(Stripes { reader, rows: 0 }, encoder, counter)))
}

struct Stripes {
    reader: ArrowReader<Chunks>,
    rows: usize,
}

impl BatchReader for Stripes {
    fn next(&mut self) -> Result<Option<Placed>> {
        let Some(batch) = self.reader.next() else {
            if self.rows as u64 != self.reader.total_row_count() {
                return Err(damaged(io::Error::other(format!(
                    "{} rows were read, and it should have {}",
                    self.rows,
                    self.reader.total_row_count()
                ))));
            }
            return Ok(None);
        };
        let first_row = self.rows;
        let behind = format!("behind row {first_row}");
        let batch = batch.map_err(|error| damaged(error).in_context(&behind))?;
        self.rows += batch.num_rows();
        Ok(Some(Placed { batch, part: String::new(), first_row }))
    }
}

struct Chunks(Places);

impl ChunkReader for Chunks {
    type T = io::BufReader<At>;

    fn len(&self) -> u64 {
        self.0.len()
    }

    fn get_read(&self, place: u64) -> io::Result<Self::T> {
        Ok(self.0.reader_at(place))
    }

    fn get_bytes(&self, place: u64, len: u64) -> io::Result<Bytes> {
        self.0.bytes_at(place, len).map(Bytes::from)
    }
}
