#include "cli/commands.hpp"
namespace reeve::cli {
#define W __attribute__((weak))
W int verify(const loaded_config&, const verify_options&) {
  return exit_usage;
}
W int replay(const loaded_config&, const replay_options&) {
  return exit_usage;
}
W int export_log(const loaded_config&, const export_options&) {
  return exit_usage;
}
}  // namespace reeve::cli
