"""A Kamailio process: started on a configuration filled in for one network, asked whether it is up, stopped."""
import os
import pathlib
import shutil
import signal
import socket
import string
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = shutil.which("kamailio", path="/usr/sbin:/usr/bin")


class KamailioError(Exception):
    pass


class Kamailio:
    """`template` is NAME.kamailio.cfg.in beside this file; `at` is the UDP address and port it listens on."""

    def __init__(self, template, directory, at, **values):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._at = at
        self._config = self.directory / "kamailio.cfg"
        self._config.write_text(string.Template((HERE / f"{template}.kamailio.cfg.in").read_text()).substitute(values))
        self._log_path = self.directory / "kamailio.log"
        self._process = None

    def log(self):
        return self._log_path.read_text(errors="replace")[-4000:]

    def start(self):
        with open(self._log_path, "wb") as log:
            command = [PROGRAM, "-f", str(self._config), "-DD", "-E", "-Y", str(self.directory), "-m", "32", "-M", "8"]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                             start_new_session=True)
        with socket.socket(socket.AF_INET6 if ":" in self._at[0] else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1" if ":" in self._at[0] else "127.0.0.1", 0))
            probe.settimeout(0.2)
            request = (f"OPTIONS sip:up SIP/2.0\r\nVia: SIP/2.0/UDP up;rport;branch=z9hG4bKup\r\n"
                       "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: up\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\n"
                       "Content-Length: 0\r\n\r\n").encode()
            until = time.monotonic() + 30
            while self._process.poll() is None and time.monotonic() < until:
                try:
                    probe.sendto(request, self._at)
                    if probe.recv(4096).startswith(b"SIP/2.0 483"):
                        return self
                except OSError:
                    time.sleep(0.05)
        raise KamailioError(f"Kamailio does not answer:\n{self.log()}")

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                # Its processes at times wait for each other at the end, which is no matter of the test's.
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None
