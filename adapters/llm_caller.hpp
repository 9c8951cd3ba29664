#pragma once
// Calls upstreams of language models: all of them on one thread, which waits for none. What is fast
// waits for who reads it; who goes away ends his call.

#include "adapters/llm_call_port.hpp"
#include "adapters/name_lanes.hpp"

#include <cstddef>
#include <memory>
#include <thread>

namespace reeve::adapters {

struct llm_caller_limits {
  bool may_send_plain = false;  // a key over plain HTTP to other machines
  long connect_within_s = 5;    // and as long before, to find out where the name is
  long answer_within_s = 600;   // all of it, where it comes at once
  long stream_within_s = 3600;  // all of one that comes piece by piece
  long silent_s = 300;          // between two pieces of it
  std::size_t answer_bytes = std::size_t{8} << 20;    // of one that comes at once
  std::size_t answers_bytes = std::size_t{64} << 20;  // of all of them that are under way
  std::size_t unread_bytes = std::size_t{128} << 10;  // of a stream
};

class llm_caller {
 public:
  llm_caller(llm_caller_limits limits, std::shared_ptr<name_lanes> names);
  /// Calls that are under way are answered with errors.
  ~llm_caller();

  /// The server stops: calls that wait for the address of a name are refused, and so are further
  /// ones to names, not those to addresses. May be called again.
  void stop_names() { names_->stop(); }

  /// See `call_upstream_fn`.
  void call(upstream_call what, std::shared_ptr<call_stopper> stopper,
            reply_slot<upstream_answer> slot);

 private:
  struct hub;
  class flight;
  class stream;
  void work();

  std::shared_ptr<hub> hub_;
  const std::shared_ptr<name_lanes> names_;
  std::thread thread_;
};

}  // namespace reeve::adapters
