//! `POST /api/v3/write_lp` and `POST /api/v2/write`.

use bytes::Bytes;
use http::{StatusCode, request::Parts};

use super::{
    Answer, Closed,
    body::{self, BodyError},
    names::{check_bucket, check_database},
    params::{self, Params},
    text,
};
use crate::{
    Fault, clock,
    lines::{self, DuplicateTag, LineError, Options},
    release::Release,
    shared::Shared,
};

/// Bytes of a faulty line that are shown.
const SHOWN: usize = 20;

/// Why a write was not all taken.
enum Refused {
    Empty,
    DuplicateTag(DuplicateTag),
    Fault(Fault),
    /// Nothing is stored if `accept_partial` was off, else the other lines are.
    Lines(Vec<LineError>),
}

pub(super) async fn v3(shared: &Shared, parts: &Parts, body: &Bytes) -> Result<Answer, Closed> {
    let params = match params::v3(parts.uri.query()) {
        Ok(params) => params,
        Err(error) => return Ok(text(StatusCode::BAD_REQUEST, error)),
    };
    if let Err(error) = check_database(&params.database, shared.release.max_name()) {
        let body = format!("{{\"error\":{}}}", json(&error));
        return Ok(text(StatusCode::BAD_REQUEST, body));
    }
    match take(shared, &params, parts, body).await {
        Err(error) => {
            let status = match error {
                BodyError::Encoding(_) => StatusCode::BAD_REQUEST,
                _ if !shared.release.tells_bodies_apart() => StatusCode::INTERNAL_SERVER_ERROR,
                BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            Ok(text(status, error.to_string()))
        }
        Ok(Ok(())) => Ok(super::no_content()),
        Ok(Err(Refused::Empty)) => Ok(text(StatusCode::BAD_REQUEST, "incoming write was empty")),
        Ok(Err(Refused::DuplicateTag(tag))) => Ok(duplicate(&tag)),
        Ok(Err(Refused::Fault(fault))) => {
            let message = format!("write buffer error: {fault}");
            Ok(text(StatusCode::INTERNAL_SERVER_ERROR, message))
        }
        Ok(Err(Refused::Lines(errors))) => {
            if shared.panics_like_3_6 && errors.iter().any(|error| cut_splits_char(&error.line)) {
                return Err(Closed);
            }
            Ok(refuse_lines(&errors, params.accept_partial, shared.release))
        }
    }
}

pub(super) async fn v2(shared: &Shared, parts: &Parts, body: &Bytes) -> Answer {
    let invalid = |message: &str| v2_error(StatusCode::BAD_REQUEST, "invalid", message);
    let params = match params::v2(parts.uri.query()) {
        Ok(params) => params,
        Err(error) => return invalid(&error),
    };
    let most = shared.release.max_name();
    let named =
        check_bucket(&params.database, most).and_then(|()| check_database(&params.database, most));
    if let Err(error) = named {
        return invalid(&error);
    }
    match take(shared, &params, parts, body).await {
        Err(error @ BodyError::TooLarge(_)) => {
            v2_error(StatusCode::PAYLOAD_TOO_LARGE, "request too large", &error.to_string())
        }
        Err(error) => invalid(&error.to_string()),
        Ok(Ok(())) => super::no_content(),
        Ok(Err(Refused::Empty)) => invalid("write buffer error: incoming write was empty"),
        Ok(Err(Refused::DuplicateTag(tag))) => duplicate(&tag),
        Ok(Err(Refused::Fault(fault))) => {
            let message = format!("write buffer error: {fault}");
            match fault {
                Fault::Stopping if shared.release.says_that_it_stops() => {
                    v2_error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &message)
                }
                _ => invalid(&message),
            }
        }
        Ok(Err(Refused::Lines(_))) => {
            invalid("write buffer error: parsing for line protocol failed")
        }
    }
}

async fn take(
    shared: &Shared,
    params: &Params,
    parts: &Parts,
    body: &Bytes,
) -> Result<Result<(), Refused>, BodyError> {
    shared.holds.pass().await;
    if let Some(Fault::Slow(wait)) = shared.fault() {
        tokio::time::sleep(wait).await;
    }
    let decoded = body::decode(&parts.headers, body, shared.max_request_bytes, shared.release)?;
    let Stored { is_logged, outcome } = store(shared, params, body::text(&decoded)?);
    if is_logged && !params.no_sync {
        shared.wal.flushed().await;
    }
    Ok(outcome)
}

struct Stored {
    /// Whether there is something in the WAL, so that a durable write waits for it.
    is_logged: bool,
    outcome: Result<(), Refused>,
}

impl From<Refused> for Stored {
    fn from(refused: Refused) -> Stored {
        Stored { is_logged: false, outcome: Err(refused) }
    }
}

/// All writes run on the server's one thread and nothing here awaits, so no other write can change a
/// schema between the check and the storing.
fn store(shared: &Shared, params: &Params, body: &str) -> Stored {
    let fault = shared.fault().filter(|fault| !matches!(fault, Fault::Slow(_)));
    if fault == Some(Fault::CompactorOnly) {
        return Refused::Fault(Fault::CompactorOnly).into();
    }
    let options = Options {
        precision: params.precision,
        accept_partial: params.accept_partial,
        now: clock::now_nanos(),
        release: shared.release,
    };
    let checked = match lines::check(body, &shared.store, &params.database, options) {
        Ok(checked) => checked,
        Err(tag) => return Refused::DuplicateTag(tag).into(),
    };
    if !checked.errors.is_empty() && !params.accept_partial {
        return Refused::Lines(checked.errors).into();
    }
    let is_logged = !checked.rows.rows.is_empty();
    match fault.filter(|_| is_logged) {
        // Without a wait for the WAL the client gets no error.
        Some(Fault::ObjectStore) if params.no_sync => {}
        Some(fault) => {
            let is_logged = fault == Fault::ObjectStore;
            return Stored { is_logged, outcome: Err(Refused::Fault(fault)) };
        }
        // The database is there from now on, even if there was no line in the body.
        None => shared.store.write(&params.database, checked.rows),
    }
    let outcome = if checked.lines == 0 {
        Err(Refused::Empty)
    } else if checked.errors.is_empty() {
        Ok(())
    } else {
        Err(Refused::Lines(checked.errors))
    };
    Stored { is_logged, outcome }
}

/// With `accept_partial` the data are a list, else they are one object: the real server does that.
fn refuse_lines(errors: &[LineError], accept_partial: bool, release: Release) -> Answer {
    let entries: Vec<String> = errors.iter().map(entry).collect();
    if !accept_partial {
        let (error, data) = (json(release.line_error()), entries.join(","));
        let body = format!("{{\"error\":{error},\"data\":{data}}}");
        return text(StatusCode::BAD_REQUEST, body);
    }
    let limit = "Update to schema would exceed number of";
    let status = if errors.iter().any(|error| error.message.starts_with(limit)) {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::BAD_REQUEST
    };
    let body = format!(
        "{{\"error\":\"partial write of line protocol occurred\",\"data\":[{}]}}",
        entries.join(",")
    );
    text(status, body)
}

fn entry(error: &LineError) -> String {
    format!(
        "{{\"error_message\":{},\"line_number\":{},\"original_line\":{}}}",
        json(&error.message),
        error.number,
        json(cut(&error.line))
    )
}

/// The beginning of a line, shortened to a whole character. Release 3.6 cuts through it and
/// panics, 3.10 does as here.
fn cut(line: &str) -> &str {
    let mut end = line.len().min(SHOWN);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    &line[..end]
}

fn cut_splits_char(line: &str) -> bool {
    line.len() > SHOWN && !line.is_char_boundary(SHOWN)
}

fn duplicate(tag: &DuplicateTag) -> Answer {
    text(StatusCode::INTERNAL_SERVER_ERROR, tag.to_string())
}

fn v2_error(status: StatusCode, code: &str, message: &str) -> Answer {
    text(status, format!("{{\"code\":{},\"message\":{}}}", json(code), json(message)))
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
