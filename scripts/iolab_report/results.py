"""Reads results.json, and says in one sentence why a file cannot be used.

The shape is that of experiments/RESULTS.md. Members that are missing and optional are filled in with "none" here, so
that whoever draws asks no questions; members that are unknown are left alone.
"""

import json

SCHEMA = "iolab-results-1"
LISTS = (
    "found", "notes", "series", "axes", "charts", "tables", "cells", "ceilings", "environment", "method", "threats",
    "think", "next",
)  # fmt: skip


class ResultsError(Exception):
    """One sentence: what is wrong, where, and what to do now."""


def read_results(path):
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultsError(
            f"{path} does not exist; `iolab report RUN` computes it from the trials of a run"
        ) from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ResultsError(f"{path} cannot be read: {error}; `iolab report RUN` writes it anew") from error
    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != SCHEMA:
        raise ResultsError(f"{path} is of schema {schema!r}, not {SCHEMA!r}; `iolab report RUN` writes it anew")
    for member in LISTS:
        results.setdefault(member, [])
    results.setdefault("run", {})
    results.setdefault("words", {})
    return results


def series_by_id(results):
    return {series["id"]: series for series in results["series"]}


def tick_label(axis, at):
    """The label of the place `at` on an axis, as the file names it; empty where it names none."""
    return next((tick["label"] for tick in axis.get("ticks", ()) if tick["at"] == at), "")


def source_of(event):
    """Where a call of a trace was made, and what that line said when it was built, as far as the trace knows."""
    where, source = event.get("where", ""), event.get("source", "")
    return f"{where}: {source}" if where and source else where


def with_source(text, event):
    """The same behind a text, for a tooltip: there it is part of a name in double quotes, so it has none of its own."""
    source = source_of(event)
    return (f"{text} ({source})" if source else text).replace('"', "'")
