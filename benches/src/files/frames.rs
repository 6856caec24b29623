//! The tables as data frames: of our polars and of the peer's, which is an older one.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType as ArrowType;
use influxdb3_blocking::{Client, Frame};
use influxdb3_client::write_dataframe::DataFrameWrite;

use crate::tables;

macro_rules! frame_of {
    ($batch:expr, $($polars:ident)::+) => {{
        use $($polars)::+::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit};
        let batch: RecordBatch = $batch;
        let column = |(field, array): (&arrow_schema::FieldRef, &arrow_array::ArrayRef)| -> Column {
            let name = field.name().as_str().into();
            let series = match field.data_type() {
                ArrowType::Timestamp(..) => {
                    let values = array.as_primitive::<TimestampNanosecondType>().values();
                    let numbers = Series::new(name, &values[..]);
                    numbers.cast(&DataType::Datetime(TimeUnit::Nanoseconds, None)).expect("times")
                }
                ArrowType::Float64 => {
                    Series::new(name, &array.as_primitive::<Float64Type>().values()[..])
                }
                ArrowType::Int64 => Series::new(name, &array.as_primitive::<Int64Type>().values()[..]),
                _ => Series::new(name, texts(array)),
            };
            series.into_column()
        };
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(column).collect();
        DataFrame::new_infer_height(columns).expect("a frame")
    }};
}

pub type Ours = influxdb3_blocking::polars_core::frame::DataFrame;
pub type Theirs = polars::frame::DataFrame;

pub fn ours(batch: RecordBatch) -> Ours {
    frame_of!(batch, influxdb3_blocking::polars_core::prelude)
}

pub fn theirs(batch: RecordBatch) -> Theirs {
    frame_of!(batch, polars::prelude)
}

fn texts(array: &dyn Array) -> Vec<String> {
    match array.data_type() {
        ArrowType::Dictionary(..) => {
            let dictionary = array.as_dictionary::<arrow_array::types::Int32Type>();
            let values = dictionary.downcast_dict::<arrow_array::StringArray>().expect("texts");
            values.into_iter().flatten().map(str::to_owned).collect()
        }
        _ => array.as_string::<i32>().iter().flatten().map(str::to_owned).collect(),
    }
}

pub fn write(client: &Client, frame: &Ours) {
    let tags = frame.get_column_names().into_iter().filter(|name| tables::is_tag(name));
    let frame = Frame::new(frame).measurement("home").tags(tags.map(|name| name.as_str()));
    client.write(frame).send().expect("a written frame");
}

/// With its own defaults.
pub struct Peer {
    runtime: tokio::runtime::Runtime,
    client: influxdb3_client::Client,
}

impl Peer {
    pub fn new(url: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let config = influxdb3_client::ClientConfig::builder().host(url).token("t").database("db");
        let client = influxdb3_client::Client::new(config.build().expect("a configuration"));
        let client = runtime.block_on(client).expect("a client");
        Self { runtime, client }
    }

    pub fn write(&self, frame: &Theirs) {
        let names = frame.get_column_names();
        let tags: Vec<&str> =
            names.iter().map(|name| name.as_str()).filter(|name| tables::is_tag(name)).collect();
        let write = DataFrameWrite::new(frame, "home").tags(&tags).timestamp_column("time");
        self.runtime.block_on(async { self.client.write(write).await }).expect("a written frame");
    }
}
