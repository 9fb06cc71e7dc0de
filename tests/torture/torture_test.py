"""The torture messages of RFC 4475 and RFC 5118, each sent to the real server over UDP and over TCP.

The tables say what the RFC asks for, or what this server has chosen where the RFC leaves a choice. The messages of
corpus/rfc4475 are the bit-exact ones of that RFC's appendix, except that baddn got the empty line it lacks there. Those
of corpus/rfc5118 have CRLF line ends and the Content-Length their bodies have; the appendix has neither.
"""
import os
import pathlib
import re
import socket
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "demo"), str(HERE.parent / "interop")]
import configuration  # noqa: E402
import loopback  # noqa: E402
import server  # noqa: E402

BATON = os.environ.get("BATON", "")
NUMBER = "+14155550100"  # of trunk desk

SILENCE, CLOSED = "silence", "closed"
WAIT = 5.0       # for an answer that has to come
QUIET = 0.3      # after which no answer counts as silence; what follows proves that the server is alive

# name → answer over UDP and over TCP, where the Request-URI is as the RFC has it (no number of ours).
AS_IT_IS = {
    # RFC 4475 3.1.1: valid
    "wsinv": (481, 481),        # it has a To tag, of no dialog of ours
    "intmeth": (501, 501),
    "esc01": (404, 404),
    "escnull": (405, 405),      # no registrar
    "esc02": (501, 501),        # RE%47IST%45R is not REGISTER
    "lwsdisp": (200, 200),
    "longreq": (404, 404),
    "dblreq": (405, 405),       # over UDP what follows is noise; over TCP it is a request, see test_two_in_a_stream
    "semiuri": (200, 200),
    "transports": (200, 200),
    "mpart01": (405, 405),
    "unreason": (SILENCE, SILENCE),
    "noreason": (SILENCE, SILENCE),
    # 3.1.2: invalid
    "badinv01": (400, 400),
    "clerr": (400, SILENCE),    # over TCP more may come; the bound on that is the TCP tests' matter
    "ncl": (400, CLOSED),
    "scalar02": (400, 400),
    "scalarlg": (SILENCE, SILENCE),
    "quotbal": (400, 400),
    "ltgtruri": (400, 400),
    "lwsruri": (400, 400),
    "lwsstart": (400, 400),
    "trws": (400, 400),
    "escruri": (400, 400),
    "baddate": (404, 404),      # Date is none of our business
    "regbadct": (405, 405),
    "badaspec": (400, 400),
    "baddn": (400, 400),
    "badvers": (505, 505),
    "mismatch01": (400, 400),
    "mismatch02": (501, 501),
    "bigcode": (SILENCE, SILENCE),
    # 3.2, 3.3, 3.4: above the parser
    "badbranch": (200, 200),    # matched as RFC 2543 has it
    "insuf": (SILENCE, SILENCE),  # nothing to build an answer from: no From, To and Call-ID
    "unkscm": (416, 416),
    "novelsc": (416, 416),
    "unksm2": (405, 405),
    "bext01": (420, 420),
    "invut": (415, 415),
    "regaut01": (405, 405),
    "multi01": (400, 400),
    "mcl01": (400, CLOSED),
    "bcast": (SILENCE, SILENCE),
    "zeromf": (200, 200),
    "cparam01": (405, 405),
    "cparam02": (405, 405),
    "regescrt": (405, 405),
    "sdp01": (406, 406),
    "inv2543": (400, CLOSED),   # no Contact: nowhere to send the BYE; over TCP there is no framing without a length
    # RFC 5118
    "ipv6-good": (405, 405),
    "ipv6-bad": (400, 400),
    "port-ambiguous": (405, 405),
    "port-unambiguous": (405, 405),
    "via-received-param-with-delim": (481, 481),
    "via-received-param-no-delim": (200, 200),
    "ipv6-in-sdp": (488, 488),  # G.726 and H.263
    "mult-ip-in-header": (481, 481),
    "mult-ip-in-sdp": (404, 404),
    "ipv4-mapped-ipv6": (488, 488),
    "ipv6-bug-abnf-3-colons": (200, 200),  # read as if the third were not there
    "ipv6-correct-abnf-2-colons": (200, 200),
}

# INVITEs once more, now to a number of ours whose endpoint is busy: 486 shows that the message went through.
TO_OUR_NUMBER = {
    "esc01": 486,
    "longreq": 486,
    "baddate": 486,
    "escruri": 400,
    "invut": 415,
    "sdp01": 406,
    "mult-ip-in-sdp": 486,
    "ipv6-in-sdp": 488,
    "ipv4-mapped-ipv6": 488,
}


def corpus():
    return {path.stem: path.read_bytes() for path in sorted(HERE.glob("corpus/*/*.dat"))}


def distinct(messages):
    """Some share branch and sent-by, or Call-ID, tag and CSeq: one server would take them for repeats of each other
    (RFC 3261 17.2.3), or for copies of one request that came by two ways (8.2.2.2)."""
    def own(name, message):
        message = re.sub(rb"(branch=z9hG4bK[^\s;,]+)", rb"\1." + name.encode(), message, count=1)
        return re.sub(rb"(Call-ID: )(SSG|G9)", rb"\g<1>" + name.encode() + rb"-\2", message, count=1)
    return {name: own(name, message) for name, message in messages.items()}


def header(message, *names):
    for line in re.sub(rb"\r\n[ \t]+", b" ", message).split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() in names:
            return value.strip()
    return b""


def via_port(message):
    """Where a response over UDP goes that was not asked for by rport: RFC 3261 18.2.2."""
    via = re.sub(rb"\s*/\s*", b"/", header(message, b"via", b"v")).split(b",")[0].split(b";")[0]
    match = re.search(rb"\S+\s+(?:\[[^\]]*\]|[^:\s]+):(\d+)$", via.strip())
    return int(match.group(1)) if match else 5060


def ack_for(request, response):
    """RFC 3261 17.1.1.3, so that no answer is repeated into the next test."""
    number = header(request, b"cseq").split()[0]
    return b"\r\n".join([b"ACK " + request.split(b" ")[1] + b" SIP/2.0", b"Via: " + header(request, b"via", b"v"),
                         b"From: " + header(request, b"from", b"f"), b"To: " + header(response, b"to", b"t"),
                         b"Call-ID: " + header(request, b"call-id", b"i"), b"CSeq: " + number + b" ACK",
                         b"Max-Forwards: 70", b"Content-Length: 0", b"", b""])


def status(response):
    match = re.match(rb"SIP/2\.0 (\d{3}) ", response)
    return int(match.group(1)) if match else 0


class BusyEndpoint(threading.Thread):
    """Answers every INVITE 486 and keeps what came."""

    def __init__(self, address, port):
        super().__init__(daemon=True)
        self.received = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(0.2)
        self._over = threading.Event()

    def run(self):
        while not self._over.is_set():
            try:
                message, peer = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            self.received.append(message)
            if message.startswith(b"INVITE "):
                lines = [b"SIP/2.0 486 Busy Here"]
                lines += [line for line in message.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
                          if line.lower().startswith((b"via:", b"from:", b"call-id:", b"cseq:"))]
                lines += [b"To: " + header(message, b"to") + b";tag=busy", b"Content-Length: 0", b"", b""]
                self._socket.sendto(b"\r\n".join(lines), peer)

    def stop(self):
        self._over.set()
        self.join()
        self._socket.close()


class Torture(unittest.TestCase):
    """A server for each test: the messages of both passes have the same transaction ids."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.network = loopback.Loopback()
        text = configuration.configuration(self.network, "udp")
        self.address = (self.network.of("baton"), self.network.port)
        self.server = server.Server(BATON, self._folder.name, text, *self.address).start()
        self.caller = self.network.of("caller")
        self.endpoint = BusyEndpoint(self.network.of("agent"), self.network.port)
        self.endpoint.start()
        self.messages = distinct(corpus())

    def tearDown(self):
        self.endpoint.stop()
        code = self.server.stop()
        log = self.server.log_path.read_text(errors="replace")
        self._folder.cleanup()
        self.assertEqual(code, 0, log[-3000:])
        for bad in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "assertion failed"):
            self.assertNotIn(bad, log)

    def probe(self):
        return (f"OPTIONS sip:{self.address[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {self.caller};rport;branch=z9hG4bK"
                f"{os.urandom(8).hex()}\r\nFrom: <sip:a@b.example>;tag=1\r\nTo: <sip:a@b.example>\r\nCall-ID: "
                f"{os.urandom(8).hex()}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode()

    def over_udp(self, message, silence):
        """The final answer and its text; SILENCE when the server answers what was sent later, but not this."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind((self.caller, via_port(message)))
            wire.sendto(message, self.address)
            wire.settimeout(QUIET if silence else WAIT)
            call_id = header(message, b"call-id", b"i")
            try:
                while True:
                    response = wire.recv(65536)
                    if status(response) >= 200 and header(response, b"call-id") == call_id:
                        if header(message, b"cseq").endswith(b"INVITE"):
                            wire.sendto(ack_for(message, response), self.address)
                        return status(response), response
            except TimeoutError:
                probe = self.probe()
                wire.settimeout(WAIT)
                wire.sendto(probe, self.address)
                while header(wire.recv(65536), b"call-id") != header(probe, b"call-id"):
                    pass
                return SILENCE, b""

    def over_tcp(self, message, silence):
        with socket.create_connection(self.address, timeout=WAIT, source_address=(self.caller, 0)) as wire:
            wire.sendall(message)
            wire.settimeout(QUIET if silence else WAIT)
            buffer = b""
            try:
                while True:
                    piece = wire.recv(65536)
                    if not piece:
                        return CLOSED, buffer
                    buffer += piece
                    for response in buffer.split(b"\r\n\r\n"):
                        if status(response) >= 200 and buffer.count(b"\r\n\r\n"):
                            if header(message, b"cseq").endswith(b"INVITE"):
                                wire.sendall(ack_for(message, response))
                            return status(response), buffer
            except ConnectionError:
                return CLOSED, buffer
            except TimeoutError:
                return SILENCE, buffer

    def test_the_tables_cover_the_corpus(self):
        self.assertEqual(set(AS_IT_IS), set(self.messages))
        self.assertEqual(len(AS_IT_IS), 49 + 12)

    def check_all(self, send, column):
        for name, expected in AS_IT_IS.items():
            with self.subTest(name):
                message = self.messages[name]
                if name == "dblreq" and column == 1:
                    message = message[:message.index(b"\r\n\r\n") + 4]
                found, text = send(message, expected[column] == SILENCE)
                self.assertEqual(found, expected[column], text)
                self.check_answer(name, found, text)

    def check_answer(self, name, found, text):
        """What else such an answer has to say."""
        if found == 405 or found == 501 and name != "mismatch02":  # that one is answered without being read
            self.assertIn(b"INVITE", header(text, b"allow"))
        if name == "bext01":
            self.assertEqual(header(text, b"unsupported").replace(b" ", b""),
                             b"nothingSupportsThis,nothingSupportsThisEither")
        if found == 415:
            self.assertIn(b"application/sdp", header(text, b"accept"))
        if found == 400:
            self.assertRegex(header(text, b"warning"), rb'^399 \S+ ".+"$')

    def test_over_udp(self):
        self.check_all(self.over_udp, 0)
        self.assertEqual(self.endpoint.received, [], "nothing of it was for the endpoint")

    def test_over_tcp(self):
        self.check_all(self.over_tcp, 1)
        self.assertEqual(self.endpoint.received, [])

    def test_to_our_number(self):
        for name, expected in TO_OUR_NUMBER.items():
            with self.subTest(name):
                before = len(self.endpoint.received)
                start, rest = self.messages[name].split(b"\r\n", 1)
                uri = start.split(b" ")[1]
                extra = uri[uri.index(b"?"):] if b"?" in uri else b""
                ours = f"sip:{NUMBER}@{self.address[0]}".encode() + extra
                found, text = self.over_udp(b"INVITE " + ours + b" SIP/2.0\r\n" + rest, False)
                self.assertEqual(found, expected, text)
                invites = [m for m in self.endpoint.received[before:] if m.startswith(b"INVITE ")]
                self.assertEqual(bool(invites), expected == 486)
                for invite in invites:
                    for leak in (b"example.com", b"example.net", b"192.0.2.", b"Unknown-", b"mhandley"):
                        self.assertNotIn(leak, invite)

    def test_two_in_a_stream(self):
        """What is noise behind a message in a datagram is the next message in a stream (18.3)."""
        both = [self.messages["cparam01"], self.messages["semiuri"]]
        with socket.create_connection(self.address, timeout=WAIT, source_address=(self.caller, 0)) as wire:
            wire.sendall(b"".join(both))
            buffer, finals = b"", []
            while len(finals) < 2:
                piece = wire.recv(65536)
                self.assertTrue(piece, buffer)
                buffer += piece
                finals = [int(code) for code in re.findall(rb"(?m)^SIP/2\.0 ([2-6]\d\d) ", buffer)]
            self.assertEqual(finals, [405, 200])


if __name__ == "__main__":
    unittest.main()
