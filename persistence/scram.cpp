#include "persistence/scram.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <cstddef>

namespace reeve::persistence {
namespace {

constexpr std::size_t hash_block_bytes = 64;  // of SHA-256, for HMAC (RFC 2104)

digest hmac(std::string_view key, std::string_view message) {
  std::string block(key.size() > hash_block_bytes ? as_view(sha256(key)) : key);
  block.resize(hash_block_bytes, '\0');
  std::string inner = block, outer = block;
  for (auto& c : inner) c = static_cast<char>(c ^ 0x36);
  for (auto& c : outer) c = static_cast<char>(c ^ 0x5c);
  inner += message;
  outer += as_view(sha256(inner));
  return sha256(outer);
}

/// PBKDF2 (RFC 8018) with HMAC-SHA-256, its first block.
digest salted(std::string_view password, std::string_view salt, int iterations) {
  auto last = hmac(password, std::string(salt) + std::string("\0\0\0\1", 4));
  auto sum = last;
  for (int i = 1; i < iterations; ++i) {
    last = hmac(password, as_view(last));
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] ^= last[k];
  }
  return sum;
}

/// RFC 4648 section 4, with padding.
std::string base64(std::string_view bytes) {
  auto text = to_base64url(bytes);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

}  // namespace

std::string scram_verifier(std::string_view password, std::string_view salt, int iterations) {
  const auto key = salted(password, salt, iterations);
  const auto stored = sha256(as_view(hmac(as_view(key), "Client Key")));
  const auto server = hmac(as_view(key), "Server Key");
  return "SCRAM-SHA-256$" + std::to_string(iterations) + ":" + base64(salt) + "$" +
         base64(as_view(stored)) + ":" + base64(as_view(server));
}

}  // namespace reeve::persistence
