#!/usr/bin/env python3
"""The rules of style that a machine can hold: sizes, widths, words, and that nothing lies about unlisted.

Each rule is a function that yields "file:line: sentence". Formatting is clang-format's business, and what may include
what is check_layers.py's. Function lengths are found by counting braces, which is exact for this code and would not
be for macros that hide braces; there are none. Ends with 1 if a rule is broken, otherwise with 0.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 400
FUNCTION_LINES = 60
COLUMNS = 120

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
VAGUE_NAME = re.compile(
    r"\b(?:class|struct|namespace|enum class)\s+(\w*(?:Util|Helper|Manager|Common|Impl|Misc)\w*)\b"
)
VAGUE_FILE = re.compile(r"(^|_)(utils?|helpers?|managers?|common|impl|misc)(_|\.|$)")
SLEEP = re.compile(r"\b(sleep_for|sleep_until)\b|\b(usleep|nanosleep|time\.sleep)\s*\(|(?<![\w:.])sleep\s*\(")
SUPPRESSION = re.compile(r"NOLINT|#\s*pragma\s+(?:GCC|clang)\s+diagnostic\s+ignored|no_sanitize|noqa|type:\s*ignore")
JUSTIFIED_NOLINT = re.compile(r"NOLINT\w*\([\w.,* -]+\):?\s+\S+.*\S+")
STATEMENT_END = re.compile(r"([;{}]|\b(public|private|protected):|>)\s*$|^\s*#")
NOT_A_FUNCTION = re.compile(
    r"(namespace|struct|class|enum|union|extern|if|for|while|switch|catch|do|else|try|case|concept)\b"
)


def tracked_files():
    """What git knows or would add; in an unpacked archive, everything but build output."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not {"build", ".git", "__pycache__"} & set(path.parts)]
    return sorted(path for path in set(paths) if path.is_file())


def blank_out(text):
    """The same text with comments, strings and characters replaced by spaces: newlines and braces of code remain."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
    return token.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def cpp_functions(text):
    """(first line, last line) of each function definition; lambdas count with the function they stand in."""
    lines = blank_out(text).splitlines()
    number = 0
    while number < len(lines):
        opened = number
        number += 1
        if not lines[opened].rstrip().endswith("{"):
            continue
        first = opened
        while first > 0 and lines[first - 1].strip() and not STATEMENT_END.search(lines[first - 1]):
            first -= 1
        head = " ".join(line.strip() for line in lines[first : opened + 1])
        if "(" not in head or NOT_A_FUNCTION.match(head):
            continue
        indentation = len(lines[first]) - len(lines[first].lstrip())
        closing = re.compile(rf"^ {{{indentation}}}}}")
        last = next((at for at in range(number, len(lines)) if closing.match(lines[at])), opened)
        yield first + 1, last + 1
        number = last + 1


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def check_sizes(name, text):
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield f"{name}:{FILE_LINES}: {len(lines)} lines, at most {FILE_LINES}: a noun is missing"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield f"{name}:{number}: {len(line)} columns, at most {COLUMNS}"
        if line != line.rstrip() or line.lstrip(" ").startswith("\t"):
            yield f"{name}:{number}: indented by a tab, or a space at the end of the line"
    for first, last in python_functions(text) if name.endswith(".py") else cpp_functions(text):
        # A table of designated initialisers is data: its rows do not make a function harder to read.
        length = sum(not line.lstrip().startswith(".") for line in lines[first - 1 : last])
        if length > FUNCTION_LINES:
            yield f"{name}:{first}: a function of {length} lines, at most {FUNCTION_LINES}"


def check_words(name, text):
    if name == "scripts/check_style.py":
        return
    if VAGUE_FILE.search(Path(name).name):
        yield f"{name}:1: the file's name says nothing about what is in it"
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{name}:{number}: unfinished work belongs into an issue"
        if vague := VAGUE_NAME.search(line):
            yield f"{name}:{number}: {vague.group(1)} does not say what it is"
        if name.startswith("tests/") and not name.startswith("tests/bench/") and SLEEP.search(line.split("//", 1)[0]):
            yield f"{name}:{number}: a test waits for a condition with a deadline, it does not sleep"


def check_suppressions(name, text):
    if name == "scripts/check_style.py":
        return
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if not SUPPRESSION.search(line):
            continue
        before = lines[number - 2].strip() if number > 1 else ""
        said = (
            JUSTIFIED_NOLINT.search(line)
            or before.startswith(("//", "#  ", "# "))
            or re.search(r"//\s*\w+ \w+ \w+", line)
        )
        if not said:
            yield f"{name}:{number}: a suppression names its check and says why, on its line or the line above"


def check_opening(name, text):
    if name.endswith(".h") and "#pragma once" not in text:
        yield f"{name}:1: #pragma once is missing"
    if re.search(r"^\s*using namespace std\s*;", text, re.MULTILINE):
        yield f"{name}:1: using namespace std"


def lists_source(cmake_text, source):
    """Whether the text names the source, also by a variable: `${name}_fuzzer.cpp` names frame_fuzzer.cpp."""
    for word in re.findall(r"[\w./${}-]+\.cpp", cmake_text):
        parts = re.split(r"(\$\{\w+\})", word)
        pattern = "".join(r"[\w-]*" if part.startswith("$") else re.escape(part) for part in parts)
        if re.fullmatch(pattern, source):
            return True
    return False


def check_listed(sources):
    """Every .cpp is named in the CMakeLists.txt of its folder or of a folder above."""
    for name in sources:
        path = ROOT / name
        folders = [folder for folder in path.parents if folder == ROOT or ROOT in folder.parents]
        lists = [folder / "CMakeLists.txt" for folder in folders if (folder / "CMakeLists.txt").is_file()]
        if not any(lists_source(cmake.read_text(), path.relative_to(cmake.parent).as_posix()) for cmake in lists):
            yield f"{name}:1: is listed in no CMakeLists.txt, so nobody compiles it"


def check_markdown(name, text):
    without_code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = re.findall(r"(?m)^# .+$", without_code)
    if len(headings) != 1:
        yield f"{name}:1: {len(headings)} top headings, there must be one"
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", without_code):
        if "://" not in target and not ((ROOT / name).parent / target).exists():
            yield f"{name}:1: links to {target}, which does not exist"


def check_all():
    names = [path.relative_to(ROOT).as_posix() for path in tracked_files()]
    for name in names:
        suffix = Path(name).suffix
        if suffix not in (".cpp", ".h", ".py", ".md", ".sh") and not name.startswith(("scripts/", ".ci/")):
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        if suffix in (".cpp", ".h", ".py"):
            yield from check_sizes(name, text)
            yield from check_suppressions(name, text)
            yield from check_opening(name, text)
        if suffix == ".md":
            yield from check_markdown(name, text)
        else:
            yield from check_words(name, text)
    yield from check_listed(name for name in names if name.endswith(".cpp"))


def main():
    problems = list(check_all())
    for problem in problems:
        print(problem)
    print(f"style: {len(problems)} broken rules")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
