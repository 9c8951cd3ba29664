// A planted defect: a leadership that ends with nothing, neither with its lease nor when it is
// revoked. It is linked in the place of base/leadership.cpp into a program of its own, with which a
// test proves that the double-execution test sees what it is there to see.

#include "base/leadership.hpp"

#include <algorithm>

namespace reeve {

void leadership::confirm(std::int64_t epoch, std::int64_t /*asked_us*/) {
  epoch_ = std::max(epoch, epoch_.load());
}
void leadership::revoke() {}
void leadership::revoke(std::int64_t /*epoch*/) {}
void leadership::hold_until(std::int64_t /*mono_us*/) {}

leadership::view leadership::look() const {
  return {epoch_, 0, epoch_ > 0};
}
std::optional<fencing_token> leadership::token() const {
  if (epoch_ == 0) return std::nullopt;
  return fencing_token{epoch_};
}
bool leadership::allows(fencing_token /*token*/) const {
  return true;
}
bool leadership::holds() const {
  return epoch_ > 0;
}
bool leadership::heard_within(std::int64_t /*us*/) const {
  return epoch_ > 0;
}

}  // namespace reeve
