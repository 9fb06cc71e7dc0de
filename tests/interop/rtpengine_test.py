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
import speech  # noqa: E402
from cases import CALLER, DESK  # noqa: E402
from rtpengine import Rtpengine  # noqa: E402
from scenario import Scenario  # noqa: E402
from srtp_test import SrtpDemo  # noqa: E402
from world import World  # noqa: E402

BATON = os.environ.get("BATON", "")


class OnRtpengine:
    """A demo on the other plane. What is judged needs no more than this much talk: the agent has paused after two seconds,
    and half a second of words tells who speaks."""
    rtpengine = None

    def configuration(self):
        return self.rtpengine.configured(super().configuration())

    def talk(self, seconds):
        super().talk(min(seconds, 3.0))


class PlainDemo(OnRtpengine, demo.Demo):
    pass


class SecureDemo(OnRtpengine, SrtpDemo):
    pass


class MixedDemo(OnRtpengine, demo.Demo):
    """The caller speaks G.722, the others PCMU; who is put on hold hears something; the agent is told of keys by INFO."""
    MODULES = ("g722",)
    CODECS = {"caller": "G722/16000/1"}
    MUSIC = ("en-us+m1", 50, 160, "All our colleagues are busy with other guests. Your call is important to us, please hold on.")

    def configuration(self):
        music = self.directory / "speech" / "music.wav"
        speech.write_wav(music, speech.speak(*self.MUSIC))
        self.loops["music"] = music
        return super().configuration().replace(
            'id = "front-desk"\n', f'id = "front-desk"\nhold_music = "{music}"\nsip.dtmf = "info"\n')

    def act4(self):
        """An agent that holds its call hands it over; the others speak until both have sent some reports."""
        known = self.known_records()
        caller, agent, human = self.start_phones("act4")
        caller.command("dial", f"sip:{demo.FRONT_DESK}@{self.at('baton')}")
        self.must(agent.wait("CALL_ESTABLISHED", demo.SETTLE) and caller.wait("CALL_ESTABLISHED", demo.SETTLE),
                  "the caller dials the number, the agent answers")
        caller.command("sndcode", "5")
        self.talk(3.0)
        agent.command("hold")
        self.talk(3.0)
        self.hand_over(agent, human, "front-desk")
        self.talk(3.0)
        human.command("accept")
        self.must(human.wait("CALL_ESTABLISHED", demo.SETTLE), "the human answers")
        self.must(agent.wait("CALL_CLOSED", demo.SETTLE), "the agent is let go")
        self.talk(3.0)
        end = time.monotonic() + 30  # each five seconds baresip reports
        while self.rtpengine.reported() < 2 and time.monotonic() < end:
            time.sleep(0.2)
        caller.command("hangup")
        self.must(human.wait("CALL_CLOSED", demo.SETTLE), "the caller hangs up, and so the human's call ends")
        self.show_heard("act4", caller, ["agent", "music", "ring-back", "human"], shortest=1.0)
        self.show_heard("act4", human, ["caller"])
        self.show_heard("act4", agent, ["caller"])
        self.check_handed_over(*self.show_records("act4", 2, 1, known, brief=True), "inbound")


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


    def test_a_call_that_an_agent_made(self):
        self.play(PlainDemo, "act3")

    def test_a_held_call_between_codecs_and_how_it_was(self):
        played = self.play(MixedDemo, "act4")
        with sqlite3.connect(played.directory / "baton.db") as database:
            database.row_factory = sqlite3.Row
            legs = {row["party"]: row for row in database.execute("select * from leg_quality")}
            texts = [row[0] for row in database.execute("select bytes from trace order by rowid")]
        texts = [text.decode() if isinstance(text, bytes) else text for text in texts]
        # What was sent again is the same.
        told = [text.partition("\r\n\r\n")[2] for text in dict.fromkeys(texts) if text.startswith("INFO ")]
        self.assertEqual([text.split()[0] for text in told], ["Signal=5"], "the key, once")
        self.assertEqual({party: row["codec"] for party, row in legs.items()},
                         {"caller": "G722", "endpoint": "PCMU", "target": "PCMU"})
        for party, least in (("caller", 500), ("endpoint", 100), ("target", 400)):
            row = legs[party]
            self.assertGreater(row["packets_received"], least, party)
            self.assertIsNone(row["lost"], "what did not reach rtpengine is not known")
            self.assertIsNone(row["mos"])
        for party in ("caller", "target"):
            row = dict(legs[party])
            self.assertIsNotNone(row["round_trip_us"], row)
            self.assertLess(row["round_trip_us"], 2_000_000, row)
            self.assertLessEqual(row["round_trip_us"], row["round_trip_us_max"], row)
            self.assertGreaterEqual(row["reported_lost"], 0, row)
            self.assertLessEqual(row["reported_jitter_us"], row["reported_jitter_us_max"], row)
            self.assertTrue(100 <= row["reported_mos"] <= 450, row)


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
