"""A linphone-daemon as a party: configured, driven over its standard input, watched by the events it prints.

Its TLS is a client's only: a connection to its listening port is closed again ("not handled"). It is called by way of
where it is registered, on the connection it made. It has no sound card here, and does without.
"""
import os
import pathlib
import re
import subprocess
import threading
import time

CONFIG = """\
[sip]
default_proxy=0
sip_port=-1
sip_tcp_port=-1
sip_tls_port={port}
bind_address={address}
root_ca={authority}
verify_server_certs=1
verify_server_cn=1
media_encryption={encryption}
guess_hostname=0
[net]
dns_srv_enabled=0
[rtp]
audio_rtp_port={rtp}
[proxy_0]
reg_proxy=<sip:{server};transport=tls>
reg_route=<sip:{server};transport=tls;lr>
reg_identity=<sip:{number}@{domain}>
reg_expires=600
reg_sendregister={registers}
[auth_info_0]
username={number}
userid={username}
passwd={password}
realm={domain}
domain={domain}
algorithm=SHA-256
[video]
display=0
capture=0
"""


class LinphoneError(Exception):
    pass


def quit_linphone(process, command):
    """Ends it in the way that it is asked to on its standard input, or else."""
    if process.poll() is None:
        try:
            process.stdin.write(command)
            process.stdin.close()
            process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
    process.stdout.close()


class Linphone:
    """`server` is "address:port" it speaks TLS with, and whose certificate is to name that address as a dNSName: mbed TLS
    2.28 knows no address in a subjectAltName."""

    def __init__(self, directory, number, domain, address, port, server, authority, rtp, registers=False, encryption="none",
                 credentials=("", ""), codec="PCMU/8000/1"):
        self.directory = pathlib.Path(directory)
        self._codec = codec
        (self.directory / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        self._config = self.directory / "linphonerc"
        self._config.write_text(CONFIG.format(number=number, domain=domain, address=address, port=port, server=server,
                                              authority=authority, rtp=rtp, registers=int(registers), encryption=encryption,
                                              username=credentials[0], password=credentials[1]))
        self._lines = []
        self._changed = threading.Condition()
        self._process = None

    def start(self):
        command = ["linphone-daemon", "--config", str(self._config), "--log", str(self.directory / "linphone.log"),
                   "--disable-stats-events"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                         text=True, cwd=self.directory, env={**os.environ, "HOME": str(self.directory)})
        threading.Thread(target=self._read, daemon=True).start()
        self.command("ipv6 disable")
        self.command("audio-codec-disable ALL")
        self.command(f"audio-codec-enable {self._codec}")
        return self

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line.strip())
                self._changed.notify_all()

    def _await(self, find, deadline, what):
        with self._changed:
            if not self._changed.wait_for(lambda: find() is not None, deadline):
                raise LinphoneError(f"linphone: {what}, not seen among {[line for line in self._lines if line][-40:]}")
            return find()

    def command(self, text, deadline=10.0):
        """What it answers, from the Status line on to what follows at once."""
        with self._changed:
            begin = len(self._lines)
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

        def status():
            return next((i for i in range(begin, len(self._lines)) if self._lines[i].startswith("Status: ")), None)
        at = self._await(status, deadline, f"no answer to {text}")
        if self._lines[at] != "Status: Ok":
            raise LinphoneError(f"linphone: {text}: {self._lines[at:at + 3]}")
        return at

    def call(self, uri):
        """The number of the new call, which the answer says and every event of it."""
        at = self.command(f"call {uri}")
        number = self._await(lambda: next((line for line in self._lines[at:] if re.fullmatch(r"Id: \d+", line)), None), 5,
                             "number of the call")
        return int(number.split()[1])

    def states(self, call=None):
        """(state, call) as they were reported; states of registrations have none."""
        found = []
        for i, line in enumerate(self._lines):
            match = re.fullmatch(r"(?:Event|State): (Linphone\w+)", line)
            if match:
                number = next((int(later[4:]) for later in self._lines[i + 1:i + 4] if re.fullmatch(r"Id: \d+", later)), None)
                found.append((match.group(1), number))
        return [state for state, number in found if call is None or number == call]

    def await_state(self, state, call=None, deadline=15.0):
        self._await(lambda: state if state in self.states(call) else None, deadline, f"{state} of {call}")

    def await_registered(self, deadline=15.0):
        """Registrations are no events: it is asked."""
        end = time.monotonic() + deadline
        while True:
            at = self.command("register-status ALL")
            state = self._await(lambda: next((line for line in self._lines[at:] if line.startswith("State: ")), None), 5,
                                "state of the registration")
            if state == "State: LinphoneRegistrationOk":
                return
            if time.monotonic() > end:
                raise LinphoneError(f"linphone: {state}")
            time.sleep(0.1)

    def await_incoming(self, deadline=15.0):
        def find():
            for i, line in enumerate(self._lines):
                if line == "Event: LinphoneCallIncomingReceived":
                    return next((int(later[4:]) for later in self._lines[i + 1:i + 4] if re.fullmatch(r"Id: \d+", later)), None)
            return None
        return self._await(find, deadline, "an incoming call")

    def log(self):
        """Everything it did, messages included."""
        return (self.directory / "linphone.log").read_text(errors="replace")

    def notified(self):
        """Codes of the NOTIFYs of its REFERs, in order."""
        return [int(code) for code in re.findall(r"^NOTIFY sip.*?^SIP/2\.0 (\d{3}) ", self.log(), re.M | re.S)]

    def stop(self):
        if self._process is None:
            return
        quit_linphone(self._process, "quit\n")
        self._process = None
