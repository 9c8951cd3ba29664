#include "adapters/llm_upstream.hpp"

#include "adapters/upstream_request.hpp"
#include "base/time.hpp"

#include <string>

namespace reeve::adapters {
namespace {

constexpr long connect_within_s = 2;
constexpr long answer_within_s = 4;
constexpr std::size_t most_bytes = 1 << 20;

/// Counts what comes, and takes no more than there may be.
std::size_t on_part(char*, std::size_t size, std::size_t count, void* user) {
  auto& seen = *static_cast<std::size_t*>(user);
  seen += size * count;
  return seen > most_bytes ? 0 : size * count;
}

}  // namespace

outcome<std::int64_t> look_at_upstream(const domain::llm_upstream& upstream,
                                       const pinned_address& pinned, bool may_send_plain) {
  const auto began_us = real_clock().mono_us();
  const auto made = make_upstream_request(upstream, pinned, "/models", may_send_plain);
  if (!made) return made.error();
  add_field(**made, "Accept: application/json");
  CURL* easy = (*made)->easy.get();
  std::size_t seen = 0;
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, connect_within_s);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, answer_within_s);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_part);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &seen);
  const auto code = curl_easy_perform(easy);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OPERATION_TIMEDOUT)
    return reject(errc::timed_out, "it does not answer in time");
  if (code == CURLE_WRITE_ERROR) return reject(errc::invalid, "its answer is too large");
  if (code != CURLE_OK) return reject(errc::unavailable, "it cannot be reached");
  if (status < 200 || status > 299) {
    return reject(errc::invalid, "it answers " + std::to_string(status));
  }
  return (real_clock().mono_us() - began_us) / 1000;
}

}  // namespace reeve::adapters
