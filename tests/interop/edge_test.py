"""Programs of others round the server: Kamailio as a carrier's edge, sipsak, and SIPVicious as the scanner it is."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
import cases  # noqa: E402
from kamailio import Kamailio  # noqa: E402
from scenario import Scenario  # noqa: E402
from sipp import Sipp  # noqa: E402
from world import World  # noqa: E402

BATON = os.environ.get("BATON", "")


class EdgeTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.world = None

    def start(self, configure=lambda text: text):
        self.world = World(BATON, self._folder.name, "udp", configure)
        self.network = self.world.network
        self.world.server.start()

    def tearDown(self):
        if self.world:
            self.world.close()
        self._folder.cleanup()
        if self.world:
            self.assertEqual(self.world.problems, [])

    def baton(self):
        return f"{self.network.of('baton')}:{self.network.port}"

    def start_kamailio(self):
        edge = Kamailio("edge", pathlib.Path(self._folder.name) / "edge", (self.edge, self.network.port), edge=self.edge,
                        phone=self.network.of("stranger"), baton=self.network.of("baton"), port=self.network.port)
        self.addCleanup(edge.stop)
        edge.start()

    def test_a_transfer_through_a_record_routing_edge_on_both_carrier_legs(self):
        """Kamailio is on the way of the caller and of the target: route sets, Vias and CANCELs of three hops."""
        self.start(lambda text: text.replace('id = "east"', 'id = "east"\nsources = ["$carrier"]'))
        self.edge = self.network.of("carrier")
        self.start_kamailio()
        edge = f"{self.edge}:{self.network.port}"
        port = self.network.port
        parties = {
            "endpoint": (cases.endpoint().refer(cases.to(cases.HUMAN)).notifies(200).recv_bye(), "agent", self.baton()),
            "target": (Scenario(cases.HUMAN, routed=True).recv_invite().ring().pause(1500).answer().pause(700).bye(), "stranger",
                       edge),
            "caller": (Scenario(cases.CALLER, routed=True).invite(cases.DESK).answered().recv_bye(), "caller", edge)}
        for name, (scenario, place, peer) in parties.items():
            party = Sipp(name, self._folder.name, scenario, self.network.of(place), port, peer)
            self.world.parties[name] = party
            party.start()
            if name != "caller":
                party.await_bound()
        for name, party in self.world.parties.items():
            self.assertEqual(party.wait(30), 0, party.complaint())
        self.world.check_notified("endpoint", 100, 180, 200)
        self.world.records(calls=2, transfers=1)
        self.world.check_transfer(outcome="transferred", final_status=200, target_number=cases.HUMAN)
        self.world.check_call("transfer", to_number=cases.HUMAN, from_number=cases.CALLER, carrier_id="east")
        # Nothing of one side's addresses reaches the other.
        for invite in self.world.parties["endpoint"].received("INVITE"):
            text = invite.start + str(invite.headers) + invite.body
            self.assertNotIn(self.edge, text)
            self.assertNotIn(self.network.of("caller"), text)

    def test_sipsak_is_answered(self):
        self.start()
        run = subprocess.run(["sipsak", "-vv", "-s", f"sip:{self.baton()}"], capture_output=True, text=True, timeout=30)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("200 OK", run.stdout)

    def test_a_flood_of_broken_messages_by_sipsak_does_no_harm(self):
        self.start()
        # -R is its random mode: a good request, more and more of whose characters are others.
        subprocess.run(["sipsak", "-R", "-t", "30", "-s", f"sip:{self.baton()}"], capture_output=True, timeout=60)
        # sipsak waits for 32 s when nobody answers.
        run = subprocess.run(["sipsak", "-s", f"sip:{self.baton()}"], capture_output=True, text=True, timeout=60)
        # 3: no answer. Whoever sends that much rubbish is a scanner, and is not answered for a while.
        self.assertIn(run.returncode, (0, 1, 3), run.stdout + run.stderr)
        self.assertTrue(self.world.server.running())

    def test_sipvicious_gets_no_call_and_finds_no_extension(self):
        self.start()
        for command in (["sipvicious_svmap", "-p", str(self.network.port), self.network.of("baton")],
                        ["sipvicious_svwar", "-p", str(self.network.port), "-m", "INVITE", "-e", "100-140", "--force",
                         self.network.of("baton")]):
            tool = shutil.which(command[0]) or shutil.which(command[0].removeprefix("sipvicious_"))
            run = subprocess.run([tool, *command[1:]], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                                 cwd=self._folder.name, env={**os.environ, "HOME": self._folder.name})
            self.assertNotRegex(run.stdout + run.stderr, r"\b1[0-4]\d\s*\|\s*(noauth|reqauth)")
        self.assertEqual(self.world.server.records("calls"), [], "a scanner leaves no call record")


if __name__ == "__main__":
    unittest.main()
