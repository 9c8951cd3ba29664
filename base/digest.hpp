#pragma once
// SHA-256 (FIPS 180-4, through OpenSSL, which uses the CPU's SHA instructions) and the text forms
// of bytes.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reeve {

using digest = std::array<std::uint8_t, 32>;

digest sha256(std::string_view bytes);

/// Incremental SHA-256. `finish()` gives the digest and makes the hasher ready for the next one.
class sha256_hasher {
 public:
  sha256_hasher();
  ~sha256_hasher();
  sha256_hasher(sha256_hasher&&) noexcept;
  sha256_hasher& operator=(sha256_hasher&&) noexcept;

  void update(std::string_view bytes);
  digest finish();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

inline std::string_view as_view(const digest& d) {
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}

/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);
std::string to_hex(const digest& d);
void append_hex(std::string& out, std::string_view bytes);
/// Nothing if a character is not hexadecimal or their number is odd.
std::optional<std::string> from_hex(std::string_view text);
std::optional<digest> digest_from_hex(std::string_view text);

/// RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

/// Compares in time that depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace reeve
