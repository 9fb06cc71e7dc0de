"""Threads for the audio: the demo's transfers between phones with and without SRTP, judged by ear, and recorded."""
import os
import pathlib
import sqlite3
import sys
import tempfile
import unittest
import wave

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
from run import with_threads  # noqa: E402
from srtp_test import SrtpDemo  # noqa: E402

BATON = os.environ.get("BATON", "")


class Recorded(SrtpDemo):
    def configuration(self):
        recordings = self.directory / "recordings"
        recordings.mkdir(exist_ok=True)
        text = with_threads(super().configuration())
        text = text.replace('id = "front-desk"\n', 'id = "front-desk"\nrecording.enabled = true\nrecording.through_transfers = true\n')
        return text + f'\n[recording]\ndirectory = "{recordings}"\n'

    def talk(self, seconds):
        super().talk(min(seconds, 3.0))


class AudioTest(unittest.TestCase):
    def test_a_transfer_is_heard_and_recorded(self):
        with tempfile.TemporaryDirectory() as folder:
            played = Recorded(BATON, pathlib.Path(folder) / "demo")
            self.assertEqual(played.run([played.act1]), [], played.server.log())
            files = sorted((played.directory / "recordings").glob("*.wav"))
            self.assertTrue(files)
            for path in files:
                with wave.open(str(path)) as recording:
                    self.assertGreater(recording.getnframes(), recording.getframerate(), path.name)
                    self.assertTrue(any(recording.readframes(recording.getnframes())), path.name)
            with sqlite3.connect(played.directory / "baton.db") as database:
                parties = [row[0] for row in database.execute("select party from leg_quality")]
            self.assertEqual(sorted(parties), ["caller", "endpoint", "target"], "how each leg was has been written")


if __name__ == "__main__":
    unittest.main()
