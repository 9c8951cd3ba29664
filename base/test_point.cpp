#include "base/test_point.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <string>
#include <unistd.h>

namespace reeve {
namespace {

struct stop_at {
  std::string step;
  std::string file;
};

stop_at read_environment() {
  const char* text = std::getenv("REEVE_TEST_STOP_AT");
  if (text == nullptr) return {};
  const std::string all = text;
  const auto equals = all.find('=');
  if (equals == std::string::npos) return {};
  return {all.substr(0, equals), all.substr(equals + 1)};
}

}  // namespace

void test_point(std::string_view step) {
  static const stop_at wanted = read_environment();
  if (wanted.step.empty() || wanted.step != step) return;
  const int fd = ::open(wanted.file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return;
  ::close(fd);
  ::kill(::getpid(), SIGSTOP);
}

}  // namespace reeve
