#include "tests/support/environment.hpp"

#include <cstdlib>

namespace support {

int time_factor() {
  const char* text = std::getenv("REEVE_TEST_TIME_FACTOR");
  const int factor = text == nullptr ? 1 : std::atoi(text);
  return factor < 1 ? 1 : factor;
}

}  // namespace support
