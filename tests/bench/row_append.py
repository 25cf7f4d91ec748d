"""Append of 16 KiB batches through `null`, against raw pwrite of the same bytes: Google Benchmark, interleaved."""

import json
import os

from figures import figure
from processes import run_load


def measure(settings):
    repeat = max(settings.repeat, 10)
    command = [os.path.join(settings.bench, "broker_benchmark"), "--benchmark_filter=append", "--benchmark_format=json",
               f"--benchmark_repetitions={repeat + 1}", "--benchmark_enable_random_interleaving=true"]
    runs = [run for run in json.loads(run_load(command, timeout_s=300))["benchmarks"] if run["run_type"] == "iteration"]
    failed = [run["error_message"] for run in runs if run.get("error_occurred")]
    if failed:
        raise RuntimeError(failed[0])
    rates = {name: [run["bytes_per_second"] for run in runs if run["name"].startswith(name)][1:]
             for name in ("append_through_null", "append_raw_pwrite")}
    for name, values in rates.items():
        yield figure(name, [value / 1e9 for value in values], "GB/s")
    ratios = [ours / raw for ours, raw in zip(rates["append_through_null"], rates["append_raw_pwrite"])]
    yield figure("`null` against pwrite", ratios, "times", "at least 0.6", lambda value, _: value >= 0.6)
