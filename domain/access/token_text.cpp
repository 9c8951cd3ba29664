#include "domain/access/token_text.hpp"

#include "base/digest.hpp"

#include <algorithm>

namespace reeve::domain {
namespace {

constexpr std::string_view prefix = "rv_";
constexpr std::size_t id_digits = 32;
constexpr std::size_t most_bytes = 256;

}  // namespace

std::string token_text(const uuid& id, std::string_view secret) {
  const std::string_view bytes(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  return std::string(prefix) + to_hex(bytes) + "_" + std::string(secret);
}

std::optional<token_parts> parts_of_token(std::string_view text) {
  if (!text.starts_with(prefix) || text.size() > most_bytes) return std::nullopt;
  const auto rest = text.substr(prefix.size());
  if (rest.size() <= id_digits + 1 || rest[id_digits] != '_') return std::nullopt;
  const auto bytes = from_hex(rest.substr(0, id_digits));
  if (!bytes) return std::nullopt;
  token_parts parts;
  std::copy(bytes->begin(), bytes->end(), parts.id.bytes.begin());
  parts.secret = rest.substr(id_digits + 1);
  return parts;
}

}  // namespace reeve::domain
