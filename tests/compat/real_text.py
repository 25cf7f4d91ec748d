"""A real text of more than 5 MB that every machine has which can build iolab, line by line with keys.

It is made of the licences that Debian ships and of the headers of the C++ library, in a fixed order; the key of a line
is its file and number, so each key is used once and the text can be put together again from any order of records.
"""

import hashlib
from pathlib import Path

WANTED_BYTES = 5_500_000
SOURCES = ("/usr/share/common-licenses", "/usr/include/c++")


class RealText:
    def __init__(self, wanted_bytes=WANTED_BYTES):
        self.records = []  # (key, line without its end)
        size = 0
        for path in sorted(path for source in SOURCES for path in Path(source).rglob("*") if path.is_file()):
            name = path.as_posix().replace(" ", "_").encode()
            for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
                if line.strip() and b"\0" not in line:
                    self.records.append((name + b":" + str(number).encode(), line))
                    size += len(line) + 1
            if size >= wanted_bytes:
                break
        if size < wanted_bytes:
            raise RuntimeError(f"{' and '.join(SOURCES)} hold only {size} bytes of text; install g++")
        self.place = {key: place for place, (key, _) in enumerate(self.records)}
        self.sha256 = digest(line for _, line in self.records)

    def as_keyed_lines(self):
        """As kcat -K reads it: key, tab, line."""
        return b"".join(key + b"\t" + line + b"\n" for key, line in self.records)


def digest(lines):
    sha = hashlib.sha256()
    for line in lines:
        sha.update(line + b"\n")
    return sha.hexdigest()
