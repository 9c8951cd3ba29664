// The doctor's look at upstreams of language models, and at the socket for jobs.

#include "cli/doctor.hpp"
#include "cli/jobs_door.hpp"
#include "cli/llm_file.hpp"

namespace reeve::cli {

finding check_models(const config& c) {
  const std::string name = "language models";
  const auto fail = [&](const rejection& why) {
    return finding{name, "fail", why.detail,
                   "docs/operations.md, Upstreams of language models and The socket for jobs"};
  };
  const auto settings = read_llm_file(c.llm);
  if (!settings) return fail(settings.error());
  if (settings->upstreams.empty()) return {name, "ok", "no upstreams are named", ""};
  const auto door = fit_jobs_door(c);
  if (!door) return fail(door.error());
  return {name, "ok",
          "upstreams: " + std::to_string(settings->upstreams.size()) +
              ", the socket for jobs: " + socket_in(*door),
          ""};
}

}  // namespace reeve::cli
