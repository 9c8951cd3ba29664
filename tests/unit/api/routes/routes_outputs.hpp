#pragma once
// What attempts print while they run, as a test says it, and a clock that goes as the test wants.

#include "api/log_stream.hpp"
#include "base/time.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace routes_fixture {

using namespace reeve;

/// Runs as the real one, and further by hand.
class settable_clock final : public clock_port {
 public:
  time_us now_us() override { return real_clock().now_us() + ahead_us; }
  std::int64_t mono_us() override { return real_clock().mono_us() + ahead_us; }
  std::int64_t ahead_us = 0;
};

/// Attempts that are followed, in the order in which they were asked for.
struct told_outputs {
  class source final : public api::output_source {
   public:
    std::vector<api::output_line> take(std::size_t) override { return std::exchange(lines, {}); }
    phase state() const override { return lines.empty() ? is : phase::going; }
    std::vector<api::output_line> lines;
    phase is = phase::going;
  };
  struct one {
    api::output_request what;
    std::function<void()> changed;
    std::weak_ptr<source> of;  // as long as somebody reads
    void tell(std::vector<api::output_line> lines) const {
      of.lock()->lines = std::move(lines);
      changed();
    }
    void end(api::output_source::phase how) const {
      of.lock()->is = how;
      changed();
    }
  };

  void follow(api::output_request what, std::function<void()> changed,
              const reply_slot<std::shared_ptr<api::output_source>>& slot) {
    if (refusal) return slot.answer(*refusal);
    auto made = std::make_shared<source>();
    asked.push_back({std::move(what), std::move(changed), made});
    slot.answer(std::shared_ptr<api::output_source>(std::move(made)));
  }
  std::vector<one> asked;
  std::optional<rejection> refusal;
};

}  // namespace routes_fixture
