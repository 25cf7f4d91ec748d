#!/usr/bin/env python3
"""The corpus of good and bad experiment files against the JSON Schema, in a validator that other people wrote.

The schema is what editors believe. It has to be the one that the program prints, to be a schema itself, to accept
whatever the program accepts, and to refuse whatever the program refuses, except where the file says that only the
program can see it. A skip (77) without Debian's python3-jsonschema; a failure if IOLAB_REQUIRE_ALL_MODELS is set.

  schema_corpus_test.py --iolab build/release/iolab
"""

import argparse
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is missing: scripts/install_packages tests", file=sys.stderr)
    sys.exit(1 if os.environ.get("IOLAB_REQUIRE_ALL_MODELS") else 77)

ROOT = Path(__file__).resolve().parent.parent.parent.parent
SCHEMA = ROOT / "experiments" / "schema" / "experiment-1.json"
CORPUS = ROOT / "tests" / "experiments" / "specs"
ONLY_OURS = "// only ours can see it: "
TOKEN = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def without_comments(text):
    return TOKEN.sub(lambda match: match.group(1) or "", text)


def refusals(validator, path):
    """What the validator says against a file; one that is no JSON is refused by every editor."""
    try:
        document = json.loads(without_comments(path.read_text()))
    except json.JSONDecodeError as error:
        return [str(error)]
    return [error.message for error in validator.iter_errors(document)]


class SchemaTest(unittest.TestCase):
    iolab = None

    def setUp(self):
        schema = json.loads(SCHEMA.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def test_the_committed_schema_is_the_one_of_the_program(self):
        """A key was added, and editors do not know it."""
        printed = subprocess.run([self.iolab, "spec", "schema"], capture_output=True, text=True, check=True).stdout
        remedy = f"make it again: iolab spec schema > {SCHEMA.relative_to(ROOT)}"
        self.assertEqual(printed, SCHEMA.read_text(), remedy)

    def test_good_files_are_accepted(self):
        """An editor underlines what is right."""
        claims = ROOT / "experiments" / "claims.json"  # lies beside the experiments, and is none
        shipped = [path for path in (ROOT / "experiments").glob("*.json") if path != claims]
        files = sorted((CORPUS / "good").glob("*.json"))
        self.assertGreaterEqual(len(files), 27)
        for path in files + sorted(shipped):
            with self.subTest(path.name):
                self.assertEqual(refusals(self.validator, path), [])

    def test_bad_files_are_refused(self):
        """An editor says nothing about a mistake that it could see."""
        files = sorted((CORPUS / "bad").glob("*.json"))
        self.assertGreaterEqual(len(files), 101)
        for path in files:
            with self.subTest(path.name):
                only_ours = ONLY_OURS in path.read_text()
                self.assertEqual(bool(refusals(self.validator, path)), not only_ours)

    def test_every_key_says_what_it_is_in_both_languages(self):
        """A reader rests the pointer on a key and learns nothing."""
        for key, schema in json.loads(SCHEMA.read_text())["properties"].items():
            with self.subTest(key):
                english, chinese = schema["description"].split("\n\n")
                self.assertTrue(english)
                self.assertRegex(chinese, r"[\u4e00-\u9fff]")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iolab", required=True, help="the program")
    arguments, rest = parser.parse_known_args()
    SchemaTest.iolab = arguments.iolab
    unittest.main(argv=[sys.argv[0], *rest])
