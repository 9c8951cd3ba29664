#include "base/attempt_token.hpp"

#include "base/digest.hpp"
#include "base/invariant.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

constexpr std::string_view prefix = "rva_";
constexpr std::size_t id_bytes = 16;
constexpr std::size_t number_bytes = 4;
constexpr std::size_t name_bytes = 3 * id_bytes + number_bytes;
constexpr std::size_t mark_bytes = 32;
// Whole groups of three bytes, so that no bit of a character is left over.
static_assert((name_bytes + mark_bytes) % 3 == 0);
static_assert(attempt_token_bytes == prefix.size() + (name_bytes + mark_bytes) / 3 * 4);

std::string bytes_of(const attempt_name& whose) {
  std::string bytes;
  for (const auto* id : {&whose.tenant, &whose.run, &whose.job}) {
    bytes.append(reinterpret_cast<const char*>(id->bytes.data()), id->bytes.size());
  }
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(whose.number) >> shift & 0xffU));
  }
  return bytes;
}

attempt_name name_in(std::string_view bytes) {
  attempt_name whose;
  for (auto* id : {&whose.tenant, &whose.run, &whose.job}) {
    std::copy_n(bytes.begin(), id_bytes, reinterpret_cast<char*>(id->bytes.data()));
    bytes.remove_prefix(id_bytes);
  }
  for (const char c : bytes.substr(0, number_bytes)) {
    whose.number = whose.number << 8 | static_cast<unsigned char>(c);
  }
  return whose;
}

}  // namespace

std::string attempt_token(const sealing_key& key, const attempt_name& whose) {
  REEVE_INVARIANT(whose.number >= 1 && whose.number <= UINT32_MAX, "attempts have such numbers");
  auto bytes = bytes_of(whose);
  bytes.append(as_view(key.mark_of(bytes)));
  return std::string(prefix) + to_base64url(bytes);
}

std::optional<attempt_name> attempt_of(const sealing_key& key, std::string_view token) {
  if (token.size() != attempt_token_bytes || !token.starts_with(prefix)) return std::nullopt;
  const auto bytes = from_base64url(token.substr(prefix.size()));
  if (!bytes || bytes->size() != name_bytes + mark_bytes) return std::nullopt;
  const auto whose = name_in(*bytes);
  if (whose.number < 1 || !equal_constant_time(attempt_token(key, whose), token)) {
    return std::nullopt;
  }
  return whose;
}

}  // namespace reeve
