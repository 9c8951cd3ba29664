#pragma once
// UUIDs. Ids are UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits. They are made
// at the edges through `id_source` and never in domain/.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace reeve {

struct uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const uuid&) const = default;  // NOLINT(modernize-use-nullptr): has no 0
};

/// The tenant of what belongs to the server itself: the nil UUID.
inline constexpr uuid system_tenant{};

/// 36 characters, lower case.
std::string to_string(const uuid& id);
/// Accepts the canonical 36-character form only, in either case.
std::optional<uuid> parse_uuid(std::string_view text);
/// A name-based id (RFC 9562 version 8 over SHA-256): the same input gives the same id.
uuid derived_uuid(const uuid& space, std::string_view name);

class id_source {
 public:
  virtual ~id_source() = default;
  /// A fresh UUIDv7; successive ids of one source ascend. Safe to call from any thread.
  virtual uuid next() = 0;
};

/// The real source: wall clock and the operating system's random numbers.
id_source& real_ids();

}  // namespace reeve

template <>
struct std::hash<reeve::uuid> {
  std::size_t operator()(const reeve::uuid& id) const noexcept {
    std::size_t h = 0;
    for (int i = 8; i < 16; ++i) h = (h << 8) | id.bytes[static_cast<std::size_t>(i)];
    return h;
  }
};
