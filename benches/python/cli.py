"""How fast the command influx3 is, how much memory it takes, how large it is and how soon it starts.

usage: cli.py NAME=PATH...

Each PATH is a build of the command. The first one is measured in full, beside the Python client of this interpreter
(`install.sh`); of the others the size, the start and the import of the large CSV. Servers are processes of their own:
a sink that reads what it is sent and answers 204, and Arrow's own Flight server, which streams a record batch again and
again. Environment: GB (of the large CSV, 2.4), ROWS (of the other files, 10 million), TURNS (3; the best one counts),
WORK (where the files are made, and kept for the next run; the system's folder for temporary files otherwise).
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pyarrow as pa
import pyarrow.csv
import pyarrow.flight
import pyarrow.parquet

GB = float(os.environ.get("GB", "2.4"))
ROWS = int(os.environ.get("ROWS", "10000000"))
TURNS = int(os.environ.get("TURNS", "3"))
WORK = pathlib.Path(os.environ.get("WORK") or pathlib.Path(tempfile.gettempdir()) / "influx3-bench")
# What the Python client holds of a file is many times the file.
PEER_ROWS = 500_000
BATCH = 8192
START = 1_641_024_000_000_000_000
HOME = ["--measurement", "home", "--tag", "room", "--tag", "floor"]


def home(first, rows):
    """The rows of a house from this number on: as `src/files/tables.rs` has them."""
    numbers = range(first, first + rows)
    rooms = ["Kitchen", "Living Room", "Bath"]
    return pa.record_batch(
        {
            "time": pa.array([START + n for n in numbers], pa.timestamp("ns")),
            "room": pa.array([rooms[n % 3] for n in numbers]).dictionary_encode(),
            "floor": pa.array([str(n // 3 % 2) for n in numbers]),
            "temp": pa.array([(180 + n % 90) / 10 for n in numbers]),
            "hum": pa.array([(3000 + n % 997) / 100 for n in numbers]),
            "co": pa.array([n % 30 for n in numbers]),
        }
    )


# ---- servers


def sink():
    """Reads requests and counts them; a line on standard input asks for the counts since the last one."""
    counts = [0, 0]
    lock = threading.Lock()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(stream):
        buffer = bytearray(1 << 20)
        view, filled = memoryview(buffer), 0
        while True:
            while (end := buffer.find(b"\r\n\r\n", 0, filled)) < 0:
                read = stream.recv_into(view[filled:])
                if not read:
                    return
                filled += read
            head = bytes(buffer[:end]).lower()
            if b"expect: 100-continue" in head:
                stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            missing = body - (filled - end - 4)
            while missing > 0:
                read = stream.recv_into(view[: min(missing, len(buffer))])
                if not read:
                    return
                missing -= read
            filled = 0
            with lock:
                counts[0] += 1
                counts[1] += body
            stream.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    for _ in sys.stdin:
        with lock:
            print(*counts, flush=True)
            counts[:] = [0, 0]


def flight():
    """Answers every ticket with so many rows."""
    batch = home(0, BATCH)

    class Server(pa.flight.FlightServerBase):
        def do_get(self, context, ticket):
            def batches():
                left = ROWS
                while left > 0:
                    yield batch.slice(0, min(left, BATCH))
                    left -= BATCH

            reader = pa.RecordBatchReader.from_batches(batch.schema, batches())
            return pa.flight.RecordBatchStream(reader)

    server = Server("grpc://127.0.0.1:0")
    print(server.port, flush=True)
    sys.stdin.read()


class Process:
    """A server, which ends with its standard input."""

    def __init__(self, which):
        command = [sys.executable, __file__, which]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def counts(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return [int(number) for number in self.process.stdout.readline().split()]


# ---- files


def files():
    WORK.mkdir(parents=True, exist_ok=True)
    large, parquet, peer = WORK / f"home-{GB}.csv", WORK / f"home-{ROWS}.parquet", WORK / f"home-{PEER_ROWS}.csv"
    rooms = ["Kitchen", "Living Room", "Bath"]
    row = "{},{},{},{:.1f},{:.2f},{}\n".format
    for path, is_whole in [
        (large, lambda out, n: out.tell() >= GB * 1e9),
        (peer, lambda out, n: n >= PEER_ROWS),
    ]:
        if path.exists():
            continue
        # The values of a row but its time come back after 90 * 997 rows, which are made once.
        tails = [
            row("", rooms[n % 3], n // 3 % 2, (180 + n % 90) / 10, (3000 + n % 997) / 100, n % 30)
            for n in range(90 * 997)
        ]
        part, n = path.with_suffix(".part"), 0
        with open(part, "w", buffering=1 << 20) as out:
            out.write("time,room,floor,temp,hum,co\n")
            while not is_whole(out, n):
                step = min(10_000, PEER_ROWS)
                out.write("".join(f"{START + k}{tails[k % len(tails)]}" for k in range(n, n + step)))
                n += step
        part.rename(path)
    if not parquet.exists():
        part = parquet.with_suffix(".part")
        schema = home(0, 1).schema
        with pa.parquet.ParquetWriter(part, schema, compression="snappy") as out:
            for first in range(0, ROWS, 1 << 20):
                out.write_batch(home(first, min(1 << 20, ROWS - first)))
        part.rename(parquet)
    return large, parquet, peer


# ---- measuring


# Linux counts the memory of who starts a process as that process's own, so this is done by one that has little.
STARTER = """
import os, sys, time
start = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
with open(sys.argv[1], "w") as told:
    print(time.perf_counter() - start, usage.ru_maxrss * 1024 / 1e6, status, file=told)
"""


def run(command):
    """Runs it; seconds, peak of resident MB, standard output."""
    command = [str(word) for word in command]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("INFLUX")}
    told = WORK / "measured"
    starter = [sys.executable, "-I", "-S", "-c", STARTER, told, *command]
    out = subprocess.run(starter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, check=True).stdout
    seconds, peak, status = told.read_text().split()
    assert status == "0", (command, status)
    return float(seconds), float(peak), out


def best(command, turns=TURNS, check=lambda out: None):
    times, peaks = [], []
    for _ in range(turns):
        seconds, peak, out = run(command)
        check(out)
        times.append(seconds)
        peaks.append(peak)
    return min(times), max(peaks)


def load():
    return f"load {os.getloadavg()[0]:.2f}"


def write(sink, name, command, rows, turns=TURNS):
    """`rows` is a number, or None if the command says it."""
    said = []

    def check(out):
        lines = json.loads(out)["lines"] if out.strip() else rows
        said.append(lines)
        assert rows in (None, lines), (rows, lines)
        # No line is shorter.
        assert sink.counts()[1] > 60 * lines, "it has written next to nothing"

    sink.counts()
    seconds, peak = best(command, turns, check)
    print(f"| {name} | {said[0]:,} | {seconds:.2f} | {said[0] / seconds:,.0f} | {peak:.0f} | {load()} |", flush=True)


def query(name, command, out):
    def check(_):
        if out.suffix == ".csv":
            with open(out, "rb") as lines:
                count = sum(part.count(b"\n") for part in iter(lambda: lines.read(1 << 20), b""))
            assert count == ROWS + 1, count
        else:
            assert pa.parquet.read_metadata(out).num_rows == ROWS
        out.unlink()

    turns = TURNS if "Python" not in name else 1
    seconds, peak = best(command, turns, check)
    print(f"| {name} | {seconds:.2f} | {ROWS / seconds:,.0f} | {peak:.0f} | {load()} |", flush=True)


def starts(path):
    """Milliseconds that it takes to say its version, and then to do nothing at all."""
    count = 200

    def mean(command):
        out = os.open(os.devnull, os.O_WRONLY)
        start = time.perf_counter()
        for _ in range(count):
            actions = [(os.POSIX_SPAWN_DUP2, out, 1)]
            os.waitpid(os.posix_spawn(command[0], command, os.environ, file_actions=actions), 0)
        return (time.perf_counter() - start) / count * 1e3

    return mean([path, "--version"]), mean(["/bin/true"])


PEER_QUERY = """
import sys, pyarrow.csv, pyarrow.parquet
from influxdb_client_3 import InfluxDBClient3
client = InfluxDBClient3(host=sys.argv[1], token="t", database="db")
table = client.query("SELECT 1", mode="all")
if sys.argv[2].endswith(".csv"):
    pyarrow.csv.write_csv(table, sys.argv[2])
else:
    pyarrow.parquet.write_table(table, sys.argv[2], compression="zstd")
"""
PEER_WRITE = """
import sys
from influxdb_client_3 import InfluxDBClient3, SYNCHRONOUS, write_client_options
options = write_client_options(write_options=SYNCHRONOUS)
with InfluxDBClient3(host=sys.argv[1], token="t", database="db", write_client_options=options) as client:
    client.write_file(sys.argv[2], measurement_name="home", tag_columns=["room", "floor"], timestamp_column="time")
"""


def main(builds):
    large, parquet, peer = files()
    print(f"{os.cpu_count()} cores, best of {TURNS} turns, {large.stat().st_size / 1e9:.2f} GB of CSV, {load()}\n")
    print("| build | bytes | ms to `--version` | ms of `true` |\n|---|---|---|---|", flush=True)
    for name, path in builds:
        version, nothing = starts(path)
        print(f"| {name} | {os.path.getsize(path):,} | {version:.1f} | {nothing:.1f} |", flush=True)
    print("\n| written | rows | seconds | rows/s | peak MB | |\n|---|---|---|---|---|---|", flush=True)
    server = Process("sink")
    first = builds[0][1]
    for name, path in builds:
        command = [path, "write", "--host", server.url, "-d", "db", "--json", "-q", *HOME]
        write(server, f"{name}: CSV of {large.stat().st_size / 1e9:.1f} GB", [*command, large], None)
    command = [first, "write", "--host", server.url, "-d", "db", "--json", "-q", *HOME]
    write(server, f"{builds[0][0]}: Parquet", [*command, parquet], ROWS)
    write(server, f"{builds[0][0]}: small CSV", [*command, peer], PEER_ROWS)
    write(server, "Python's write_file: small CSV", [sys.executable, "-c", PEER_WRITE, server.url, peer], PEER_ROWS, 1)
    print(f"\n| queried: {ROWS:,} rows | seconds | rows/s | peak MB | |\n|---|---|---|---|---|", flush=True)
    server = Process("flight")
    for ending in ["csv", "parquet"]:
        out = WORK / f"answer.{ending}"
        for name, path in builds[:1]:
            query(f"{name}: to {ending}", [path, "q", "-H", server.url, "-d", "db", "-q", "SELECT 1", "-o", out], out)
        query(
            f'Python\'s query(mode="all") and pyarrow: to {ending}',
            [sys.executable, "-c", PEER_QUERY, server.url, out],
            out,
        )
    out = WORK / "answer.csv"
    theirs = [sys.executable, "-m", "influxdb_client_3", "query", "-H", server.url, "-d", "db", "--token", "t"]
    query("the influx3 of the Python client: to csv", [*theirs, "--format", "csv", "-o", out, "SELECT 1"], out)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sink"]:
            sink()
        case ["flight"]:
            flight()
        case [_, *_] as builds if all("=" in build for build in builds):
            main([build.split("=", 1) for build in builds])
        case _:
            sys.exit(__doc__)
