#pragma once
// The one way from events to rows outside an append: reads what has been appended behind a
// position, folds it with the same pure functions, and hands the rows over as a commit does. A
// standby keeps its tokens by it, a follower its table, and what is built beside a live table
// catches up by it. One thread. Inside persistence/ only.

#include "base/outcome.hpp"
#include "persistence/append_port.hpp"
#include "persistence/projection.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace reeve::persistence {

class tail_fold {
 public:
  /// `url`: a login that may see the whole log. Only streams that one of `wanted` is made of are
  /// read, from behind `after`. Connects at the first look.
  tail_fold(std::string url, std::vector<const projection*> wanted, domain::position after);
  ~tail_fold();
  tail_fold(tail_fold&&) noexcept;

  using take_fn = std::function<outcome<done>(const commit_notice&)>;
  /// Reads on, at most 50,000 positions, and calls `take` with the rows of the wanted projections;
  /// what it refuses comes again, and what it throws is the caller's. True: there is more at once.
  /// `unavailable`: the database; `internal`: an event that cannot be folded.
  outcome<bool> advance(const take_fn& take);

  /// Everything up to here has been taken.
  domain::position position() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace reeve::persistence
