"""Calls that are brought up and stay so until they are released."""
import json
import signal
import subprocess


class Live:
    """So many transferred calls of one generator; a context."""

    def __init__(self, bench, server, calls, rate, audio=False, release_rate=500):
        self.calls = calls
        command = bench.load_command(server, "--calls", calls, "--in-flight", calls, "--rate", rate, "--talk-ms", 10, "--hold", "--progress",
                                     "--release-rate", release_rate, *(["--media"] if audio else []))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def _fail(self, what):
        self.process.kill()
        raise RuntimeError(f"{what}: {self.process.stderr.read()[-2000:]}")

    def settled(self):
        """Itself, when all of them are up."""
        for line in self.process.stdout:
            at = json.loads(line)
            # A server under load may ask to be left alone for a while (503); who was refused is called again.
            if at.get("errors") or at.get("refused", 0) > max(2 * self.calls, 100):
                self._fail(f"errors while {self.calls} calls were brought up: {line}")
            if at.get("settled") == self.calls:
                return self
        self._fail(f"{self.calls} calls were never all up")

    def release(self):
        """They come to their end; what the generator reports."""
        self.process.send_signal(signal.SIGUSR1)
        last = {}
        for line in self.process.stdout:
            last = json.loads(line)
        if self.process.wait() != 0 or last.get("completed") != self.calls:
            self._fail(f"not every call came to its end: {json.dumps(last)[:1500]}")
        return last
