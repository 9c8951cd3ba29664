#include "adapters/engine_verdicts.hpp"

#include "base/metrics.hpp"
#include "base/time.hpp"

namespace reeve::adapters {
namespace {

constexpr std::int64_t minute_us = 60'000'000;

}  // namespace

/// Calls that an engine answers with a failure of its own (5xx) count once for each object in a
/// minute: a container that can never start says nothing about the others, however often it is
/// tried.
bool engine_verdicts::counts(const std::string& object, std::int64_t now_us) {
  std::lock_guard lock{mutex_};
  if (last_us_.size() >= most) last_us_.clear();
  const auto known = last_us_.find(object);
  if (known != last_us_.end() && now_us - known->second < minute_us) return false;
  last_us_[object] = now_us;
  return true;
}

bulkhead::verdict engine_verdicts::on_error(std::string_view kind, errc code,
                                            const std::string& object) {
  process_metrics()
      .counter("reeve_engine_errors_total",
               "Calls to the container engine that ended with an error.",
               {{"class", std::string{kind}}, {"code", std::string{name_of(code)}}})
      .add();
  switch (code) {
    case errc::engine_unavailable:
    case errc::timed_out:
    case errc::unavailable:
      return bulkhead::verdict::failure;
    case errc::internal:
      return counts(object, real_clock().mono_us()) ? bulkhead::verdict::failure
                                                    : bulkhead::verdict::neither;
    case errc::engine_unreadable:
    case errc::fenced:
    case errc::overloaded:
      return bulkhead::verdict::neither;
    default:
      return bulkhead::verdict::success;
  }
}

}  // namespace reeve::adapters
