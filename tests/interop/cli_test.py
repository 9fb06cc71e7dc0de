"""What the program says when it is started wrongly: one clear line, the right exit code, nothing half-written."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "demo"))
import configuration  # noqa: E402
import loopback  # noqa: E402
import rtpengine  # noqa: E402
import server  # noqa: E402

BATON = os.environ.get("BATON", "")


class CliTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.network = loopback.Loopback()
        self.good = configuration.configuration(self.network, "udp")
        self.server = None

    def tearDown(self):
        if self.server:
            self.assertEqual(self.server.stop(), 0, self.server.log())
        self._folder.cleanup()

    def run_baton(self, *arguments, deadline=20):
        return subprocess.run([BATON, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=deadline, cwd=self.folder)

    def write(self, text, name="baton.toml"):
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def start(self):
        self.server = server.Server(BATON, self.folder, self.good, self.network.of("baton"), self.network.port).start()

    def one_line(self, run, code, *words):
        self.assertEqual(run.returncode, code, run.stderr)
        self.assertEqual(run.stdout, "")
        lines = run.stderr.strip().split("\n")
        self.assertEqual(len(lines), 1, run.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    # Configuration.

    def test_check_of_a_good_configuration(self):
        run = self.run_baton("check", self.write(self.good))
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertTrue(run.stdout.startswith("OK"), run.stdout)

    def test_every_mistake_is_named_by_file_line_and_key(self):
        bad = self.good.replace('drain_timeout = "1s"', 'drain_timeout = "soon"').replace(
            'trunk = "second"', 'trunk = "secnd"').replace("allow_all", "alow_all")
        path = self.write(bad)
        for command in (("check", path), ("serve", "-c", path)):
            run = self.run_baton(*command)
            self.assertEqual(run.returncode, 1, run.stderr)
            for old, key in (("soon", "server.drain_timeout"), ("secnd", "number[1].trunk"), ("alow_all", "alow_all")):
                line = next(i for i, text in enumerate(bad.split("\n"), 1) if old in text)
                self.assertIn(f"baton.toml:{line}: ", run.stderr)
                self.assertIn(key, run.stderr)
            self.assertEqual(len(run.stderr.strip().split("\n")), 3, run.stderr)
        self.assertFalse(list(self.folder.glob("*.db*")), "a server that does not start writes nothing")

    def test_missing_configuration(self):
        for command in ("check", "serve"):
            self.one_line(self.run_baton(command, str(self.folder / "none.toml")), 1, "none.toml")

    def test_configuration_that_is_not_toml(self):
        self.one_line(self.run_baton("check", self.write("[server\n")), 1, "baton.toml:1")

    # Starting.

    def test_port_in_use(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((self.network.of("baton"), self.network.port))
            self.one_line(self.run_baton("serve", "-c", self.write(self.good)), 3, str(self.network.port), "in use")

    def test_address_of_another_machine(self):
        text = self.good.replace(f'bind = "{self.network.of("baton")}:', 'bind = "192.0.2.77:')
        self.one_line(self.run_baton("serve", "-c", self.write(text)), 4, "192.0.2.77")

    def test_store_in_a_folder_that_is_not_there(self):
        text = self.good.replace('path = "baton.db"', 'path = "none/baton.db"')
        self.one_line(self.run_baton("serve", "-c", self.write(text)), 5, "none/baton.db")
        self.assertFalse((self.folder / "none").exists())

    def test_store_that_is_no_database(self):
        self.write("This was something else before, and it is to stay as it is. " * 200, "baton.db")
        before = (self.folder / "baton.db").read_bytes()
        self.one_line(self.run_baton("serve", "-c", self.write(self.good)), 5, "baton.db")
        self.assertEqual((self.folder / "baton.db").read_bytes(), before)

    def test_command_line(self):
        for arguments in ((), ("fly",), ("calls", "--limit", "many"), ("trace",)):
            run = self.run_baton(*arguments)
            self.assertEqual(run.returncode, 2, f"{arguments}: {run.stderr}")
            self.assertEqual(len(run.stderr.strip().split("\n")), 1, run.stderr)
        self.assertEqual(self.run_baton("--help").returncode, 0)

    def test_records_without_a_store(self):
        for command in ("calls", "transfers"):
            self.one_line(self.run_baton(command, "-c", self.write(self.good)), 1, "baton.db")

    # Running.

    def ask(self, datagram, deadline=3.0):
        """What a carrier's datagram is answered; None when nothing comes."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((self.network.of("caller"), 0))
            peer.settimeout(deadline)
            peer.sendto(datagram.replace("HERE", "%s:%d" % peer.getsockname()).encode(),
                        (self.network.of("baton"), self.network.port))
            try:
                return peer.recv(65536).decode()
            except TimeoutError:
                return None

    def request(self, method="OPTIONS", cseq="1 OPTIONS", to="<sip:x@y>"):
        return (f"{method} sip:+14155550100@{self.network.of('baton')} SIP/2.0\r\nVia: SIP/2.0/UDP HERE;branch=z9hG4bKa;rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:+14155550142@x>;tag=1\r\nTo: {to}\r\nCall-ID: {time.monotonic_ns()}\r\n"
                f"CSeq: {cseq}\r\nContent-Length: 0\r\n\r\n")

    def test_malformed_datagrams(self):
        self.start()
        self.assertIn("SIP/2.0 400", self.ask(self.request(cseq="one OPTIONS")).split("\r\n")[0])
        self.assertIn("SIP/2.0 400", self.ask(self.request(cseq="1 INVITE")).split("\r\n")[0])
        self.assertIn("SIP/2.0 400", self.ask(self.request(to="<sip:x@y")).split("\r\n")[0])
        for garbage in ("", "\r\n\r\n", "hello", "INVITE sip:x SIP/2.0\r\n\r\n", "\0" * 2000, "SIP/2.0 200 OK\r\n\r\n",
                        "OPTIONS sip:x SIP/9.9\r\nVia: ,,,\r\n\r\n"):
            self.ask(garbage, deadline=0.1)
        answer = self.ask(self.request())
        self.assertIsNotNone(answer, "it answers after garbage as before")
        self.assertRegex(answer, r"^SIP/2\.0 200 ")

    def test_reload_and_stop(self):
        self.start()
        process = self.server._process
        self.write(self.good.replace('trunk = "second"', 'trunk = "secnd"'))
        process.send_signal(signal.SIGHUP)
        self.await_log("not_reloaded")
        self.write(self.good)
        process.send_signal(signal.SIGHUP)
        self.await_log("config.reloaded")
        process.send_signal(signal.SIGUSR1)
        self.await_log("server.calls")

    def test_reload_of_what_the_running_plane_can_not_do(self):
        # Nobody answers there; so long as no call comes, nobody has to.
        relayed = self.good
        place = self.network.of("baton")
        self.good = rtpengine.Rtpengine.configured(types.SimpleNamespace(at=f"{place}:9", keys=f"{place}:10009"), relayed)
        self.start()
        process = self.server._process
        self.write(relayed.replace("[[trunk]]\n", '[[trunk]]\nsip.dtmf = "inband"\n', 1))
        process.send_signal(signal.SIGHUP)
        self.await_log("config.not_reloaded")
        self.assertIn("until Baton is restarted", self.server.log())
        self.write(relayed)
        process.send_signal(signal.SIGHUP)
        self.await_log("config.reloaded")
        self.await_log("config.needs_restart")

    def await_log(self, word, deadline=5.0):
        end = time.monotonic() + deadline
        while word not in self.server.log():
            self.assertLess(time.monotonic(), end, f"{word} is not in the log:\n{self.server.log()}")
            time.sleep(0.02)

    def test_second_server_on_the_same_port(self):
        self.start()
        (self.folder / "second").mkdir()
        path = self.write(self.good, "second/baton.toml")
        self.one_line(self.run_baton("serve", "-c", path), 3, "in use")


if __name__ == "__main__":
    unittest.main()
