"""Lends TLS to a SIPp party, whose build has none: TCP on its side, TLS on the server's.

It stands at the party's address and port. What the party calls TCP it calls TLS, in Via, Contact and Route; the words
are of one length, so nothing else changes. The server's certificate is verified, as a phone would.
"""
import contextlib
import re
import select
import socket
import ssl
import threading

from loopback import host_port


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class _Messages:
    """Whole messages out of a stream, so that no word is cut in two."""

    def __init__(self):
        self._bytes = b""

    def feed(self, data):
        self._bytes += data
        whole = b""
        while True:
            if self._bytes[:2] == b"\r\n":
                whole, self._bytes = whole + b"\r\n", self._bytes[2:]
                continue
            head, end, _ = self._bytes.partition(b"\r\n\r\n")
            length = re.search(rb"\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d+)", head, re.I)
            size = len(head) + 4 + int(length.group(1) if length else 0)
            if not end or len(self._bytes) < size:
                return whole
            whole, self._bytes = whole + self._bytes[:size], self._bytes[size:]


class TlsRelay:
    """`port` is the party's for the world; SIPp listens at `inner`, and calls out through `outer`."""

    def __init__(self, address, port, pki, name, server, server_port):
        self.address, self.port, self.inner, self.outer = address, port, port + 1, port + 2
        self._server, self._server_port = server, server_port
        certificate, key = pki.make(name, f"IP:{address}")
        self._accepts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._accepts.load_cert_chain(certificate, key)
        self._connects = ssl.create_default_context(cafile=pki.ca)
        self._connects.load_cert_chain(certificate, key)
        self._ended = threading.Event()
        self.problems = []
        self._listeners = [self._listen(self.port, self._from_server), self._listen(self.outer, self._from_party)]

    def _listen(self, port, serve):
        listener = socket.socket(_family(self.address), socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, port))
        listener.listen(8)
        threading.Thread(target=self._accept, args=(listener, serve), daemon=True).start()
        return listener

    def _accept(self, listener, serve):
        while not self._ended.is_set():
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guarded, args=(serve, accepted), daemon=True).start()

    def _guarded(self, serve, accepted):
        try:
            with contextlib.closing(accepted):
                serve(accepted)
        except OSError as error:
            if not self._ended.is_set():
                self.problems.append(f"TLS relay of {host_port(self.address, self.port)}: {error!r}")

    def _from_server(self, accepted):
        with self._accepts.wrap_socket(accepted, server_side=True) as outside:
            with socket.create_connection((self.address, self.inner), timeout=5) as inside:
                self._relay(outside, inside)

    def _from_party(self, inside):
        plain = socket.socket(_family(self.address), socket.SOCK_STREAM)
        plain.bind((self.address, 0))
        plain.connect((self._server, self._server_port))
        with self._connects.wrap_socket(plain, server_hostname=self._server) as outside:
            self._relay(outside, inside)

    def _relay(self, outside, inside):
        to_server = [(b"SIP/2.0/TCP", b"SIP/2.0/TLS"), (b"transport=TCP", b"transport=TLS"),
                     (b":%d" % self.inner, b":%d" % self.port), (b":%d" % self.outer, b":%d" % self._server_port)]
        to_party = [(b"SIP/2.0/TLS", b"SIP/2.0/TCP"), (b"transport=TLS", b"transport=TCP"),
                    (b"transport=tls", b"transport=tcp")]
        ways = {outside: (inside, _Messages(), to_party), inside: (outside, _Messages(), to_server)}
        while not self._ended.is_set():
            ready = [outside] if outside.pending() else select.select(list(ways), [], [], 0.2)[0]
            for source in ready:
                target, messages, words = ways[source]
                data = source.recv(65536)
                if not data:
                    return
                whole = messages.feed(data)
                for old, new in words:
                    whole = whole.replace(old, new)
                if whole:
                    target.sendall(whole)

    def close(self):
        self._ended.set()
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
