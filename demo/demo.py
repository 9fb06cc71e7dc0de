"""Three live calls handed over by REFER: Baton on loopback, three baresip phones, real audio, measured."""
import argparse
import json
import pathlib
import shutil
import signal
import string
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import judge  # noqa: E402
import loopback  # noqa: E402
import server  # noqa: E402
import speech  # noqa: E402
from phone import Phone, PhoneError, account  # noqa: E402
from scenario import Scenario  # noqa: E402
from sipp import Sipp, SippError  # noqa: E402

FRONT_DESK = "+14155550100"
CALLER = "+14155550142"
HUMAN = "+14155550177"
SETTLE = 10.0  # how long anything may take that should take milliseconds

BOLD, GREEN, RED, DIM, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[2m", "\033[0m") if sys.stdout.isatty() else [""] * 5


class Failed(Exception):
    """What follows makes no sense without what just did not happen."""


class Demo:
    def __init__(self, baton, directory):
        self.baton = baton
        self.directory = pathlib.Path(directory).resolve()
        self.network = loopback.Loopback()
        self.speech = speech.make(self.directory / "speech")
        self.loops = {name: paths["loop"] for name, paths in self.speech.items()}
        self.media = loopback.media_ports(400)
        self.server = None
        self.phones = []
        self.missing = []

    # What is expected and whether it was so.

    def expect(self, happened, text):
        print(f"  {GREEN}✓{PLAIN} {text}" if happened else f"  {RED}✗ {text}{PLAIN}", flush=True)
        if not happened:
            self.missing.append(text)
        return happened

    def must(self, happened, text):
        if not self.expect(happened, text):
            raise Failed(text)

    # The parties.

    def configuration(self):
        values = {name: self.network.of(name) for name in self.network.HOSTS}
        values.update(port=self.network.port, media=self.network.media, media_first=self.media[0],
                      media_last=self.media[0] + 199)
        return string.Template((pathlib.Path(__file__).resolve().parent / "demo.toml.in").read_text()).substitute(values)

    def start_server(self):
        self.server = server.Server(self.baton, self.directory, self.configuration(),
                                    self.network.of("baton"), self.network.port)
        self.server.start()

    def at(self, name):
        return f"{self.network.of(name)}:{self.network.port}"

    def rtp_ports(self, name):
        first = self.media[0] + 200 + 60 * ("caller", "agent", "human").index(name)
        return first, first + 59

    # Of each phone: what its account has besides, the codecs of those that speak others than PCMU, its modules, and lines
    # of its configuration.
    ACCOUNTS = {}
    CODECS = {}
    MODULES = ()
    SETTINGS = ()

    def start_phones(self, act, names=("caller", "agent", "human")):
        def its(name):
            return {"more": self.ACCOUNTS.get(name, ""), "codecs": self.CODECS.get(name, "PCMU/8000/1")}
        accounts = {
            "caller": [account(CALLER, self.network.of("caller"), via=self.at("baton"), **its("caller"))],
            "agent": [account(FRONT_DESK, "outreach.trunks.example", answer="auto", via=self.at("baton"), **its("agent"))],
            "human": [account(HUMAN, self.network.of("carrier"), **its("human"))],
        }
        places = {"caller": "caller", "agent": "agent", "human": "carrier"}
        for name in names:
            phone = Phone(name, self.directory / act / name, self.network.of(places[name]), self.network.port,
                          self.speech[name]["whole"], accounts[name], self.rtp_ports(name), modules=self.MODULES,
                          settings=self.SETTINGS)
            self.phones.append(phone)
            phone.start()
        return self.phones[:]

    def stop_phones(self):
        for phone in self.phones:
            phone.stop()
        self.phones = []

    # Steps that acts share.

    def talk(self, seconds):
        """Time in which people talk: what is measured afterwards needs it."""
        time.sleep(seconds)

    def hand_over(self, agent, human, trunk):
        target = f"sip:{HUMAN}@{trunk}.trunks.example"
        print(f"  {DIM}agent sends REFER to {target}{PLAIN}", flush=True)
        agent.command("transfer", target)
        self.must(human.wait("CALL_INCOMING", SETTLE), "the human's phone rings")

    def show_heard(self, act, listener, expected, shortest=1.5, voices=None):
        """Judges what a party heard; `expected` are the parties in order."""
        loops = {name: path for name, path in self.loops.items() if name != listener.name}
        recordings = listener.recordings()
        segments = judge.listen_files(recordings, loops)
        print(f"  {BOLD}{listener.name} heard: {judge.line(segments)}{PLAIN}")
        self.expect(judge.order(segments) == expected,
                    f"measured from the audio, {listener.name} heard {', then '.join(expected) or 'nothing'}")
        for segment in segments:
            if segment.party in expected:
                self.expect(segment.seconds >= shortest, f"{segment.party} for {segment.seconds:.1f} s")
        if recordings and listener.name == "caller":
            kept = self.directory / act / "caller-heard.wav"
            shutil.copyfile(recordings[0], kept) if len(recordings) == 1 else join(recordings, kept)
            print(f"  {DIM}as a WAV: {kept}{PLAIN}")
        return segments

    def show_records(self, act, calls, transfers, known, brief=False):
        """The records this act added, printed as JSON, and the ladder of its call. Brief: the transfer record alone."""
        found_calls, found_transfers = self.server.await_records(known[0] + calls, known[1] + transfers)
        new_calls, new_transfers = found_calls[known[0]:], found_transfers[known[1]:]
        self.expect(len(new_calls) == calls, f"{calls} call record{'s' if calls != 1 else ''} ({len(new_calls)} found)")
        self.expect(len(new_transfers) == transfers, f"{transfers} transfer record ({len(new_transfers)} found)")
        if not new_calls or not new_transfers:
            raise Failed("records are missing")
        root = new_transfers[0]["root_call_uuid"]
        ladder = self.server.ask("trace", root)
        (self.directory / act / "ladder.txt").write_text(ladder)
        print(f"\n{BOLD}  baton trace {root}{PLAIN}\n{ladder}")
        for message in ("INVITE", "REFER", "202", "NOTIFY", "BYE"):
            self.expect(message in ladder, f"{message} in the ladder")
        for title, rows in (("calls", new_calls), ("transfers", new_transfers)):
            text = json.dumps(rows, indent=2, ensure_ascii=False)
            (self.directory / act / f"{title}.json").write_text(text + "\n")
            if title == "transfers" or not brief:
                print(f"\n{BOLD}  baton {title} --json{PLAIN}\n{text}")
        self.expect(all(row["root_call_uuid"] == root for row in new_calls), "all of one call, by root_call_uuid")
        return new_calls, new_transfers

    def known_records(self):
        return len(self.server.records("calls")), len(self.server.records("transfers"))

    def check_handed_over(self, calls, transfers, direction):
        by_role = {row["leg_role"]: row for row in calls}
        self.expect(set(by_role) == {"original", "transfer"}, "one record of the original leg, one of the transfer leg")
        original, transfer = by_role.get("original", {}), by_role.get("transfer", {})
        self.expect(original.get("call_direction") == direction, f"the call was {direction}")
        self.expect(original.get("hangup_cause_name") == "transferred", "the original leg ended because it was transferred")
        self.expect(transfer.get("to_number") == HUMAN, f"the transfer leg went to {HUMAN}")
        self.expect(transfer.get("transfer_id") == transfers[0]["transfer_id"], "and names its transfer")
        self.expect(transfers[0]["outcome"] == "transferred", "the transfer record says: transferred")

    def finish_transferred(self, caller, agent, human):
        """The human answers, the agent is let go, the other two talk, the caller hangs up."""
        self.talk(4.0)
        self.expect(not agent.has("CALL_CLOSED"), "the agent is kept until the human answers")
        human.command("accept")
        self.must(human.wait("CALL_ESTABLISHED", SETTLE), "the human answers")
        self.must(agent.wait("CALL_CLOSED", SETTLE), "the agent is let go")
        self.talk(5.0)
        self.expect(not caller.has("CALL_CLOSED"), "the caller is still on the line")
        caller.command("hangup")
        self.must(human.wait("CALL_CLOSED", SETTLE), "the caller hangs up, and so the human's call ends")

    # The acts.

    def act1(self):
        """A caller rings the front desk; the AI agent answers, and hands the call to a human."""
        known = self.known_records()
        caller, agent, human = self.start_phones("act1")
        caller.command("dial", f"sip:{FRONT_DESK}@{self.at('baton')}")
        self.must(agent.wait("CALL_ESTABLISHED", SETTLE) and caller.wait("CALL_ESTABLISHED", SETTLE),
                  "the caller dials the number, the agent answers")
        self.talk(6.0)
        self.hand_over(agent, human, "front-desk")
        self.finish_transferred(caller, agent, human)
        self.show_heard("act1", caller, ["agent", "ring-back", "human"])
        self.show_heard("act1", human, ["caller"])
        self.show_heard("act1", agent, ["caller"])
        calls, transfers = self.show_records("act1", 2, 1, known)
        self.check_handed_over(calls, transfers, "inbound")

    def act2(self):
        """The same, but the human is busy: the caller is back with the agent."""
        # baresip 1.0.0 hangs up by itself when NOTIFY says that its transfer failed. An agent that keeps its call is
        # played by SIPp here; it says the same.
        known = self.known_records()
        caller, human = self.start_phones("act2", ("caller", "human"))
        script = (Scenario(FRONT_DESK, says=self.speech["agent"]["mu_law"]).recv_invite().ring().answer().pause(5000)
                  .refer(f"<sip:{HUMAN}@front-desk.trunks.example>").notifies(486).recv_bye())
        agent = Sipp("agent", self.directory / "act2" / "agent", script, self.network.of("agent"), self.network.port,
                     self.at("baton"), rtp=self.rtp_ports("agent"))
        self.phones.append(agent)
        agent.start().await_bound()
        caller.command("dial", f"sip:{FRONT_DESK}@{self.at('baton')}")
        self.must(caller.wait("CALL_ESTABLISHED", SETTLE), "the caller dials the number, the agent answers")
        print(f"  {DIM}agent talks, then sends REFER to sip:{HUMAN}@front-desk.trunks.example{PLAIN}", flush=True)
        self.must(human.wait("CALL_INCOMING", SETTLE), "the human's phone rings")
        self.talk(2.5)
        human.command("hangup")  # of a call that still rings: 486
        self.must(human.wait("CALL_CLOSED", SETTLE), "the human is busy")
        self.talk(5.0)
        self.expect(agent.running() and not caller.has("CALL_CLOSED"), "caller and agent are still connected")
        notified = [message.body.strip() for message in agent.received("NOTIFY")]
        self.expect(notified[-1:] == ["SIP/2.0 486 Busy Here"], f"the agent was told: {', '.join(notified)}")
        caller.command("hangup")
        self.must(agent.wait(SETTLE) == 0, "the caller hangs up, and so the agent's call ends")
        self.show_heard("act2", caller, ["agent", "ring-back", "agent"])
        calls, transfers = self.show_records("act2", 1, 1, known, brief=True)
        self.expect(calls[0]["leg_role"] == "original" and calls[0]["hangup_cause_name"] != "transferred",
                    "the call record says nothing of a transfer")
        self.expect(transfers[0]["outcome"] == "failed" and transfers[0]["final_status"] == 486,
                    "the transfer record says: failed, 486")

    def act3(self):
        """The agent calls a customer on the outbound trunk, and hands the call to a human."""
        known = self.known_records()
        caller, agent, human = self.start_phones("act3")
        agent.command("dial", f"sip:{CALLER}@outreach.trunks.example")
        self.must(caller.wait("CALL_INCOMING", SETTLE), "the agent dials, the customer's phone rings")
        self.talk(1.5)
        caller.command("accept")
        self.must(agent.wait("CALL_ESTABLISHED", SETTLE) and caller.wait("CALL_ESTABLISHED", SETTLE),
                  "the customer answers")
        self.talk(6.0)
        self.hand_over(agent, human, "outreach")
        self.finish_transferred(caller, agent, human)
        self.show_heard("act3", caller, ["agent", "ring-back", "human"])
        self.show_heard("act3", human, ["caller"])
        self.show_heard("act3", agent, ["caller"])
        calls, transfers = self.show_records("act3", 2, 1, known, brief=True)
        self.check_handed_over(calls, transfers, "outbound")

    def run(self, chosen):
        try:
            self.start_server()
            print(f"baton serve -c {self.server.configuration}, on {self.at('baton')} (UDP and TCP)")
            for act in chosen:
                print(f"\n{BOLD}Act {act.__name__[3:]}. {act.__doc__}{PLAIN}", flush=True)
                try:
                    act()
                except (Failed, PhoneError, SippError, server.ServerError, KeyError) as error:
                    self.missing.append(str(error))
                    print(f"  {RED}the act ends here: {error}{PLAIN}")
                    print(f"{DIM}{self.server.log()}{PLAIN}")
                self.stop_phones()
            code = self.server.stop()
            print()
            self.expect(code == 0, f"the server stopped cleanly (exit code {code})")
        except server.ServerError as error:
            self.missing.append(str(error))
            print(f"{RED}{error}{PLAIN}")
        finally:
            self.stop_phones()
            if self.server:
                self.server.stop()
        return self.missing


def join(recordings, path):
    pieces = [speech.read_wav(recording)[0] for recording in recordings]
    speech.write_wav(path, speech.numpy.concatenate(pieces))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baton", required=True, help="the server's binary")
    parser.add_argument("--directory", required=True, help="where configuration, records and recordings go")
    parser.add_argument("--act", type=int, action="append", choices=(1, 2, 3), help="only this one (may be repeated)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` stops what was started
    began = time.monotonic()
    demo = Demo(options.baton, options.directory)
    missing = demo.run([getattr(demo, f"act{number}") for number in options.act or (1, 2, 3)])
    took = f"{time.monotonic() - began:.0f} s"
    if missing:
        print(f"\n{RED}{BOLD}{len(missing)} expectations were not met ({took}):{PLAIN}")
        for text in dict.fromkeys(missing):
            print(f"{RED}  ✗ {text}{PLAIN}")
        return 1
    print(f"\n{GREEN}{BOLD}All of it happened ({took}).{PLAIN} Recordings, ladders and the records are in {demo.directory}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
