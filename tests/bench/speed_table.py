#!/usr/bin/env python3
"""The speed table: each figure a ratio against a limit measured in the same run, interleaved, medians of at least ten.

  speed_table.py BUILD_DIRECTORY [--rows echo,append,...] [--repeat N] [--models epoll,...] [--json FILE]

Nothing here passes or fails: it prints what was measured beside what was hoped for. Two speed regimes 1.5 times apart
are normal on virtual machines, therefore no figure stands alone; see docs/METHODOLOGY.md.
"""

import argparse
import json
import os
import resource
import sys

import row_append
import row_echo
import row_fetch
import row_idle
import row_produce
import row_start

ROWS = {
    "echo": (row_echo.measure, "server CPU per request of each model with an echo host, against the shortest server"),
    "append": (row_append.measure, "append of 16 KiB batches through `null`, against raw pwrite"),
    "fetch": (row_fetch.measure, "fetch of 1 MiB from the page cache, against raw sendfile and pread + send"),
    "produce": (row_produce.measure, "broker CPU per 100-byte record, against receive + CRC-32C + pwrite"),
    "start": (row_start.measure, "start to listening"),
    "idle-memory": (row_idle.measure_memory, "memory of the idle broker and of each idle connection"),
    "idle-cpu": (row_idle.measure_cpu, "CPU of the idle broker with 1,000 idle connections"),
}


class Settings:
    """What every row needs to know; `bench` and `iolab` are paths."""

    def __init__(self, arguments):
        build = os.path.abspath(arguments.build)
        self.iolab = os.path.join(build, "iolab")
        self.bench = os.path.join(build, "bench")
        self.build = build
        self.repeat = arguments.repeat
        self.models = self._models(arguments.models)

    def _models(self, wanted):
        import subprocess
        listed = json.loads(subprocess.run([self.iolab, "models", "--json"], check=True, stdout=subprocess.PIPE).stdout)
        ids = [m["id"] for m in listed["models"] if m["id"] != "null" and m["available"]]
        return [i for i in ids if i in wanted.split(",")] if wanted else ids


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="a release build with -DIOLAB_BENCHMARKS=ON")
    parser.add_argument("--rows", default=",".join(ROWS), help="some of: " + ", ".join(ROWS))
    parser.add_argument("--models", default="", help="some model ids, separated by commas (default: all)")
    parser.add_argument("--repeat", type=int, default=10, help="measurements of each figure (default 10)")
    parser.add_argument("--json", help="also write the figures to this file")
    arguments = parser.parse_args()
    unknown = [row for row in arguments.rows.split(",") if row not in ROWS]
    if unknown:
        parser.error(f"no row {unknown[0]!r}; the rows are {', '.join(ROWS)}")

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    settings = Settings(arguments)
    figures = []
    for row in arguments.rows.split(","):
        measure, title = ROWS[row]
        print(f"\n{row}: {title}", flush=True)
        try:
            for figure in measure(settings):
                figure["row"] = row
                figures.append(figure)
                print("  " + sentence(figure), flush=True)
        except (OSError, RuntimeError) as error:
            figures.append({"row": row, "what": title, "failed": str(error)})
            print(f"  not measured: {error}", flush=True)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"figures": figures}, file, indent=1)
    return 1 if any("failed" in figure for figure in figures) else 0


def sentence(figure):
    if "skipped" in figure:
        return f"{figure['what']:<44} -         {figure['skipped']}"
    low, high = figure["interval"]
    text = f"{figure['what']:<44} {figure['value']:.4g} {figure['unit']} [{low:.4g}, {high:.4g}], n = {figure['n']}"
    if "hoped" in figure:
        text += f"; hoped for: {figure['hoped']} ({'met' if figure['met'] else 'NOT met'})"
    return text + (f"; {figure['note']}" if figure.get("note") else "")


if __name__ == "__main__":
    sys.exit(main())
