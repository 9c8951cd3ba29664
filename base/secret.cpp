#include "base/secret.hpp"

#include "base/digest.hpp"

#include <random>

namespace reeve {

std::string make_secret() {
  std::random_device random("/dev/urandom");
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(random() & 0xff);
  return to_base64url(bytes);
}

}  // namespace reeve
