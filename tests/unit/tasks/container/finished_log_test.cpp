// What reeve-init says at the end of an output of why its job ended.

#include "tasks/container/finished_log.hpp"

#include "adapters/kept_output.hpp"
#include "tasks/container/container_spec_of.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using domain::end_reason;

constexpr std::int64_t disk_bytes = 3 << 20;

std::optional<end_reason> told(const std::string& output, std::size_t most = 1 << 20) {
  adapters::output_ends ends(tasks::ends_of(most));
  ends.add({adapters::log_stream::err, 1, output, false});
  return tasks::told_by_init(ends.finish(), disk_bytes);
}

TEST(RUN5_told, is_a_line_of_the_outputs_end) {
  const std::string starved(tasks::memory_kill_line);
  const auto full = tasks::disk_limit_line(disk_bytes);
  EXPECT_EQ(told("work\n"), std::nullopt);
  EXPECT_EQ(told(""), std::nullopt);
  EXPECT_EQ(told("work\n" + starved), end_reason::out_of_memory);
  EXPECT_EQ(told("work\n" + full), end_reason::disk_limit);
  EXPECT_EQ(told(starved + "more, from the other stream\n"), end_reason::out_of_memory);
  EXPECT_EQ(told(starved + full), end_reason::disk_limit) << "it was ended for that";
  EXPECT_EQ(told(tasks::disk_limit_line(disk_bytes + 1)), std::nullopt) << "another job's";
}

TEST(RUN5_told, is_found_behind_more_than_is_kept) {
  const std::string much(64 * 1024, 'x');
  EXPECT_EQ(told(much + "\n" + std::string(tasks::memory_kill_line), 4096),
            end_reason::out_of_memory);
  EXPECT_EQ(told(std::string(tasks::memory_kill_line) + std::string(4 << 20, 'x'), 4 << 20),
            std::nullopt)
      << "what stands there was said long before the end";
}

}  // namespace
