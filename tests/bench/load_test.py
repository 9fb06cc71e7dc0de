"""The measuring tools work: the load generator against the real server, some hundred calls, no message wrong. No figure is looked at."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import plot  # noqa: E402
import relay  # noqa: E402
import targets  # noqa: E402
from server import Server  # noqa: E402

ADDRESS, PORT, PARTY_PORT, MEDIA_PORT = "127.0.0.41", 5290, 5270, 5280
CALLS = 100


class Load(unittest.TestCase):
    def play(self, *arguments, transport="udp", calls=CALLS, **settings):
        with Server(os.environ["BATON"], address=ADDRESS, port=PORT, party_port=PARTY_PORT, transport=transport, **settings) as server:
            command = [os.environ["BATON_LOAD"], "--server", ADDRESS, "--port", server.port, "--own-port", PARTY_PORT, "--media-port",
                       MEDIA_PORT, "--transport", transport, "--calls", calls, "--in-flight", 20, "--seconds", 30]
            done = subprocess.run([*map(str, command), *map(str, server.load_arguments), *arguments], capture_output=True, text=True,
                                  timeout=80)
            self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr + server.log.read_text()[-2000:])
        result = json.loads(done.stdout)
        self.assertEqual((result["completed"], result["errors"], result["refused"]), (calls, 0, 0), done.stdout)
        return result

    def test_transferred_calls_by_every_transport(self):
        for transport in ("udp", "tcp", "tls"):
            with self.subTest(transport):
                result = self.play(transport=transport)
                self.assertEqual(result["refer_to_notify"]["count"], CALLS)

    def test_plain_and_outbound_calls(self):
        self.play("--kind", "plain")
        self.play("--direction", "outbound", trace=True)

    def test_requests_within_dialogs(self):
        for method in (("OPTIONS",), ("UPDATE",), ("INFO", "--passed-on"), ("INVITE",)):
            with self.subTest(method[0]):
                result = self.play("--requests", "20", "--method", *method, calls=10)
                self.assertEqual(result["requests"], 200)

    def test_audio(self):
        for threads in (0, 2):
            with self.subTest(threads=threads):
                media = self.play("--media", "--talk-ms", "200", "--after-ms", "200", calls=20, record=True, media_threads=threads)["media"]
                self.assertGreater(media["heard"], 0)
                self.assertEqual(media["wrong"], 0)


# Stands for bench/baton_relay, which is built for measuring alone: a line for each kind that its options ask for.
RELAY = """#!/usr/bin/python3
import json, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if "--memory" in options:
    print(json.dumps({"endpoints": 9900, "wanted": int(options["--memory"]), "bytes_per_endpoint": 1600.0}))
    sys.exit()
late = {"late_us": {"p50": 150, "p99": 500, "p99_9": 1700, "most": 2000}, "load_behind_us": 20}
plane = lambda ns: {"ns_per_packet": ns, "ratio_to_floor": ns / 4000, "ns_over_plain": ns - 4400, **late}
for kind in [options["--only"]] if "--only" in options else ["rtp", "srtp-AEAD_AES_256_GCM", "pcmu-opus"]:
    row = {"kind": kind, "streams": int(options.get("--streams", 1000)), "floor": plane(4000.0), "baton": plane(4400.0)}
    if not kind.startswith("srtp"):
        row["rtpengine"] = plane(7000.0)
    if kind == "pcmu-opus":
        row.update(codec_ns=40000.0, ratio_to_plain_and_codec=1.2)
    if options.get("--search") != "0":
        row["carries"] = {"streams": 1500, "limited_by_load": False, "not_looked_further": True}
    print(json.dumps(row))
"""


class Relay(unittest.TestCase):
    def section(self, program, quick):
        with tempfile.TemporaryDirectory() as build:
            path = pathlib.Path(build) / "bench/baton_relay"
            path.parent.mkdir()
            path.write_text(program)
            path.chmod(0o755)
            lines, pictures = [], {}
            bench = types.SimpleNamespace(
                options=types.SimpleNamespace(build=build, quick=quick), say=lines.append, result={"sections": {}},
                picture=lambda name, title, x, y, curves: pictures.update({name: (plot.svg(title, x, y, curves), curves)}))
            relay.section(bench)
            targets.say(bench)
        return "\n".join(lines), pictures, bench.result

    def test_what_was_measured_is_told_and_drawn(self):
        for quick in (False, True):
            with self.subTest(quick=quick):
                text, pictures, result = self.section(RELAY, quick)
                self.assertRegex(text, r"rtp +%d +4\.00 µs +4\.40 µs +1\.10 .* 7\.00 µs +1\.75" % (100 if quick else 1000))
                self.assertRegex(text, r"relayed packet, rtp .* 1\.10 × +met")
                self.assertRegex(text, r"transcoded packet, pcmu-opus .* 1\.20 × +NOT MET")
                self.assertEqual("1500+" in text, not quick)
                self.assertEqual(set(pictures), {"relay-cost", "relay-lateness"})
                for svg, curves in pictures.values():
                    self.assertEqual(set(curves), {"a bare relay", "Baton", "rtpengine"})
                    self.assertEqual(svg.count("<polyline"), 3)
                self.assertEqual([row["streams"] for row in result["sections"]["relay"]["by_streams"]],
                                 [50, 100] if quick else list(relay.CURVE))

    def test_a_failure_says_why(self):
        with self.assertRaisesRegex(RuntimeError, "rtpengine does not answer"):
            self.section("#!/bin/sh\necho rtpengine does not answer >&2\nexit 1\n", True)


class Plot(unittest.TestCase):
    def test_curve_is_a_picture(self):
        text = plot.svg("A < B", "x", "y", {"one": [(0, 0), (10, 3)], "two": [(5, 0.2)]})
        self.assertTrue(text.startswith("<svg ") and "A &lt; B" in text and text.count("<polyline") == 2)


if __name__ == "__main__":
    unittest.main()
