"""A SIPp process as a party, and the messages it saw."""
import pathlib
import re
import socket
import subprocess
import time

from loopback import is_listening


class SippError(Exception):
    pass


class Message:
    def __init__(self, sent, text):
        self.sent = sent
        head, _, rest = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.start = lines[0]
        self.headers = [(name.strip().lower(), value.strip()) for name, _, value in
                        (line.partition(":") for line in lines[1:])]
        self.body = rest[:int(self.header("Content-Length") or 0)]
        self.method = None if self.start.startswith("SIP/2.0") else self.start.split(" ")[0]
        self.status = int(self.start.split(" ")[1]) if self.method is None else None

    def header(self, name):
        """The first of that name, or an empty string."""
        return next((value for key, value in self.headers if key == name.lower()), "")

    def cseq_method(self):
        return self.header("CSeq").split(" ")[-1]

    def __repr__(self):
        return ("> " if self.sent else "< ") + self.start


class Sipp:
    def __init__(self, name, directory, scenario, address, port, peer, transport="udp", rtp=None, calls=1, rate=10,
                 lenient=False):
        """`peer` is "host:port"; SIPp has no TLS here, a relay lends it to TCP.

        So many `calls` are played, `rate` a second. `lenient`: what does not fit is passed over, such as a request that was
        repeated while nobody had time to answer.
        """
        self.name = name
        self._place, self._kind = (address, port), socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._script = self.directory / f"{name}.xml"
        self._script.write_text(scenario.xml(name))
        self._messages = self.directory / f"{name}.messages.log"
        self._errors = self.directory / f"{name}.errors.log"
        for old in (self._messages, self._errors):
            old.unlink(missing_ok=True)
        media = "::1" if ":" in address else "127.0.0.1"
        self._command = ["sipp", "-sf", str(self._script), "-i", address, "-p", str(port), "-mi", media, "-m", str(calls),
                         "-l", str(calls), "-r", str(rate), "-t", {"udp": "u1", "tcp": "t1"}[transport], "-nostdin",
                         "-trace_msg", "-message_file", str(self._messages), "-trace_err", "-error_file", str(self._errors),
                         "-timeout", "40s", "-timeout_error", "-max_socket", "100",
                         *(["-mp", str(rtp[0])] if rtp else []),
                         *(["-default_behaviors", "all,-abortunexp"] if lenient else []), peer]
        self._process = None

    def start(self):
        self._output = open(self.directory / f"{self.name}.screen.log", "wb")
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=self._output,
                                         stderr=subprocess.STDOUT, cwd=self.directory, start_new_session=True)
        return self

    def await_bound(self, deadline=5.0):
        """Returns when it listens."""
        end = time.monotonic() + deadline
        while time.monotonic() < end and self.running():
            if is_listening(*self._place, self._kind):
                return self
            time.sleep(0.02)
        raise SippError(f"{self.name} did not come up on {self._place[0]}:{self._place[1]}\n{self.complaint()}")

    def running(self):
        return self._process.poll() is None

    def wait(self, deadline):
        """Exit code: 0 when the scenario went as written; None when it did not end in time."""
        try:
            return self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            return None

    def stop(self):
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._output.close()

    def complaint(self):
        """What went wrong, in SIPp's words, and what it saw."""
        errors = self._errors.read_text(errors="replace")[:1500] if self._errors.exists() else ""
        return f"{errors}\nmessages of {self.name}: {self.messages()}"

    def messages(self, method=None, sent=None):
        """What was on the wire, retransmissions included."""
        if not self._messages.exists():
            return []
        text = self._messages.read_bytes().decode("utf-8", "replace")
        found = []
        for part in re.split(r"^-{20,}[^\n]*\n", text, flags=re.M):
            match = re.match(r"\s*(?:UDP|TCP) message (sent|received) *[\[(][^\])]*[\])][^\n]*\n\n(.*)", part, re.S)
            if match:
                found.append(Message(match.group(1) == "sent", match.group(2)))
        return [m for m in found if (method is None or m.method == method) and (sent is None or m.sent == sent)]

    def received(self, method):
        """Requests received, without retransmissions."""
        seen, found = set(), []
        for message in self.messages(method, sent=False):
            key = (message.header("Call-ID"), message.header("CSeq"))
            if key not in seen:
                seen.add(key)
                found.append(message)
        return found
