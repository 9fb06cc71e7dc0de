"""baresip phones that speak SRTP: the demo's first act, with audio judged, between a caller that insists on RTP/SAVP and
speaks Opus alone, an agent without SRTP and a human whose phone insists on it too."""
import os
import pathlib
import sqlite3
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "demo")]
import demo  # noqa: E402

BATON = os.environ.get("BATON", "")


class SrtpDemo(demo.Demo):
    MODULES = ("srtp", "opus")
    CODECS = {"caller": "opus/48000/2"}
    # Near enough to what was said for the judge, who compares waves.
    SETTINGS = ("opus_bitrate 64000", "opus_application audio")
    ACCOUNTS = {"caller": ";mediaenc=srtp-mand", "human": ";mediaenc=srtp-mand"}

    def configuration(self):
        text = super().configuration()
        west = 'prefixes = ["+1415555014"]\n'
        assert west in text
        return text.replace(west, west + '\n[carrier.sip]\nsrtp = "required"\n') + '\n[carrier.sip]\nsrtp = "required"\n'


class SrtpTest(unittest.TestCase):
    def test_a_transfer_between_phones_with_and_without_srtp(self):
        with tempfile.TemporaryDirectory() as folder:
            played = SrtpDemo(BATON, folder)
            self.assertEqual(played.run([played.act1]), [], played.server.log())
            with sqlite3.connect(played.directory / "baton.db") as database:
                texts = [row[0] for row in database.execute("select bytes from trace")]
            self.check_descriptions([text.decode() if isinstance(text, bytes) else text for text in texts])
            self.assertIn("srtp.keys_in_clear", played.server.log_path.read_text())

    def check_descriptions(self, texts):
        profiles = {line.split()[2] for text in texts for line in text.split("\r\n") if line.startswith("m=audio")}
        self.assertLessEqual({"RTP/AVP", "RTP/SAVP"}, profiles)
        keys = [line for text in texts for line in text.split("\r\n") if line.startswith("a=crypto")]
        self.assertTrue(keys)
        for line in keys:
            self.assertIn("inline:" + 38 * "*", line)


if __name__ == "__main__":
    unittest.main()
