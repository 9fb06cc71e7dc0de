"""TLS on the wire: who is let in, who is spoken to, and certificates that change under living connections."""
import contextlib
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "demo")]
import configuration  # noqa: E402
import loopback  # noqa: E402
import server  # noqa: E402
from pki import Pki  # noqa: E402
from scenario import Scenario  # noqa: E402
from sipp import Sipp  # noqa: E402

BATON = os.environ.get("BATON", "")
TLS_PORT = 3
CALLER, DESK = "+14155550142", "+14155550100"


class Connection:
    """One TLS connection to the server, and OPTIONS over it."""

    def __init__(self, address, port, pki, client=None, source=None, version=None):
        context = ssl.create_default_context(cafile=pki.ca)
        if client:
            context.load_cert_chain(*client)
        if version:
            context.maximum_version = version
        plain = socket.create_connection((address, port), timeout=5, source_address=(source, 0) if source else None)
        self._socket = context.wrap_socket(plain, server_hostname=address)
        self._bytes = b""

    def close(self):
        self._socket.close()

    def certificate(self):
        return self._socket.getpeercert(binary_form=True)

    def send(self, data):
        self._socket.sendall(data)

    def receive(self, length=65536):
        return self._socket.recv(length)

    def options(self):
        """The status of the answer, which must come back on this connection."""
        host, port = self._socket.getsockname()[:2]
        request = (f"OPTIONS sip:desk.trunks.example SIP/2.0\r\nVia: SIP/2.0/TLS {host}:{port};branch=z9hG4bK{uuid.uuid4().hex}\r\n"
                   f"Max-Forwards: 70\r\nFrom: <sip:a@{host}>;tag=1\r\nTo: <sip:desk.trunks.example>\r\nCall-ID: {uuid.uuid4()}\r\n"
                   "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
        self.send(request.encode())
        while b"\r\n\r\n" not in self._bytes:
            data = self.receive()
            if not data:
                raise ConnectionError("the server hung up")
            self._bytes += data
        head, _, self._bytes = self._bytes.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1])


class Gateway:
    """A TLS listener that notes whether anybody got through to it, and can not take the call."""

    def __init__(self, address, port, files):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*files)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, port))
        self._listener.listen(4)
        self.connections, self.received = 0, b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError), self._context.wrap_socket(accepted, server_side=True) as tls:
                tls.settimeout(3)
                request = tls.recv(65536)
                self.received += request
                kept = [line for line in request.decode().split("\r\n\r\n")[0].split("\r\n")
                        if line.lower().startswith(("via:", "from:", "call-id:", "cseq:"))]
                kept += [line + ";tag=gw" for line in request.decode().split("\r\n") if line.lower().startswith("to:")]
                answer = ["SIP/2.0 503 Service Unavailable", *kept, "Content-Length: 0", "", ""]
                tls.sendall("\r\n".join(answer).encode())
                tls.recv(65536)  # the ACK

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class TlsTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.network = loopback.Loopback()
        self.address, self.port = self.network.of("baton"), self.network.port + TLS_PORT
        self.pki = Pki(self.folder / "pki")
        self.pki.make("baton", f"IP:{self.address}")
        self.server = None

    def tearDown(self):
        try:
            if self.server:
                self.assertEqual(self.server.stop(), 0, self.server.log())
        finally:
            self._folder.cleanup()

    def start(self, more="", change=lambda text: text):
        text = configuration.configuration(self.network, "udp", configuration.tls_listener(
            self.network.at("baton", TLS_PORT), self.pki, more=more))
        self.server = server.Server(BATON, self.folder, change(text), self.address, self.network.port).start()

    def connect(self, **options):
        connection = Connection(self.address, self.port, self.pki, **options)
        self.addCleanup(connection.close)
        return connection

    def await_log(self, *words, deadline=8):
        end = time.monotonic() + deadline
        while True:
            for line in self.server.log_path.read_text(errors="replace").splitlines():
                if all(word in line for word in words):
                    return line
            self.assertLess(time.monotonic(), end, f"{words} not in the log:\n{self.server.log()}")
            time.sleep(0.05)

    # As the server.

    def test_options_and_pings_are_answered_by_every_version(self):
        self.start()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            connection = self.connect(version=version)
            self.assertEqual(connection.options(), 200)
            connection.send(b"\r\n\r\n")
            self.assertEqual(connection.receive(), b"\r\n")  # RFC 5626 3.5.1
            self.assertEqual(connection.options(), 200)

    def test_old_versions_and_weak_ciphers_are_refused(self):
        self.start()
        for arguments in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"],
                          ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"]):
            run = subprocess.run(["openssl", "s_client", "-connect", f"{self.address}:{self.port}", *arguments],
                                 capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
            self.assertNotEqual(run.returncode, 0, f"{arguments}: {run.stdout}")
            self.assertIn("alert", run.stderr)

    def test_a_client_without_the_right_certificate_is_refused(self):
        self.start(f'client_ca = "{self.pki.ca}"')
        good = self.pki.make("pbx", "DNS:pbx.example")
        stranger = Pki(self.folder / "other")  # an authority of the same name
        wrong = stranger.make("pbx", "DNS:pbx.example")
        expired = self.pki.make("late", "DNS:pbx.example", expired=True)
        self.assertEqual(self.connect(client=good).options(), 200)
        for client in (None, wrong, expired):
            with self.assertRaises((ssl.SSLError, ConnectionError), msg=str(client)):
                self.connect(client=client).options()
        self.await_log("tls.failed", "direction=inbound")
        run = subprocess.run(["openssl", "s_client", "-connect", f"{self.address}:{self.port}", "-tls1_2", "-CAfile",
                              str(self.pki.ca), "-cert", str(wrong[0]), "-key", str(wrong[1])], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=20)
        self.assertIn("alert", run.stderr)
        self.assertEqual(self.connect(client=good).options(), 200)

    # As the client.

    def call_through(self, files, configured=lambda text: text):
        """The primary endpoint is a TLS gateway with that certificate; the fallback answers over UDP."""
        gateway = Gateway(self.network.of("agent"), self.network.port, files)
        self.addCleanup(gateway.close)
        self.start(change=lambda text: configured(text.replace(
            f'primary = "sip:{self.network.at("agent")};transport=udp"\nfallback',
            f'primary = "sip:{self.network.at("agent")};transport=tls"\nfallback')))
        fallback = Sipp("fallback", self.folder, Scenario(DESK).recv_invite().answer().recv_bye(), self.network.of("fallback"),
                        self.network.port, self.network.at("baton"))
        caller = Sipp("caller", self.folder, Scenario(CALLER).invite(DESK).answered().pause(200).bye(),
                      self.network.of("caller"), self.network.port, self.network.at("baton"))
        self.addCleanup(fallback.stop)
        self.addCleanup(caller.stop)
        fallback.start().await_bound()
        self.assertEqual(caller.start().wait(20), 0, caller.complaint())
        self.assertEqual(fallback.wait(20), 0, fallback.complaint())
        return gateway

    def test_a_gateway_that_can_not_prove_itself_is_not_spoken_to(self):
        agent = self.network.of("agent")
        expired = self.pki.make("expired", f"IP:{agent}", expired=True)
        gateway = self.call_through(expired)
        self.assertGreaterEqual(gateway.connections, 1)
        self.assertEqual(gateway.received, b"")
        self.await_log("tls.failed", "direction=outbound", f"host={agent}", "certificate has expired")

    def test_a_gateway_of_another_name_is_not_spoken_to(self):
        gateway = self.call_through(self.pki.make("other", "DNS:other.example"))
        self.assertEqual(gateway.received, b"")
        self.await_log("tls.failed", "direction=outbound", "the certificate is for other.example, not for")

    def test_a_gateway_that_is_not_to_be_verified_is_spoken_to_with_a_warning(self):
        agent = self.network.of("agent")
        expired = self.pki.make("expired", "DNS:other.example", expired=True)
        gateway = self.call_through(expired, lambda text: text.replace("[tls]\n", f'[tls]\nunverified = ["{agent}"]\n'))
        self.assertTrue(gateway.received.startswith(b"INVITE "), gateway.received)
        self.await_log("warning", "config.warning", f"ANYBODY can pose as {agent}")
        self.await_log("warning", "tls.unverified", f"host={agent}")

    # Reload.

    def reload(self, *words):
        before = self.server.log_path.read_text(errors="replace").count(words[0])
        self.server.signal(signal.SIGHUP)
        end = time.monotonic() + 8
        while self.server.log_path.read_text(errors="replace").count(words[0]) == before:
            self.assertLess(time.monotonic(), end, self.server.log())
            time.sleep(0.05)
        return self.await_log(*words)

    def test_a_new_certificate_is_taken_and_the_connection_lives(self):
        self.start()
        old = self.connect()
        self.assertEqual(old.options(), 200)
        first = old.certificate()
        self.pki.make("baton", f"IP:{self.address}")
        self.reload("tls.reloaded", "valid_until")
        deadline = time.monotonic() + 5
        while self.connect().certificate() == first:  # the shard takes it in its next round
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(old.options(), 200)
        self.assertEqual(self.connect().options(), 200)

    def test_a_bad_certificate_is_refused_and_the_old_one_stays(self):
        self.start()
        first = self.connect().certificate()
        certificate, key = self.pki.files("baton")
        good = certificate.read_text(), key.read_text()
        self.pki.make("another", f"IP:{self.address}")
        key.write_text(self.pki.files("another")[1].read_text())
        line = self.reload("tls.not_reloaded", "is not the key of the certificate", "stays in force")
        self.assertIn("server.listen[2].key", line)
        self.assertEqual(self.connect().certificate(), first)
        self.pki.make("baton", f"IP:{self.address}", expired=True)
        self.reload("tls.not_reloaded", "until 2020-02-01", "stays in force")
        certificate.unlink()
        self.reload("tls.not_reloaded", "No such file")
        connection = self.connect()
        self.assertEqual(connection.certificate(), first)
        self.assertEqual(connection.options(), 200)
        certificate.write_text(good[0])
        key.write_text(good[1])
        self.reload("tls.reloaded")

    # baton check.

    def check(self):
        return subprocess.run([BATON, "check", str(self.folder / "baton.toml")], capture_output=True, text=True, timeout=20)

    def test_check_reads_the_files(self):
        text = configuration.configuration(self.network, "udp", configuration.tls_listener(
            self.network.at("baton", TLS_PORT), self.pki))
        (self.folder / "baton.toml").write_text(text)
        self.assertEqual((self.check().returncode, self.check().stderr), (0, ""))
        self.pki.make("baton", f"IP:{self.address}", expired=True)
        run = self.check()
        self.assertEqual(run.returncode, 0)
        self.assertIn("warning:", run.stderr)
        self.assertIn("expired on 2020-02-01", run.stderr)
        self.pki.files("baton")[1].write_text("nothing")
        run = self.check()
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("server.listen[2].key", run.stderr)


if __name__ == "__main__":
    unittest.main()
