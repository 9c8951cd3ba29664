// The states that an executor keeps: those that somebody waits for are never forgotten.
#include "actors/executor.hpp"

#include "tests/unit/actors/runs/memory_log.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::actors;
using domain::directive_state;

/// A database that never answers.
class silent_reads final : public memory_log::reads {
 public:
  using memory_log::reads::reads;
  void stream(uuid, const std::string& name, domain::version, int,
              reply_slot<std::vector<domain::event_record>> slot) override {
    asked.push_back(name);
    open.push_back(std::move(slot));
  }
  std::vector<std::string> asked;
  std::vector<reply_slot<std::vector<domain::event_record>>> open;
};

TEST(P30_executor, keeps_what_has_just_come_while_all_others_are_busy) {
  memory_log::store log;
  silent_reads reads(log);
  journal_port journal;
  executor<directive_state> runs_in({}, journal, reads,
                                    std::make_shared<state_board<directive_state>>());
  const auto count = executor<directive_state>::kept_states + 1;
  for (std::size_t i = 0; i < count; ++i) {
    auto op = std::make_shared<execute_op<directive_state>>();
    op->tenant = real_ids().next();
    op->id = real_ids().next();
    runs_in.submit(std::move(op));
    ASSERT_EQ(reads.asked.size(), i + 1);
  }
}

}  // namespace
