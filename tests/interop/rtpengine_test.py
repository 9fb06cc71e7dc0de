"""rtpengine as the media plane: the demo's transfers with audio judged, and a daemon that dies in the middle of calls."""
import os
import pathlib
import sqlite3
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
import demo  # noqa: E402
from cases import CALLER, DESK  # noqa: E402
from rtpengine import Rtpengine  # noqa: E402
from scenario import Scenario  # noqa: E402
from srtp_test import SrtpDemo  # noqa: E402
from world import World  # noqa: E402

BATON = os.environ.get("BATON", "")


class OnRtpengine:
    """A demo on the other plane. What is judged needs no more than this much talk."""
    rtpengine = None

    def configuration(self):
        return self.rtpengine.configured(super().configuration())

    def talk(self, seconds):
        super().talk(min(seconds, 2.5))


class PlainDemo(OnRtpengine, demo.Demo):
    pass


class SecureDemo(OnRtpengine, SrtpDemo):
    pass


class AudioTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.rtpengine = Rtpengine(self.folder / "rtpengine").start()
        self.addCleanup(self.rtpengine.stop)

    def play(self, kind, act):
        played = kind(BATON, self.folder / "demo")
        played.rtpengine = self.rtpengine
        self.assertEqual(played.run([getattr(played, act)]), [], played.server.log() + self.rtpengine.log())
        self.assertEqual(self.rtpengine.calls(), 0, "every endpoint was closed")
        return played

    def test_a_busy_target(self):
        self.play(PlainDemo, "act2")

    def test_a_transfer_between_phones_with_and_without_srtp(self):
        played = self.play(SecureDemo, "act1")
        with sqlite3.connect(played.directory / "baton.db") as database:
            texts = [row[0] for row in database.execute("select bytes from trace")]
        texts = [text.decode() if isinstance(text, bytes) else text for text in texts]
        ours = [text for text in texts if "c=IN IP4 127.0.0.2" in text]
        self.assertTrue(ours, "descriptions name rtpengine's outer interface")
        self.assertTrue(any("RTP/SAVP" in text for text in ours))


class DeadDaemonTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.rtpengine = Rtpengine(pathlib.Path(folder.name) / "rtpengine").start()
        self.addCleanup(self.rtpengine.stop)
        # The daemon is asked about each call every three seconds; SIPp sends no audio, and is not to be taken for dead.
        self.world = World(BATON, pathlib.Path(folder.name) / "world", "udp",
                           lambda text: self.rtpengine.configured(text).replace("[media]\n", '[media]\nsilence_timeout = "12s"\n'))
        self.addCleanup(self.world.close)
        self.world.server.start()

    def play(self, endpoint, caller, meanwhile=None):
        for party in self.world.parties.values():
            party.stop()
        self.world.parties = {}
        self.world.play(called={"endpoint": endpoint} if endpoint else {}, caller={"caller": caller}, meanwhile=meanwhile)
        self.assertEqual(self.world.problems, [])

    def logged(self, event):
        found = [line for line in self.world.server.log_path.read_text().split("\n") if event in line]
        self.assertTrue(found, event)
        self.assertIn(self.rtpengine.at, found[0], "says where")

    def test_a_daemon_that_dies_takes_its_calls_along_and_no_others(self):
        answered = Scenario(DESK).recv_invite().ring().answer().recv_bye()
        calling = Scenario(CALLER).invite(DESK).answered().pause(300).bye()
        self.play(answered, calling)
        self.assertEqual(self.rtpengine.calls(), 0)

        def die_and_come_back():
            deadline = time.monotonic() + 10
            while self.rtpengine.calls() < 2 and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(0.3)
            self.rtpengine.kill()
            self.rtpengine.start()
        dying = threading.Thread(target=die_and_come_back)
        self.play(answered, Scenario(CALLER).invite(DESK).answered().recv_bye(), dying.start)
        dying.join()
        self.world.records(calls=2, transfers=0)
        self.world.check_call("original", 1, hangup_cause_name="nomedia", hangup_source="baton")

        self.rtpengine.kill()
        refused = Scenario(CALLER).invite(DESK).refused(503)
        self.play(None, refused)
        began = time.monotonic()
        self.play(None, refused)
        self.assertLess(time.monotonic() - began, 3, "who is known to be dead is not waited for")
        self.logged("media.rtpengine_down")
        self.logged("media.no_port")

        self.rtpengine.start()
        deadline = time.monotonic() + 10
        while "media.rtpengine_up" not in self.world.server.log() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.logged("media.rtpengine_up")
        self.play(answered, calling)


if __name__ == "__main__":
    unittest.main()
