#pragma once
// What ./test tells the tests through the environment, and the tests' own folders. A name that is
// missing throws with the advice to use ./test.

#include "tests/support/temporary_folder.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace support {

/// REEVE_TEST_DIR: a short folder under /tmp, so that sockets below it fit into 107 bytes.
std::filesystem::path work_dir();
/// REEVE_TEST_FAST_DIR: on a memory disk when there is room; for the data of clusters.
std::filesystem::path fast_dir();
/// REEVE_TEST_PG: the URL of the superuser on the common cluster.
std::string cluster_url();
/// REEVE_TEST_PG_SEED: a stopped, freshly made cluster to copy.
std::filesystem::path cluster_seed();
/// REEVE_TEST_PG_LOG: what the common cluster logs.
std::filesystem::path cluster_log();
/// REEVE_TEST_DOCKER_SOCK: the socket of the common engine.
std::string engine_socket();
/// The server under test: REEVE_BIN, or `reeve` two folders above this program.
std::filesystem::path server_program();
/// Runs a function of scripts/lib.sh: ["bash", "-c", …].
std::string shell_library();

/// The text of a variable; throws when it is unset or empty.
std::string required(const char* name);

/// Who servers and clusters run as. Nothing when this process has no privileges to drop.
struct unprivileged {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
};
std::optional<unprivileged> service_user();

/// A folder of its own, mode 0700, that belongs to the service user; removed at the end.
class scratch_dir {
 public:
  scratch_dir(const std::filesystem::path& parent, const std::string& prefix);
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  const temporary_folder folder_;
};

/// Limits of time are multiplied by it: 1, or REEVE_TEST_TIME_FACTOR under sanitizers.
int time_factor();

/// The last `lines` lines of a file, or a note that it cannot be read.
std::string tail_of(const std::filesystem::path& file, std::size_t lines);
/// The whole file, or nothing at all.
std::string contents_of(const std::filesystem::path& file);

}  // namespace support
