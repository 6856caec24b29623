//! ORC files.

mod fractions;
mod mended_file;
mod tail;
mod time_column;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};
use orc_rust::array_decoder::NaiveStripeDecoder;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::metadata::{FileMetadata, read_metadata};
use orc_rust::schema::RootDataType;
use orc_rust::stripe::Stripe;

use self::mended_file::MendedFile;
use self::time_column::TimeColumn;
use super::damaged::{damaged, guarded};
use super::input::Origin;
use super::record_batch_source::{PlacedBatch, PlacedBatchReader, RecordBatchSource};
use super::{LineSource, ReadOptions, unreadable, wide_times};
use crate::line_protocol::TagRules;
use crate::record::RecordBatchEncoder;
use crate::{Error, Precision, Result};

pub(super) fn open(
    origin: &Origin<'_>,
    read_options: &ReadOptions,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn LineSource>> {
    let bytes = origin.random_access()?;
    let counter = bytes.counter.clone();
    let (file, metadata, schema) = guarded(|| {
        let mut file = tail::mend(bytes)?;
        let metadata = read_metadata(&mut file).map_err(damaged)?;
        let schema = metadata.root_data_type().create_arrow_schema(&HashMap::new());
        Ok((file, metadata, schema))
    })?;
    let mut encoder = RecordBatchEncoder::new(&schema, &read_options.layout, rules, precision)?;
    let columns = encoder.narrow();
    let stripes = guarded(|| Ok(Stripes::new(file, metadata, &schema, &columns)))?;
    Ok(Box::new(RecordBatchSource::new(stripes, encoder, counter)))
}

/// The stripes, one after the other.
struct Stripes {
    file: MendedFile,
    metadata: FileMetadata,
    /// The columns that are written, what each is decoded as, and those of times among them.
    columns: RootDataType,
    schema: SchemaRef,
    times: Vec<TimeColumn>,
    /// The next stripe.
    next: usize,
    current: Option<CurrentStripe>,
    /// Rows that were read.
    rows: usize,
}

struct CurrentStripe {
    decoder: NaiveStripeDecoder,
    /// The zone of the writer.
    zone: Option<String>,
}

impl Stripes {
    /// `places` are those of the columns that are written.
    fn new(file: MendedFile, metadata: FileMetadata, schema: &Schema, places: &[usize]) -> Self {
        let root = metadata.root_data_type();
        let children = places.iter().filter_map(|&place| root.children().get(place));
        let indices = children.map(|column| column.data_type().column_index());
        let columns = root.project(&ProjectionMask::roots(root, indices));
        let times = TimeColumn::of(columns.children(), &metadata);
        let fields = places.iter().filter_map(|&place| schema.fields().get(place));
        let mut fields: Vec<Field> = fields.map(|field| Field::clone(field)).collect();
        times.iter().for_each(|times| times.decoded_as(&mut fields));
        let schema = Arc::new(Schema::new(fields));
        Self { file, metadata, columns, schema, times, next: 0, current: None, rows: 0 }
    }

    fn open_stripe(&mut self) -> Result<Option<CurrentStripe>> {
        let Some(info) = self.metadata.stripe_metadatas().get(self.next) else { return Ok(None) };
        self.next += 1;
        let stripe = Stripe::new(&mut self.file, &self.metadata, &self.columns, info);
        let stripe = stripe.map_err(damaged)?;
        self.times.iter().try_for_each(|times| times.check_stripe(&stripe))?;
        let zone = stripe.writer_tz().map(|zone| zone.name().to_owned());
        let decoder = NaiveStripeDecoder::new(stripe, self.schema.clone(), BATCH_ROWS);
        Ok(Some(CurrentStripe { decoder: decoder.map_err(damaged)?, zone }))
    }

    /// Makes of what was decoded what is written.
    fn finish(
        &self,
        batch: RecordBatch,
        zone: Option<&str>,
    ) -> Result<RecordBatch, (usize, Error)> {
        let (schema, mut columns, rows) = batch.into_parts();
        for times in &self.times {
            times.finish(&mut columns, zone, self.rows)?;
        }
        wide_times::batch(&schema, columns, rows).map_err(|error| (0, error))
    }
}

impl PlacedBatchReader for Stripes {
    fn next(&mut self) -> Result<Option<PlacedBatch>> {
        let first_row = self.rows;
        let behind = format!("behind row {first_row}");
        loop {
            let Some(current) = &mut self.current else {
                let stripe = self.open_stripe().map_err(|error| error.in_context(&behind))?;
                if stripe.is_some() {
                    self.current = stripe;
                    continue;
                }
                let total = self.metadata.number_of_rows();
                if first_row as u64 != total {
                    return Err(unreadable(format!(
                        "it is damaged: {first_row} rows were read, and it should have {total}"
                    )));
                }
                return Ok(None);
            };
            let Some(batch) = current.decoder.next() else {
                self.current = None;
                continue;
            };
            let zone = current.zone.clone();
            let batch = batch.map_err(|error| damaged(error).in_context(&behind))?;
            let (batch, failed) =
                wide_times::up_to_bad_row(&batch, |batch| self.finish(batch, zone.as_deref()))?;
            self.rows += batch.num_rows();
            return Ok(Some(PlacedBatch { batch, part: String::new(), first_row, failed }));
        }
    }
}

const BATCH_ROWS: usize = 8192;
