"""Does with InfluxData's client for Python what the JSON on standard input says, and prints what came of it."""

import json
import sys

import pyarrow as pa
from influxdb_client_3 import InfluxDBClient3, Point, WriteOptions, write_client_options

VALUES = {"float": float, "integer": int, "text": str, "boolean": lambda text: text == "true"}


def point_of(what):
    point = Point(what["measurement"])
    for key, value in what["tags"]:
        point.tag(key, value)
    for key, kind, text in what["fields"]:
        point.field(key, VALUES[kind](text))
    return point.time(what["time"], write_precision=what["precision"])


def write(client, task):
    points = [point_of(what) for what in task["points"]]
    client.write(points, write_precision=task["precision"])


def write_dicts(client, task):
    client.write(task["dicts"], write_precision=task["precision"])


def write_file(client, task):
    client.write_file(
        task["file"],
        measurement_name=task["measurement"],
        tag_columns=task["tags"],
        timestamp_column="time",
        write_precision=task["precision"],
    )


def query(client, task):
    """The answer as a stream of Arrow IPC."""
    table = client.query(task["query"], language=task["language"], query_parameters=task["parameters"])
    with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as writer:
        writer.write_table(table)


def version(client, task):
    print(client.get_server_version())


def main():
    task = json.load(sys.stdin)
    options = None
    if "batch_size" in task:
        failures = []
        options = write_client_options(
            write_options=WriteOptions(batch_size=task["batch_size"]),
            error_callback=lambda conf, data, error: failures.append(error),
        )
    with InfluxDBClient3(
        host=task["host"], database=task["database"], token="unused", write_client_options=options
    ) as client:
        globals()[task["do"]](client, task)
    if options and failures:
        raise failures[0]


main()
