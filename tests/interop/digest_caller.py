"""A caller with credentials, by hand on a UDP socket: SIPp 3.6.1 and baresip 1.0.0 know MD5 only (RFC 7616, RFC 8760)."""
import hashlib
import re
import socket
import uuid

from sipp import Message

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class DigestCaller:
    def __init__(self, number, address, port, server):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(5)
        self._place = f"{address}:{port}"
        self._number, self._server = number, server
        self._call_id, self._tag = str(uuid.uuid4()), uuid.uuid4().hex[:8]

    def close(self):
        self._socket.close()

    def _send(self, method, uri, cseq, to, extra=(), body=""):
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {self._place};branch=z9hG4bK{uuid.uuid4().hex};rport",
                 "Max-Forwards: 70", f"From: <sip:{self._number}@{self._place}>;tag={self._tag}", f"To: {to}",
                 f"Call-ID: {self._call_id}", f"CSeq: {cseq} {method}", f"Contact: <sip:agent@{self._place}>", *extra]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        self._socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self._server)

    def _final(self, method):
        while True:
            message = Message(False, self._socket.recv(65536).decode())
            if message.status and message.status >= 200 and message.cseq_method() == method:
                return message

    def call(self, number, domain, algorithm, username, password):
        """Final status of the INVITE once it carried credentials, and the algorithms that were offered. Hangs up again."""
        uri, to = f"sip:{number}@{domain}", f"<sip:{number}@{domain}>"
        sdp = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
               "a=rtpmap:0 PCMU/8000\r\n")
        self._send("INVITE", uri, 1, to, body=sdp)
        first = self._final("INVITE")
        self._send("ACK", uri, 1, first.header("To"))
        if first.status != 401:
            return first.status, []
        challenges = [dict(re.findall(r'(\w+)="?([^",]*)"?', value)) for name, value in first.headers
                      if name == "www-authenticate"]
        chosen = next(c for c in challenges if c["algorithm"] == algorithm)

        def hashed(text):
            return hashlib.new(HASHES[algorithm], text.encode()).hexdigest()

        nonce, cnonce = chosen["nonce"], uuid.uuid4().hex
        response = hashed(":".join([hashed(f"{username}:{chosen['realm']}:{password}"), nonce, "00000001", cnonce, "auth",
                                    hashed(f"INVITE:{uri}")]))
        credentials = (f'Authorization: Digest username="{username}", realm="{chosen["realm"]}", nonce="{nonce}", '
                       f'uri="{uri}", algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{cnonce}", response="{response}"')
        self._send("INVITE", uri, 2, to, [credentials], sdp)
        second = self._final("INVITE")
        remote = re.search(r"<([^>]*)>", second.header("Contact"))
        self._send("ACK", remote.group(1) if remote and second.status == 200 else uri, 2, second.header("To"))
        if second.status == 200:
            self._send("BYE", remote.group(1), 3, second.header("To"))
            self._final("BYE")
        return second.status, [c["algorithm"] for c in challenges]
