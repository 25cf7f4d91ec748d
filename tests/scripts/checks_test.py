"""The scripts that hold the include rule and the style: each finds what is planted, and nothing in clean code."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import check_layers
import check_style


def layer_problem(path, header, quote='"'):
    name = check_layers.layer_of(path)
    return check_layers.check_include(name, check_layers.LAYERS[name], quote, header)


class LayersTest(unittest.TestCase):
    def test_refuses_what_points_up(self):
        """A folder includes what stands above it, and nobody says so."""
        self.assertIsNotNone(layer_problem("io_models/socket.cpp", "broker/base/log.h"))
        self.assertIsNotNone(layer_problem("broker/protocol/codec.h", "broker/storage/segment.h"))
        self.assertIsNotNone(layer_problem("broker/core/topics.cpp", "broker/handlers/fetch.h"))
        self.assertIsNotNone(layer_problem("broker/session/session.cpp", "io_models/registry.h"))
        self.assertIsNotNone(layer_problem("experiments/run/run.cpp", "broker/core/topics.h"))
        self.assertIsNotNone(layer_problem("clients/load.cpp", "CLI/CLI.hpp", "<"))
        self.assertIsNotNone(layer_problem("broker/base/log.h", "tests/contract.h"))

    def test_allows_what_points_down(self):
        """An include that the design allows is refused."""
        self.assertIsNone(layer_problem("broker/session/session.cpp", "io_models/frontend.h"))
        self.assertIsNone(layer_problem("broker/session/command_broker.cpp", "io_models/registry.h"))
        self.assertIsNone(layer_problem("broker/storage/segment.cpp", "broker/protocol/record_batch.h"))
        self.assertIsNone(layer_problem("io_models/asynchronous/io_uring.cpp", "liburing.h", "<"))
        self.assertIsNone(layer_problem("io_models/socket.cpp", "sys/socket.h", "<"))


class StyleTest(unittest.TestCase):
    def test_measures_functions(self):
        """A long function passes, or a short one, a class or a namespace is taken for a long function."""
        body = "  step();\n" * 70
        long_function = f"namespace a {{\n\nint Thing::run(int first,\n     int second) {{\n{body}}}\n\n}}\n"
        self.assertEqual(list(check_style.cpp_functions(long_function)), [(3, 75)])
        self.assertTrue(
            any("a function of 73 lines" in problem for problem in check_style.check_sizes("a.cpp", long_function))
        )
        long_class = f"class Thing {{\n public:\n  void run();\n{'  int member_;' + chr(10) * 2}{chr(10) * 70}}};\n"
        self.assertEqual(list(check_style.check_sizes("a.h", long_class)), [])

    def test_finds_what_is_planted(self):
        """A forbidden word, a wide line, an unexplained suppression or a sleeping test passes."""
        self.assertTrue(list(check_style.check_words("a.cpp", "// TO" + "DO later\n")))
        self.assertTrue(list(check_style.check_words("a.h", "class Socket" + "Manager {\n")))
        self.assertTrue(list(check_style.check_words("socket_utils.h", "int a;\n")))
        self.assertTrue(list(check_style.check_words("tests/a.cpp", "std::this_thread::sleep" + "_for(1s);\n")))
        self.assertTrue(list(check_style.check_sizes("a.cpp", "int a;" + " " * 130 + "int b;\n")))
        self.assertTrue(list(check_style.check_suppressions("a.cpp", "int a;  // NO" + "LINT\n")))
        self.assertTrue(list(check_style.check_markdown("README.md", "# A\n\n# B\n")))
        self.assertTrue(list(check_style.check_markdown("README.md", "# A\n\n[gone](docs/no-such-page.md)\n")))

    def test_lets_clean_code_pass(self):
        """What is right is reported: the next one will switch the check off."""
        self.assertEqual(list(check_style.check_words("tests/a.cpp", "EXPECT_EQ(calls[Call::nanosleep], 0);\n")), [])
        said = "int a;  // NO" + "LINT(misc-check): the kernel's header wants it so\n"
        self.assertEqual(list(check_style.check_suppressions("a.cpp", said)), [])
        self.assertEqual(list(check_style.check_sizes("a.cpp", "int a;\n" * 400)), [])


if __name__ == "__main__":
    unittest.main()
