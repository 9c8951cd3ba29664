#pragma once
// The commands behind the routes, over memory: the real decisions and the real documents, without
// actors, journal and database. They are compiled once for all tests of routes: commands and
// documents of every aggregate are most of what such a test would be compiled from.

#include "actors/command_port.hpp"
#include "tests/unit/api/routes/routes_reads.hpp"

#include <memory>
#include <string>
#include <vector>

namespace routes_fixture {

class memory_commands {
 public:
  explicit memory_commands(memory_reads& reads);
  ~memory_commands();
  memory_commands(const memory_commands&) = delete;
  memory_commands& operator=(const memory_commands&) = delete;

  std::vector<actors::command_context> contexts;  // of every command that came
  bool is_busy = false;                           // with the first request of any key

  actors::command_port& port();

  void create_tenant(uuid tenant);

  /// What a run's actor would do: one attempt of each job with this log and artifact, to its end.
  void finish(uuid run, domain::end_reason how, const std::string& log,
              const std::string& artifact = "report \"1\".json");
  /// One attempt of the run's first job runs, in this container; or its next one.
  void begin(uuid run, const std::string& container, const domain::attempt_intended& how = {});
  /// What `begin` began ends with this output, and the run if `plan` says so.
  void end(uuid run, domain::end_reason how, const std::string& log, bool truncated = false);
  /// What the log has when its work on the run's first job crashed for the third time.
  void quarantine(uuid run);

 private:
  class executors;
  std::unique_ptr<executors> executors_;
};

}  // namespace routes_fixture
