#include "persistence/export.hpp"

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/output.hpp"
#include "cli/text_input.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

outcome<persistence::export_result> export_to(const loaded_config& config,
                                              const export_options& asked) {
  std::optional<uuid> tenant;
  if (!asked.tenant.empty()) {
    tenant = parse_uuid(asked.tenant);
    if (!tenant) return reject(errc::invalid, "--tenant is a UUID");
  }
  auto out = open_text_output(asked.to, asked.zstd);
  if (!out) return out.error();
  auto db = open_database(config.values);
  if (!db) return db.error();
  auto result = persistence::export_log(db->owner_url, heads_file(config.values), tenant,
                                        [&](std::string_view text) { return (*out)->write(text); });
  if (result && !(*out)->finish()) return reject(errc::unavailable, "the export was not written");
  return result;
}

}  // namespace

int export_log(const loaded_config& config, const export_options& asked) {
  const auto result = export_to(config, asked);
  if (!result) {
    complain(result.error().detail);
    return result.error().code == errc::invalid ? exit_usage : exit_unreachable;
  }
  std::fprintf(stderr, "%lld events up to position %lld\n", static_cast<long long>(result->events),
               static_cast<long long>(result->head));
  return exit_ok;
}

}  // namespace reeve::cli
