"""The cases played over real sockets. Each function of ALL is one test over UDP and one over TCP; TLS and IPV6 have fewer."""
from attended_agent import AttendedAgent
from digest_caller import DigestCaller
from scenario import Scenario

CALLER = "+14155550142"   # behind carrier west
DESK = "+14155550100"     # ours, on trunk desk
SECOND = "+14155550160"   # ours, on trunk second
LOCKED = "+14155550190"   # ours, on a trunk that may not transfer
HUMAN = "+14155550177"    # behind carrier east
OTHER = "+442071838750"   # behind carrier north
NAMED = "+493012345678"   # behind carrier named, whose second gateway is at carrier north's place


def to(number, trunk="desk"):
    return f"<sip:{number}@{trunk}.trunks.example>"


def endpoint():
    """An endpoint that has just answered a call."""
    return Scenario(DESK).recv_invite().ring().answer().pause(300)


def calling(number=DESK):
    return Scenario(CALLER).invite(number).answered()


def ringing(number=HUMAN):
    """A target that rings long enough for the NOTIFY of it to be seen: they come at most one a second."""
    return Scenario(number).recv_invite().ring()


def transferred_target_hangs_up(world):
    world.play(called={"endpoint": endpoint().refer(to(HUMAN)).notifies(200).recv_bye(),
                       "target": ringing().pause(1500).answer().pause(700).bye()},
               caller={"caller": calling().recv_bye()})
    world.check_notified("endpoint", 100, 180, 200)
    world.check_order("endpoint", "INVITE", "ACK", "SIP/2.0 202", "NOTIFY", "NOTIFY", "NOTIFY", "BYE")
    world.records(calls=2, transfers=1)
    world.check_one_root()
    world.check_call("original", call_direction="inbound", hangup_cause_name="transferred", from_number=CALLER, to_number=DESK)
    world.check_call("transfer", to_number=HUMAN, from_number=CALLER, carrier_id="east", sip_status=200)
    world.check_transfer(outcome="transferred", refer_status=202, final_status=200, target_number=HUMAN, depth=1)
    world.check_ladder("INVITE", "REFER", "202", "NOTIFY", "BYE")
    invite = world.parties["target"].received("INVITE")[0]
    world.check(CALLER in invite.header("From"), f"the target sees the caller's number: {invite.header('From')}")


def transferred_caller_hangs_up(world):
    world.play(called={"endpoint": endpoint().refer(to(HUMAN)).notifies(200).recv_bye(),
                       "target": ringing().answer().recv_bye()},
               caller={"caller": calling().pause(4000).bye()})
    world.equal(world.notified("endpoint")[-1], 200, "last NOTIFY")
    world.records(calls=2, transfers=1)
    world.check_transfer(outcome="transferred", final_status=200)


def target_hangs_up_at_once(world):
    """Its BYE may overtake our NOTIFY 200: everybody is let go all the same."""
    world.play(called={"endpoint": endpoint().refer(to(HUMAN)).notifies(200).recv_bye(),
                       "target": ringing().answer().bye()},
               caller={"caller": calling().recv_bye()})
    world.records(calls=2, transfers=1)
    world.check_one_root()


def _failed(world, status, target, **fields):
    """The target does not take the call: the endpoint is told, and the first call is as it was."""
    world.play(called={"endpoint": endpoint().refer(to(HUMAN)).notifies(status).pause(700).bye(), "target": target},
               caller={"caller": calling().recv_bye()})
    world.equal(world.notified("endpoint")[-1], status, "last NOTIFY")
    world.records(calls=1, transfers=1)
    world.check_call("original", hangup_cause_name="normal_hangup")
    world.check_transfer(outcome="failed", refer_status=202, final_status=status, **fields)


def busy(world):
    _failed(world, 486, ringing().pause(500).reject(486, "Busy Here"))


def declined(world):
    _failed(world, 603, Scenario(HUMAN).recv_invite().reject(603, "Decline"))


def unknown_at_carrier(world):
    _failed(world, 404, Scenario(HUMAN).recv_invite().reject(404, "Not Found"))


def no_answer(world):
    """ring_timeout is 3 s here; the target is cancelled."""
    _failed(world, 408, ringing().cancelled())


def caller_hangs_up_during_ring(world):
    world.play(called={"endpoint": endpoint().refer(to(HUMAN)).notifies(487).recv_bye(), "target": ringing().cancelled()},
               caller={"caller": calling().pause(2000).bye()})
    world.equal(world.notified("endpoint")[-1], 487, "last NOTIFY")
    world.records(calls=1, transfers=1)
    world.check_transfer(outcome="abandoned", final_status=487)


def early_bye(world):
    """The endpoint leaves before NOTIFY 200: the documented rule ends the call and cancels the target."""
    world.play(called={"endpoint": endpoint().refer(to(HUMAN)).notifies(180).bye(), "target": ringing().cancelled()},
               caller={"caller": calling().recv_bye()})
    bye = world.parties["caller"].received("BYE")[0]
    world.check(bye.header("Reason"), "the BYE to the caller says why (Reason)")
    world.records(calls=1, transfers=1)
    world.check_transfer(outcome="abandoned", refer_status=202)


def double_refer(world):
    """The second REFER replaces the first: its target is cancelled, the new one is called."""
    world.play(called={"endpoint": endpoint().refer(to(HUMAN)).notifies(180).refer_instead(to(OTHER), 487).notifies(200)
                       .recv_bye(),
                       "target": ringing().cancelled(),
                       "other_target": ringing(OTHER).pause(1500).answer().pause(700).bye()},
               caller={"caller": calling().recv_bye()})
    notified = world.notified("endpoint")
    world.equal([code for code in notified if code >= 200], [487, 200], "final NOTIFYs, one each")
    events = [m.header("Event").replace(" ", "") for m in world.parties["endpoint"].received("NOTIFY")]
    world.check("id=" in events[-1], f"NOTIFYs of the second REFER name it by id: {events}")
    world.records(calls=2, transfers=2)
    world.check_one_root()
    by_target = {row["target_number"]: row for row in world.transfers}
    world.equal({HUMAN: "superseded", OTHER: "transferred"}, {n: row["outcome"] for n, row in by_target.items()}, "outcomes")


def chained(world):
    """The desk hands over to a second endpoint of ours, which hands over to the human."""
    world.play(called={"endpoint": endpoint().refer(to(SECOND)).notifies(200).recv_bye(),
                       "second": Scenario(SECOND).recv_invite().ring().answer().pause(1500).refer(to(HUMAN, "second"))
                       .notifies(200).recv_bye(),
                       "target": ringing().pause(1500).answer().pause(700).bye()},
               caller={"caller": calling().recv_bye()})
    for name in ("endpoint", "second"):
        world.equal(world.notified(name)[-1], 200, f"last NOTIFY to {name}")
    world.records(calls=3, transfers=2)
    world.check_one_root()
    world.equal(sorted(row["depth"] for row in world.transfers), [1, 2], "depths of the transfers")
    world.equal({row["outcome"] for row in world.transfers}, {"transferred"}, "outcomes")


REFUSALS = [
    (400, None),
    (400, to("bob")),
    (400, to("14155550177")),
    (400, to("+123")),
    (400, "<mailto:someone@desk.trunks.example>"),
    (400, f"<sip:{HUMAN}@desk.trunks.example;method=BYE>"),
    (403, f"<sip:{HUMAN}@elsewhere.example>"),
    (403, f"<sip:{HUMAN}@192.168.1.4>"),
    (403, f"<sip:{HUMAN}@127.0.0.1>"),
    (403, f"<sip:{HUMAN}@2130706433>"),
    (403, to("+19005550000")),
    (403, to("+5352345678")),
]


def refusals(world):
    """Each is answered, explained, recorded; and the call goes on."""
    party = endpoint()
    for status, refer_to in REFUSALS:
        party.refer(refer_to, expect=status)
    world.play(called={"endpoint": party.pause(200).bye()}, caller={"caller": calling().recv_bye()})
    answers = [m for m in world.parties["endpoint"].messages(sent=False) if m.cseq_method() == "REFER"]
    world.equal([m.status for m in answers if m.status >= 200], [status for status, _ in REFUSALS], "answers to the REFERs")
    for (_, refer_to), message in zip(REFUSALS, answers):
        world.check(message.header("Warning").startswith("399 "), f"Warning: 399 on the answer to {refer_to}")
    world.check_notified("endpoint")
    world.records(calls=1, transfers=len(REFUSALS))
    world.equal({row["outcome"] for row in world.transfers}, {"refused"}, "outcomes")
    world.equal([row["refer_status"] for row in world.transfers], [status for status, _ in REFUSALS], "codes in the records")
    world.check(all(row["reason"] for row in world.transfers), "every record has its reason")


def transfers_disabled(world):
    world.play(called={"endpoint": Scenario(LOCKED).recv_invite().answer().pause(300).refer(to(HUMAN, "locked"), expect=403)
                       .bye()},
               caller={"caller": calling(LOCKED).recv_bye()})
    world.records(calls=1, transfers=1)
    world.check_transfer(outcome="refused", refer_status=403)


def carrier_may_not_refer(world):
    world.play(called={"endpoint": Scenario(DESK).recv_invite().answer().recv_bye()},
               caller={"caller": calling().pause(300).refer(to(HUMAN), expect=403).bye()})
    world.records(calls=1, transfers=1)
    world.check_transfer(outcome="refused", refer_status=403)


def target_forms(world):
    """`tel:` with separators and an escaped plus are E.164 all the same."""
    world.play(called={"endpoint": endpoint().refer("<sip:%2B442071838750@desk.trunks.example;user=phone>").notifies(486)
                       .refer("<tel:+1-415-555-0177>").notifies(200).recv_bye(),
                       "other_target": Scenario(OTHER).recv_invite().reject(486, "Busy Here"),
                       "target": Scenario(HUMAN).recv_invite().answer().pause(700).bye()},
               caller={"caller": calling().recv_bye()})
    world.records(calls=2, transfers=2)
    world.equal([row["target_number"] for row in world.transfers], [OTHER, HUMAN], "target numbers")


def outbound(world):
    """Endpoint → trunk domain → carrier → customer, handed to a human."""
    world.play(called={"customer": Scenario(CALLER).recv_invite().ring().pause(300).answer().recv_bye(),
                       "target": ringing().pause(1500).answer().pause(700).bye()},
               caller={"endpoint": Scenario(DESK).invite(CALLER, "reach.trunks.example").answered().pause(300)
                       .refer(to(HUMAN, "reach")).notifies(200).recv_bye()})
    world.check_notified("endpoint", 100, 180, 200)
    world.records(calls=2, transfers=1)
    world.check_call("original", call_direction="outbound", hangup_cause_name="transferred", to_number=CALLER)
    world.check_call("transfer", to_number=HUMAN, from_number=DESK)
    world.check_transfer(outcome="transferred", transferee=CALLER)


def _attended(world, course, target, caller):
    agent = AttendedAgent(DESK, world.network.of("agent"), world.network.port,
                          (world.network.of("baton"), world.network.port))
    try:
        def meanwhile():
            try:
                first = agent.await_call()
                course(agent, first, agent.consult(HUMAN, "reach.trunks.example"))
            except OSError as error:
                world.problems.append(f"the agent waited for {error}: {agent.order}, NOTIFYs {agent.notified}")
        world.play(called={"target": target}, caller={"caller": caller}, meanwhile=meanwhile)
    finally:
        agent.close()
    return agent


def attended(world):
    """The desk has the caller on one line and the human on another, and joins them: nobody is called again."""
    def course(agent, first, consultation):
        agent.refer(first, consultation)
        agent.await_final_notify()
        agent.await_byes()
    agent = _attended(world, course, Scenario(HUMAN).recv_invite().ring().pause(200).answer().recv_bye(),
                      calling().pause(3000).bye())
    world.equal(agent.refer_status, 202, "answer to the REFER")
    world.equal(agent.notified, [100, 200], "NOTIFYs")
    world.equal(agent.order, ["NOTIFY", "NOTIFY", "BYE", "BYE"], "what the desk heard, in order")
    world.records(calls=3, transfers=1)
    world.check_call("original", hangup_cause_name="transferred")
    world.check_call("original", 1, hangup_cause_name="transferred")
    world.check_call("transfer", to_number=HUMAN, from_number=CALLER, carrier_id="east", sip_status=200)
    world.check_transfer(outcome="transferred", refer_status=202, final_status=200, target_number=HUMAN)


def attended_with_wrong_tags(world):
    """NOTIFY 481, and both calls are as they were."""
    def course(agent, first, consultation):
        agent.refer(first, consultation, tag="nobody")
        agent.await_final_notify()
        agent.bye(consultation)
        agent.bye(first)
    agent = _attended(world, course, Scenario(HUMAN).recv_invite().answer().recv_bye(), calling().recv_bye())
    world.equal(agent.notified, [100, 481], "NOTIFYs")
    world.records(calls=2, transfers=1)
    world.check_transfer(outcome="failed", refer_status=202, final_status=481)


def _with_digest(world, algorithm, password="correct-horse"):
    caller = DigestCaller(DESK, world.network.of("agent"), world.network.port, (world.network.of("baton"), world.network.port))
    try:
        return caller.call(CALLER, "secret.trunks.example", algorithm, "agent", password)
    finally:
        caller.close()


def _digest(world, algorithm):
    answers = []
    world.play(called={"customer": Scenario(CALLER).recv_invite().answer().recv_bye()}, caller={},
               meanwhile=lambda: answers.extend(_with_digest(world, algorithm)))
    world.equal(answers[:1], [200], f"answer to an INVITE with {algorithm} credentials")
    world.records(calls=1, transfers=0)
    world.check_call("original", call_direction="outbound", hangup_cause_name="normal_hangup")


def digest_md5(world):
    _digest(world, "MD5")


def digest_sha256(world):
    _digest(world, "SHA-256")


def digest_wrong_password(world):
    status, offered = _with_digest(world, "SHA-256", password="guess")
    world.check(status == 401, f"a wrong password is answered 401, not {status}")
    world.check({"MD5", "SHA-256"} <= set(offered), f"algorithms offered: {offered}")


def outbound_from_a_stranger(world):
    world.play(called={}, caller={"stranger": Scenario(DESK).invite(CALLER, "reach.trunks.example").refused(403)})


def primary_fails_fallback_answers(world):
    world.play(called={"endpoint": Scenario(DESK).recv_invite().reject(503, "Service Unavailable"),
                       "fallback": Scenario(DESK).recv_invite().answer().recv_bye()},
               caller={"caller": calling().pause(500).bye()})
    world.records(calls=1, transfers=0)
    world.check_call("original", hangup_cause_name="normal_hangup", sip_status=200)


def srv_first_target_dead(world):
    """A gateway by name: the first of its servers takes nothing, the second gets the call; the next call knows it."""
    world.play(called={"other_target": Scenario(NAMED).recv_invite().ring().answer().recv_bye()},
               caller={"endpoint": Scenario(DESK).invite(NAMED, "reach.trunks.example").answered().pause(500).bye()})
    world.records(calls=1, transfers=0)
    world.check_call("original", carrier_id="named", sip_status=200, to_number=NAMED)
    blocked = f"target.blocked target=\"{world.transport} {world.network.of('dead')}:{world.network.port}\""
    world.check(blocked in world.server.log(), f"{blocked} is in the log")
    world.check(("gateways.example", 35) in world.names.asked, f"NAPTR was asked for: {world.names.asked}")


def plain_call_endpoint_hangs_up(world):
    world.play(called={"endpoint": endpoint().bye()}, caller={"caller": calling().recv_bye()})
    world.records(calls=1, transfers=0)
    world.check_call("original", from_number=CALLER, to_number=DESK, hangup_cause_name="normal_hangup", sip_status=200)


def number_not_ours(world):
    world.play(called={}, caller={"caller": Scenario(CALLER).invite("+14155559999").refused(404)})


ALL = [transferred_target_hangs_up, transferred_caller_hangs_up, target_hangs_up_at_once, busy, declined,
       unknown_at_carrier, no_answer, caller_hangs_up_during_ring, early_bye, double_refer, chained, refusals,
       transfers_disabled, carrier_may_not_refer, target_forms, outbound, outbound_from_a_stranger,
       primary_fails_fallback_answers, srv_first_target_dead, plain_call_endpoint_hangs_up, number_not_ours]
# Over TLS, too, and over IPv6 by every transport.
TLS = [transferred_target_hangs_up, transferred_caller_hangs_up, busy, caller_hangs_up_during_ring, early_bye, chained,
       outbound, outbound_from_a_stranger, primary_fails_fallback_answers, plain_call_endpoint_hangs_up]
IPV6 = [transferred_target_hangs_up, busy, caller_hangs_up_during_ring]
UDP_ONLY = [attended, attended_with_wrong_tags, digest_md5, digest_sha256, digest_wrong_password]
# With rtpengine for the audio, too.
RTPENGINE = [(transferred_target_hangs_up, "udp6"), (attended, "udp")]
# With the audio on threads of its own, too.
THREADS = [(transferred_target_hangs_up, "udp6"), (chained, "udp"), (attended, "udp")]
