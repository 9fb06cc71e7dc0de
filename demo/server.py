"""The Baton process under a demo or a test: started on a configuration, asked through its command line, stopped."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time


class ServerError(Exception):
    pass


class Server:
    def __init__(self, baton, directory, configuration, address, port):
        self.baton = str(pathlib.Path(baton).resolve())
        self.directory = pathlib.Path(directory)
        self.address, self.port = address, port
        self.directory.mkdir(parents=True, exist_ok=True)
        for old in self.directory.glob("baton.db*"):
            old.unlink()
        self.configuration = self.directory / "baton.toml"
        self.configuration.write_text(configuration)
        self.log_path = self.directory / "baton.log"
        self._process = None

    def start(self, deadline=15.0):
        self._log = open(self.log_path, "wb")
        self._process = subprocess.Popen([self.baton, "serve", "-c", str(self.configuration)],
                                         stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
                                         start_new_session=True)
        end = time.monotonic() + deadline
        while True:  # it listens on UDP and TCP before it accepts anything
            if self._process.poll() is not None:
                raise ServerError(f"baton serve ended at once with {self._process.returncode}:\n{self.log()}")
            try:
                socket.create_connection((self.address, self.port), timeout=1).close()
                return self
            except OSError:
                if time.monotonic() > end:
                    raise ServerError(f"baton serve does not listen on {self.address}:{self.port}:\n{self.log()}")
                time.sleep(0.05)

    def log(self):
        return self.log_path.read_text(errors="replace")[-4000:] if self.log_path.exists() else ""

    def running(self):
        return self._process is not None and self._process.poll() is None

    def signal(self, number):
        self._process.send_signal(number)

    def ask(self, *arguments):
        """Standard output of a `baton` command."""
        command = [self.baton, *arguments, "-c", str(self.configuration)]
        run = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30,
                             env={**os.environ, "LC_ALL": "C.UTF-8"})
        if run.returncode != 0:
            raise ServerError(f"{' '.join(command[1:])} ended with {run.returncode}: {run.stderr or run.stdout}")
        return run.stdout

    def records(self, what):
        """`baton calls --json` or `baton transfers --json`, oldest first."""
        return list(reversed(json.loads(self.ask(what, "--json", "--limit", "1000"))))

    def await_records(self, calls, transfers, deadline=8.0):
        """Both lists as soon as they have that many rows; as they are at the deadline otherwise."""
        end = time.monotonic() + deadline
        while True:
            found = self.records("calls"), self.records("transfers")
            if (len(found[0]) >= calls and len(found[1]) >= transfers) or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def stop(self, deadline=15.0):
        """Asks it to end; returns the exit code. Killing it is a finding, not a way to stop."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(deadline)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        code, self._process = self._process.returncode, None
        return code
