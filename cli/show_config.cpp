#include "cli/commands.hpp"
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
  return out.end_array().end_object().take() + "\n";
}

std::string as_table(const loaded_config& config) {
  std::size_t name = 0;
  std::size_t value = 0;
  for (const auto& row : config.rows) {
    name = std::max(name, row.name.size());
    value = std::max(value, row.value.size());
  }
  std::string text;
  for (const auto& row : config.rows) {
    text += row.name + std::string(name - row.name.size() + 2, ' ') + row.value +
            std::string(value - row.value.size() + 2, ' ') + row.origin + "\n";
  }
  return text;
}

}  // namespace

int show_config(const loaded_config& config, bool json) {
  std::fputs((json ? as_json(config) : as_table(config)).c_str(), stdout);
  return exit_ok;
}

}  // namespace reeve::cli
