// What rtpengine is asked for one endpoint, and how its answers are read. An endpoint is an rtpengine call by
// itself with two tags: the party, and "the void", which stands for whatever it hears and is heard by. The
// void's address is where the party's audio goes: the port that another endpoint's void is heard at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "media/port.h"
#include "media/rtpengine/bencode.h"
#include "sdp/codec.h"
#include "sdp/crypto.h"

namespace baton::media::rtpengine {

inline constexpr std::string_view party_tag = "party";
inline constexpr std::string_view void_tag = "void";
inline constexpr sdp::Format narrow_bridge{sdp::Codec::pcmu, 0};
inline constexpr std::uint16_t discard_port = 9;

// How one endpoint is named in every request about it.
struct CallName {
  std::string call_id;
  std::string outside{}, inside{};  // interfaces, by rtpengine's names; empty: its first one
  bool v6 = false;                  // the party is reached over IPv6; voids always speak over IPv4
  bool injects = false;             // keys may be played to the party, which costs something for every packet
};

// Descriptions. `tag`: of the key that rtpengine encrypts with.
[[nodiscard]] std::string describe_party(const Configure& party, const SocketAddress& remote,
                                         std::optional<std::uint32_t> tag);
[[nodiscard]] std::string describe_void(const SocketAddress& target, const sdp::Format& bridge,
                                        const Configure& party);

// An offer of the void: its answer has the ports that face the party and, with `srtp`, rtpengine's keys.
[[nodiscard]] Dictionary open_request(const CallName& name, bool srtp);
// The party's description, offered to the void: the answer has the ports that face the void.
[[nodiscard]] Dictionary offer_request(const CallName& name, std::string sdp, const sdp::Format& format);
// What the void answers. Says the ports that face the party once more.
[[nodiscard]] Dictionary answer_request(const CallName& name, std::string sdp);
// To the party, mixed with what it hears.
[[nodiscard]] Dictionary play_file_request(const CallName& name, std::string path, bool once);
[[nodiscard]] Dictionary play_samples_request(const CallName& name, const std::vector<std::uint8_t>& pcmu);
[[nodiscard]] Dictionary stop_request(const CallName& name);
[[nodiscard]] Dictionary digit_request(const CallName& name, std::uint8_t event, Duration lasts);
// Its telephone-events go no further; they are logged all the same.
[[nodiscard]] Dictionary block_request(const CallName& name, bool blocks);
[[nodiscard]] Dictionary query_request(const CallName& name);
[[nodiscard]] Dictionary delete_request(const CallName& name);

struct Described {
  SocketAddress rtp;
  std::vector<sdp::Crypto> keys;
};
[[nodiscard]] baton::Result<Described, std::string> read_ports(const Dictionary& answer);

}  // namespace baton::media::rtpengine
