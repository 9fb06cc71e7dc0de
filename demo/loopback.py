"""Addresses of one run on the loopback network: each party has an address of its own, as it would have on a wire."""
import os
import socket


def _is_free(address, port):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


class Loopback:
    """127.x.y.0/24 of its own, chosen from the process id, so that runs side by side do not meet.

    Every party uses the same port number: the address says who it is. Media is the exception: baresip sends RTP
    from a socket bound to no address, which the kernel makes 127.0.0.1, so that is what its SDP has to say.
    """

    MEDIA = "127.0.0.1"
    HOSTS = {"baton": 1, "caller": 10, "carrier": 20, "north": 21, "agent": 30, "second": 31, "fallback": 40,
             "stranger": 90}

    def __init__(self, seed=None):
        seed = os.getpid() if seed is None else seed
        for attempt in range(200):
            number = seed + attempt * 7919
            self.prefix = f"127.{64 + number // 251 % 128}.{1 + number % 251}."
            self.port = 15060 + number % 16 * 10
            if all(_is_free(self.of(name), self.port) for name in self.HOSTS):
                return
        raise RuntimeError("no free loopback address found in 200 attempts")

    def of(self, name):
        return self.prefix + str(self.HOSTS[name])


def media_ports(count=200):
    """First and last of a range of UDP ports nobody uses at the moment; the first is even (RFC 3550 11)."""
    start = 30000 + os.getpid() % 97 * 200
    for first in list(range(start, 59000, count)) + list(range(30000, start, count)):
        if all(_is_free("127.0.0.1", port) for port in (first, first + 1, first + count // 2, first + count - 1)):
            return first, first + count - 1
    raise RuntimeError(f"no {count} free UDP ports in a row")
