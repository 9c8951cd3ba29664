#pragma once
// An engine of which nothing but the output can be asked: a test says how that is.

#include "adapters/work_engine_port.hpp"

namespace reeve::tasks {

class silent_engine : public adapters::work_engine {
 public:
  std::string_view kind() const override { return "docker"; }
  std::int64_t slots() const override { return 1; }
  std::int64_t starts() const override { return 1; }
  void reach(reply_slot<done>) override {}
  void capabilities(std::string, reply_slot<adapters::engine_capabilities>) override {}
  void prepare(adapters::work_key, fencing_token, reply_slot<done>) override {}
  void find(adapters::work_key, reply_slot<domain::attempts::found>) override {}
  void submit(adapters::work_key, adapters::work_spec, fencing_token,
              reply_slot<adapters::submit_answer>) override {}
  void watch(std::string, reply_slot<adapters::wait_result>) override {}
  void stop(std::string, int, fencing_token, reply_slot<adapters::stop_result>) override {}
  void collect(std::string, std::size_t, std::shared_ptr<call_stopper>,
               reply_slot<adapters::kept_output>) override {}
  void forget(adapters::work_key, fencing_token, reply_slot<done>) override {}
  void follow(std::string, std::shared_ptr<adapters::output_sink>, std::shared_ptr<call_stopper>,
              reply_slot<done>) override {}
};

}  // namespace reeve::tasks
