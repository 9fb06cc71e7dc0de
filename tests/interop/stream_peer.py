"""An endpoint over TCP or TLS by hand, that can lose its connection whenever a test wants it to."""
import contextlib
import queue
import re
import socket
import ssl
import threading
import uuid

from attended_agent import SDP
from loopback import host_port
from sipp import Message

SECONDS = 10


class StreamPeer:
    """Listens at its place. What arrives on whatever connection waits in one queue, with the connection it came on."""

    def __init__(self, number, address, port, transport, pki=None):
        self._transport = transport
        self.uri = f"<sip:{number}@{host_port(address, port)};transport={transport}>"
        self._place = host_port(address, port)
        self._context = None
        if transport == "tls":
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*pki.make(f"peer{port}", f"IP:{address}"))
            self._authority = pki.ca
        self._received = queue.Queue()
        self._open = []
        self._cseq = 0
        self._listener = None
        self._listen_at = address, port
        self.listen()

    # Connections.

    def listen(self):
        self._listener = socket.create_server(self._listen_at, backlog=8)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop_listening(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            self._serve(connection)

    def connect(self, server):
        """A connection of its own to the server; `server` is (address, port)."""
        connection = socket.create_connection(server, timeout=SECONDS, source_address=(self._listen_at[0], 0))
        if self._context:
            connection = ssl.create_default_context(cafile=self._authority).wrap_socket(connection, server_hostname=server[0])
        self._serve(connection)
        return connection

    def _serve(self, connection):
        connection.settimeout(None)
        reader = threading.Thread(target=self._read, args=(connection,), daemon=True)
        self._open.append((connection, reader))
        reader.start()

    def _read(self, connection):
        kept = b""
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                kept = (kept + data).lstrip(b"\r\n")
                while b"\r\n\r\n" in kept:
                    head, _, rest = kept.partition(b"\r\n\r\n")
                    length = int(re.search(rb"\r\nContent-Length: *(\d+)", head, re.I).group(1))
                    if len(rest) < length:
                        break
                    message = Message(False, (head + b"\r\n\r\n" + rest[:length]).decode())
                    kept = rest[length:].lstrip(b"\r\n")
                    message.connection = connection
                    self._received.put(message)

    def drop(self):
        """Every connection that is open ends, without a word."""
        for connection, reader in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            # The next connection may get the same descriptor, and a reader of this one would take its first bytes.
            reader.join(SECONDS)
            connection.close()
        self._open = []

    def close(self):
        self.stop_listening()
        self.drop()

    # Messages.

    def receive(self, wanted):
        """The next message of that method, or response of that status; what comes before it is passed over."""
        while True:
            message = self._received.get(timeout=SECONDS)
            if wanted in (message.method, message.status):
                return message

    def _write(self, connection, start, lines, body=""):
        if body:
            lines = [*lines, "Content-Type: application/sdp"]
        connection.sendall(("\r\n".join([start, *lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body).encode())

    def answer(self, request, status=200, body=""):
        kept = [f"{name}: {value}" for name, value in request.headers if name in ("via", "from", "call-id", "cseq")]
        to = request.header("To")
        if ";tag=" not in to:
            to += f";tag={uuid.uuid4().hex[:8]}"
            self.local, self.remote = to, request.header("From")
            self.call_id, self.target = request.header("Call-ID"), re.search(r"<([^>]+)>", request.header("Contact")).group(1)
        self._write(request.connection, f"SIP/2.0 {status} Whatever", [*kept, f"To: {to}", f"Contact: {self.uri}"], body)

    def take_call(self):
        """Answers an INVITE; returns the connection the call is on."""
        invite = self.receive("INVITE")
        self.answer(invite, 200, SDP)
        self.receive("ACK")
        return invite.connection

    def call(self, connection, number, host):
        """Sends an INVITE; await_answer() is to follow."""
        uri = f"sip:{number}@{host}"
        self.call_id, self.target = str(uuid.uuid4()), uri
        self.local, self.remote = f"{self.uri};tag={uuid.uuid4().hex[:8]}", f"<{uri}>"
        self.request(connection, "INVITE", body=SDP)

    def await_answer(self, connection):
        """The call is up when it returns."""
        answer = self.receive(200)
        self.remote, self.target = answer.header("To"), re.search(r"<([^>]+)>", answer.header("Contact")).group(1)
        self.request(connection, "ACK")

    def request(self, connection, method, extra=(), body=""):
        self._cseq += method != "ACK"
        self._write(connection, f"{method} {self.target} SIP/2.0",
                    [f"Via: SIP/2.0/{self._transport.upper()} {self._place};branch=z9hG4bK{uuid.uuid4().hex}", "Max-Forwards: 70",
                     f"From: {self.local}", f"To: {self.remote}", f"Call-ID: {self.call_id}", f"CSeq: {self._cseq} {method}",
                     f"Contact: {self.uri}", *extra], body)
