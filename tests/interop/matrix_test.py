"""Transfers over every transport of every leg, many at once through one server; and those that fail.

A row names the transports of caller, endpoint and target. All rows of a course are played at the same time.
"""
import collections
import os
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
import cases  # noqa: E402
from loopback import Loopback, host_port, media_ports  # noqa: E402
from pki import Pki  # noqa: E402
from scenario import Scenario  # noqa: E402
from server import Server  # noqa: E402
from sipp import Sipp  # noqa: E402
from tls_relay import TlsRelay  # noqa: E402

BATON = os.environ.get("BATON", "")
ROLES = ("caller", "endpoint", "target")
ALIKE = [(transport,) * 3 for transport in ("udp", "tcp", "tls", "udp6", "tcp6", "tls6")]
MIXED = [("udp", "tls", "tcp6"), ("tls6", "udp", "udp"), ("tcp", "tcp6", "tls"), ("udp6", "tls6", "udp"),
         ("tls", "tcp", "udp6"), ("tcp6", "udp6", "tcp")]
ROWS = ALIKE + MIXED
TLS_PORT = 3  # the server's, counted from its port: those between are the relays' of parties
RETRANSMIT_MS = 4000  # nothing is lost on loopback, and a busy machine is no reason to say it twice

HEAD = """\
[server]
domain_suffix = "trunks.example"
drain_timeout = "1s"
{listeners}
[tls]
ca = "{ca}"
[limits]
overload_delay = "0s"
[media]
bind = "127.0.0.1"
bind6 = "::1"
port_min = {media[0]}
port_max = {media[1]}
[store]
path = "baton.db"
[log]
level = "info"
[[account]]
id = "acme"
name = "Acme"
[account.geo]
allow_all = true
[[carrier]]
id = "callers"
gateways = ["sip:127.0.0.1:9"]
prefixes = ["+999"]
sources = [{sources}]
"""

LISTENER = """\
[[server.listen]]
transport = "{transport}"
bind = "{place}"
"""

ROW = """\
[[trunk]]
id = "row{row}"
account = "acme"
direction = "inbound"
primary = "{endpoint}"
[trunk.transfer]
ring_timeout = "5s"
[[number]]
e164 = "{number}"
trunk = "row{row}"
[[carrier]]
id = "row{row}"
gateways = ["{target}"]
prefixes = ["{target_number}"]
"""


def number(row):
    return f"+1415555{2000 + row}"


def target_number(row):
    return f"+442071{830000 + row}"


def said_once(number):
    return Scenario(number, retransmit_ms=RETRANSMIT_MS)


class Place:
    """Where one party of one row is: its address, and the relay that lends it TLS."""

    def __init__(self, network, row, role, transport):
        self.transport, self.name = transport.rstrip("6"), f"{role}{row}"
        self.address, self.port = network.of(self.name), network.port_of(self.name)
        self.server = network.of("baton"), network.port_of("baton")
        self.uri = f"sip:{host_port(self.address, self.port)};transport={self.transport}"
        self.relay = None

    def lend_tls(self, pki):
        if self.transport == "tls":
            self.relay = TlsRelay(self.address, self.port, pki, self.name, self.server[0], self.server[1] + TLS_PORT)

    def party(self, folder, scenario, calls):
        at, server, transport = self.port, host_port(*self.server), self.transport
        if self.relay:
            at, server, transport = self.relay.inner, host_port(self.address, self.relay.outer), "tcp"
        return Sipp(self.name, folder, scenario, self.address, at, server, transport, calls=calls, rate=5, lenient=True)


class MatrixTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls._folder.name)
        parties = [f"{role}{row}" for row in range(len(ROWS)) for role in ROLES]
        hosts = {name: i + 1 for i, name in enumerate(["baton", *parties])}
        networks = {6: Loopback(v6=True, hosts=hosts), 4: Loopback(hosts=hosts)}
        cls.places = {(row, role): Place(networks[6 if transport.endswith("6") else 4], row, role, transport)
                      for row, transports in enumerate(ROWS) for role, transport in zip(ROLES, transports)}
        pki = Pki(cls.folder / "pki")
        certificate, key = pki.make("baton", f"IP:{networks[4].of('baton')},IP:::1")
        listeners = "".join(LISTENER.format(transport=transport, place=network.at("baton", TLS_PORT if transport == "tls" else 0)) +
                            (f'certificate = "{certificate}"\nkey = "{key}"\n' if transport == "tls" else "")
                            for network in networks.values() for transport in ("udp", "tcp", "tls"))
        sources = sorted({place.address for (_, role), place in cls.places.items() if role == "caller"})
        text = HEAD.format(listeners=listeners, ca=pki.ca, media=media_ports(4000),
                           sources=", ".join(f'"{source}"' for source in sources))
        for row in range(len(ROWS)):
            text += ROW.format(row=row, endpoint=cls.places[row, "endpoint"].uri, number=number(row),
                               target=cls.places[row, "target"].uri, target_number=target_number(row))
        for place in cls.places.values():
            place.lend_tls(pki)
        cls.server = Server(BATON, cls.folder, text, networks[4].of("baton"), networks[4].port_of("baton")).start()
        cls.seen = 0, 0

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        problems = [problem for place in cls.places.values() if place.relay for problem in place.relay.problems]
        for place in cls.places.values():
            if place.relay:
                place.relay.close()
        log = cls.server.log()
        cls._folder.cleanup()
        assert code == 0, f"baton ended with {code}:\n{log}"
        assert not problems, problems

    def play(self, rows, calls, course):
        """`course`: row → the scenarios of caller, endpoint and target. Every party must end as written, in every call."""
        parties = {}
        for row in rows:
            for role, scenario in zip(ROLES, course(row)):
                parties[row, role] = self.places[row, role].party(self.folder, scenario, calls)
                self.addCleanup(parties[row, role].stop)
        for begins in (False, True):
            of_turn = [party for (_, role), party in parties.items() if (role == "caller") == begins]
            for party in of_turn:
                party.start()
            for party in of_turn:
                if not begins:
                    party.await_bound(10)
        failed = []
        for (row, role), party in parties.items():
            if party.wait(30) != 0:
                failed.append(f"{role} of {ROWS[row]}: {party.complaint()[:2500]}")
        self.assertEqual(failed, [], "\n".join(failed[:4]))
        for (row, role), party in parties.items():  # whatever was passed over was nothing new
            for method in ("INVITE", "ACK", "CANCEL", "BYE"):
                self.assertIn(len(party.received(method)), (0, calls), f"{method} to {role} of {ROWS[row]}")

    def records(self, rows, calls, per_call):
        """What this course left: per row and call so many call records and one transfer record, of one root."""
        before_calls, before_transfers = self.seen
        found_calls, found_transfers = self.server.await_records(before_calls + len(rows) * calls * per_call,
                                                                before_transfers + len(rows) * calls)
        type(self).seen = len(found_calls), len(found_transfers)
        of_row = {f"row{row}": ([], []) for row in rows}
        for index, new in enumerate((found_calls[before_calls:], found_transfers[before_transfers:])):
            for record in new:
                of_row[record["trunk_id"]][index].append(record)
        for row in rows:
            cdrs, transfers = of_row[f"row{row}"]
            with self.subTest(row=ROWS[row]):
                self.assertEqual((len(cdrs), len(transfers)), (calls * per_call, calls))
                self.assertEqual({record["root_call_uuid"] for record in cdrs}, {record["root_call_uuid"] for record in transfers})
                self.assertEqual(set(collections.Counter(record["root_call_uuid"] for record in cdrs).values()), {per_call})
                self.assertEqual(len({record["root_call_uuid"] for record in transfers}), calls)
        return of_row

    def check(self, records, expected):
        """`expected`: field → value, of every record."""
        for record in records:
            self.assertEqual({name: record[name] for name in expected}, expected)

    def fails(self, status, outcome, hangup, caller, endpoint, target):
        rows, calls = range(len(ROWS)), 4
        self.play(rows, calls, lambda row: (
            caller(said_once(cases.CALLER).invite(number(row)).answered()),
            endpoint(said_once(number(row)).recv_invite().ring().answer().pause(200)
                     .refer(cases.to(target_number(row), f"row{row}")).notifies(status)),
            target(said_once(target_number(row)).recv_invite())))
        for row, (cdrs, transfers) in zip(rows, self.records(rows, calls, 1).values()):
            self.check(cdrs, {"leg_role": "original", "hangup_cause_name": "normal_hangup", "hangup_source": hangup})
            self.check(transfers, {"outcome": outcome, "refer_status": 202, "final_status": status,
                                   "target_number": target_number(row)})

    def test_twenty_calls_in_every_row_are_handed_over(self):
        rows, calls = range(len(ROWS)), 20
        self.play(rows, calls, lambda row: (
            said_once(cases.CALLER).invite(number(row)).answered().recv_bye(),
            said_once(number(row)).recv_invite().ring().answer().pause(200)
            .refer(cases.to(target_number(row), f"row{row}")).notifies(200).recv_bye(),
            said_once(target_number(row)).recv_invite().ring().answer().pause(1500).bye()))
        for row, (cdrs, transfers) in zip(rows, self.records(rows, calls, 2).values()):
            transport = ROWS[row][0].rstrip("6")
            self.check([record for record in cdrs if record["leg_role"] == "original"],
                       {"from_number": cases.CALLER, "to_number": number(row), "hangup_cause_name": "transferred",
                        "transport_protocol": transport, "sip_status": 200})
            self.check([record for record in cdrs if record["leg_role"] == "transfer"],
                       {"from_number": cases.CALLER, "to_number": target_number(row), "hangup_cause_name": "normal_hangup",
                        "carrier_id": f"row{row}", "sip_status": 200})
            self.assertEqual(collections.Counter(record["leg_role"] for record in cdrs), {"original": calls, "transfer": calls})
            self.check(transfers, {"outcome": "transferred", "refer_status": 202, "final_status": 200, "depth": 1,
                                   "target_number": target_number(row), "transferee": cases.CALLER})

    def test_a_busy_target_in_every_row_leaves_the_calls_as_they_were(self):
        self.fails(486, "failed", "customer", lambda s: s.recv_bye(), lambda s: s.pause(200).bye(),
                   lambda s: s.ring().reject(486, "Busy Here"))

    def test_a_target_that_does_not_answer_is_cancelled_in_every_row(self):
        self.fails(408, "failed", "customer", lambda s: s.recv_bye(), lambda s: s.pause(200).bye(), lambda s: s.ring().cancelled())

    def test_a_caller_that_hangs_up_while_the_target_rings_ends_the_calls_in_every_row(self):
        self.fails(487, "abandoned", "carrier", lambda s: s.pause(1200).bye(), lambda s: s.recv_bye(),
                   lambda s: s.ring().cancelled())


if __name__ == "__main__":
    unittest.main()
