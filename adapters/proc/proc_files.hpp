#pragma once
// The process table as the kernel shows it below /proc.

#include "adapters/proc_port.hpp"

#include <string>

namespace reeve::adapters {

class proc_files final : public process_table {
 public:
  explicit proc_files(std::string root = "/proc") : root_(std::move(root)) {}

  outcome<std::string> groups_of(std::int64_t pid) const override;
  outcome<std::string> name_of(std::int64_t pid) const override;
  outcome<net_sockets> sockets_of(std::int64_t pid) const override;

 private:
  std::string path(std::int64_t pid, const char* file) const;

  std::string root_;
};

}  // namespace reeve::adapters
