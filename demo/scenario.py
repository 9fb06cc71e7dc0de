"""What a SIPp party does, written as steps and turned into SIPp's XML.

The steps drive; what the messages had to say is checked afterwards on the log of what was on the wire (sipp.py).
"""
import re
from xml.sax.saxutils import quoteattr

TIMEOUT_MS = 12000
NOTIFIES_MAX = 6

SDP = """v=0
o=- 1 1 IN IP[media_ip_type] [media_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio {port} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
"""


class Scenario:
    """`number` is the party's own. One dialog: the party either calls (invite) or is called (recv_invite).

    `routed`: there is a proxy that stays on the way; its Record-Route is kept to.
    `says`: a file of bare G.711 µ-law that it plays, over and over, once it has answered.
    """

    def __init__(self, number, says=None, routed=False, retransmit_ms=500):
        self.number = number
        self._routed = routed
        self._retransmit_ms = retransmit_ms
        self._says = says
        self._sdp = SDP.replace("{port}", "[rtpstream_audio_port]" if says else "[media_port]")
        self._steps = []
        self._labels = 0
        self._cseq = 0
        self._local = self._remote = None

    def xml(self, name):
        text = "\n".join(self._steps)
        # SIPp refuses a variable that is assigned and never read.
        assigned = sorted(set(re.findall(r'assign_to="(\w+)"', text)))
        uses = "".join(f'<Reference variables="{name}"/>\n' for name in assigned)
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
                f"<scenario name={quoteattr(name)}>\n{text}\n{uses}</scenario>\n")

    # Parts of messages.

    def _add(self, text):
        self._steps.append(text)
        return self

    def _label(self):
        self._labels += 1
        return f"l{self._labels}"

    def _send(self, lines, body="", retransmit=False, jump=""):
        head = "\n".join(line for line in lines if line)
        content = f"Content-Type: application/sdp\nContent-Length: [len]\n\n{body}" if body else "Content-Length: 0\n\n"
        resend = f' retrans="{self._retransmit_ms}"' if retransmit else ""
        return self._add(f"<send{resend} {jump}><![CDATA[\n\n{head}\n{content}\n]]></send>")

    def _contact(self):
        return f"Contact: <sip:{self.number}@[local_ip]:[local_port];transport=[transport]>"

    def _request(self, method, extra=(), body="", retransmit=True, cseq=None):
        """Inside the dialog."""
        if cseq is None:
            self._cseq += 1
            cseq = self._cseq
        return self._send([f"{method} [next_url] SIP/2.0",
                           "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]", "Max-Forwards: 70",
                           f"From: {self._local}", f"To: {self._remote}", "Call-ID: [call_id]",
                           f"CSeq: {cseq} {method}", "[routes]" if self._routed else "", self._contact(), *extra], body,
                          retransmit)

    def _recv(self, what, actions="", attributes=""):
        inner = f"<action>{actions}</action>" if actions else ""
        wait = "" if "optional" in attributes else f' timeout="{TIMEOUT_MS}"'
        return self._add(f"<recv {what}{wait} {attributes}>{inner}</recv>")

    # Calling.

    def invite(self, number, host="[remote_ip]:[remote_port]", extra=()):
        self._cseq += 1
        self._local = f"<sip:{self.number}@[local_ip]>;tag=[pid]c[call_number]"
        self._remote = "[$remote]"
        self._called, self._to = f"sip:{number}@{host}", f"<sip:{number}@{host}>"
        return self._send([f"INVITE {self._called} SIP/2.0",
                           "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]", "Max-Forwards: 70",
                           f"From: {self._local}", f"To: {self._to}", "Call-ID: [call_id]",
                           f"CSeq: {self._cseq} INVITE", self._contact(),
                           "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER", *extra], self._sdp, True)

    def answered(self):
        """Provisional answers as they come, then the 200, acknowledged."""
        for status in (100, 180, 183):
            self._recv(f'response="{status}"', attributes='optional="true"')
        self._recv('response="200"', '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="remote"/>', 'rrs="true"')
        return self._request("ACK", retransmit=False, cseq=self._cseq)

    def rung(self):
        self._recv('response="100"', attributes='optional="true"')
        return self._recv('response="180"')

    def cancel(self):
        """Of the INVITE that rings (RFC 3261 9.1), which is then answered 487."""
        self._send([f"CANCEL {self._called} SIP/2.0", "[last_Via:]", "Max-Forwards: 70", f"From: {self._local}",
                    f"To: {self._to}", "Call-ID: [call_id]", f"CSeq: {self._cseq} CANCEL"], retransmit=True)
        self._recv('response="200"')
        return self.refused(487)

    def refused(self, status):
        for provisional in (100, 180, 183):
            self._recv(f'response="{provisional}"', attributes='optional="true"')
        self._recv(f'response="{status}"')
        return self._send([f"ACK sip:[remote_ip]:[remote_port] SIP/2.0", "[last_Via:]", "Max-Forwards: 70", "[last_From:]",
                           "[last_To:]", "Call-ID: [call_id]", f"CSeq: {self._cseq} ACK"])

    def challenged(self, number, host, username, password):
        """The INVITE was answered 401: once more, with credentials."""
        self._recv('response="100"', attributes='optional="true"')
        self._recv('response="401"', attributes='auth="true"')
        self._send([f"ACK sip:{number}@{host} SIP/2.0", "[last_Via:]", "Max-Forwards: 70", "[last_From:]", "[last_To:]",
                    "Call-ID: [call_id]", f"CSeq: {self._cseq} ACK"])
        return self.invite(number, host, [f"[authentication username={username} password={password}]"])

    # Being called.

    def recv_invite(self):
        self._recv('request="INVITE"',
                   '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="remote"/>'
                   '<ereg regexp="[^;]*" search_in="hdr" header="To:" assign_to="self_uri"/>', 'rrs="true"')
        self._local, self._remote = "[$self_uri];tag=[pid]s[call_number]", "[$remote]"
        return self

    def respond(self, status, reason, body="", extra=(), retransmit=False):
        """To the INVITE that opened the dialog."""
        return self._send([f"SIP/2.0 {status} {reason}", "[last_Via:]", "[last_From:]",
                           "[last_To:];tag=[pid]s[call_number]", "[last_Call-ID:]", "[last_CSeq:]",
                           "[last_Record-Route:]", self._contact(), *extra], body, retransmit)

    def ring(self):
        return self.respond(180, "Ringing")

    def answer(self):
        self.respond(200, "OK", self._sdp, ["Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER"], True)
        self._recv('request="ACK"')
        if self._says:
            self._add(f'<nop><action><exec rtp_stream="{self._says},-1,0"/></action></nop>')
        return self

    def reject(self, status, reason):
        self.respond(status, reason, retransmit=True)
        return self._recv('request="ACK"')

    def cancelled(self):
        """CANCEL: 200 to it, 487 to the INVITE (RFC 3261 9.2). The INVITE's Via is the CANCEL's, its CSeq number too."""
        self._recv('request="CANCEL"', '<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="line"/>')
        self._send(["SIP/2.0 200 OK", "[last_Via:]", "[last_From:]", "[last_To:];tag=[pid]s[call_number]",
                    "[last_Call-ID:]", "[last_CSeq:]"])
        self._send(["SIP/2.0 487 Request Terminated", "[last_Via:]", "[last_From:]",
                    "[last_To:];tag=[pid]s[call_number]", "[last_Call-ID:]", "CSeq: [$line] INVITE"], retransmit=True)
        return self._recv('request="ACK"')

    # Inside the call.

    def pause(self, milliseconds):
        return self._add(f'<pause milliseconds="{milliseconds}"/>')

    def ok(self, jump=""):
        """200 to the request received last."""
        return self._send(["SIP/2.0 200 OK", "[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]",
                           "[last_CSeq:]", self._contact()], jump=jump)

    def bye(self):
        self._request("BYE")
        return self._recv('response="200"')

    def recv_bye(self):
        self._recv('request="BYE"')
        return self.ok()

    def refer(self, refer_to, expect=202, extra=()):
        self._request("REFER", [f"Refer-To: {refer_to}" if refer_to else "", *extra])
        return self._recv(f'response="{expect}"') if expect else self

    def refer_instead(self, refer_to, last):
        """A REFER while one is pending: the final NOTIFY `last` of the first one, then the 202.

        Both come at once, and SIPp takes what arrives while it should send as unexpected: the NOTIFY is answered after
        the 202, from what was kept of it.
        """
        self._request("REFER", [f"Refer-To: {refer_to}"])
        self._recv('request="NOTIFY"',
                   f'<ereg regexp="SIP/2.0 {last}" search_in="body" check_it="true" assign_to="line"/>'
                   '<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="notify_via"/>'
                   '<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="notify_cseq"/>')
        self._recv('response="202"')
        return self._send(["SIP/2.0 200 OK", "Via: [$notify_via]", f"From: {self._remote}", f"To: {self._local}",
                           "Call-ID: [call_id]", "CSeq: [$notify_cseq]", self._contact()])

    def notifies(self, last):
        """NOTIFYs, each answered 200, up to the one whose Status-Line has the code `last`.

        Written out instead of looped: SIPp takes a message that arrives between two jumps as unexpected.
        """
        done = self._label()
        for _ in range(NOTIFIES_MAX):
            self._recv('request="NOTIFY"', f'<ereg regexp="SIP/2.0 {last}" search_in="body" assign_to="{done}"/>')
            self.ok(jump=f'next="{done}" test="{done}"')
        return self._add(f'<label id="{done}"/>')
