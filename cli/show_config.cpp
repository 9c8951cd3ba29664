#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "codec/json_writer.hpp"

#include <cstdio>

namespace reeve::cli {
namespace {

std::string as_json(const loaded_config& config) {
  codec::json_writer out;
  out.begin_object().key("settings").begin_array();
  for (const auto& row : config.rows) {
    out.begin_object().key("name").value(row.name).key("value").value(row.value);
    out.key("origin").value(row.origin).key("environment").value(row.variable);
    out.key("description").value(row.text).end_object();
  }
  return out.end_array().end_object().take();
}

std::string as_table(const loaded_config& config) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : config.rows) rows.push_back({row.name, printable(row.value), row.origin});
  return aligned(rows);
}

}  // namespace

int show_config(const loaded_config& config, bool json) {
  json ? print_json(as_json(config)) : (void)std::fputs(as_table(config).c_str(), stdout);
  return exit_ok;
}

}  // namespace reeve::cli
