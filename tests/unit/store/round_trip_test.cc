// What goes in comes out, once.
#include "store/steps.h"
#include "unit/store/store_testing.h"

namespace baton::store::testing {
namespace {

void expect_equal(const call::Cdr& a, const call::Cdr& b) {
  EXPECT_EQ(a.call_uuid, b.call_uuid);
  EXPECT_EQ(a.root_call_uuid, b.root_call_uuid);
  EXPECT_EQ(a.transfer_id, b.transfer_id);
  EXPECT_EQ(a.leg_role, b.leg_role);
  EXPECT_EQ(a.account_id, b.account_id);
  EXPECT_EQ(a.trunk_id, b.trunk_id);
  EXPECT_EQ(a.trunk_domain, b.trunk_domain);
  EXPECT_EQ(a.carrier_id, b.carrier_id);
  EXPECT_EQ(a.direction, b.direction);
  EXPECT_EQ(a.from_number, b.from_number);
  EXPECT_EQ(a.to_number, b.to_number);
  EXPECT_EQ(a.from_country, b.from_country);
  EXPECT_EQ(a.to_country, b.to_country);
  EXPECT_EQ(a.initiated_at, b.initiated_at);
  EXPECT_EQ(a.answered_at, b.answered_at);
  EXPECT_EQ(a.ended_at, b.ended_at);
  EXPECT_EQ(a.sip_status, b.sip_status);
  EXPECT_EQ(a.hangup_code, b.hangup_code);
  EXPECT_EQ(a.hangup_cause, b.hangup_cause);
  EXPECT_EQ(a.hangup_source, b.hangup_source);
  EXPECT_EQ(a.transport, b.transport);
  EXPECT_EQ(a.caller_sip_call_id, b.caller_sip_call_id);
  EXPECT_EQ(a.destination_sip_call_id, b.destination_sip_call_id);
  EXPECT_EQ(a.price_micros, b.price_micros);
}

TEST(StoreRoundTrip, EveryFieldOfACdr) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  std::vector<call::Cdr> sent;
  for (const auto source :
       {call::HangupSource::customer, call::HangupSource::carrier, call::HangupSource::baton}) {
    sent.push_back(cdr("call-" + std::to_string(sent.size()), static_cast<std::int64_t>(sent.size())));
    sent.back().hangup_source = source;
    sent.back().transfer_id = "x";
  }
  sent[1].answered_at.reset();
  sent[1].price_micros = -1;
  sent[2].to_number = std::string("odd\0\"';--\xff", 10);
  for (const auto& record : sent) writer->submit(record);
  ASSERT_TRUE(writer->stop());
  for (const auto& record : sent) {
    const auto found = open_reader(directory / "s.db")->cdr(record.call_uuid);
    ASSERT_TRUE(found.has_value()) << found.error();
    expect_equal(record, *found);
  }
}

TEST(StoreRoundTrip, TheAudioOfEachLegWithItsCall) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  call::LegQuality full{"call-1", "root", "caller", "a@x", "PCMU", at(9), 1,  2,  3, 4,
                        5,        6,      7,        8,     9,      10,    11, 12, 13};
  call::LegQuality empty;
  empty.call_uuid = "call-1";
  empty.root_call_uuid = "root";
  empty.party = "target";
  empty.sip_call_id = "b@x";
  empty.ended_at = at(10);
  writer->submit(cdr("call-1", 1));
  writer->submit(cdr("call-2", 2));
  for (int twice = 0; twice < 2; ++twice) {
    writer->submit(full);
    writer->submit(empty);
  }
  ASSERT_TRUE(writer->stop());
  const auto reader = open_reader(directory / "s.db");
  const auto one = reader->cdr("call-1");
  ASSERT_TRUE(one.has_value()) << one.error();
  const auto all = reader->cdrs({});
  ASSERT_TRUE(all.has_value()) << all.error();
  ASSERT_EQ(all->size(), 2U);
  EXPECT_TRUE((*all)[0].media.empty());
  for (const auto& media : {one->media, (*all)[1].media}) {
    ASSERT_EQ(media.size(), 2U);
    EXPECT_EQ(media[0], full);
    EXPECT_EQ(media[1], empty);
  }
}

TEST(StoreRoundTrip, RecordingsWithTheirCall) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  call::RecordingRecord one{"r1",     "call-1",     "root", "t1",  "chain", 2,     "acme", "trunk",
                            "/x.wav", "incomplete", "full", at(3), at(9),   5'000, 6'000,  7};
  call::RecordingRecord other = one;
  other.recording_id = "r2";
  other.call_uuid = "call-2";
  other.started_at = at(4);
  writer->submit(cdr("call-1", 1));
  for (int twice = 0; twice < 2; ++twice) {
    writer->submit(one);
    writer->submit(other);
  }
  ASSERT_TRUE(writer->stop());
  const auto reader = open_reader(directory / "s.db");
  const auto call = reader->cdr("call-1");
  ASSERT_TRUE(call.has_value()) << call.error();
  ASSERT_EQ(call->recordings.size(), 1U);
  EXPECT_EQ(call->recordings[0], one);
  const auto all = reader->recordings({});
  ASSERT_TRUE(all.has_value()) << all.error();
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0], other);
  EXPECT_EQ(reader->recordings({.limit = 1})->size(), 1U);
  EXPECT_EQ(reader->recordings({.since = at(4)})->size(), 1U);
  EXPECT_EQ(reader->recordings({.number = "+1415"})->size(), 1U);
  EXPECT_TRUE(reader->recordings({.number = "999"})->empty());
}

TEST(StoreRoundTrip, ATransferWithItsSteps) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  const auto sent = transfer("t-1", "call-1");
  writer->submit(sent);
  ASSERT_TRUE(writer->stop());
  const auto found = open_reader(directory / "s.db")->transfers({});
  ASSERT_TRUE(found.has_value()) << found.error();
  ASSERT_EQ(found->size(), 1U);
  const auto& got = found->front();
  EXPECT_EQ(got.transfer_id, sent.transfer_id);
  EXPECT_EQ(got.call_uuid, sent.call_uuid);
  EXPECT_EQ(got.root_call_uuid, sent.root_call_uuid);
  EXPECT_EQ(got.account_id, sent.account_id);
  EXPECT_EQ(got.trunk_id, sent.trunk_id);
  EXPECT_EQ(got.transferor, sent.transferor);
  EXPECT_EQ(got.transferee, sent.transferee);
  EXPECT_EQ(got.refer_to, sent.refer_to);
  EXPECT_EQ(got.target_number, sent.target_number);
  EXPECT_EQ(got.referred_by, sent.referred_by);
  EXPECT_EQ(got.caller_id, sent.caller_id);
  EXPECT_EQ(got.carrier_id, sent.carrier_id);
  EXPECT_EQ(got.outcome, sent.outcome);
  EXPECT_EQ(got.refer_status, sent.refer_status);
  EXPECT_EQ(got.final_status, sent.final_status);
  EXPECT_EQ(got.refused_by, sent.refused_by);
  EXPECT_EQ(got.reason, sent.reason);
  EXPECT_EQ(got.depth, sent.depth);
  EXPECT_EQ(got.started_at, sent.started_at);
  EXPECT_EQ(got.ended_at, sent.ended_at);
  ASSERT_EQ(got.steps.size(), sent.steps.size());
  for (std::size_t i = 0; i < sent.steps.size(); ++i) {
    EXPECT_EQ(got.steps[i].at, sent.steps[i].at);
    EXPECT_EQ(got.steps[i].what, sent.steps[i].what);
    EXPECT_EQ(got.steps[i].status, sent.steps[i].status);
    EXPECT_EQ(got.steps[i].detail, sent.steps[i].detail);
  }
}

TEST(StoreRoundTrip, StepsHoldWhatAPeerMaySay) {
  const std::vector<call::TransferStep> odd{{at(1), "failed", 486, "\"; DROP\\ \n\x01 \xc3\xa9"},
                                            {at(2), "failed", -1, std::string("a\0b", 3)}};
  const auto got = parse_steps(to_text(odd));
  ASSERT_EQ(got.size(), 2U);
  for (std::size_t i = 0; i < odd.size(); ++i) {
    EXPECT_EQ(got[i].at, odd[i].at);
    EXPECT_EQ(got[i].status, odd[i].status);
    EXPECT_EQ(got[i].detail, odd[i].detail);
  }
  EXPECT_EQ(parse_steps(to_text({{at(1), "failed", 0, "\xff!"}})).front().detail, "\xef\xbf\xbd!");
  EXPECT_EQ(to_text({}), "[]");
}

TEST(StoreRoundTrip, ADamagedColumnOfStepsIsNoReasonToHideTheTransfer) {
  for (const char* text : {"", "[", "{}", "7", "null", "[1,[],\"x\"]"})
    EXPECT_TRUE(parse_steps(text).empty());
  const auto some = parse_steps(R"([{"at":"x","status":"200","what":7},{"what":"answered"}])");
  ASSERT_EQ(some.size(), 2U);
  EXPECT_EQ(some[0].what, "");
  EXPECT_EQ(some[1].what, "answered");
}

TEST(StoreRoundTrip, TraceBytesAreWhatWasOnTheWire) {
  const Directory directory;
  auto writer = open_writer(options(directory / "s.db"));
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  writer->submit(trace("call-1", 2, bytes));
  writer->submit(trace("call-1", 1, ""));
  writer->submit(trace("call-2", 1));
  ASSERT_TRUE(writer->stop());
  const auto history = open_reader(directory / "s.db")->history("call-1");
  ASSERT_TRUE(history.has_value()) << history.error();
  ASSERT_EQ(history->trace.size(), 2U);
  EXPECT_EQ(history->trace[0].sequence, 1U);
  EXPECT_EQ(history->trace[0].bytes, "");
  const auto& got = history->trace[1];
  const auto sent = trace("call-1", 2, bytes);
  EXPECT_EQ(got.party, sent.party);
  EXPECT_EQ(got.at, sent.at);
  EXPECT_EQ(got.sent, sent.sent);
  EXPECT_EQ(got.transport, sent.transport);
  EXPECT_EQ(got.local, sent.local);
  EXPECT_EQ(got.remote, sent.remote);
  EXPECT_EQ(got.bytes, bytes);
}

TEST(StoreRoundTrip, SubmittingAgainChangesNothing) {
  const Directory directory;
  LogBook book;
  auto writer = open_writer(options(directory / "s.db", &book));
  writer->submit(cdr("call-1"));
  writer->submit(transfer("t-1", "call-1"));
  writer->submit(trace("call-1", 1));
  auto other_cdr = cdr("call-1");
  other_cdr.hangup_cause = "changed";
  auto other_transfer = transfer("t-1", "call-1");
  other_transfer.outcome = "changed";
  other_transfer.steps.push_back({at(99), "changed", 0, ""});
  writer->submit(other_cdr);
  writer->submit(other_transfer);
  writer->submit(trace("call-1", 1, "changed"));
  ASSERT_TRUE(writer->flush(10s));
  EXPECT_EQ(writer->stats().written, 6U);
  EXPECT_EQ(writer->stats().duplicates, 3U);
  EXPECT_GE(book.count("store.duplicates"), 1U);
  ASSERT_TRUE(writer->stop());

  auto again = open_writer(options(directory / "s.db"));
  again->submit(other_cdr);
  ASSERT_TRUE(again->stop());
  EXPECT_EQ(again->stats().duplicates, 1U);

  const auto history = open_reader(directory / "s.db")->history("call-1");
  ASSERT_TRUE(history.has_value());
  ASSERT_EQ(history->cdrs.size(), 1U);
  EXPECT_EQ(history->cdrs[0].hangup_cause, "normal_hangup");
  ASSERT_EQ(history->transfers.size(), 1U);
  EXPECT_EQ(history->transfers[0].outcome, "failed");
  EXPECT_EQ(history->transfers[0].steps.size(), 2U);
  ASSERT_EQ(history->trace.size(), 1U);
  EXPECT_EQ(history->trace[0].bytes, "OPTIONS");
}

}  // namespace
}  // namespace baton::store::testing
