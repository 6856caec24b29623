"""A Flight server of pyarrow, which is Arrow's C++. It listens on a free port, whose number is its first line of output.

A query is the name of a case, and what comes behind a space is its argument. `as file NAME` answers with the case as
pyarrow writes it into a stream of Arrow IPC, in a column of one cell, so that both ways can be compared."""

import datetime
import decimal
import json
import sys
import threading

import pyarrow as pa
import pyarrow.flight as flight

ended = threading.Event()


def dictionary():
    codes = pa.array([2, None, 0, 1, 2], pa.int8())
    return pa.DictionaryArray.from_arrays(codes, pa.array(["Küche", "", "Living Room"]))


def runs():
    ends = pa.array([2, 3, 5], pa.int32())
    return pa.RunEndEncodedArray.from_arrays(ends, pa.array(["a", None, "b"]))


def types():
    """A column of every type that answers are known to have, with nulls."""
    day = datetime.date(2024, 2, 29)
    moment = datetime.datetime(2024, 2, 29, 23, 59, 59, 123456)
    exact = decimal.Decimal("-12345678901234567.89")
    columns = {
        "null": pa.nulls(5),
        "bool": pa.array([True, None, False, True, False]),
        "dictionary": dictionary(),
        "string": pa.array(["", "a\n\"b\"", None, "ß€😀", "x" * 100]),
        "large_string": pa.array(["", "a", None, "ß", "x" * 100], pa.large_string()),
        "string_view": pa.array(["", "short", None, "longer than twelve bytes", "x" * 100], pa.string_view()),
        "binary": pa.array([b"", b"\x00\xff", None, b"abc", b"x" * 100]),
        "binary_view": pa.array([b"", b"\x00\xff", None, b"longer than twelve bytes", b"x"], pa.binary_view()),
        "fixed": pa.array([b"abc", None, b"\x00\x00\x00", b"xyz", b"123"], pa.binary(3)),
        "date32": pa.array([day, None, day, day, day]),
        "date64": pa.array([day, None, day, day, day], pa.date64()),
        "time32": pa.array([1, None, 86399, 0, 5], pa.time32("s")),
        "time64": pa.array([1, None, 86_399_999_999_999, 0, 5], pa.time64("ns")),
        "duration": pa.array([-1, None, 1, 0, 2**62], pa.duration("us")),
        "interval": pa.array([pa.MonthDayNano([1, -2, 3]), None] * 2 + [None], pa.month_day_nano_interval()),
        "decimal128": pa.array([exact, None, exact, exact, exact], pa.decimal128(38, 2)),
        "decimal256": pa.array([exact, None, exact, exact, exact], pa.decimal256(60, 2)),
        "list": pa.array([[1, None], [], None, [3], [4, 5, 6]], pa.list_(pa.int64())),
        "large_list": pa.array([["a"], [], None, [None], ["b", "c"]], pa.large_list(pa.string())),
        "fixed_list": pa.array([[1, 2], None, [3, None], [5, 6], [7, 8]], pa.list_(pa.int32(), 2)),
        "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 2, "b": None}, {"a": 3, "b": ""}]),
        "map": pa.array([[("k", 1)], [], None, [("l", None)], [("m", 2), ("n", 3)]], pa.map_(pa.string(), pa.int64())),
        "runs": runs(),
    }
    for bits in (8, 16, 32, 64):
        for name, low, high in (("int", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1), ("uint", 0, 2**bits - 1)):
            kind = getattr(pa, f"{name}{bits}")()
            columns[f"{name}{bits}"] = pa.array([low, None, high, 0, 1], kind)
    for name, kind in (("half", pa.float16()), ("float", pa.float32()), ("double", pa.float64())):
        columns[name] = pa.array([1.5, None, float("nan"), float("-inf"), -0.0]).cast(kind)
    for unit in ("s", "ms", "us", "ns"):
        for zone in (None, "UTC", "Europe/Berlin"):
            kind = pa.timestamp(unit, zone)
            columns[f"timestamp_{unit}_{zone}"] = pa.array([moment, None] * 2 + [moment]).cast(kind, safe=False)
    return pa.table(columns)


def numbers(start, count):
    values = pa.array(range(start, start + count), pa.int64())
    return pa.record_batch({"n": values, "text": values.cast(pa.string())})


def batches():
    yield numbers(0, 3), b"first"
    yield numbers(3, 0), b"between"
    yield numbers(3, 4), b"second"


def failing(error):
    yield numbers(0, 10)
    yield numbers(10, 10)
    raise error


def endless():
    """Goes on until nobody listens, which `wait for the end` tells."""
    batch = numbers(0, 10_000)
    try:
        while True:
            yield batch
    finally:
        ended.set()


ERRORS = {
    "unavailable": flight.FlightUnavailableError,
    "unauthenticated": flight.FlightUnauthenticatedError,
    "unauthorized": flight.FlightUnauthorizedError,
    "timed out": flight.FlightTimedOutError,
    "cancelled": flight.FlightCancelledError,
    "internal": flight.FlightInternalError,
    "server": flight.FlightServerError,
    "key": KeyError,
    "value": ValueError,
    "type": TypeError,
    "not implemented": NotImplementedError,
}


class NeedsToken(flight.ServerMiddlewareFactory):
    def start_call(self, info, headers):
        if headers.get("authorization") != ["Bearer " + self.token]:
            raise flight.FlightUnauthenticatedError("no such token")


class Server(flight.FlightServerBase):
    def do_get(self, context, ticket):
        query = json.loads(ticket.ticket)["sql_query"]
        if query.startswith("as file "):
            return self.as_file(query.removeprefix("as file "))
        if query.startswith("compressed "):
            options = pa.ipc.IpcWriteOptions(compression=query.removeprefix("compressed "))
            return flight.RecordBatchStream(types(), options)
        if query.startswith("error between rows "):
            error = ERRORS[query.removeprefix("error between rows ")]("the words of the server")
            return flight.GeneratorStream(numbers(0, 0).schema, failing(error))
        if query.startswith("error "):
            raise ERRORS[query.removeprefix("error ")]("the words of the server")
        if query.startswith("numbers "):
            count = int(query.removeprefix("numbers "))
            schema = numbers(0, 0).schema
            return flight.GeneratorStream(schema, (numbers(at, 8192) for at in range(0, count, 8192)))
        if query.startswith("one batch of "):
            count = int(query.removeprefix("one batch of "))
            return flight.RecordBatchStream(pa.Table.from_batches([numbers(0, count)]))
        if query == "endless":
            ended.clear()
            return flight.GeneratorStream(numbers(0, 0).schema, endless())
        if query == "wait for the end":
            return self.answer(pa.table({"ended": [ended.wait(60)]}))
        return self.answer(self.case(query))

    def case(self, name):
        if name == "types":
            return types()
        if name == "no rows":
            return types().slice(0, 0)
        if name == "no columns":
            return pa.table({})
        if name == "batches":
            return flight.GeneratorStream(numbers(0, 0).schema, batches())
        raise KeyError(name)

    def as_file(self, name):
        sink = pa.BufferOutputStream()
        table = self.case(name)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return self.answer(pa.table({"file": pa.array([sink.getvalue().to_pybytes()])}))

    def answer(self, table):
        return flight.RecordBatchStream(table) if isinstance(table, pa.Table) else table


def main():
    options = json.loads(sys.argv[1])
    location = "grpc://127.0.0.1:0"
    arguments = {}
    if "certificate" in options:
        location = "grpc+tls://127.0.0.1:0"
        arguments["tls_certificates"] = [(options["certificate"], options["key"])]
    if "client_authority" in options:
        arguments.update(verify_client=True, root_certificates=options["client_authority"])
    if "token" in options:
        needs = NeedsToken()
        needs.token = options["token"]
        arguments["middleware"] = {"token": needs}
    server = Server(location, **arguments)
    print(server.port, flush=True)
    server.serve()


main()
