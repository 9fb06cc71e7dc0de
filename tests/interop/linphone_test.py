"""linphone with Opus over SRTP, its sound judged: the demo's first act, in which it is the caller."""
import os
import pathlib
import sqlite3
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
import demo  # noqa: E402
from linphone_console import LinphoneConsole  # noqa: E402
from srtp_test import SrtpDemo  # noqa: E402

BATON = os.environ.get("BATON", "")


class LinphoneDemo(SrtpDemo):
    """The agent speaks PCMU without SRTP, so Opus is transcoded; the human speaks Opus too, and it passes."""
    CODECS = {"human": "opus/48000/2"}

    def talk(self, seconds):
        super().talk(min(seconds, 3))

    def start_phones(self, act, names=("caller", "agent", "human")):
        agent, human = super().start_phones(act, [name for name in names if name != "caller"])
        caller = LinphoneConsole("caller", self.directory / act / "caller", self.network.of("caller"), self.network.port,
                                 demo.CALLER, self.speech["caller"]["whole"], self.rtp_ports("caller")[0], "opus", encryption="srtp")
        self.phones.append(caller)
        return [caller.start(), agent, human]


class LinphoneTest(unittest.TestCase):
    def test_linphone_is_handed_over_with_opus(self):
        with tempfile.TemporaryDirectory() as folder:
            played = LinphoneDemo(BATON, pathlib.Path(folder))
            self.assertEqual(played.run([played.act1]), [], played.server.log())
            with sqlite3.connect(played.directory / "baton.db") as database:
                legs = sorted(database.execute("select party, codec from leg_quality"))
        self.assertEqual(legs, [("caller", "opus"), ("endpoint", "PCMU"), ("target", "opus")])


if __name__ == "__main__":
    unittest.main()
