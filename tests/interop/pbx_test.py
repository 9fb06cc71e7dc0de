"""A PBX behind the trunk: Kamailio, which stays on the way, with a SIPp phone or linphone behind it. And linphone alone."""
import os
import pathlib
import re
import sqlite3
import string
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
import cases  # noqa: E402
from kamailio import Kamailio  # noqa: E402
from linphone import Linphone  # noqa: E402
from loopback import host_port, media_ports  # noqa: E402
from scenario import Scenario  # noqa: E402
from sipp import Sipp  # noqa: E402
from world import TLS_PORT, World  # noqa: E402

BATON = os.environ.get("BATON", "")
HOME = "pbx.example"
PBX_TLS = 1  # the port of the PBX for TLS, counted from its port
TLS_MODULE = """\
loadmodule "tls.so"
modparam("tls", "private_key", "$key")
modparam("tls", "certificate", "$certificate")
modparam("tls", "ca_list", "$ca")
modparam("tls", "verify_certificate", 1)
modparam("tls", "tls_method", "TLSv1.2+")
"""


def behind_the_pbx(transport):
    """Trunk desk leads to the PBX, and the PBX may use trunk reach."""
    def change(text):
        place = f"$pbx_at;transport={transport}" if transport != "tls" else "$pbx:$pbx_tls;transport=tls"
        text = text.replace('primary = "sip:$agent_at;transport=$transport"\nfallback', f'primary = "sip:{place}"\nfallback')
        return text.replace('acl = ["$agent"]', 'acl = ["$pbx"]')
    return change


class PbxTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.world = None

    def tearDown(self):
        if self.world:
            self.world.close()
            self.assertEqual(self.world.problems, [])

    def start(self, transport, change=lambda text: text):
        self.addCleanup(self._folder.cleanup)
        self.world = World(BATON, self.folder, transport, change)
        self.network = self.world.network
        if transport == "tls":  # mbed TLS 2.28, which linphone is built with, finds an address among the names only
            address = self.network.of("baton")
            self.world.pki.make("baton", f"IP:{address},DNS:{address}")
        self.world.server.start()

    def start_pbx(self, transport, phone_transport):
        address, port = self.network.of("pbx"), self.network.port
        listen = module = ""
        if transport == "tls":
            certificate, key = self.world.pki.make("pbx", f"IP:{address},DNS:{address}")
            listen = f"enable_tls=yes\nlisten=tls:{address}:{port + PBX_TLS}"
            module = string.Template(TLS_MODULE).substitute(certificate=certificate, key=key, ca=self.world.pki.ca)
        pbx = Kamailio("pbx", self.folder / "pbx", (address, port), pbx=address, port=port, tls=listen, tls_module=module,
                       baton=self.network.of("baton"), phone=self.network.at("agent"), phone_transport=phone_transport,
                       home=HOME, trunk_domain="reach.trunks.example", transport=transport,
                       trunk=self.network.at("baton", TLS_PORT if transport == "tls" else 0))
        self.addCleanup(pbx.stop)
        pbx.start()

    # A phone behind the PBX.

    def play(self, transport, phone_transport, phone, calls, **others):
        """`calls`: who of the parties begins. The phone speaks to the PBX, the others to the server."""
        self.start(transport, behind_the_pbx(transport))
        self.start_pbx(transport, phone_transport)
        port, scenarios = self.network.port, {"phone": phone, **others}
        for name in sorted(scenarios, key=lambda name: name == calls):
            place, peer, kind = ("agent", "pbx", phone_transport) if name == "phone" else (name, "baton", transport)
            place = {"target": "carrier", "customer": "caller"}.get(place, place)
            party = self.world.parties[name] = Sipp(name, self.folder, scenarios[name], self.network.of(place), port,
                                                    self.network.at(peer), kind)
            party.start()
            if name != calls:
                party.await_bound()
        for name, party in self.world.parties.items():
            self.assertEqual(party.wait(30), 0, "".join(f"{p.name}: {p.complaint()}\n" for p in self.world.parties.values()))

    def answers_and_refers(self):
        return Scenario(cases.DESK, routed=True).recv_invite().ring().answer().pause(300).refer(cases.to(cases.HUMAN))

    def transferred(self, transport, phone_transport):
        self.play(transport, phone_transport, self.answers_and_refers().notifies(200).recv_bye(), "caller",
                  target=cases.ringing().pause(1500).answer().pause(500).bye(), caller=cases.calling().recv_bye())
        world = self.world
        world.check_notified("phone", 100, 180, 200)
        world.records(calls=2, transfers=1)
        world.check_one_root()
        world.check_transfer(outcome="transferred", refer_status=202, final_status=200, target_number=cases.HUMAN)
        world.check_call("original", call_direction="inbound", hangup_cause_name="transferred")
        world.check_call("transfer", to_number=cases.HUMAN, from_number=cases.CALLER, carrier_id="east")
        # The phone is reached by way of the PBX alone: every request to it carries its Via; two of them between transports.
        for method in ("INVITE", "ACK", "NOTIFY", "BYE"):
            for request in world.parties["phone"].received(method):
                vias = [value for name, value in request.headers if name == "via"]
                self.assertEqual(len(vias), 2, f"{method}: {vias}")
                self.assertIn(self.network.of("pbx"), vias[0])
        # And nothing of the PBX's side reaches the others.
        for name in ("caller", "target"):
            for message in world.parties[name].messages(sent=False):
                text = message.start + str(message.headers) + message.body
                self.assertNotIn(self.network.of("pbx"), text)
                self.assertNotIn(self.network.of("agent"), text)

    def test_a_transfer_from_behind_a_record_routing_pbx_over_udp(self):
        self.transferred("udp", "udp")

    def test_a_transfer_from_behind_a_record_routing_pbx_over_tcp(self):
        self.transferred("tcp", "tcp")

    def test_a_transfer_through_a_pbx_that_goes_on_over_another_transport(self):
        self.transferred("tcp", "udp")

    def test_a_transfer_that_fails_behind_the_pbx_leaves_the_call_as_it_was(self):
        self.play("udp", "tcp", self.answers_and_refers().notifies(486).pause(300).bye(), "caller",
                  target=cases.ringing().reject(486, "Busy Here"), caller=cases.calling().recv_bye())
        self.world.records(calls=1, transfers=1)
        self.world.check_transfer(outcome="failed", refer_status=202, final_status=486)
        self.world.check_call("original", hangup_cause_name="normal_hangup")

    def test_a_caller_that_gives_up_is_cancelled_behind_the_pbx(self):
        self.play("tcp", "udp", Scenario(cases.DESK, routed=True).recv_invite().ring().cancelled(), "caller",
                  caller=Scenario(cases.CALLER).invite(cases.DESK).rung().cancel())
        self.world.records(calls=1, transfers=0)

    def test_a_phone_behind_the_pbx_calls_out_and_hands_over(self):
        phone = (Scenario(cases.DESK, routed=True).invite(cases.CALLER, HOME).answered().pause(300)
                 .refer(cases.to(cases.HUMAN, "reach")).notifies(200).recv_bye())
        self.play("tcp", "tcp", phone, "phone", customer=Scenario(cases.CALLER).recv_invite().ring().answer().recv_bye(),
                  target=cases.ringing().answer().pause(500).bye())
        self.world.records(calls=2, transfers=1)
        self.world.check_call("original", call_direction="outbound", hangup_cause_name="transferred", to_number=cases.CALLER)
        self.world.check_transfer(outcome="transferred", transferee=cases.CALLER)

    # linphone, attended, over TLS.

    def start_linphone(self, domain, server, **options):
        phone = Linphone(self.folder / "linphone", cases.DESK, domain, self.network.of("agent"), self.network.port, server,
                         self.world.pki.ca, media_ports(20)[0], **options)
        self.addCleanup(phone.stop)
        return phone.start()

    def carrier(self, name, scenario, called=True):
        party = self.world.parties[name] = self.world._party(name, scenario)
        party.start()
        if called:
            party.await_bound()

    def check_attended(self, phone, first, consultation, direction):
        """The phone has joined its two calls: the parties talk, it is let go of both, and nobody was called again."""
        phone.await_state("LinphoneCallReleased", first)
        phone.await_state("LinphoneCallReleased", consultation)
        for name, party in self.world.parties.items():
            self.assertEqual(party.wait(15), 0, f"{name}: {party.complaint()}")
        world = self.world
        self.assertEqual(phone.notified(), [100, 200])
        self.assertEqual(len(world.parties["target"].received("INVITE")), 1)
        # The target had heard of the phone; the first INVITE's Replaces never leaves the server.
        self.assertEqual([m for m in world.parties["target"].messages(sent=False) if m.header("Replaces")], [])
        world.records(calls=3, transfers=1)
        world.check_transfer(outcome="transferred", refer_status=202, final_status=200, target_number=cases.HUMAN,
                             transferee=cases.CALLER)
        self.assertIn("Replaces=", world.transfers[0]["refer_to"])
        for index in (0, 1):
            world.check_call("original", index, hangup_cause_name="transferred", transport_protocol="tls")
        world.check_call("original", 0, call_direction=direction)
        world.check_call("transfer", to_number=cases.HUMAN, from_number=cases.CALLER, carrier_id="east",
                         hangup_cause_name="normal_hangup")

    def check_encrypted(self, phone, least=6):
        """Every description of both sides is of SRTP and has a key that linphone knows how to use."""
        descriptions = re.findall(r"^m=audio \d+ \S+ (?:.+\n)+", phone.log().replace("\r", ""), re.M)
        self.assertGreaterEqual(len(descriptions), least)
        for description in descriptions:
            self.assertRegex(description, r"^m=audio \d+ RTP/SAVP ")
            self.assertIn("a=crypto:", description)

    def test_linphone_logs_in_and_joins_two_calls_of_its_own(self):
        self.start("tls")
        phone = self.start_linphone("secret.trunks.example", host_port(self.network.of("baton"), self.network.port + TLS_PORT),
                                    credentials=("agent", "correct-horse"), encryption="srtp")
        self.carrier("customer", Scenario(cases.CALLER).recv_invite().ring().answer().pause(2500).bye())
        self.carrier("target", Scenario(cases.HUMAN).recv_invite().ring().answer().recv_bye())
        first = phone.call(f"sip:{cases.CALLER}@secret.trunks.example")
        phone.await_state("LinphoneCallStreamsRunning", first)
        consultation = phone.call(f"sip:{cases.HUMAN}@secret.trunks.example")
        phone.await_state("LinphoneCallStreamsRunning", consultation)
        phone.command(f"call-transfer {first} {consultation}")
        self.check_attended(phone, first, consultation, "outbound")
        self.assertIn("algorithm=SHA-256", phone.log())
        self.check_encrypted(phone)

    def test_linphone_speaks_opus_over_srtp(self):
        def as_it_is(text):
            # SIPp is asked for no other codec: it could not answer.
            return text.replace('id = "west"', 'id = "west"\nmedia.renegotiate = false', 1)

        self.start("tls", as_it_is)
        phone = self.start_linphone("secret.trunks.example", host_port(self.network.of("baton"), self.network.port + TLS_PORT),
                                    credentials=("agent", "correct-horse"), encryption="srtp", codec="opus/48000/2")
        self.carrier("customer", Scenario(cases.CALLER).recv_invite().ring().answer().pause(2500).bye())
        call = phone.call(f"sip:{cases.CALLER}@secret.trunks.example")
        phone.await_state("LinphoneCallStreamsRunning", call)
        phone.await_state("LinphoneCallReleased", call)
        self.assertEqual(self.world.parties["customer"].wait(15), 0)
        self.world.records(calls=1, transfers=0)
        with sqlite3.connect(self.world.server.directory / "baton.db") as database:
            legs = dict(database.execute("select party, codec from leg_quality"))
        # Without a sound card it says nothing to judge.
        self.assertEqual(legs, {"endpoint": "opus", "callee": "PCMU"})
        self.check_encrypted(phone, 2)

    def test_linphone_registered_with_the_pbx_answers_consults_and_joins(self):
        # linphone takes keys in what is offered as encrypted, not in an offer that leaves the choice (RFC 8643).
        def encrypted(text):
            text = behind_the_pbx("tls")(text)
            return text.replace('id = "desk"', 'id = "desk"\nsip.srtp = "required"', 1)

        self.start("tls", encrypted)
        self.start_pbx("tls", "tls")
        phone = self.start_linphone(HOME, self.network.at("pbx", PBX_TLS), registers=True, encryption="srtp")
        phone.await_registered()
        self.carrier("target", Scenario(cases.HUMAN).recv_invite().ring().answer().recv_bye())
        self.carrier("caller", Scenario(cases.CALLER).invite(cases.DESK).answered().pause(3500).bye(), called=False)
        first = phone.await_incoming()
        phone.command(f"answer {first}")
        phone.await_state("LinphoneCallStreamsRunning", first)
        consultation = phone.call(f"sip:{cases.HUMAN}@{HOME}")
        phone.await_state("LinphoneCallStreamsRunning", consultation)
        phone.command(f"call-transfer {first} {consultation}")
        self.check_attended(phone, first, consultation, "inbound")
        self.check_encrypted(phone)


if __name__ == "__main__":
    unittest.main()
