"""An endpoint that transfers attended, by hand on a UDP socket: SIPp 3.6.1 scenarios hold one dialog each."""
import re
import socket
import time
import uuid

from sipp import Message

SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
       "a=rtpmap:0 PCMU/8000\r\n")


def tag_of(address):
    return re.search(r";tag=([^;>\s]+)", address).group(1)


def escaped(text):
    """Everything that is not a letter or digit, in lower case, as phones do it."""
    return "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in text)


class Dialog:
    def __init__(self, call_id, local, remote, target, cseq):
        self.call_id, self.local, self.remote, self.target, self.cseq = call_id, local, remote, target, cseq
        self.over = False


class AttendedAgent:
    def __init__(self, number, address, port, server):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._place, self._number, self._server = f"{address}:{port}", number, server
        self.dialogs, self.notified, self.refer_status, self.order = {}, [], None, []

    def close(self):
        self._socket.close()

    def _write(self, start, lines, body=""):
        if body:
            lines = [*lines, "Content-Type: application/sdp"]
        text = "\r\n".join([start, *lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body
        self._socket.sendto(text.encode(), self._server)

    def _ask(self, method, dialog, extra=(), body="", cseq=None):
        if cseq is None:
            dialog.cseq += 1
        self._write(f"{method} {dialog.target} SIP/2.0",
                    [f"Via: SIP/2.0/UDP {self._place};branch=z9hG4bK{uuid.uuid4().hex};rport", "Max-Forwards: 70",
                     f"From: {dialog.local}", f"To: {dialog.remote}", f"Call-ID: {dialog.call_id}",
                     f"CSeq: {cseq or dialog.cseq} {method}", f"Contact: <sip:agent@{self._place}>", *extra], body)

    def _answer(self, request, status, phrase, to=None, body=""):
        kept = [f"{name}: {value}" for name, value in request.headers if name in ("via", "from", "call-id", "cseq")]
        self._write(f"SIP/2.0 {status} {phrase}",
                    [*kept, f"To: {to or request.header('To')}", f"Contact: <sip:agent@{self._place}>"], body)

    def _receive(self, wanted, seconds=10.0):
        """Serves requests until `wanted` says so of a message; then that message."""
        end = time.monotonic() + seconds
        while True:
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            message = Message(False, self._socket.recv(65536).decode())
            self._serve(message)
            if wanted(message):
                return message

    def _serve(self, message):
        if message.method == "INVITE" and message.header("Call-ID") not in self.dialogs:
            local = f"{message.header('To')};tag={uuid.uuid4().hex[:8]}"
            target = re.search(r"<([^>]+)>", message.header("Contact")).group(1)
            self.dialogs[message.header("Call-ID")] = Dialog(message.header("Call-ID"), local, message.header("From"), target, 0)
            self._answer(message, 200, "OK", local, SDP)
        elif message.method == "NOTIFY":
            self.notified.append(int(message.body.split(" ")[1]))
            self.order.append("NOTIFY")
            self._answer(message, 200, "OK")
        elif message.method == "BYE":
            self.dialogs[message.header("Call-ID")].over = True
            self.order.append("BYE")
            self._answer(message, 200, "OK")

    def await_call(self):
        ack = self._receive(lambda m: m.method == "ACK")
        return self.dialogs[ack.header("Call-ID")]

    def consult(self, number, domain):
        uri = f"sip:{number}@{domain}"
        # A Call-ID with an @ and whatever else a word may hold (RFC 3261 25.1).
        dialog = Dialog(f"{uuid.uuid4().hex}~(a)!@{self._place}",
                        f"<sip:{self._number}@{self._place}>;tag={uuid.uuid4().hex[:8]}", f"<{uri}>", uri, 0)
        self.dialogs[dialog.call_id] = dialog
        self._ask("INVITE", dialog, body=SDP)
        final = self._receive(lambda m: m.status and m.status >= 200 and m.cseq_method() == "INVITE")
        dialog.remote = final.header("To")
        if final.status == 200:
            dialog.target = re.search(r"<([^>]+)>", final.header("Contact")).group(1)
        self._ask("ACK", dialog, cseq=dialog.cseq)
        return dialog if final.status == 200 else None

    def refer(self, dialog, consultation, tag=None):
        replaces = (f"{consultation.call_id};from-tag={tag_of(consultation.local)}"
                    f";to-tag={tag or tag_of(consultation.remote)}")
        self._ask("REFER", dialog, [f"Refer-To: <sip:phone@10.1.2.3:5062?Replaces={escaped(replaces)}>"])
        self.refer_status = self._receive(lambda m: m.status and m.cseq_method() == "REFER").status

    def await_final_notify(self):
        if not any(code >= 200 for code in self.notified):
            self._receive(lambda m: m.method == "NOTIFY" and not m.body.startswith("SIP/2.0 1"))

    def await_byes(self):
        while not all(dialog.over for dialog in self.dialogs.values()):
            self._receive(lambda m: m.method == "BYE")

    def bye(self, dialog):
        self._ask("BYE", dialog)
        self._receive(lambda m: m.status and m.cseq_method() == "BYE")
        dialog.over = True
