"""linphonec as a party with a voice: it plays and records files in the place of a sound card, over SIP by UDP. Driven over its
standard input and watched by what it prints; to a demo it is a phone like another."""
import os
import pathlib
import re
import subprocess
import threading

from linphone import quit_linphone
from phone import PhoneError

CONFIG = """\
[sip]
default_proxy=-1
sip_port={port}
sip_tcp_port=-1
sip_tls_port=-1
bind_address={address}
contact="{number}" <sip:{number}@{address}>
media_encryption={encryption}
media_encryption_mandatory={mandatory}
guess_hostname=0
[net]
dns_srv_enabled=0
[rtp]
audio_rtp_port={rtp}
bind_address={address}
[sound]
echocancellation=0
echolimiter=0
[video]
display=0
capture=0
"""

# What it prints when a call goes on, by the names that baresip has for it.
EVENTS = {"CALL_ESTABLISHED": r"Call \d+ with .* connected\.", "CALL_CLOSED": r"Call \d+ with .* ended",
          "CALL_INCOMING": r"Receiving new incoming call from .*"}


class LinphoneConsole:
    def __init__(self, name, directory, address, port, number, speech, rtp, codec, encryption="none"):
        self.name = name
        self.directory = pathlib.Path(directory)
        (self.directory / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        self._config = self.directory / "linphonerc"
        self._config.write_text(CONFIG.format(number=number, address=address, port=port, rtp=rtp, encryption=encryption,
                                              mandatory=int(encryption != "none")))
        self._speech, self._codec = speech, codec
        self._heard = self.directory / "heard.wav"
        self._heard.unlink(missing_ok=True)
        self._printed = ""
        self._changed = threading.Condition()
        self._process = None

    def start(self):
        command = ["linphonec", "-c", str(self._config), "-d", "6", "-l", str(self.directory / "linphone.log")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         cwd=self.directory, env={**os.environ, "HOME": str(self.directory)})
        threading.Thread(target=self._read, daemon=True).start()
        self._say("ipv6 disable")
        self._say("codec list")
        self._must(r"\d+: \S+ \(\d+\) (?:en|dis)abled\s+linphonec> ", "codecs")
        for number, name in re.findall(r"(\d+): (\S+) \(\d+\) enabled", self._printed):
            if name != self._codec:
                self._say(f"codec disable {number}")
        self._say("soundcard use files")
        self._say(f"play {self._speech}")
        self._say(f"record {self._heard}")
        self._must("instead of soundcard", "files in the place of a sound card")
        return self

    def _read(self):
        while True:
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                return
            with self._changed:
                self._printed += data.decode(errors="replace")
                self._changed.notify_all()

    def _say(self, text):
        try:
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PhoneError(f"{self.name}: linphonec is gone ({error})")

    def _must(self, pattern, what, deadline=10.0):
        with self._changed:
            if not self._changed.wait_for(lambda: re.search(pattern, self._printed), deadline):
                raise PhoneError(f"{self.name}: linphonec: no {what} in {self._printed[-2000:]}")

    # As a demo speaks to its phones.

    def command(self, command, params=""):
        self._say({"dial": "call ", "hangup": "terminate", "accept": "answer"}[command] + params)

    def wait(self, kind, deadline):
        with self._changed:
            return self._changed.wait_for(lambda: re.search(EVENTS[kind], self._printed), deadline)

    def has(self, kind):
        return self.wait(kind, 0) is not None

    def recordings(self):
        return [self._heard] if self._heard.exists() else []

    def stop(self):
        if self._process is None:
            return
        quit_linphone(self._process, b"quit\n")
        self._process = None
