#include "tests/support/environment.hpp"

#include "tests/support/source_dir.hpp"

#include <cstdlib>
#include <fstream>
#include <pwd.h>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace support {

namespace fs = std::filesystem;

std::string required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') {
    throw std::runtime_error(std::string(name) +
                             " is not set: run the acceptance tests through ./test");
  }
  return value;
}

fs::path work_dir() {
  return required("REEVE_TEST_DIR");
}
fs::path fast_dir() {
  return required("REEVE_TEST_FAST_DIR");
}
std::string cluster_url() {
  return required("REEVE_TEST_PG");
}
fs::path cluster_seed() {
  return required("REEVE_TEST_PG_SEED");
}
fs::path cluster_log() {
  return required("REEVE_TEST_PG_LOG");
}
std::string engine_socket() {
  return required("REEVE_TEST_DOCKER_SOCK");
}

fs::path server_program() {
  if (const char* given = std::getenv("REEVE_BIN"); given != nullptr && *given != '\0') {
    return given;
  }
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "reeve";
}

std::string shell_library() {
  return support::source_dir() + "/scripts/lib.sh";
}

std::optional<unprivileged> service_user() {
  if (::geteuid() != 0) return std::nullopt;
  const std::string name = required("REEVE_TEST_USER");
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) throw std::runtime_error("there is no user " + name);
  return unprivileged{entry->pw_uid, entry->pw_gid, name};
}

scratch_dir::scratch_dir(const fs::path& parent, const std::string& prefix)
    : folder_(parent, prefix) {
  const auto user = service_user();
  if (user && ::chown(path().c_str(), user->uid, user->gid) != 0) {
    throw std::system_error(errno, std::generic_category(), path());
  }
}

std::string contents_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  // An iterator over the stream would throw when the file is that of a process that ends just now.
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::string tail_of(const fs::path& file, std::size_t lines) {
  std::error_code missing;
  if (!fs::exists(file, missing)) return "(no file " + file.string() + ")\n";
  const std::string text = contents_of(file);
  std::size_t from = text.size();
  for (std::size_t seen = 0; from > 0; --from) {
    if (text[from - 1] == '\n' && from != text.size() && ++seen == lines) break;
  }
  return text.substr(from);
}

}  // namespace support
