#include "sip/digest_client.h"

#include <algorithm>

namespace baton::sip {
namespace {

constexpr std::size_t realms_max = 4;

bool is_stronger(const Challenge& one, const Challenge& other) {
  return static_cast<int>(one.algorithm) > static_cast<int>(other.algorithm);
}

}  // namespace

bool DigestClient::take(const Message& response, std::uint64_t request) {
  const bool proxy = response.status() == 407;
  const HeaderId id = proxy ? HeaderId::proxy_authenticate : HeaderId::www_authenticate;
  std::vector<Challenge> best;
  for (const auto& entry : response.entries()) {
    if (entry.id != id) continue;
    auto challenge = Challenge::parse(response.value_of(entry));
    if (!challenge) continue;
    const auto same = std::find_if(best.begin(), best.end(),
                                   [&](const Challenge& one) { return one.realm == challenge->realm; });
    if (same == best.end()) {
      if (best.size() < realms_max) best.push_back(std::move(*challenge));
    } else if (is_stronger(*challenge, *same)) {
      *same = std::move(*challenge);
    }
  }
  bool news = false;
  for (Challenge& challenge : best) {
    const auto known = std::find_if(realms_.begin(), realms_.end(), [&](const Realm& one) {
      return one.proxy == proxy && one.challenge.realm == challenge.realm;
    });
    if (known == realms_.end()) {
      if (realms_.size() == realms_max) continue;
      realms_.push_back({proxy, std::move(challenge), 0, request});
    } else {
      if (known->request == request && !challenge.stale) return false;
      *known = {proxy, std::move(challenge), 0, request};
    }
    news = true;
  }
  return news;
}

void DigestClient::sign(Draft& request, std::string_view username, std::string_view password, Rng& rng) {
  request.remove(HeaderId::authorization);
  request.remove(HeaderId::proxy_authorization);
  for (Realm& realm : realms_) {
    std::string answer = answer_challenge(realm.challenge, username, password, to_string(request.method()),
                                          request.request_uri(), rng.token(16), ++realm.used, request.body());
    if (answer.empty()) continue;
    request.add(realm.proxy ? HeaderId::proxy_authorization : HeaderId::authorization, std::move(answer));
  }
}

std::vector<Draft::Field> credentials_of(const Draft& request) {
  std::vector<Draft::Field> credentials;
  for (const auto& field : request.fields()) {
    if (field.id == HeaderId::authorization || field.id == HeaderId::proxy_authorization) {
      credentials.push_back({field.id, {}, std::string(field.value)});
    }
  }
  return credentials;
}

}  // namespace baton::sip
