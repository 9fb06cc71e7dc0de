"""Connections that end in the middle of a call, and certificates that change under one: TCP and TLS, on the wire."""
import os
import pathlib
import signal
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
import cases  # noqa: E402
from stream_peer import StreamPeer  # noqa: E402
from world import TLS_PORT, World  # noqa: E402

BATON = os.environ.get("BATON", "")


class FlowTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.world = None

    def tearDown(self):
        if self.world:
            self.world.close()
            self.assertEqual(self.world.problems, [])
        self._folder.cleanup()

    def start(self, transport):
        """`caller` and `endpoint` are by hand; the endpoint's call is up when this returns."""
        self.world = World(BATON, self._folder.name, transport)
        self.world.server.start()
        network = self.network = self.world.network
        pki = getattr(self.world, "pki", None)
        self.caller = StreamPeer(cases.CALLER, network.of("caller"), network.port, transport, pki)
        self.endpoint = StreamPeer(cases.DESK, network.of("agent"), network.port, transport, pki)
        self.addCleanup(self.caller.close)
        self.addCleanup(self.endpoint.close)
        self.server = network.of("baton"), network.port + (TLS_PORT if transport == "tls" else 0)

    def call(self):
        """Returns the connections of caller and endpoint."""
        of_caller = self.caller.connect(self.server)
        self.caller.call(of_caller, cases.DESK, "desk.trunks.example")
        of_endpoint = self.endpoint.take_call()
        self.caller.await_answer(of_caller)
        return of_caller, of_endpoint

    def target(self, scenario):
        party = self.world.parties["target"] = self.world._party("target", scenario)
        party.start().await_bound()
        return party

    def refer(self, connection):
        self.endpoint.request(connection, "REFER", [f"Refer-To: {cases.to(cases.HUMAN)}"])
        self.assertEqual(self.endpoint.receive(202).cseq_method(), "REFER")

    def await_released(self, *parties):
        for party in parties:
            self.assertEqual(party.wait(15), 0, party.complaint())

    def each(self, run):
        for transport in ("tcp", "tls"):
            with self.subTest(transport=transport):
                try:
                    run(transport)
                finally:
                    self.tearDown()
                    self.doCleanups()
                    self.setUp()

    # Connections.

    def test_a_connection_that_dies_after_the_refer_is_made_anew_for_notify_and_bye(self):
        self.each(self._dies_after_the_refer)

    def _dies_after_the_refer(self, transport):
        self.start(transport)
        target = self.target(cases.ringing().pause(1200).answer().pause(1200).bye())
        old = self.call()[1]
        self.refer(old)
        self.endpoint.answer(self.endpoint.receive("NOTIFY"))
        self.endpoint.drop()
        while True:  # on a connection of the server's, to the Contact
            notify = self.endpoint.receive("NOTIFY")
            self.assertIsNot(notify.connection, old)
            self.endpoint.answer(notify)
            if " 200 " in notify.body:
                break
        bye = self.endpoint.receive("BYE")
        self.assertIsNot(bye.connection, old)
        self.endpoint.answer(bye)
        self.caller.answer(self.caller.receive("BYE"))  # the target hung up
        self.await_released(target)
        self.world.records(calls=2, transfers=1)
        self.world.check_transfer(outcome="transferred", refer_status=202, final_status=200)
        self.world.check_call("original", hangup_cause_name="transferred")

    def test_the_transfer_goes_on_when_the_transferor_can_not_be_reached_again(self):
        self.each(self._can_not_be_reached_again)

    def _can_not_be_reached_again(self, transport):
        self.start(transport)
        target = self.target(cases.ringing().pause(1200).answer().pause(1200).bye())
        of_endpoint = self.call()[1]
        self.refer(of_endpoint)
        self.endpoint.stop_listening()
        self.endpoint.drop()
        self.caller.answer(self.caller.receive("BYE"))
        self.await_released(target)
        self.world.records(calls=2, transfers=1)
        self.world.check_transfer(outcome="transferred", refer_status=202, final_status=200)
        self.world.check_call("original", hangup_cause_name="transferred")
        self.world.check_call("transfer", hangup_cause_name="normal_hangup")

    def test_a_caller_whose_connection_died_is_told_of_the_end_at_its_contact(self):
        self.each(self._told_at_its_contact)

    def _told_at_its_contact(self, transport):
        self.start(transport)
        of_endpoint = self.call()[1]
        self.caller.drop()
        self.endpoint.request(of_endpoint, "BYE")
        self.assertEqual(self.endpoint.receive(200).cseq_method(), "BYE")
        self.caller.answer(self.caller.receive("BYE"))
        self.world.records(calls=1, transfers=0)
        self.world.check_call("original", hangup_cause_name="normal_hangup")

    def test_a_caller_goes_on_over_a_connection_of_its_own_after_the_first_died(self):
        self.each(self._goes_on)

    def _goes_on(self, transport):
        self.start(transport)
        of_endpoint = self.call()[1]
        self.caller.drop()
        again = self.caller.connect(self.server)
        self.caller.request(again, "BYE")
        answer = self.caller.receive(200)
        self.assertIs(answer.connection, again)
        self.endpoint.answer(self.endpoint.receive("BYE"))
        del of_endpoint
        self.world.records(calls=1, transfers=0)

    # Certificates.

    def test_a_new_certificate_in_the_middle_of_a_call_does_not_touch_it(self):
        self.start("tls")
        target = self.target(cases.ringing().answer().pause(700).bye())
        of_caller, of_endpoint = self.call()
        first = of_caller.getpeercert(binary_form=True)
        self.world.pki.make("baton", f"IP:{self.network.of('baton')}")
        self.world.server.signal(signal.SIGHUP)
        end = time.monotonic() + 8
        while self.caller.connect(self.server).getpeercert(binary_form=True) == first:
            self.assertLess(time.monotonic(), end, "no connection has the new certificate")
        self.refer(of_endpoint)
        while True:
            notify = self.endpoint.receive("NOTIFY")
            self.assertIs(notify.connection, of_endpoint)
            self.endpoint.answer(notify)
            if " 200 " in notify.body:
                break
        bye = self.endpoint.receive("BYE")
        self.assertIs(bye.connection, of_endpoint)
        self.endpoint.answer(bye)
        bye = self.caller.receive("BYE")
        self.assertIs(bye.connection, of_caller)
        self.caller.answer(bye)
        self.await_released(target)
        self.world.records(calls=2, transfers=1)
        self.world.check_transfer(outcome="transferred", refer_status=202, final_status=200)


if __name__ == "__main__":
    unittest.main()
