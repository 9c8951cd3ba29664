#include "base/secret.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <random>
#include <sodium.h>

namespace reeve {

std::string make_secret() {
  std::random_device random("/dev/urandom");
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(random() & 0xff);
  return to_base64url(bytes);
}

void wipe(std::string& bytes) {
  sodium_memzero(bytes.data(), bytes.size());
  bytes.clear();
}

void wipe(char* bytes, std::size_t count) {
  if (count > 0) sodium_memzero(bytes, count);
}

// A short text lies inside of the string itself, where a move leaves it: so bytes are always copied
// and wiped.

secret_text::secret_text(std::string&& bytes) : bytes_(bytes) {
  wipe(bytes);
}

secret_text::secret_text(secret_text&& other) noexcept : secret_text(std::move(other.bytes_)) {}

secret_text& secret_text::operator=(secret_text&& other) noexcept {
  if (this == &other) return *this;
  wipe(bytes_);
  bytes_ = other.bytes_;
  wipe(other.bytes_);
  return *this;
}

secret_text::~secret_text() {
  wipe(bytes_);
}

namespace {

/// Also what lies behind its end, and in a text that was moved away.
void wipe_all(std::string& bytes) {
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.Move): a text that was moved away may hold them still.
  bytes.resize(bytes.capacity());
  wipe(bytes);
}

}  // namespace

wiped_text& wiped_text::operator=(const wiped_text& other) {
  if (this != &other) *this = wiped_text(other);
  return *this;
}

wiped_text& wiped_text::operator=(wiped_text&& other) noexcept {
  if (this == &other) return *this;
  wipe_all(bytes_);
  bytes_.swap(other.bytes_);
  wipe_all(other.bytes_);
  return *this;
}

/// What it had goes with the parameter: an empty text takes no more room than any other.
wiped_text& wiped_text::operator=(std::string bytes) {
  wipe_all(bytes_);
  bytes_.swap(bytes);
  wipe_all(bytes);
  return *this;
}

wiped_text::~wiped_text() {
  wipe_all(bytes_);
}

void wiped_text::reserve(std::size_t bytes) {
  if (bytes <= bytes_.capacity()) return;
  std::string larger;
  larger.reserve(bytes);
  larger = bytes_;
  wipe_all(bytes_);
  bytes_.swap(larger);
}

void wiped_text::append(std::string_view bytes) {
  const auto needed = bytes_.size() + bytes.size();
  if (needed > bytes_.capacity()) reserve(std::max(needed, 2 * bytes_.capacity()));
  bytes_.append(bytes);
}

wiped_text::operator std::string() && {
  std::string taken = std::move(bytes_);
  wipe_all(bytes_);
  return taken;
}

}  // namespace reeve
