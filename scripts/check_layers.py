#!/usr/bin/env python3
"""Who may include whom: one table, checked over every source file of the tree.

The way of the data is the order of the folders, and includes point one way along it. An entry of LAYERS is read as
"a file whose path starts with this may include project headers from these places, and libraries by these prefixes".
The C++ standard library and the operating system are open to all, less what an entry forbids. The longest matching
prefix decides. Prints file:line and the rule for each include that breaks it, and ends with 1; otherwise with 0.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Layer:
    may_include: tuple  # prefixes of project headers
    libraries: tuple = ()  # prefixes of library headers
    forbidden: tuple = ()  # (pattern, why): lines that must not occur


SOCKETS = (r"#\s*include\s*<(sys/socket|netinet/|arpa/|poll|sys/epoll|sys/select|liburing)", "no sockets here")
CLOCKS = (r"(system_clock|steady_clock|high_resolution_clock)::now|\bclock_gettime\s*\(", "time is an argument here")
THREADS = (r"std::j?thread\b|std::async\b|\bpthread_create\b", "no threads of its own here")
FILES = (
    r"#\s*include\s*<(fstream|fcntl\.h)>|\b(pwrite|pwritev|fsync|fdatasync)\s*\(",
    "only broker/storage opens, writes or syncs a file",
)

COMMANDS = ("experiments/command.h",)


def lab_layers():
    """The folders of the lab, each of which may include itself and those before it: so data flow through a run."""
    folders = ("words", "spec", "statistics", "machine", "run", "judging", "report", "trace", "claims", "doctor",
               "commands")
    outside = ("clients/", "broker/base/", "io_models/counters.h", "io_models/socket.h", *COMMANDS)
    layers = {}
    for number, folder in enumerate(folders, 1):
        inside = tuple(f"experiments/{before}/" for before in folders[:number])
        libraries = ("fmt/", "nlohmann/", "httplib") + (("CLI/",) if folder == "commands" else ())
        layers[f"experiments/{folder}/"] = Layer((*inside, *outside), libraries)
    return layers


LAYERS = {
    "io_models/": Layer(("io_models/",), ("liburing",)),
    "broker/base/": Layer(("broker/base/",), ("fmt/", "spdlog/", "isa-l")),
    "broker/protocol/": Layer(
        ("broker/base/", "broker/protocol/"),
        ("fmt/", "isa-l", "zlib", "snappy", "lz4", "zstd"),
        (SOCKETS, CLOCKS, THREADS, FILES),
    ),
    "broker/storage/": Layer(("broker/base/", "broker/protocol/", "broker/storage/"), ("fmt/",), (SOCKETS,)),
    "broker/core/": Layer(
        ("broker/base/", "broker/protocol/", "broker/storage/", "broker/core/"),
        ("fmt/",),
        (SOCKETS, CLOCKS, THREADS, FILES),
    ),
    "broker/handlers/": Layer(
        ("broker/base/", "broker/protocol/", "broker/core/", "broker/handlers/"),
        ("fmt/",),
        (SOCKETS, CLOCKS, THREADS, FILES),
    ),
    "broker/session/": Layer(
        (
            "broker/base/",
            "broker/protocol/",
            "broker/storage/",
            "broker/core/",
            "broker/handlers/",
            "broker/session/",
            "io_models/frontend.h",
            "io_models/counters.h",  # where storage's file calls are counted beside the sockets'
        ),
        ("fmt/", "openssl/", "liburing"),  # the ring reads files: iolab.fetch.cold
    ),
    "broker/session/command_": Layer(("broker/", "io_models/", *COMMANDS), ("fmt/", "CLI/", "nlohmann/")),
    "io_models/command_": Layer(("io_models/", *COMMANDS), ("CLI/", "nlohmann/", "fmt/")),
    "clients/": Layer(("clients/", "broker/protocol/", "broker/base/", "io_models/socket.h"), ("fmt/",)),
    "clients/command_": Layer(
        ("clients/", "broker/protocol/", "broker/base/", "io_models/socket.h", *COMMANDS),
        ("fmt/", "CLI/", "nlohmann/"),
    ),
    **lab_layers(),
    # The table of commands: it sees their headers, and none of their subjects.
    "experiments/iolab.cpp": Layer(
        ("experiments/command", "io_models/command_", "broker/session/command_", "clients/command_"), ("CLI/",)
    ),
    "experiments/command.h": Layer(()),
    "tests/": Layer(("",), ("",)),
}
# Headers of libraries, as opposed to the standard library and the operating system.
LIBRARY = re.compile(
    r"^(fmt/|spdlog/|isa-l|liburing|CLI/|nlohmann/|httplib|openssl/|zlib|snappy|lz4|zstd|"
    r"gtest/|gmock/|benchmark/)"
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def layer_of(path):
    matching = [prefix for prefix in LAYERS if path.startswith(prefix)]
    return max(matching, key=len, default=None)


def check_include(layer_name, layer, quote, header):
    """Why this include is not allowed, or None."""
    if quote == '"' or (ROOT / header).is_file():
        if header.startswith("tests/") and not layer_name.startswith("tests/"):
            return "nothing includes tests"
        if not header.startswith(layer.may_include):
            return f"{layer_name} may include only {', '.join(layer.may_include)}"
    elif LIBRARY.match(header) and not header.startswith(layer.libraries or ("\0",)):
        return f"{layer_name} may use only these libraries: {', '.join(layer.libraries) or 'none'}"
    return None


def check_file(path):
    relative = path.relative_to(ROOT).as_posix()
    layer_name = layer_of(relative)
    if layer_name is None:
        yield f"{relative}:1: lies in no layer: move it, or add its folder to LAYERS in scripts/check_layers.py"
        return
    layer = LAYERS[layer_name]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        include = INCLUDE.match(line)
        if include and (why := check_include(layer_name, layer, *include.groups())):
            yield f"{relative}:{number}: includes {include.group(2)}, but {why}"
        code = line.split("//", 1)[0]
        for pattern, why in layer.forbidden:
            if re.search(pattern, code):
                yield f"{relative}:{number}: {code.strip()}: {why} ({layer_name})"


def main():
    sources = [
        path
        for folder in ("io_models", "broker", "clients", "experiments", "tests")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".cpp", ".h")
    ]
    problems = [problem for path in sources for problem in check_file(path)]
    for problem in problems:
        print(problem)
    print(f"layers: {len(sources)} files, {len(problems)} broken rules")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
