"""The Python client on pyarrow, as a process beside the bench: a line asks, a line answers.

`reader QUERY` and `all QUERY` answer with the number of rows; `times COUNT QUERY` with the seconds of so many
queries, one after the other, separated by blanks; `cold COUNT QUERY` the same, with a new client each time.
"""

import sys
import time

from influxdb_client_3 import InfluxDBClient3


def connect(port):
    return InfluxDBClient3(host=f"http://127.0.0.1:{port}", token="token", database="db")


def answer(client, port, line):
    mode, rest = line.split(" ", 1)
    if mode == "reader":
        return sum(batch.num_rows for batch in client.query(rest, mode="reader"))
    if mode == "all":
        return client.query(rest, mode="all").num_rows
    count, query = rest.split(" ", 1)
    times = []
    for _ in range(int(count)):
        start = time.perf_counter()
        used = connect(port) if mode == "cold" else client
        used.query(query, mode="all")
        times.append(time.perf_counter() - start)
    return " ".join(f"{seconds:.9f}" for seconds in times)


def main():
    port = int(sys.argv[1])
    client = connect(port)
    for line in sys.stdin:
        try:
            print(answer(client, port, line.strip()), flush=True)
        except Exception as error:
            print("error:", str(error).replace("\n", " "), flush=True)


main()
