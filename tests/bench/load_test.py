"""The measuring tools work: the load generator against the real server, some hundred calls, no message wrong. No figure is looked at."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import plot  # noqa: E402
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
        media = self.play("--media", "--talk-ms", "200", "--after-ms", "200", calls=20, record=True)["media"]
        self.assertGreater(media["heard"], 0)
        self.assertEqual(media["wrong"], 0)


class Plot(unittest.TestCase):
    def test_curve_is_a_picture(self):
        text = plot.svg("A < B", "x", "y", {"one": [(0, 0), (10, 3)], "two": [(5, 0.2)]})
        self.assertTrue(text.startswith("<svg ") and "A &lt; B" in text and text.count("<polyline") == 2)


if __name__ == "__main__":
    unittest.main()
