"""The figures that a Prometheus would fetch from the real server, before and after a transferred call."""
import os
import pathlib
import socket
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
from cases import HUMAN, calling, endpoint, ringing, to  # noqa: E402
from server import ServerError  # noqa: E402
from world import World  # noqa: E402

BATON = os.environ.get("BATON", "")
PORT = 9469


class MetricsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.world = World(BATON, folder.name, "udp",
                           lambda text: text.replace("[store]\n", f'[metrics]\nbind = "$names:{PORT}"\n\n[store]\n'))
        self.addCleanup(self.world.close)
        self.place = (self.world.network.of("names"), PORT)

    def scrape(self):
        with urllib.request.urlopen(f"http://{self.place[0]}:{self.place[1]}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def await_figures(self, **wanted):
        """The last scrape, in which these were so, or which came too late."""
        deadline = time.monotonic() + 10
        while True:
            found = self.scrape()
            if all(found.get(f"baton_{name}") == value for name, value in wanted.items()) or time.monotonic() > deadline:
                return found
            time.sleep(0.05)

    def test_a_transferred_call_is_counted(self):
        self.world.server.start()
        before = self.scrape()
        self.assertEqual(before["baton_calls"], 0)
        self.assertEqual(before['baton_transfers_total{outcome="transferred"}'], 0)
        self.world.play(called={"endpoint": endpoint().refer(to(HUMAN)).notifies(200).recv_bye(),
                                "target": ringing().answer().pause(700).bye()},
                        caller={"caller": calling().recv_bye()})
        self.world.records(calls=2, transfers=1)
        self.assertEqual(self.world.problems, [])
        after = self.await_figures(calls=0)
        for name, value in {"baton_calls": 0, "baton_calls_started_total": 1, "baton_calls_answered_total": 1,
                            'baton_call_records_total{leg="original",code="3050",cause="transferred"}': 1,
                            'baton_transfers_total{outcome="transferred"}': 1, "baton_transfer_seconds_count": 1,
                            'baton_talk_seconds_count{leg="transfer"}': 1, "baton_store_healthy": 1,
                            "baton_shard_steps_failed_total": 0}.items():
            self.assertEqual(after.get(name), value, name)
        self.assertGreater(after["baton_sip_messages_received_total"], before["baton_sip_messages_received_total"])
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://{self.place[0]}:{self.place[1]}/other", timeout=10)

    def test_a_port_that_is_taken_is_named(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(self.place)
            other.listen()
            with self.assertRaises(ServerError) as refused:
                self.world.server.start()
        self.assertIn("[metrics]", str(refused.exception))
        self.assertIn(f"{self.place[0]}:{PORT}", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
