"""The server that is measured: a real process with a configuration of its own, and what the kernel says it took."""
import os
import pathlib
import signal
import socket
import string
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
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


class Server:
    def __init__(self, binary, port=5090, party_port=5070, transport="udp", trace=False, core=None):
        self.binary, self.port = binary, port
        self.directory = tempfile.TemporaryDirectory(prefix="baton-bench-")
        config = pathlib.Path(self.directory.name) / "baton.toml"
        template = string.Template((HERE / "baton.toml.in").read_text())
        config.write_text(template.substitute(port=port, party_port=party_port, transport=transport,
                                              trace="true" if trace else "false"))
        self.log = pathlib.Path(self.directory.name) / "baton.log"
        command = [binary, "serve", "-c", str(config)]
        if core is not None:
            command = ["taskset", "-c", str(core)] + command
        self.process = subprocess.Popen(command, stdout=self.log.open("w"), stderr=subprocess.STDOUT,
                                        cwd=self.directory.name)
        self._wait()

    def _wait(self):
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError("the server did not start:\n" + self.log.read_text())
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
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
