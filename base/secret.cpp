#include "base/secret.hpp"

#include "base/digest.hpp"

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

}  // namespace reeve
