"""Debian's rtpengine in user space, without its kernel module and its service, with ports of its own; killed or stopped."""
import pathlib
import re
import shutil
import socket
import subprocess
import time

from loopback import Loopback, media_ports

PROGRAM = shutil.which("rtpengine", path="/usr/sbin:/usr/bin")


class RtpengineError(Exception):
    pass


class Rtpengine:
    """Two interfaces, as beside a public address: `pub` towards the parties, `lo` from call to call."""

    def __init__(self, directory, ports=200):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ports = media_ports(ports)
        self.at = Loopback(hosts={"rtpengine": 50}).at("rtpengine")
        self._log_path = self.directory / "rtpengine.log"
        self._process = None

    def configured(self, text):
        """A configuration of Baton's with this in the place of its relay."""
        begin = text.index("[media]\n")
        end = text.index("\n[", begin)
        section = [line for line in text[begin:end].split("\n")
                   if not line.startswith(("bind", "port_min", "port_max"))]
        section[1:1] = ['plane = "rtpengine"', f'rtpengine = "{self.at}"', 'rtpengine_outside = "pub"',
                        'rtpengine_inside = "lo"']
        return text[:begin] + "\n".join(section) + text[end:]

    def log(self):
        return self._log_path.read_text(errors="replace")[-4000:]

    def start(self):
        command = [PROGRAM, "--config-file=none", "--foreground", "--log-stderr", "--log-level=6", "--table=-1",
                   "--interface=lo/127.0.0.1", "--interface=pub/127.0.0.2", "--interface=pub/::1", f"--listen-ng={self.at}", f"--port-min={self.ports[0]}",
                   f"--port-max={self.ports[1]}", "--timeout=3600"]
        with open(self._log_path, "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        address, port = self.at.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, int(port)))
            probe.settimeout(0.1)
            for attempt in range(100):
                if self._process.poll() is not None:
                    break
                try:
                    probe.send(b"up%d d7:command4:pinge" % attempt)
                    if b"pong" in probe.recv(4096):
                        return self
                except OSError:
                    time.sleep(0.05)
        self.stop()
        raise RtpengineError(f"rtpengine does not answer at {self.at}:\n{self.log()}")

    def calls(self):
        """How many there are."""
        address, port = self.at.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect((address, int(port)))
            asking.settimeout(2)
            asking.send(b"count%d d7:command4:list5:limiti999ee" % time.monotonic_ns())
            return len(re.findall(rb"[0-9a-f]{16}\.", asking.recv(65536)))

    def kill(self):
        """Without a word, in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self):
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
