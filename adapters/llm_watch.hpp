#pragma once
// Looks at every upstream of language models now and then, and knows which of them answer.

#include "adapters/timer_thread.hpp"
#include "base/outcome.hpp"
#include "domain/runs/llm_router.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace reeve::adapters {

class llm_watch {
 public:
  /// How many ms an upstream took to answer, or why it did not. Called on the watch's thread, of
  /// one upstream at a time; may block.
  using look_fn = std::function<outcome<std::int64_t>(const domain::llm_upstream&)>;

  /// Looks at each at once, then `every` after each look. Of a change the log has a line.
  llm_watch(std::vector<domain::llm_upstream> upstreams, look_fn look,
            std::chrono::milliseconds every = std::chrono::seconds(15));
  ~llm_watch();

  /// In the order of the configuration. Any thread.
  std::vector<domain::llm_upstream_view> views() const;

 private:
  void look_at(std::size_t which);

  look_fn look_;
  std::chrono::milliseconds every_;
  mutable std::mutex mutex_;
  std::vector<domain::llm_upstream_view> views_;  // guarded by mutex_
  timer_thread thread_{"llm-watch"};              // last: its jobs use what is above
};

}  // namespace reeve::adapters
