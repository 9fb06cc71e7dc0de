"""Debian's rtpengine in user space, without its kernel module and its service, with ports of its own; killed or stopped."""
import pathlib
import shutil
import socket
import subprocess
import time

from loopback import Loopback, media_ports

PROGRAM = shutil.which("rtpengine", path="/usr/sbin:/usr/bin")


class RtpengineError(Exception):
    pass


def decode(text, at=0):
    """A bencoded value, and where it ends."""
    kind = text[at:at + 1]
    if kind == b"i":
        end = text.index(b"e", at)
        return int(text[at + 1:end]), end + 1
    if kind in b"ld":
        at, items = at + 1, []
        while text[at:at + 1] != b"e":
            item, at = decode(text, at)
            items.append(item)
        return (items if kind == b"l" else dict(zip(items[::2], items[1::2]))), at + 1
    colon = text.index(b":", at)
    end = colon + 1 + int(text[at:colon])
    return text[colon + 1:end], end


class Rtpengine:
    """Two interfaces, as beside a public address: `pub` towards the parties, `lo` from call to call."""

    def __init__(self, directory, ports=200):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ports = media_ports(ports)
        network = Loopback(hosts={"rtpengine": 50})
        self.at, self.keys = network.at("rtpengine"), network.at("rtpengine", 1)
        self._log_path = self.directory / "rtpengine.log"
        self._process = None

    def configured(self, text):
        """A configuration of Baton's with this in the place of its relay."""
        begin = text.index("[media]\n")
        end = text.index("\n[", begin)
        section = [line for line in text[begin:end].split("\n")
                   if not line.startswith(("bind", "port_min", "port_max"))]
        section[1:1] = ['plane = "rtpengine"', f'rtpengine = "{self.at}"', 'rtpengine_outside = "pub"',
                        'rtpengine_inside = "lo"', f'rtpengine_dtmf_log = "{self.keys}"']
        return text[:begin] + "\n".join(section) + text[end:]

    def log(self):
        return self._log_path.read_text(errors="replace")[-4000:]

    def start(self):
        command = [PROGRAM, "--config-file=none", "--foreground", "--log-stderr", "--log-level=6", "--table=-1",
                   "--interface=lo/127.0.0.1", "--interface=pub/127.0.0.2", "--interface=pub/::1", f"--listen-ng={self.at}",
                   f"--dtmf-log-dest={self.keys}", f"--port-min={self.ports[0]}",
                   f"--port-max={self.ports[1]}", "--timeout=3600"]
        with open(self._log_path, "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        address, port = self.at.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, int(port)))
            probe.settimeout(0.1)
            # The first time on a machine it has 170 libraries to read from the disk.
            until, attempt = time.monotonic() + 60, 0
            while self._process.poll() is None and time.monotonic() < until:
                attempt += 1
                try:
                    probe.send(b"up%d d7:command4:pinge" % attempt)
                    if b"pong" in probe.recv(4096):
                        return self
                except OSError:
                    time.sleep(0.05)
        self.stop()
        raise RtpengineError(f"rtpengine does not answer at {self.at}:\n{self.log()}")

    def _ask(self, request):
        address, port = self.at.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect((address, int(port)))
            asking.settimeout(2)
            asking.send(b"asked%d " % time.monotonic_ns() + request)
            return asking.recv(65536).partition(b" ")[2]

    def _call_ids(self):
        return decode(self._ask(b"d7:command4:list5:limiti999ee"))[0][b"calls"]

    def calls(self):
        """How many there are."""
        return len(self._call_ids())

    def reported(self):
        """In how many of them the party's reports have been of use: both sides' round trips are known."""
        count = 0
        for call in self._call_ids():
            said, _ = decode(self._ask(b"d7:command5:query7:call-id%d:%se" % (len(call), call)))
            party = said[b"tags"][b"party"][b"medias"][0][b"streams"][0]
            reports = said[b"SSRC"].get(b"%d" % party.get(b"SSRC", 0), {})
            count += reports.get(b"average MOS", {}).get(b"samples", 0) > 0
        return count

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
