"""Who listens where on loopback is seen without disturbing anybody."""
import pathlib
import socket
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "demo")]
from loopback import Loopback, is_listening  # noqa: E402


class IsListeningTest(unittest.TestCase):
    def check(self, family, kind, address):
        with socket.socket(family, kind) as one:
            one.bind((address, 0))
            port = one.getsockname()[1]
            if kind == socket.SOCK_STREAM:
                self.assertFalse(is_listening(address, port, kind), "bound is not yet listening")
                one.listen()
            self.assertTrue(is_listening(address, port, kind))
            self.assertFalse(is_listening(Loopback().of("stranger"), port, kind), "at another address nobody does")
        self.assertFalse(is_listening(address, port, kind))

    def test_udp(self):
        self.check(socket.AF_INET, socket.SOCK_DGRAM, Loopback().of("agent"))

    def test_tcp(self):
        self.check(socket.AF_INET, socket.SOCK_STREAM, Loopback().of("agent"))

    @unittest.skipUnless(socket.has_ipv6 and pathlib.Path("/proc/net/if_inet6").exists(), "no IPv6 here")
    def test_ipv6(self):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            self.check(socket.AF_INET6, kind, "::1")


if __name__ == "__main__":
    unittest.main()
