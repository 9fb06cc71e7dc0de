"""A name server of a few records on loopback (RFC 1035 4.1), for cases that call by name."""
import socket
import struct
import threading

A, SRV, NAPTR = 1, 33, 35


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def _text(text):
    return bytes([len(text)]) + text.encode()


def a(address):
    return socket.inet_aton(address)


def srv(priority, weight, port, host):
    return struct.pack("!HHH", priority, weight, port) + _name(host)


def naptr(order, preference, service, replacement):
    return struct.pack("!HH", order, preference) + _text("s") + _text(service) + _text("") + _name(replacement)


class NameServer:
    """`zone`: (name, type) → data of its records."""

    def __init__(self, address, port, zone):
        self._zone = zone
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:
                return
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            name, kind = ".".join(labels).lower(), struct.unpack("!H", query[at + 1:at + 3])[0]
            self.asked.append((name, kind))
            records = self._zone.get((name, kind), [])
            known = any(name == other for other, _ in self._zone)
            answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for data in records)
            flags = 0x8180 if known else 0x8183
            self._socket.sendto(query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + query[12:at + 5] + answers,
                                client)

    def close(self):
        place = self._socket.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", place)
        self._thread.join(5)
        self._socket.close()
