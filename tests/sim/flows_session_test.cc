// Hold through both legs, why a call ended, logins, and the answers of RFC 3261 8.2 that need no call.
#include "call/hangup.h"
#include "cast.h"

namespace baton::sim {
namespace {

class Sessions : public BothWays {
 protected:
  [[nodiscard]] static Play plain() {
    Play play = usual_play(GetParam());
    play.transferor.acts.clear();
    return play;
  }
  static bool come_up(Cast& cast) {
    return cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); });
  }
  static void expect_talking_and_end(Cast& cast) {
    EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
    cast.world().oracles().check_media_agrees();
    cast.hang_up(*cast.transferor);
    cast.expect_rest();
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, Sessions, ::testing::Bool(), direction_name);

void relay_holds(trunk::Model& model) {
  for (trunk::Trunk& trunk : model.trunks) trunk.sip.hold = trunk::HoldStyle::relayed;
  for (trunk::Carrier& carrier : model.carriers) carrier.sip.hold = trunk::HoldStyle::relayed;
}

// ---- Hold ----

TEST_P(Sessions, HoldIsAnchored) {
  Play play = plain();
  play.transferor.acts = {{When::established, 1s, What::hold}, {When::established, 5s, What::resume}};
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(3s);
  EXPECT_EQ(cast.transferor->seen.directions.back(), sdp::Direction::recvonly);
  EXPECT_EQ(cast.transferee->seen.reinvites, 0U) << "the other party learns nothing";
  EXPECT_EQ(cast.world().oracles().hears(*cast.transferee), "transferor") << "the holder's music";
  cast.world().run_for(4s);
  EXPECT_EQ(cast.transferor->seen.directions.back(), sdp::Direction::sendrecv);
  expect_talking_and_end(cast);
}

TEST_P(Sessions, HoldIsRelayedWhereThatIsWanted) {
  Play play = plain();
  play.options.configure = relay_holds;
  play.transferor.acts = {{When::established, 1s, What::hold}, {When::established, 5s, What::resume}};
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(3s);
  EXPECT_EQ(cast.transferee->seen.reinvites, 1U);
  EXPECT_EQ(cast.transferee->seen.directions.back(), sdp::Direction::sendonly);
  EXPECT_EQ(cast.world().oracles().hears(*cast.transferee), "transferor");
  cast.world().run_for(4s);
  EXPECT_EQ(cast.transferee->seen.reinvites, 2U);
  EXPECT_EQ(cast.transferee->seen.directions.back(), sdp::Direction::sendrecv);
  expect_talking_and_end(cast);
}

TEST_P(Sessions, RelayedHoldThatIsRefusedLeavesTheOtherPartyAsItWas) {
  Play play = plain();
  play.options.configure = relay_holds;
  play.transferee.reinvite_status = 488;
  play.transferor.acts = {{When::established, 1s, What::hold}, {When::established, 5s, What::resume}};
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(8s);
  EXPECT_EQ(cast.transferee->seen.directions.back(), sdp::Direction::sendrecv);
  expect_talking_and_end(cast);
}

// Whoever holds first, and whoever comes back first: then nobody holds, and no offer of ours says otherwise.
TEST_P(Sessions, BothHoldAndComeBackInEveryOrder) {
  for (const bool transferor_holds_first : {true, false}) {
    for (const bool transferor_back_first : {true, false}) {
      for (const bool forgets : {true, false}) {
        SCOPED_TRACE(std::to_string(transferor_holds_first) + std::to_string(transferor_back_first) +
                     std::to_string(forgets));
        Play play = plain();
        play.options.configure = relay_holds;
        const auto at = [](bool first, Duration when) { return first ? when : when + 1s; };
        play.transferor.acts = {{When::established, at(transferor_holds_first, 1s), What::hold},
                                {When::established, at(transferor_back_first, 4s), What::resume},
                                {When::established, 8s, What::offerless}};
        play.transferee.acts = {{When::established, at(!transferor_holds_first, 1s), What::hold},
                                {When::established, at(!transferor_back_first, 4s), What::resume},
                                {When::established, 9s, What::offerless}};
        play.transferor.forgets_hold = play.transferee.forgets_hold = forgets;
        Cast cast(play);
        ASSERT_TRUE(come_up(cast));
        cast.world().run_for(7s);
        for (const Party* party : {cast.transferor, cast.transferee}) {
          EXPECT_EQ(party->seen.directions.back(), sdp::Direction::sendrecv) << party->role();
        }
        EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
        cast.world().run_for(4s);
        for (const Party* party : {cast.transferor, cast.transferee}) {
          EXPECT_EQ(party->seen.directions.back(), sdp::Direction::sendrecv)
              << "our offer to the " << party->role();
        }
        expect_talking_and_end(cast);
      }
    }
  }
}

// The offer that takes the hold back waits for the answer to the one that told of it, which is no wish of the
// party's own.
TEST_P(Sessions, AHoldTakenBackBeforeTheOtherPartyAnsweredIsOver) {
  Play play = plain();
  play.options.configure = relay_holds;
  play.transferee.reinvite_after = 1s;
  play.transferor.acts = {{When::established, 1s, What::hold}, {When::established, 1'500ms, What::resume}};
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(10s);
  EXPECT_EQ(cast.transferee->seen.reinvites, 2U);
  EXPECT_EQ(cast.transferee->seen.directions.back(), sdp::Direction::sendrecv);
  EXPECT_EQ(cast.transferor->seen.reinvites, 0U) << "nobody else holds";
  EXPECT_EQ(cast.transferor->seen.directions.back(), sdp::Direction::sendrecv);
  expect_talking_and_end(cast);
}

// An answer to an offer of ours may be the first that says of a hold. The other party is told, also when an
// offer that follows from its own answer waits behind that one; and the answer to a refresh is never the echo
// of anything, whatever was offered before it.
TEST_P(Sessions, HoldsFirstToldOfInAnswersToRefreshesReachTheOtherParty) {
  Play play = plain();
  play.options.configure = relay_holds;
  Script& caller = GetParam() ? play.transferee : play.transferor;
  Script& callee = GetParam() ? play.transferor : play.transferee;
  for (Script* script : {&caller, &callee}) {
    script->timer = true;
    script->allows_update = false;
    script->acts = {{When::established, 10s, What::hold_untold}};
  }
  // Both are refreshed by us at the same time, and the callee's answer is the later one.
  callee.answers_expires = "600;refresher=uac";
  caller.session_expires = "600;refresher=uas";
  callee.reinvite_after = 1s;
  callee.acts.push_back({When::established, 400s, What::resume_untold});
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(350s);
  for (const Party* party : {cast.transferor, cast.transferee}) {
    EXPECT_EQ(party->seen.directions.back(), sdp::Direction::sendonly) << party->role();
    EXPECT_EQ(party->seen.reinvites, 2U) << party->role();
  }
  cast.world().run_for(350s);
  const Party& holds = GetParam() ? *cast.transferee : *cast.transferor;
  EXPECT_EQ(holds.seen.directions.back(), sdp::Direction::sendrecv) << "the other one is back";
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
}

TEST_P(Sessions, RelayedHoldAndTransfer) {
  Play play = usual_play(GetParam());
  play.options.configure = relay_holds;
  play.transferor.acts = {{When::established, 500ms, What::hold}, Stage::refer(number::target, 3s)};
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return !cast.transferor->seen.refer_answers.empty(); }));
  cast.expect_transferred();
}

TEST_P(Sessions, PartyThatHoldsMayBeSilentAsLongAsItIsThere) {
  for (const bool there : {true, false}) {
    Play play = plain();
    play.transferor.acts = {{When::established, 1s, What::hold}};
    if (!there) play.transferor.acts.push_back({When::established, 2s, What::vanish});
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    cast.world().run_for(3s);
    const auto endpoint = cast.world().oracles().leg_of(*cast.transferor)->endpoint;
    if (!there) cast.world().oracles().silent(*endpoint);
    cast.world().feed(engine::MediaDone{media::Silent{*endpoint}});
    cast.world().run_for(300s);
    EXPECT_EQ(cast.transferee->up(), there);
    if (there) {
      cast.hang_up(*cast.transferor);
      cast.expect_rest();
    } else {
      cast.world().wind_down();
      cast.expect_no_violation();
    }
  }
}

TEST_P(Sessions, HolderThatDoesNotAnswerOptionsIsLetGoAfterTheSecond) {
  struct Row {
    std::vector<int> answers;
    bool timer;
    bool stays;
  };
  for (const Row& row :
       {Row{{481}, false, true}, Row{{0, 200, 481, 200}, false, true}, Row{{481, 481}, false, false},
        Row{{481, 0}, false, false}, Row{{481, 481, 481}, true, true}}) {
    Play play = plain();
    play.transferor.options_answers = row.answers;
    play.transferor.timer = row.timer;
    play.transferor.session_expires = play.transferor.answers_expires = row.timer ? "600;refresher=uac" : "";
    play.transferor.acts = {{When::established, 1s, What::hold}};
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    cast.world().run_for(3s);
    const auto endpoint = cast.world().oracles().leg_of(*cast.transferor)->endpoint;
    if (!row.stays) cast.world().oracles().silent(*endpoint);
    cast.world().feed(engine::MediaDone{media::Silent{*endpoint}});
    cast.world().run_for(300s);
    EXPECT_EQ(cast.transferee->up(), row.stays);
    EXPECT_GE(cast.transferor->seen.options, 2U);
    if (row.stays) {
      cast.hang_up(*cast.transferor);
      cast.expect_rest();
    } else {
      cast.world().wind_down();
      cast.expect_no_violation();
    }
  }
}

// ---- Why a call ended ----

TEST_P(Sessions, CauseOfAByeReachesTheOtherPartyAndTheRecord) {
  struct Row {
    const char* said;
    const char* heard;
    call::Hangup code;
  };
  for (const Row& row :
       {Row{"Q.850;cause=41;text=\"at 203.0.113.10\"", "Q.850;cause=41;text=\"Temporary failure\"",
            call::Hangup::unavailable},
        Row{"SIP;cause=486", "SIP;cause=486, Q.850;cause=17;text=\"User busy\"", call::Hangup::none},
        Row{"", "Q.850;cause=16;text=\"Normal call clearing\"", call::Hangup::none}}) {
    Cast cast(plain());
    ASSERT_TRUE(come_up(cast));
    Headers headers;
    if (*row.said != 0) headers.emplace_back("Reason", row.said);
    cast.transferor->peer->act(*cast.transferor, {.what = What::bye, .headers = headers});
    cast.expect_rest();
    EXPECT_EQ(cast.transferee->seen.bye_reason, row.heard);
    if (row.code != call::Hangup::none) {
      EXPECT_EQ(cast.world().cdrs().front().hangup_code, static_cast<int>(row.code));
    }
  }
}

TEST_P(Sessions, CauseOfARefusalReachesTheCaller) {
  struct Row {
    int status;
    const char* reason;
    int seen;
    const char* heard;
  };
  for (const Row& row : {Row{480, "", 480, "Q.850;cause=18;text=\"No user responding\""},
                         Row{486, "", 486, "Q.850;cause=17;text=\"User busy\""},
                         Row{404, "Q.850;cause=1", 404, "Q.850;cause=1;text=\"Unallocated number\""},
                         Row{480, "Q.850;cause=20", 480, "Q.850;cause=20;text=\"Subscriber absent\""}}) {
    Play play = plain();
    Script& callee = GetParam() ? play.transferor : play.transferee;
    callee.final_status = row.status;
    callee.final_reason = row.reason;
    Cast cast(play);
    cast.expect_rest();
    const Party& caller = GetParam() ? *cast.transferee : *cast.transferor;
    EXPECT_EQ(caller.seen.final_status, row.seen);
    EXPECT_EQ(caller.seen.final_reason, row.heard);
  }
}

TEST_P(Sessions, NobodyAnsweringIs480WithCause19) {
  Play play = plain();
  play.options.configure = [](trunk::Model& model) { model.trunks[0].answer_timeout = 20s; };
  (GetParam() ? play.transferor : play.transferee).final_after.reset();
  Cast cast(play);
  cast.expect_rest();
  const Party& caller = GetParam() ? *cast.transferee : *cast.transferor;
  EXPECT_EQ(caller.seen.final_status, 480);
  EXPECT_EQ(caller.seen.final_reason, "Q.850;cause=19;text=\"No answer from the user\"");
  EXPECT_EQ(cast.world().cdrs().front().sip_status, 408);
}

// ---- Logins ----

TEST(Login, NonceIsUsedAgainInTheCall) {
  Play play = usual_play(false);
  play.transferor.acts.clear();
  play.transferee.challenge = 401;
  play.transferee.password = "gate secret";
  play.transferee.timer = true;
  play.transferee.allows_update = true;
  play.transferee.answers_expires = "200;refresher=uac";
  play.options.configure = [](trunk::Model& model) {
    model.carriers[0].gateways[0].auth_username = "baton";
    model.carriers[0].gateways[0].auth_password = "gate secret";
  };
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up(); }));
  Party* callee = Stage::newest(cast.stage.west);
  ASSERT_NE(callee, nullptr);
  cast.world().run_for(250s);
  const auto& seen = callee->seen.authorizations;
  ASSERT_GE(seen.size(), 2U);
  EXPECT_NE(seen[0].find("nc=00000002"), std::string::npos) << seen[0];
  EXPECT_NE(seen[1].find("nc=00000003"), std::string::npos) << seen[1];
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
}

TEST(Login, ChallengesAreTheTrunksAndNoOthersAreAccepted) {
  for (const bool accepted : {true, false}) {
    Play play = usual_play(false);
    play.transferor.acts.clear();
    play.transferor.username = "agent";
    play.transferor.password = accepted ? "correct horse" : "wrong";
    play.options.configure = [](trunk::Model& model) {
      model.trunks[2].acl.clear();
      model.trunks[2].credentials = {{"agent", "correct horse"}};
      model.trunks[2].sip.auth_algorithms = {sip::DigestAlgorithm::md5, sip::DigestAlgorithm::sha256};
    };
    Stage stage(play.options);
    Party& party = stage.outbound(play.transferor, play.transferee);
    stage.world.run_until([&] { return party.up() || party.seen.over; });
    EXPECT_EQ(party.up(), accepted);
    const std::string& journal = stage.world.journal();
    const auto md5 = journal.find("algorithm=MD5"), sha = journal.find("algorithm=SHA-256");
    EXPECT_LT(md5, sha);
    EXPECT_EQ(journal.find("SHA-512-256"), std::string::npos);
    stage.world.wind_down();
    EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
  }
}

// ---- Answers that need no call ----

std::string bare(const std::string& method, const std::string& headers, const std::string& body = {},
                 const std::string& version = "SIP/2.0") {
  static int count = 0;
  const std::string id = std::to_string(++count);
  return method + " sip:" + number::own + "@198.51.100.1 " + version +
         "\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKbare" + id +
         "\r\nMax-Forwards: 70\r\nFrom: <sip:" + number::caller +
         "@203.0.113.10>;tag=t\r\nTo: <sip:" + number::own + "@198.51.100.1>" +
         (headers.starts_with(";") ? "" : "\r\n") + headers + "Call-ID: bare" + id + "\r\nCSeq: 1 " + method +
         "\r\nContact: <sip:x@203.0.113.10>\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// The first response to bytes from the western carrier.
std::string answer_to(Stage& stage, const std::string& bytes) {
  const std::size_t before = stage.world.journal().size();
  Source source;
  source.local = server_address();
  source.remote = stage.west.address();
  stage.world.feed(engine::MessageIn{source, bytes});
  const std::string news = stage.world.journal().substr(before);
  const auto at = news.find("SIP/2.0 ");
  return at == std::string::npos ? std::string() : news.substr(at);
}

TEST(Answers8_2, ByMethodAndHeaders) {
  struct Row {
    const char* name;
    std::string bytes;
    const char* status;
    const char* header;
  };
  const std::string sdp_type = "Content-Type: application/sdp\r\n";
  const Row rows[] = {
      {"no hops left", bare("INVITE", "Max-Forwards: 0\r\n"), "400", ""},  // two of them are malformed
      {"unknown method", bare("DANCE", ""), "501", "Allow: INVITE"},
      {"no registrar", bare("REGISTER", ""), "405", "Allow: INVITE"},
      {"unknown extension", bare("INVITE", "Require: time-travel\r\n"), "420", "Unsupported: time-travel"},
      {"foreign body", bare("INVITE", "Content-Type: text/plain\r\n", "hello"), "415",
       "Accept: application/sdp"},
      {"encoded body", bare("INVITE", sdp_type + "Content-Encoding: gzip\r\n", "hello"), "415",
       "Accept-Encoding: identity"},
      {"no SDP wanted", bare("INVITE", "Accept: text/plain\r\n"), "406", ""},
      {"no such dialog", bare("BYE", ";tag=nobody\r\n"), "481", ""},
      {"no such dialog to refresh", bare("UPDATE", ";tag=nobody\r\n"), "481", ""},
      {"no dialog at all", bare("PRACK", ""), "481", ""},
      {"no such event", bare("SUBSCRIBE", "Event: presence\r\n"), "489", "Allow-Events: refer"},
      {"version", bare("OPTIONS", "", {}, "SIP/7.0"), "505", ""},
      {"options", bare("OPTIONS", ""), "200", "Supported: timer, 100rel"},
  };
  Stage stage({});
  for (const Row& row : rows) {
    const std::string answer = answer_to(stage, row.bytes);
    EXPECT_TRUE(answer.starts_with("SIP/2.0 " + std::string(row.status))) << row.name << "\n" << answer;
    EXPECT_NE(answer.find(row.header), std::string::npos) << row.name << "\n" << answer;
  }
}

TEST(Answers8_2, WhatNeedNotBeUnderstoodIsLeftOut) {
  Stage stage({});
  Script script;
  stage.endpoint.expect(number::own, script);
  (void)answer_to(
      stage,
      bare("INVITE", "Content-Type: text/plain\r\nContent-Disposition: x;handling=optional\r\n", "hello"));
  stage.world.run_for(1s);
  EXPECT_EQ(stage.endpoint.parties().size(), 1U);
}

// RFC 5621: what a gateway sends that carries ISUP along, or a phone its location.
TEST(Answers8_2, DescriptionAmongOtherPartsIsFound) {
  const std::string sdp =
      "v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n"
      "m=audio 20000 RTP/AVP 0\r\n";
  const auto body = [&](const std::string& handling) {
    return "--unique\r\nContent-Type: application/isup\r\nContent-Disposition: signal" + handling +
           "\r\n\r\n\x01\x02\r\n--unique\r\nContent-Type: application/sdp\r\n\r\n" + sdp +
           "\r\n--unique--\r\n";
  };
  const std::string type = "Content-Type: multipart/mixed;boundary=\"unique\"\r\n";
  for (const char* handling : {"", ";handling=optional"}) {
    Stage stage({});
    Script script;
    stage.endpoint.expect(number::own, script);
    const std::string invite = bare("INVITE", type, body(handling));
    EXPECT_FALSE(answer_to(stage, invite).starts_with("SIP/2.0 4"));
    stage.world.run_for(3s);
    ASSERT_EQ(stage.endpoint.parties().size(), 1U);
    EXPECT_NE(stage.world.journal().find("remote 203.0.113.10:20000"), std::string::npos);
  }
  Stage stage({});
  EXPECT_TRUE(answer_to(stage, bare("INVITE", type, body(";handling=required"))).starts_with("SIP/2.0 415"));
}

TEST(Answers8_2, InviteOfOursThatComesBackIs482) {
  Stage stage({});
  Script caller, callee;
  callee.final_after = 5s;
  stage.west.expect(number::callee, callee);
  stage.endpoint.call(caller, number::own, "sip:" + std::string(number::callee) + "@" + outbound_domain);
  stage.world.run_for(1s);
  ASSERT_NE(Stage::newest(stage.west), nullptr);
  std::string bytes(Stage::newest(stage.west)->invite->bytes());
  bytes.insert(bytes.find("Via:"), "Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKback\r\n");
  EXPECT_TRUE(answer_to(stage, bytes).starts_with("SIP/2.0 482"));
}

}  // namespace
}  // namespace baton::sim
