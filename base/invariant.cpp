#include "base/invariant.hpp"

#include "base/log.hpp"

#include <string_view>

namespace reeve {

void invariant_broken(const char* what, const char* file, int line) {
  // The name alone: the path is that of whoever built the program.
  std::string_view name(file);
  name.remove_prefix(name.rfind('/') + 1);
  log_error("an invariant is broken",
            {{"what", what}, {"file", std::string(name)}, {"line", std::to_string(line)}});
  throw broken_invariant(what);
}

}  // namespace reeve
