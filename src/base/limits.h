// Every bound of the machine, by name. What exceeds one is refused and counted, never queued without end.
#pragma once

#include <cstddef>

namespace baton::limits {

inline constexpr std::size_t message_bytes_max = 65'535;
inline constexpr std::size_t headers_max = 128;
inline constexpr std::size_t header_bytes_max = 8'192;
inline constexpr std::size_t uri_bytes_max = 2'048;
inline constexpr std::size_t uri_parameters_max = 32;
inline constexpr std::size_t vias_max = 70;  // values, whatever the number of lines they stand in
inline constexpr std::size_t body_bytes_max = 60'000;
inline constexpr std::size_t body_parts_max = 16;
inline constexpr std::size_t sdp_lines_max = 512;
inline constexpr std::size_t sdp_media_max = 16;
inline constexpr std::size_t transactions_max = 500'000;  // over UDP most only wait for repeats, 32 s each
inline constexpr std::size_t legs_max = 200'000;          // with those that only linger for a repeated answer
inline constexpr std::size_t forks_max = 8;               // answers to one INVITE beyond the first
inline constexpr std::size_t pending_notifies_max = 16;
inline constexpr std::size_t blocked_targets_max = 1'024;
inline constexpr std::size_t sources_max = 65'536;  // addresses whose behaviour is remembered
inline constexpr std::size_t copied_headers_max = 16;
inline constexpr std::size_t copied_header_bytes_max = 1'024;

// What is kept for the next one of its kind when it is not needed any more, so that memory after a busy hour
// is given back all the same.
inline constexpr std::size_t kept_buffers_max = 256;  // of each size; of all sizes they are 2.6 MB
inline constexpr std::size_t kept_messages_max = 256;
inline constexpr std::size_t kept_drafts_max = 64;
inline constexpr std::size_t kept_transactions_max = 1'024;

}  // namespace baton::limits
