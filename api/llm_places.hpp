#pragma once
// The calls of upstreams of language models that are under way: how many each has, and whose they
// are. Any thread.

#include "base/call_stopper.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

namespace reeve::api {

class llm_places {
 public:
  /// `most`: of all upstreams together.
  explicit llm_places(std::size_t most = 256) : held_(std::make_shared<places>()) {
    held_->most = most;
  }

  struct call {
    std::string upstream;
    uuid token;  // whose call it is
    std::shared_ptr<call_stopper> stopper;
    uuid tenant{};  // the token's
  };
  /// Until the last copy of it goes.
  using place = std::shared_ptr<const void>;
  /// overloaded: the upstream has `most` already, or there are too many in all. rate_limited: the
  /// token has its share of either.
  outcome<place> take(call what, std::int64_t most);
  std::int64_t calls_of(const std::string& upstream) const;
  /// Of this tenant alone.
  std::int64_t calls_of(const std::string& upstream, const uuid& tenant) const;
  /// The token is worth nothing any more, and so are its calls.
  void end_of(const uuid& token);

 private:
  struct places {
    std::mutex mutex;
    std::size_t most = 0;
    std::list<call> calls;

    std::int64_t count(const std::string& upstream) const;
    bool has_all_of_its_share(const call& what, std::int64_t most_of_it) const;
  };
  std::shared_ptr<places> held_;
};

}  // namespace reeve::api
