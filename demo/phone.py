"""A baresip process as a party of a call: configured, driven and watched through its ctrl_tcp module."""
import json
import pathlib
import socket
import subprocess
import threading
import time

MODULES = "/usr/lib/baresip/modules"

CONFIG = """\
poll_method epoll
sip_listen {address}:{port}
net_interface {media_address}
call_local_timeout 120
call_max_calls 8
audio_player aubridge,heard
audio_source aufile,{speech}
audio_alert aubridge,alert
audio_buffer 20-160
jitter_buffer_delay 1-10
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp_first}-{rtp_last}
ringback_disabled yes
module_path {modules}
module g711.so
module sndfile.so
module aubridge.so
module aufile.so
{more_modules}module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control_port}
snd_path {directory}
"""


class PhoneError(Exception):
    pass


class Phone:
    """What it hears is written by baresip's sndfile module, one file a call; what it says is `speech` (8 kHz mono)."""

    def __init__(self, name, directory, address, port, speech, accounts, rtp, media_address="127.0.0.1",
                 modules=(), settings=()):
        self.name = name
        self.directory = pathlib.Path(directory)
        self.address, self.port = address, port
        self.directory.mkdir(parents=True, exist_ok=True)
        for old in self.directory.glob("dump-*.wav"):
            old.unlink()
        values = dict(address=address, port=port, media_address=media_address, speech=speech, modules=MODULES,
                      rtp_first=rtp[0], rtp_last=rtp[1], control_port=port + 5, directory=self.directory,
                      more_modules="".join([f"module {module}.so\n" for module in modules] + [f"{line}\n" for line in settings]))
        (self.directory / "config").write_text(CONFIG.format(**values))
        (self.directory / "accounts").write_text("\n".join(accounts) + "\n")
        (self.directory / "contacts").write_text("")
        self.events = []
        self._changed = threading.Condition()
        self._responses = {}
        self._token = 0
        self._process = self._control = None

    def start(self, deadline=10.0):
        self._log = open(self.directory / "log.txt", "wb")
        self._process = subprocess.Popen(["baresip", "-f", str(self.directory), "-s"], stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True)
        end = time.monotonic() + deadline
        while True:
            if self._process.poll() is not None:
                raise PhoneError(f"{self.name}: baresip ended at once, see {self._log.name}")
            try:
                self._control = socket.create_connection((self.address, self.port + 5), timeout=1)
                break
            except OSError:
                if time.monotonic() > end:
                    raise PhoneError(f"{self.name}: baresip did not open its control port, see {self._log.name}")
                time.sleep(0.05)
        self._control.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self):
        buffer = b""
        while True:
            try:
                data = self._control.recv(65536)
            except OSError:
                data = b""
            if not data:
                return
            buffer += data
            while b":" in buffer:  # a netstring: length ":" bytes ","
                length, _, rest = buffer.partition(b":")
                size = int(length)
                if len(rest) < size + 1:
                    break
                message, buffer = rest[:size], rest[size + 1:]
                value = json.loads(message.decode("utf-8", "replace"))
                with self._changed:
                    if value.get("event"):
                        value["at"] = time.monotonic()
                        self.events.append(value)
                    else:
                        self._responses[value.get("token")] = value
                    self._changed.notify_all()

    def command(self, command, params="", deadline=5.0):
        with self._changed:
            self._token += 1
            token = str(self._token)
        message = json.dumps({"command": command, "params": params, "token": token}).encode()
        try:
            self._control.sendall(b"%d:%s," % (len(message), message))
        except OSError as error:
            raise PhoneError(f"{self.name}: baresip is gone ({error}), see {self._log.name}")
        with self._changed:
            if not self._changed.wait_for(lambda: token in self._responses, deadline):
                raise PhoneError(f"{self.name}: baresip did not answer '{command}'")
            answer = self._responses.pop(token)
        if not answer.get("ok"):
            raise PhoneError(f"{self.name}: '{command} {params}' failed: {answer.get('data')}")
        return answer.get("data")

    def wait(self, kind, deadline, after=0, text=""):
        """The first event of a kind at or after position `after` whose fields contain `text`; None when there is none."""
        def find():
            return next((e for e in self.events[after:] if e["type"] == kind and text in json.dumps(e)), None)
        with self._changed:
            self._changed.wait_for(find, deadline)
            return find()

    def mark(self):
        """A position for `wait(after=…)`: only what comes from now on."""
        with self._changed:
            return len(self.events)

    def has(self, kind, after=0):
        return self.wait(kind, 0, after) is not None

    def recordings(self):
        """What it heard, oldest first. Complete once the call has ended: baresip writes the WAV header then."""
        return sorted(self.directory.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)

    def stop(self):
        if self._process is None:
            return
        if self._control is not None:
            self._control.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        self._process = None


def account(number, domain, answer="manual", via=None, more="", codecs="PCMU/8000/1"):
    """A line of baresip's accounts file. `via` is where its calls go, whatever the dialled domain says."""
    line = f"<sip:{number}@{domain}>;regint=0;answermode={answer};audio_codecs={codecs}"
    if via:
        line += f';outbound="sip:{via}"'
    return line + more
