#include "base/test_point.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace reeve {
namespace {

struct wishes {
  std::string stop_step;
  std::string stop_file;
  std::string fail_folder;
  bool none() const { return stop_step.empty() && fail_folder.empty(); }
};

wishes read_environment() {
  wishes found;
  if (const char* text = std::getenv("REEVE_TEST_STOP_AT"); text != nullptr) {
    const std::string all = text;
    const auto equals = all.find('=');
    if (equals != std::string::npos) {
      found.stop_step = all.substr(0, equals);
      found.stop_file = all.substr(equals + 1);
    }
  }
  if (const char* folder = std::getenv("REEVE_TEST_FAIL_IN"); folder != nullptr) {
    found.fail_folder = folder;
  }
  return found;
}

void stop(const std::string& file) {
  const int fd = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return;
  ::close(fd);
  // For this thread, which then takes no step more; one for the process may fall on any of its
  // threads, and meanwhile this one goes on.
  ::raise(SIGSTOP);
}

}  // namespace

void test_point(std::string_view step) {
  static const wishes wanted = read_environment();
  if (wanted.none()) return;
  if (wanted.stop_step == step) stop(wanted.stop_file);
  if (wanted.fail_folder.empty()) return;
  const std::string file = wanted.fail_folder + "/" + std::string(step);
  if (::access(file.c_str(), F_OK) == 0) throw std::runtime_error("a test wants this to fail");
}

}  // namespace reeve
