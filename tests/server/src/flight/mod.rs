//! The Flight half: `DoGet` with a JSON ticket.

mod errors;
pub(crate) mod sql;
mod stream;
pub(crate) mod ticket;
pub(crate) mod worker;

use std::sync::Arc;

use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo,
    HandshakeRequest, HandshakeResponse, PollInfo, PutResult, SchemaResult,
    flight_service_server::{FlightService, FlightServiceServer},
};
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::BoxStream;
use http::{HeaderMap, Method};
use tonic::{Request, Response, Status, Streaming};

use self::ticket::{Language, Ticket};
use crate::{http::token, influxql, shared::Shared, tasks::Tasks, tokens::Access};

/// Flight as a service that a connection can call.
pub(crate) type Server = FlightServiceServer<Flight>;

/// Messages received may have 4 MiB, messages sent may have any size.
pub(crate) fn service(shared: Arc<Shared>, tasks: Tasks) -> Server {
    FlightServiceServer::new(Flight { shared, tasks })
}

#[derive(Debug)]
pub(crate) struct Flight {
    shared: Arc<Shared>,
    tasks: Tasks,
}

type Answers<T> = BoxStream<'static, Result<T, Status>>;

#[tonic::async_trait]
impl FlightService for Flight {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Answers<FlightData>;
    type DoPutStream = Answers<PutResult>;
    type DoActionStream = Answers<arrow_flight::Result>;
    type ListActionsStream = Answers<ActionType>;
    type DoExchangeStream = Answers<FlightData>;

    async fn do_get(
        &self,
        request: Request<arrow_flight::Ticket>,
    ) -> Result<Response<Self::DoGetStream>, Status> {
        let (metadata, _, ticket) = request.into_parts();
        let headers = metadata.into_headers();
        self.shared.requests.push(|| crate::Request {
            method: Method::POST,
            path: "/arrow.flight.protocol.FlightService/DoGet".to_owned(),
            query: String::new(),
            headers: headers.clone(),
            body: ticket.ticket.clone(),
            encoded_len: ticket.ticket.len(),
        });
        // The ticket is read before the token is checked.
        let ticket = Ticket::parse(&ticket.ticket)
            .map_err(|_| Status::invalid_argument("Invalid ticket. Error: Invalid ticket"))?;
        self.authenticate(&headers)?;
        let batches = self.query(ticket).await?;
        Ok(Response::new(stream::messages(batches, self.shared.keep_alive_interval)))
    }

    async fn handshake(
        &self,
        _request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        Err(not_here("Handshake"))
    }

    async fn list_flights(
        &self,
        _request: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        Err(Status::unimplemented("Not yet implemented: list_flights"))
    }

    async fn get_flight_info(
        &self,
        _request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        Err(not_here("GetFlightInfo"))
    }

    async fn poll_flight_info(
        &self,
        _request: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        Err(Status::unimplemented("Not yet implemented"))
    }

    async fn get_schema(
        &self,
        _request: Request<FlightDescriptor>,
    ) -> Result<Response<SchemaResult>, Status> {
        Err(Status::unimplemented("Not yet implemented: get_schema"))
    }

    async fn do_put(
        &self,
        _request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        Err(not_here("DoPut"))
    }

    async fn do_exchange(
        &self,
        _request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        Err(Status::unimplemented("Not yet implemented: do_exchange"))
    }

    async fn do_action(
        &self,
        _request: Request<Action>,
    ) -> Result<Response<Self::DoActionStream>, Status> {
        Err(not_here("DoAction"))
    }

    async fn list_actions(
        &self,
        _request: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        Err(Status::unimplemented("Not yet implemented: list_actions"))
    }
}

impl Flight {
    /// A malformed header is no token, other than on the HTTP path.
    fn authenticate(&self, headers: &HeaderMap) -> Result<(), Status> {
        let token = token(headers).ok().flatten();
        match self.shared.tokens.access(token.as_deref()) {
            Access::Granted => Ok(()),
            Access::Unknown => Err(Status::unauthenticated("Unauthenticated")),
            Access::Expired => Err(Status::permission_denied("Permission denied")),
        }
    }

    async fn query(&self, ticket: Ticket) -> Result<SendableRecordBatchStream, Status> {
        let Ticket { database, query, language, params } = ticket;
        if !self.shared.store.has_database(&database) {
            let name = if database.is_empty() { String::new() } else { format!(": {database}") };
            return Err(Status::internal(format!(
                "Cannot retrieve database: External error: database not found{name}"
            )));
        }
        match language {
            Language::Sql => {
                let query = sql::query(self.shared.clone(), database, query, params);
                let planned = worker::run(&self.tasks, query).await;
                planned.map_err(|error| errors::planning(&error, self.shared.release))
            }
            Language::InfluxQl => {
                let query = influxql::query(self.shared.clone(), database, query, params);
                let planned = worker::run(&self.tasks, query).await;
                planned.map_err(|error| errors::planning(&error, self.shared.release))
            }
        }
    }
}

/// What the real server has and this one has not.
fn not_here(method: &str) -> Status {
    Status::unimplemented(format!("the dev server has no {method}, only DoGet"))
}
