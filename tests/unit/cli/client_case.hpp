#pragma once
// Commands of a client against a peer, with nothing else of the machine's: what they print and end
// with.

#include "cli/client.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cli/client_peer.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace client_peer {

using reeve::cli::client_options;
using reeve::cli::loaded_config;

struct ended {
  int code = -1;
  std::string out, err;
};

using command = int (*)(const loaded_config&, const client_options&,
                        const std::vector<std::string>&);

class UI2_client : public testing::Test {
 protected:
  UI2_client() {
    config_.values.data = folder_;
    for (const char* name : {"REEVE_URL", "REEVE_TOKEN_FILE"}) ::unsetenv(name);
    ::setenv("REEVE_TOKEN", "secret-token", 1);
  }
  ~UI2_client() override {
    ::unsetenv("REEVE_TOKEN");
    ::unsetenv("REEVE_TOKEN_FILE");
  }
  ended run(command what, const std::vector<std::string>& words) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    ended e;
    e.code = what(config_, client_, words);
    std::fflush(stdout);
    e.out = testing::internal::GetCapturedStdout();
    e.err = testing::internal::GetCapturedStderr();
    return e;
  }
  ended run(const peer& p, command what, const std::vector<std::string>& words) {
    client_.url = p.url();
    return run(what, words);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(own_.at(name)) << text;
  }

  const support::temporary_folder own_;
  const std::string folder_ = own_.path();
  loaded_config config_;
  client_options client_;
};

}  // namespace client_peer
