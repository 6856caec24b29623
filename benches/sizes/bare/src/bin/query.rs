//! Writes a line, queries and shows what comes: one POST over ureq, compressed, and one `DoGet` over tonic, whose
//! messages arrow-ipc reads.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, StringArray, make_array};
use arrow_buffer::Buffer;
use arrow_data::transform::MutableArrayData;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::read_record_batch;
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{DataType, Field, Schema};
use bytes::{Buf, Bytes};
use http::uri::PathAndQuery;
use prost::encoding::{DecodeContext, bytes as bytes_field, skip_field};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{ClientTlsConfig, Endpoint};

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let host = std::env::var("INFLUX_HOST")?;
    let token = format!("Bearer {}", std::env::var("INFLUX_TOKEN")?);
    let mut body = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    body.write_all(b"home,room=Kitchen temp=21.5\n")?;
    let request = ureq::post(format!("{host}/api/v2/write?bucket=db"));
    let request = request.header("authorization", &token).header("content-encoding", "gzip");
    request.send(&body.finish()?[..])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(query(host, &token))
}

async fn query(host: String, token: &str) -> Result<(), Error> {
    let tls = ClientTlsConfig::new().with_webpki_roots();
    let channel = Endpoint::from_shared(host)?.tls_config(tls)?.connect().await?;
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await?;
    let ticket =
        &br#"{"database":"db","sql_query":"SELECT room, temp FROM home","query_type":"sql"}"#[..];
    let mut request = tonic::Request::new(Bytes::from_static(ticket));
    request.metadata_mut().insert("authorization", token.parse()?);
    let path = PathAndQuery::from_static("/arrow.flight.protocol.FlightService/DoGet");
    let mut stream = grpc.server_streaming(request, path, Flight).await?.into_inner();
    let mut schema: Option<Arc<Schema>> = None;
    let mut dictionaries: HashMap<i64, ArrayRef> = HashMap::new();
    while let Some((header, body)) = stream.message().await? {
        let message = root_as_message(&header).map_err(|error| error.to_string())?;
        let version = message.version();
        let body = Buffer::from_vec(body.to_vec());
        match message.header_type() {
            MessageHeader::Schema => {
                let found = message.header_as_schema().ok_or("no schema")?;
                schema = Some(Arc::new(fb_to_schema(found)));
            }
            MessageHeader::DictionaryBatch => {
                let dictionary = message.header_as_dictionary_batch().ok_or("no dictionary")?;
                let schema = schema.clone().ok_or("no schema")?;
                let number = dictionary.id();
                #[allow(deprecated)] // as arrow-ipc itself does
                let fields = schema.fields_with_dict_id(number);
                let field = fields.first().ok_or("no field")?;
                let DataType::Dictionary(_, values) = field.data_type() else {
                    return Err("no dictionary".into());
                };
                let own = Schema::new(vec![Field::new("", values.as_ref().clone(), true)]);
                let batch = dictionary.data().ok_or("no values")?;
                let batch =
                    read_record_batch(&body, batch, Arc::new(own), &dictionaries, None, &version)?;
                let mut values = Arc::clone(batch.column(0));
                if let Some(before) = dictionaries.get(&number).filter(|_| dictionary.isDelta()) {
                    let (first, second) = (before.to_data(), values.to_data());
                    let count = first.len() + second.len();
                    let mut both = MutableArrayData::new(vec![&first, &second], false, count);
                    both.try_extend(0, 0, first.len())?;
                    both.try_extend(1, 0, second.len())?;
                    values = make_array(both.freeze());
                }
                dictionaries.insert(number, values);
            }
            MessageHeader::RecordBatch => {
                let batch = message.header_as_record_batch().ok_or("no batch")?;
                let schema = schema.clone().ok_or("no schema")?;
                let batch = read_record_batch(&body, batch, schema, &dictionaries, None, &version)?;
                let texts = batch.column(0).as_any().downcast_ref::<StringArray>();
                let floats = batch.column(1).as_any().downcast_ref::<Float64Array>();
                let (Some(texts), Some(floats)) = (texts, floats) else {
                    return Err("other columns".into());
                };
                for row in 0..batch.num_rows() {
                    println!("{:?} {:?}", texts.value(row), floats.value(row));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A ticket goes, the header and the body of a `FlightData` come.
#[derive(Default)]
struct Flight;

impl Codec for Flight {
    type Encode = Bytes;
    type Decode = (Bytes, Bytes);
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Flight {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        to.reserve(item.len() + 16);
        bytes_field::encode(1, &item, to);
        Ok(())
    }
}

impl Decoder for Flight {
    type Item = (Bytes, Bytes);
    type Error = tonic::Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, tonic::Status> {
        let mut message = from.copy_to_bytes(from.remaining());
        let (mut header, mut body) = (Bytes::new(), Bytes::new());
        let mut read = || -> Result<(), prost::DecodeError> {
            while message.has_remaining() {
                let (tag, wire_type) = prost::encoding::decode_key(&mut message)?;
                let context = DecodeContext::default();
                match tag {
                    2 => bytes_field::merge(wire_type, &mut header, &mut message, context)?,
                    1000 => bytes_field::merge(wire_type, &mut body, &mut message, context)?,
                    _ => skip_field(wire_type, tag, &mut message, context)?,
                }
            }
            Ok(())
        };
        read().map_err(|error| tonic::Status::internal(error.to_string()))?;
        Ok(Some((header, body)))
    }
}
