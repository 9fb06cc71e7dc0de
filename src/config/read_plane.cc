// Which media plane carries the audio, and what the one that was chosen can not do.
#include "config/read.h"

namespace baton::config {
namespace {

constexpr std::string_view of_relay[] = {"bind",     "advertise", "bind6",    "advertise6",
                                         "port_min", "port_max",  "port_rest"};
constexpr std::string_view of_rtpengine[] = {"rtpengine", "rtpengine_outside", "rtpengine_inside",
                                             "rtpengine_dtmf_log"};

bool hears_keys(const Media& media) {
  return media.plane == Plane::relay || media.rtpengine.key_log;
}

struct Judged {
  const Media& chosen;
  const Media& running;
};

void refuse_dtmf(const Section& section, const Judged& media, const trunk::SipSettings& sip) {
  const bool tones = sip.dtmf == trunk::DtmfStyle::in_band;
  const auto can = [&](const Media& one) { return tones ? one.plane == Plane::relay : hears_keys(one); };
  if (!tones && sip.dtmf != trunk::DtmfStyle::info) return;
  if (can(media.chosen) && can(media.running)) return;
  const Section settings = section.table("sip");
  // A reload of a file that has what only a restart brings.
  const bool restarts = can(media.chosen);
  std::string what = restarts ? "rtpengine carries the audio until Baton is restarted; " : "";
  what += tones ? "rtpengine plays no keys as tones" : "rtpengine does not say which keys it hears";
  std::string remedy = R"(write dtmf = "rfc4733" or "auto")";
  if (restarts) {
    remedy.insert(0, "restart Baton, or ");
  } else {
    remedy += R"(, or plane = "relay" in [media])";
    if (!tones) remedy.insert(0, "set rtpengine_dtmf_log in [media], or ");
  }
  if (settings.has("dtmf")) return settings.problem("dtmf", what, remedy);
  section.problem(section.has("profile") ? "profile" : "", what, remedy);
}

}  // namespace

void read_plane(const Section& section, Media& media) {
  media.plane = section.value_or("plane", to_plane, media.plane);
  if (media.plane == Plane::relay) {
    for (const std::string_view key : of_rtpengine) {
      if (!section.has(key)) continue;
      section.problem(key, "audio passes through Baton's own relay",
                      R"(write plane = "rtpengine", or remove this key)");
    }
    return;
  }
  section.require("rtpengine", R"(write rtpengine = "127.0.0.1:2223", the listen-ng of the daemon)");
  media.rtpengine.address = section.value("rtpengine", to_socket_address).value_or(SocketAddress{});
  if (section.has("rtpengine_dtmf_log")) {
    media.rtpengine.key_log = section.value("rtpengine_dtmf_log", to_socket_address);
  }
  media.rtpengine.outside = section.value_or<std::string>("rtpengine_outside", to_id, {});
  media.rtpengine.inside = section.value_or<std::string>("rtpengine_inside", to_id, {});
  if (section.has("rtpengine_outside") != section.has("rtpengine_inside")) {
    section.problem(section.has("rtpengine_inside") ? "rtpengine_inside" : "rtpengine_outside",
                    "one interface is named, and the other is not",
                    "name both rtpengine_outside, towards the parties, and rtpengine_inside, or neither");
  }
  if (section.has("threads")) {
    section.problem("threads", "rtpengine has threads of its own",
                    "set num-threads of rtpengine, and remove this key");
  }
  for (const std::string_view key : of_relay) {
    if (!section.has(key)) continue;
    section.problem(key, "addresses and ports are rtpengine's own",
                    "set interface, port-min and port-max of rtpengine, and remove this key");
  }
}

void check_plane(const Section& file, const Media& chosen, const Media& running, const trunk::Model& model) {
  if (chosen.plane == Plane::relay && running.plane == Plane::relay) return;
  if (chosen.plane == Plane::rtpengine && file.table("recording").has("directory")) {
    file.table("recording")
        .problem("directory", "only Baton's own relay records",
                 R"(remove it, or write plane = "relay" in [media])");
  }
  const auto trunks = file.tables("trunk");
  for (std::size_t i = 0; i < trunks.size(); ++i)
    refuse_dtmf(trunks[i], {chosen, running}, model.trunks[i].sip);
  const auto carriers = file.tables("carrier");
  for (std::size_t i = 0; i < carriers.size(); ++i)
    refuse_dtmf(carriers[i], {chosen, running}, model.carriers[i].sip);
}

}  // namespace baton::config
