"""One test over real sockets: the server on a configuration, SIPp parties round it, checks on all of them."""
import pathlib
import re
import time

import loopback
from configuration import configuration, tls_listener
from name_server import A, NAPTR, SRV, NameServer, a, naptr, srv
from pki import Pki
from server import Server
from sipp import Sipp
from tls_relay import TlsRelay

PLACES = {"caller": "caller", "customer": "caller", "endpoint": "agent", "second": "second", "fallback": "fallback",
          "target": "carrier", "other_target": "north", "stranger": "stranger"}


TLS_PORT = 3  # the server's, counted from its port; those between are the relays'


class World:
    """`transport` is udp, tcp or tls, over IPv6 with a 6 behind it. `configure` changes interop.toml.in."""

    def __init__(self, baton, directory, transport, configure=lambda text: text):
        self.transport = transport.rstrip("6")
        self.directory = pathlib.Path(directory)
        self.network = loopback.Loopback(v6=transport.endswith("6"))
        self.parties = {}
        self.relays = []
        self.problems = []
        tls = ""
        if self.transport == "tls":
            self.pki = Pki(self.directory / "pki")
            self.pki.make("baton", f"IP:{self.network.of('baton')}")
            tls = tls_listener(self.network.at("baton", TLS_PORT), self.pki)
        text = configuration(self.network, self.transport, tls, configure)
        self.names = None
        if not self.network.v6:
            self.names = NameServer(self.network.of("names"), self.network.port_of("names"), self._zone())
        self.server = Server(baton, self.directory, text, self.network.of("baton"), self.network.port_of("baton"))

    def _zone(self):
        """gateways.example leads to two gateways by this world's transport; nobody is at the first."""
        service = f"_sip._{self.transport}.gateways.example"
        port = self.network.port
        return {("gateways.example", NAPTR): [naptr(10, 0, "SIP+D2U" if self.transport == "udp" else "SIP+D2T", service)],
                (service, SRV): [srv(2, 0, port, "second.gateways.example"), srv(1, 0, port, "first.gateways.example")],
                ("first.gateways.example", A): [a(self.network.of("dead"))],
                ("second.gateways.example", A): [a(self.network.of("north"))]}

    # Checks: each names what was expected; all are made, the test fails when one was not met.

    def check(self, happened, text):
        if not happened:
            self.problems.append(text)
        return bool(happened)

    def equal(self, found, expected, text):
        return self.check(found == expected, f"{text}: expected {expected!r}, found {found!r}")

    # Playing.

    def play(self, called, caller, meanwhile=None, deadline=30.0):
        """`called` and `caller`: name → Scenario. Who is called listens before who calls, or `meanwhile`, begins."""
        for name, scenario in [*called.items(), *caller.items()]:
            party = self.parties[name] = self._party(name, scenario)
            party.start()
            if name in called:
                party.await_bound()
        if meanwhile:
            meanwhile()
        end = time.monotonic() + deadline
        for name, party in self.parties.items():
            code = party.wait(max(0.1, end - time.monotonic()))
            self.check(code == 0, f"{name} ended with {code}\n{party.complaint()}")
        return self.parties

    def _party(self, name, scenario):
        address, port = self.network.of(PLACES[name]), self.network.port_of(PLACES[name])
        if self.transport != "tls":
            return Sipp(name, self.directory, scenario, address, port, self.network.at("baton"), self.transport)
        relay = TlsRelay(address, port, self.pki, name, self.network.of("baton"), self.network.port_of("baton") + TLS_PORT)
        self.relays.append(relay)
        return Sipp(name, self.directory, scenario, address, relay.inner, loopback.host_port(address, relay.outer), "tcp")

    # What was said and written down.

    def notified(self, name):
        """Codes of the NOTIFYs a party got, in order; checks what every one of them must have."""
        codes = []
        for message in self.parties[name].received("NOTIFY"):
            match = re.fullmatch(r"SIP/2\.0 (\d{3}) [^\r\n]*\r\n", message.body)
            if not self.check(match, f"{name}: body of a NOTIFY is not one Status-Line: {message.body!r}"):
                continue
            code = int(match.group(1))
            codes.append(code)
            self.check(re.match(r"refer\b", message.header("Event")), f"{name}: Event: {message.header('Event')!r}")
            self.equal(message.header("Content-Type").replace(" ", "").split(";")[0], "message/sipfrag",
                       f"{name}: Content-Type of a NOTIFY")
            state = message.header("Subscription-State").replace(" ", "")
            if code < 200:
                self.check(re.match(r"active;expires=\d+", state), f"{name}: NOTIFY {code} with state {state!r}")
            else:
                self.equal(state, "terminated;reason=noresource", f"{name}: state of the final NOTIFY")
        return codes

    def check_notified(self, name, *codes):
        self.equal(self.notified(name), list(codes), f"NOTIFYs to {name}")

    def check_order(self, name, *starts):
        """These messages were received by a party in this order, whatever came between them."""
        received = [m.start for m in self.parties[name].messages(sent=False)]
        at = 0
        for start in received:
            if at < len(starts) and start.startswith(starts[at]):
                at += 1
        self.check(at == len(starts), f"{name} should have received {starts} in this order, received {received}")

    def records(self, calls, transfers):
        found = self.server.await_records(calls, transfers)
        self.equal(len(found[0]), calls, "call records")
        self.equal(len(found[1]), transfers, "transfer records")
        self.calls, self.transfers = found
        return found

    def check_transfer(self, index=0, **fields):
        if index < len(self.transfers):
            for name, value in fields.items():
                self.equal(self.transfers[index].get(name), value, f"transfer record {index}, {name}")

    def check_call(self, role, index=0, **fields):
        rows = [row for row in self.calls if row["leg_role"] == role]
        if self.check(index < len(rows), f"no call record {index} with leg_role {role!r}"):
            for name, value in fields.items():
                self.equal(rows[index].get(name), value, f"{role} call record {index}, {name}")

    def check_one_root(self):
        roots = {row["root_call_uuid"] for row in [*self.calls, *self.transfers]}
        self.equal(len(roots), 1, f"records of one call share root_call_uuid {roots}")

    def check_ladder(self, *words):
        ladder = self.server.ask("trace", (self.calls or self.transfers)[0]["root_call_uuid"])
        for word in words:
            self.check(word in ladder, f"{word} is not in the ladder:\n{ladder}")

    def close(self):
        for party in self.parties.values():
            party.stop()
        for relay in self.relays:
            relay.close()
            self.problems += relay.problems
        code = self.server.stop()
        if self.names:
            self.names.close()
        if not self.server.log_path.exists():  # it was never started: what kept it from that is told already
            return
        self.check(code == 0, f"baton ended with {code}:\n{self.server.log()}")
        log = self.server.log_path.read_text(errors="replace")
        for bad in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "assertion failed"):
            self.check(bad not in log, f"{bad} in the server's log:\n{log[-3000:]}")
