#pragma once
// What an error that a call to an engine ended with says about the engine. Counted by class and
// code in `reeve_engine_errors_total`. Thread-safe.

#include "adapters/bulkhead.hpp"
#include "base/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace reeve::adapters {

class engine_verdicts {
 public:
  /// `kind`: the class of the call, as `name_of(call_class)` has it. `object`: what the call was
  /// about. An engine that refuses properly is healthy, and one whose answer cannot be read has
  /// answered. What was not sent says nothing, unless the reason was that there is no connection.
  bulkhead::verdict on_error(std::string_view kind, errc code, const std::string& object);

 private:
  bool counts(const std::string& object, std::int64_t now_us);

  static constexpr std::size_t most = 4096;

  std::mutex mutex_;
  std::map<std::string, std::int64_t> last_us_;  // of each object that failed
};

}  // namespace reeve::adapters
