"""Writes a file with the Python client and prints the nanoseconds of its best turn and its peak resident KiB.

usage: write_file.py URL FILE
"""

import resource
import sys
import time

from influxdb_client_3 import InfluxDBClient3, SYNCHRONOUS, write_client_options

TURNS = 3

url, path = sys.argv[1:]
options = write_client_options(write_options=SYNCHRONOUS)
best = None
with InfluxDBClient3(host=url, token="t", database="db", write_client_options=options) as client:
    for _ in range(TURNS):
        start = time.perf_counter_ns()
        client.write_file(path, measurement_name="home", tag_columns=["room", "floor"], timestamp_column="time")
        took = time.perf_counter_ns() - start
        best = took if best is None else min(best, took)
print(best, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
