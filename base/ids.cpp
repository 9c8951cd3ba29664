#include "base/ids.hpp"

#include "base/digest.hpp"
#include "base/hex.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <sodium.h>

namespace reeve {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void set_version(uuid& id, unsigned version) {
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0fU) | (version << 4));
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3fU) | 0x80U);
}

/// RFC 9562 section 6.2, method 3: the 12 bits behind the milliseconds hold their fraction. The
/// 60 bits together never repeat, so ids of one source ascend even when the clock stands still
/// or jumps back.
class system_ids final : public id_source {
 public:
  uuid next() override {
    const std::uint64_t tick = next_tick();
    uuid id;
    randombytes_buf(id.bytes.data() + 8, 8);
    for (std::size_t i = 0; i < 6; ++i) {
      id.bytes[i] = static_cast<std::uint8_t>(tick >> (52 - 8 * i));
    }
    id.bytes[6] = static_cast<std::uint8_t>((tick >> 8) & 0x0fU);
    id.bytes[7] = static_cast<std::uint8_t>(tick);
    set_version(id, 7);
    return id;
  }

 private:
  static std::uint64_t wall_tick() {
    using namespace std::chrono;
    const auto now = system_clock::now().time_since_epoch();
    const auto ns = static_cast<std::uint64_t>(duration_cast<nanoseconds>(now).count());
    return (ns / 1'000'000 << 12) | (ns % 1'000'000 * 4096 / 1'000'000);
  }

  std::uint64_t next_tick() {
    const std::uint64_t wall = wall_tick();
    std::uint64_t last = last_.load();
    std::uint64_t tick = 0;
    do {
      tick = std::max(wall, last + 1);
    } while (!last_.compare_exchange_weak(last, tick));
    return tick;
  }

  std::atomic<std::uint64_t> last_{0};
};

}  // namespace

std::string to_string(const uuid& id) {
  std::array<char, 36> text;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dash_before(i)) text[at++] = '-';
    text[at++] = hex_digits[id.bytes[i] >> 4];
    text[at++] = hex_digits[id.bytes[i] & 0x0fU];
  }
  return {text.data(), text.size()};
}

std::optional<uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at++]);
    const int low = hex_value(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

uuid derived_uuid(const uuid& space, std::string_view name) {
  sha256_hasher hasher;
  hasher.update({reinterpret_cast<const char*>(space.bytes.data()), space.bytes.size()});
  hasher.update(name);
  const digest hash = hasher.finish();
  uuid id;
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
  set_version(id, 8);
  return id;
}

id_source& real_ids() {
  static system_ids source;
  return source;
}

}  // namespace reeve
