#pragma once
// The real server binary as a child of a benchmark: on a fresh database and a free port, as a user
// without privileges.

#include "bench/support.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace reeve::bench {

class server_process {
 public:
  enum class database { create, use };
  /// `docker`: "simulated" or "unix:///…". `use`: the database of an earlier one of this name, and
  /// its data folder. Gives up if it is not ready within 60 s.
  server_process(const settings& s, const std::string& name, const std::string& docker,
                 database which = database::create);
  /// SIGTERM, after 15 s SIGKILL.
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  /// From the fork to the first 200 of /readyz.
  double ready_ms() const { return ready_ms_; }
  /// Method and path, a body or none; the head of a request with the admin token and keep-alive.
  std::string request(const std::string& line, const std::string& body = {}) const;
  const std::string& database_url() const { return url_; }

 private:
  void await_ready(const std::string& data);

  std::string url_;
  std::string token_;
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
  double ready_ms_ = 0;
};

}  // namespace reeve::bench
