"""Addresses of one run on the loopback network: each party has an address of its own, as it would have on a wire."""
import os
import socket
import struct


def _is_free(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def is_listening(address, port, kind):
    """Whether somebody's socket of that kind waits there. It is read from the kernel's table: a trial bind would take the
    place, for a moment, from the very process that is awaited."""
    v6 = ":" in address
    words = socket.inet_pton(socket.AF_INET6 if v6 else socket.AF_INET, address)
    wanted = "".join(f"{word:08X}" for word in struct.unpack(f"={len(words) // 4}I", words)) + f":{port:04X}"
    udp = kind == socket.SOCK_DGRAM
    with open(f"/proc/net/{'udp' if udp else 'tcp'}{'6' if v6 else ''}") as table:
        next(table)
        rows = (row.split() for row in table)
        return any(row[1] == wanted and (udp or row[3] == "0A") for row in rows)


class Loopback:
    """127.x.y.0/24 of its own, chosen from the process id, so that runs side by side do not meet.

    Every party uses the same port number: the address says who it is. Media is the exception: baresip sends RTP
    from a socket bound to no address, which the kernel makes 127.0.0.1, so that is what its SDP has to say.

    IPv6 has one loopback address only: there everybody is ::1, and the port says who it is.
    """

    HOSTS = {"baton": 1, "caller": 10, "carrier": 20, "north": 21, "agent": 30, "second": 31, "fallback": 40,
             "stranger": 90, "names": 2, "dead": 22, "pbx": 35}
    PORTS = 4  # of each party in a row: SIP, and room for a relay beside it

    def __init__(self, seed=None, v6=False, hosts=None):
        seed = os.getpid() if seed is None else seed
        self.hosts = hosts or self.HOSTS
        self.v6, self.media = v6, "::1" if v6 else "127.0.0.1"
        ports = len(self.hosts) * self.PORTS
        for attempt in range(200):
            number = seed + attempt * 7919
            self.prefix = f"127.{64 + number // 251 % 128}.{1 + number % 251}."
            self.port = 16000 + number % (14000 // ports) * ports if v6 else 15060 + number % 16 * 10
            if all(_is_free(self.of(name), self.port_of(name) + i) for name in self.hosts for i in range(self.PORTS)):
                return
        raise RuntimeError("no free loopback address found in 200 attempts")

    def of(self, name):
        return "::1" if self.v6 else self.prefix + str(self.hosts[name])

    def port_of(self, name):
        return self.port + list(self.hosts).index(name) * self.PORTS if self.v6 else self.port

    def at(self, name, offset=0):
        """Address and port, as they stand in a URI."""
        return host_port(self.of(name), self.port_of(name) + offset)


def host_port(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def media_ports(count=200):
    """First and last of a range of UDP ports nobody uses at the moment; the first is even (RFC 3550 11)."""
    start = 30000 + os.getpid() % 72 * 400
    for first in list(range(start, 59000, count)) + list(range(30000, start, count)):
        if all(_is_free("127.0.0.1", port) for port in (first, first + 1, first + count // 2, first + count - 1)):
            return first, first + count - 1
    raise RuntimeError(f"no {count} free UDP ports in a row")
