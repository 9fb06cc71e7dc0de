"""The server that is measured: a real process with a configuration of its own, and what the kernel says it took."""
import os
import pathlib
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/interop"))
from pki import Pki  # noqa: E402
TICKS = os.sysconf("SC_CLK_TCK")


def thread_seconds(pid):
    """CPU seconds by thread name, user and system together."""
    seconds = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            text = (task / "stat").read_text()
            # The scheduler's clock is finer than the ticks of stat.
            ran = int((task / "schedstat").read_text().split()[0]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        seconds[name] = seconds.get(name, 0) + ran
    return seconds


TLS = """
[[server.listen]]
transport = "tls"
bind = "{address}:{port}"
certificate = "server.pem"
key = "server.key"

[tls]
ca = "authority.pem"
"""


class Server:
    """`transport` is what it calls the parties by; it listens on all, TLS at the port above."""

    def __init__(self, binary, address="127.0.0.1", port=5090, party_port=5070, transport="udp", trace=False, record=False, core=None,
                 heap_watch=None, media_threads=0):
        self.binary, self.address, self.transport = binary, address, transport
        self.tcp_port = port
        self.port = port + 1 if transport == "tls" else port
        self.directory = tempfile.TemporaryDirectory(prefix="baton-bench-")
        directory = pathlib.Path(self.directory.name)
        self.party_port = party_port
        # Several servers have several generators, each with RTP ports of its own.
        self.media_arguments = ["--media-port", party_port + 600]
        self.load_arguments = []
        if transport == "tls":
            pki = Pki(directory)
            pki.make("server", f"IP:{address}")
            certificate, key = pki.make("parties", "IP:127.0.0.11,IP:127.0.0.12,IP:127.0.0.13")
            self.load_arguments = ["--tls-ca", pki.ca, "--tls-certificate", certificate, "--tls-key", key]
        (directory / "recordings").mkdir()
        config = directory / "baton.toml"
        template = string.Template((HERE / "baton.toml.in").read_text())
        config.write_text(template.substitute(
            address=address, port=port, party_port=party_port, transport=transport, media_threads=media_threads, trace="true" if trace else "false",
            record="true" if record else "false", recording='\n[recording]\ndirectory = "recordings"\n' if record else "",
            tls=TLS.format(address=address, port=port + 1) if transport == "tls" else ""))
        self.log = directory / "baton.log"
        command = [str(pathlib.Path(binary).resolve()), "serve", "-c", str(config)]
        if core is not None:
            command = ["taskset", "-c", str(core)] + command
        environment = dict(os.environ)
        self.heap_file = directory / "heap.txt"
        if heap_watch is not None:
            environment.update(LD_PRELOAD=str(pathlib.Path(heap_watch).resolve()), BATON_HEAP_FILE=str(self.heap_file))
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.directory.name,
                                            env=environment)
        try:
            self._wait()
        except RuntimeError:
            self.process.kill()
            self.process.wait()
            self.directory.cleanup()
            raise

    def _wait(self):
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError("the server did not start:\n" + self.log.read_text())
            try:
                socket.create_connection((self.address, self.tcp_port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the server does not take connections:\n" + self.log.read_text())

    def cpu(self):
        return sum(thread_seconds(self.process.pid).values())

    def threads(self):
        return thread_seconds(self.process.pid)

    def resident(self):
        """Bytes."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the kernel says nothing of the server's memory")

    def heap(self):
        """Bytes of its heap that are in use, at most a second ago; with heap_watch alone."""
        return self._heap()[0]

    def heap_blocks(self):
        """What those bytes are in: one for each allocation that stands."""
        return self._heap()[1]

    def _heap(self):
        for _ in range(20):
            try:
                size, blocks = self.heap_file.read_text().split()
                return int(size), int(blocks)
            except (FileNotFoundError, ValueError):
                time.sleep(0.1)  # it is just being written
        raise RuntimeError(f"the server does not write {self.heap_file}")

    def complaints(self):
        """What its log says above info, so far: how often each event, and the first line of it."""
        events = {}
        for line in self.log.read_text().splitlines():
            words = line.split(" ", 3)
            if len(words) < 3 or words[1] not in ("warning", "error", "critical"):
                continue
            event = words[2]
            found = events.setdefault(event, {"count": 0, "first": line})
            found["count"] += 1
        return events

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        status = self.process.returncode
        text = self.log.read_text()
        self.directory.cleanup()
        if status != 0:
            raise RuntimeError(f"the server ended with {status}:\n{text[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
        except RuntimeError:
            if kind is None:
                raise
