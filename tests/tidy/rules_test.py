"""Each rule finds what it is there to find, and nothing in a tree that is as it should be."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import rules  # noqa: E402

GOOD = {
    "src/base/time.h": '// Time.\n#pragma once\n#include <cstdint>\nusing Now = std::int64_t;\n',
    "src/sip/uri.h": '#pragma once\n#include "base/time.h"\n#include "sip/method.h"\ninline Now f() { return 0; }\n',
    "src/sip/method.h": "#pragma once\n",
    "src/media/port.h": '#pragma once\n#include "sip/uri.h"\n',
    "src/call/call.cc": '#include "media/port.h"\n// steady_clock is named only in this comment\nint f();\n'
                        'const char* text = "std::thread";\n',
    "src/net/udp.cc": '#include <sys/socket.h>\n#include "base/time.h"\n',
    "src/base/address.cc": "#include <arpa/inet.h>\n",
    "src/sip/uri.cc": '#include "sip/uri.h"\n',
    "tests/unit/sip/uri_test.cc": '#include "sip/uri.h"\n',
}


class RulesTest(unittest.TestCase):
    def breaches(self, rule, change=None, **arguments):
        with tempfile.TemporaryDirectory() as root:
            for name, text in {**GOOD, **(change or {})}.items():
                path = pathlib.Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(rule(root, **arguments))

    def check(self, rule, name, text, expected):
        found = self.breaches(rule, {name: text})
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def test_a_good_tree_has_no_breach(self):
        for name, rule in rules.RULES.items():
            self.assertEqual(self.breaches(rule), [], name)

    def test_arrows(self):
        for name, text, expected in [
                ("src/sip/bad.cc", '#include "call/call.h"\n', "src/sip/bad.cc:1: sip may not include call/call.h"),
                ("src/sip/bad.h", '#pragma once\n#include "media/port.h"\n', "sip may not include media/port.h"),
                ("src/net/bad.cc", '#include "store/writer.h"\n', "net may not include store/writer.h"),
                ("src/engine/bad.cc", '#include "media/relay.h"\n', "engine may not include media/relay.h"),
                ("src/base/bad.cc", '#include "nowhere/x.h"\n', "base may not include nowhere/x.h"),
                ("src/sip/bad.cc", '  # include "uri.h"\n', 'by its folder, as "sip/uri.h"'),
                ("src/new/x.cc", "", "no place in the order")]:
            self.check(rules.arrows, name, text, expected)

    def test_machine_without_io(self):
        for text, expected in [
                ("#include <thread>\n", "<thread>"),
                ("#include <sys/socket.h>\n", "<sys/socket.h>"),
                ("#include <random>\n", "<random>"),
                ("#include <openssl/rand.h>\n", "<openssl/rand.h>"),
                ("auto t = std::chrono::steady_clock::now();\n", "steady_clock"),
                ("auto t = time(nullptr);\n", "time"),
                ("const char* h = getenv(\"HOME\");\n", "getenv"),
                ("std::random_device r;\n", "random_device"),
                ("auto f = std::fopen(\"x\", \"r\");\n", "fopen"),
                ("thread_local int x;\n", "thread_local"),
                ("/* a\n comment */ int x = sendto(1);\n", "call/bad.cc:2")]:
            self.check(rules.machine_without_io, "src/call/bad.cc", text, expected)
        self.check(rules.machine_without_io, "src/base/other.cc", "#include <arpa/inet.h>\n", "<arpa/inet.h>")
        self.assertEqual(self.breaches(rules.machine_without_io, {"src/net/x.cc": "#include <thread>\n"}), [])

    def test_file_length(self):
        self.assertEqual(self.breaches(rules.file_length, {"src/sip/x.cc": "\n" * rules.LINES_MAX}), [])
        self.check(rules.file_length, "src/sip/x.cc", "\n" * (rules.LINES_MAX + 1), f"{rules.LINES_MAX + 1} lines")

    def test_no_marks(self):
        for mark in ("TO" "DO", "FIX" "ME", "XX" "X"):
            self.check(rules.no_marks, "src/sip/x.cc", f"int x;\n// {mark}: later\n", f"src/sip/x.cc:2: {mark}")

    def test_names(self):
        self.check(rules.names, "src/sip/BadName.cc", "", "snake_case")
        self.check(rules.names, "src/sip/bad.cpp", "", "snake_case")
        self.check(rules.names, "src/sip/bad.h", "#include <string>\n#pragma once\n", "#pragma once")

    def test_self_contained_headers(self):
        found = self.breaches(rules.self_contained_headers, {"src/sip/bad.h": "#pragma once\nstd::string f();\n"})
        self.assertEqual(len(found), 1, found)
        self.assertIn("src/sip/bad.h: does not compile on its own", found[0])
        # A source that includes something else before it proves nothing.
        found = self.breaches(rules.self_contained_headers, {"src/sip/bad.h": "#pragma once\nstd::string f();\n",
                                                             "src/sip/bad.cc": '#include <string>\n#include "sip/bad.h"\n'})
        self.assertEqual(len(found), 1, found)


if __name__ == "__main__":
    unittest.main()
