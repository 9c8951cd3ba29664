#pragma once
// Looks at every upstream of language models now and then, and knows which of them answer. One
// whose name is looked up for long holds up no look at another.

#include "adapters/name_lanes.hpp"
#include "adapters/timer_thread.hpp"
#include "base/outcome.hpp"
#include "domain/runs/llm_router.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace reeve::adapters {

class llm_watch {
 public:
  /// How many ms an upstream took to answer, or why it did not. Called on the watch's thread, of
  /// one upstream at a time; may block.
  using look_fn =
      std::function<outcome<std::int64_t>(const domain::llm_upstream&, const pinned_address&)>;

  /// Looks at each at once, then `every` after each look. A name that is not found within 2 s is
  /// one that does not answer. Of a change the log has a line.
  llm_watch(std::vector<domain::llm_upstream> upstreams, std::shared_ptr<name_lanes> names,
            look_fn look, std::chrono::milliseconds every = std::chrono::seconds(15));
  ~llm_watch();

  /// In the order of the configuration. Any thread.
  std::vector<domain::llm_upstream_view> views() const;

 private:
  void find(std::size_t which);
  void look_at(std::size_t which, const outcome<pinned_address>& where);

  const std::shared_ptr<name_lanes> names_;
  look_fn look_;
  std::chrono::milliseconds every_;
  mutable std::mutex mutex_;
  std::vector<domain::llm_upstream_view> views_;  // guarded by mutex_
  // Last: its jobs use what is above. Names that are found after its end find it stopped.
  std::shared_ptr<timer_thread> thread_ = std::make_shared<timer_thread>("llm-watch");
};

}  // namespace reeve::adapters
