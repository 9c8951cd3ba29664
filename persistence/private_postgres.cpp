#include "persistence/private_postgres.hpp"

#include "base/digest.hpp"
#include "base/log.hpp"
#include "persistence/child_process.hpp"
#include "persistence/folder_lock.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/roles.hpp"

#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace reeve::persistence {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_socket_path = 107;
constexpr const char* database = "reeve";

constexpr int oldest_major = 15;

/// The newest PostgreSQL that is installed, if it is new enough: /usr/lib/postgresql/<major>/bin.
std::string find_binaries() {
  std::string best;
  int newest = oldest_major - 1;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int major = std::atoi(entry.path().filename().c_str());
    if (major > newest && fs::exists(entry.path() / "bin/postgres")) {
      newest = major;
      best = (entry.path() / "bin").string();
    }
  }
  return best;
}

std::string first_line(const fs::path& path, int number = 1) {
  std::ifstream in(path);
  std::string line;
  for (int i = 0; i < number; ++i) {
    if (!std::getline(in, line)) return {};
  }
  return line;
}

constexpr const char* not_installed =
    "no PostgreSQL 15 or later is installed; install postgresql, or set DATABASE_URL";

std::string major_of(const fs::path& binaries) {
  return binaries.parent_path().filename().string();
}

/// Whether there is a cluster; `invalid`: these binaries cannot start it.
outcome<bool> look_at_cluster(const std::string& binaries, const fs::path& data) {
  std::error_code ignored;
  if (!fs::exists(data / "PG_VERSION", ignored)) return false;
  const auto here = major_of(binaries);
  const auto there = first_line(data / "PG_VERSION");
  if (here == there) return true;
  return reject(errc::invalid, "the cluster in " + data.string() + " is of PostgreSQL " + there +
                                   ", installed is " + here + "; migrate it with pg_upgrade");
}

std::string os_user(const std::string& run_as) {
  if (::geteuid() == 0) return run_as;
  const passwd* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? "" : entry->pw_name;
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text;
}

/// Absolute, without links and dots: as PostgreSQL writes it into its pid file.
fs::path folder_of(const std::string& path) {
  std::error_code failed;
  auto folder = fs::weakly_canonical(fs::absolute(path), failed);
  return failed ? fs::absolute(path) : folder;
}

/// Where the socket lies: in the folder, or under /tmp where its path would be too long.
fs::path socket_folder_of(const fs::path& folder) {
  if (folder.string().size() + sizeof("/.s.PGSQL.5432") <= most_socket_path) return folder;
  return fs::path("/tmp") / ("reeve-" + to_hex(sha256(folder.string())).substr(0, 16));
}

std::string url_of(const fs::path& socket_folder, const std::string& name) {
  return "host=" + connection_word(socket_folder.string()) + " user=" + private_owner +
         " dbname=" + name;
}

/// A folder of this user alone; `owner` gets it where we are root. False if it is somebody else's,
/// which matters below /tmp: whoever owns it could answer in PostgreSQL's place.
bool make_private_folder(const fs::path& path, const std::string& owner) {
  std::error_code failed;
  fs::create_directories(path, failed);
  uid_t user = ::geteuid();
  if (user == 0) {
    const passwd* entry = ::getpwnam(owner.c_str());
    if (entry == nullptr) return false;
    user = entry->pw_uid;
    struct stat before {};
    if (::lstat(path.c_str(), &before) != 0 || (before.st_uid != 0 && before.st_uid != user)) {
      return false;
    }
    if (::lchown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0) return false;
  }
  struct stat about {};
  return ::lstat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == user &&
         ::chmod(path.c_str(), 0700) == 0;
}

/// What initdb and we have written is on disk. Once in a cluster's life.
bool sync_below(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  const bool good = ::syncfs(file) == 0;
  ::close(file);
  return good;
}

/// Every process of PostgreSQL works in its data folder, whatever its name and its number.
/// Empty = it may not be known, because it is another user's.
fs::path where_works(pid_t pid) {
  std::error_code failed;
  auto folder = fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd", failed);
  return failed ? fs::path() : folder;
}

bool anyone_works_in(const fs::path& folder) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator("/proc", failed)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 1 && where_works(pid) == folder) return true;
  }
  return false;
}

bool ends_within(pid_t pid, std::chrono::seconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (is_running(pid)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace

struct private_postgres::impl {
  private_postgres_options options;
  std::string binaries;
  fs::path data;
  fs::path socket_folder;
  fs::path log;
  folder_lock lock;
  pid_t child = -1;

  outcome<done> prepare() {
    binaries = find_binaries();
    if (binaries.empty()) return reject(errc::unavailable, not_installed);
    const fs::path folder = folder_of(options.folder);
    data = folder / "data";
    log = folder / "postgresql.log";
    socket_folder = socket_folder_of(folder);
    if (options.use == folder_use::look) {
      const auto there = look_at_cluster(binaries, data);
      if (!there) return there.error();
      if (!*there) return reject(errc::not_found, "there is no cluster in " + folder.string());
    }
    if (::geteuid() == 0 && options.run_as.empty()) {
      return reject(errc::invalid,
                    "PostgreSQL refuses to run as root; start Reeve as another user");
    }
    for (const auto& path : {folder, socket_folder}) {
      if (make_private_folder(path, options.run_as)) continue;
      return reject(errc::unavailable, path.string() + " cannot be made, or is somebody else's");
    }
    if (auto ok = lock.take((folder / "lock").string(), options); !ok) return ok;
    // A server says so when its PostgreSQL answers: until then nobody can go on beside it.
    if (options.use == folder_use::look) lock.tell(folder_use::look);
    return done{};
  }

  outcome<done> init() {
    const auto found = look_at_cluster(binaries, data);
    if (!found) return found.error();
    if (*found) return done{};
    // What a start that was cut off left behind is nobody's data: initdb had not ended.
    std::error_code ignored;
    const auto fresh = data.string() + ".new";
    fs::remove_all(fresh, ignored);
    child_options call;
    call.arguments = {binaries + "/initdb",
                      "-D",
                      fresh,
                      "-U",
                      private_owner,
                      "-E",
                      "UTF8",
                      "--no-locale",
                      "--data-checksums",
                      "--no-instructions",
                      "-A",
                      "peer"};
    call.log_file = log.string();
    call.run_as = options.run_as;
    const int code = wait_child(spawn_child(call), options.start_timeout_s * 1000);
    if (code != 0) return reject(errc::unavailable, "initdb failed; see " + log.string());
    const auto user = os_user(options.run_as);
    write_file(fs::path(fresh) / "pg_hba.conf", "local all all peer map=reeve\n");
    std::string map;
    for (const char* role : {private_owner, private_writer, private_reader}) {
      map += "reeve " + user + " " + role + "\n";
      if (::geteuid() == 0) map += std::string("reeve root ") + role + "\n";
    }
    write_file(fs::path(fresh) / "pg_ident.conf", map);
    const bool written = sync_below(fresh);
    fs::rename(fresh, data, ignored);
    if (!written || ignored || !sync_below(data)) {
      return reject(errc::unavailable, data.string() + " cannot be made");
    }
    return done{};
  }

  /// An orphan of a crash: its pid file lies in our data folder, which we have locked. The number
  /// in a stale pid file may be that of anyone by now: such a process is left alone, and the file
  /// is removed, unless a process of the dead server is still there.
  void stop_orphan() const {
    const auto file = data / "postmaster.pid";
    const pid_t pid = std::atoi(first_line(file).c_str());
    if (pid <= 1 || !is_running(pid)) return;
    const auto place = where_works(pid);
    if (place != data) {
      std::error_code ignored;
      if (!place.empty() && !anyone_works_in(data)) fs::remove(file, ignored);
      return;
    }
    log_warn("a PostgreSQL of an earlier start is stopped", {{"pid", pid}});
    ::kill(pid, SIGINT);
    if (ends_within(pid, std::chrono::seconds(20))) return;
    ::kill(pid, SIGQUIT);
    ends_within(pid, std::chrono::seconds(5));
  }

  void launch() {
    child_options call;
    call.arguments = {binaries + "/postgres", "-D", data.string(), "-k", socket_folder.string()};
    for (const char* setting :
         {"listen_addresses=", "unix_socket_permissions=0700", "max_connections=50",
          "shared_buffers=64MB", "max_wal_size=1GB", "log_min_error_statement=panic",
          "log_parameter_max_length=0", "log_parameter_max_length_on_error=0", "log_statement=none",
          "log_min_duration_statement=-1", "timezone=UTC", "log_timezone=UTC", "jit=off",
          "max_prepared_transactions=0"}) {
      call.arguments.emplace_back("-c");
      call.arguments.emplace_back(setting);
    }
    call.log_file = log.string();
    call.run_as = options.run_as;
    call.death_signal = SIGINT;
    child = spawn_child(call);
  }

  bool is_ready() const {
    const auto file = data / "postmaster.pid";
    return first_line(file) == std::to_string(child) && first_line(file, 8).starts_with("ready");
  }

  outcome<done> await_ready() {
    using namespace std::chrono_literals;
    const auto deadline = std::chrono::steady_clock::now() + options.start_timeout_s * 1s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (is_ready()) return done{};
      if (wait_child(child, 0) != -1) {
        child = -1;
        break;
      }
      std::this_thread::sleep_for(2ms);
    }
    return reject(errc::unavailable, "PostgreSQL does not start; see " + log.string());
  }

  outcome<done> make_database() const {
    try {
      auto connection = connect_session(url_of(socket_folder, "postgres"), "reeve_setup");
      pqxx::nontransaction tx(*connection);
      const auto known =
          tx.exec_params("SELECT 1 FROM pg_database WHERE datname = $1", std::string(database));
      if (known.empty()) tx.exec("CREATE DATABASE " + tx.quote_name(database));
      return done{};
    } catch (const std::exception&) {
      return reject(errc::unavailable, "the private database cannot be made; see " + log.string());
    }
  }

  ~impl() {
    if (child > 0) {
      // Nobody goes on beside a server that stops; a server waits for a command until it is gone.
      if (options.use == folder_use::serve) lock.tell(std::nullopt);
      ::kill(child, SIGINT);
      if (wait_child(child, 20'000) == -1) {
        ::kill(child, SIGQUIT);
        wait_child(child, 5'000);
      }
    }
  }
};

private_postgres::private_postgres(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
private_postgres::~private_postgres() = default;

outcome<std::unique_ptr<private_postgres>> private_postgres::start(
    const private_postgres_options& options) {
  auto made = std::make_unique<impl>();
  made->options = options;
  if (auto ok = made->prepare(); !ok) return ok.error();
  if (auto ok = made->init(); !ok) return ok.error();
  made->stop_orphan();
  made->launch();
  if (auto ok = made->await_ready(); !ok) return ok.error();
  if (auto ok = made->make_database(); !ok) return ok.error();
  if (options.use == folder_use::serve) made->lock.tell(folder_use::serve);
  return std::unique_ptr<private_postgres>(new private_postgres(std::move(made)));
}

outcome<private_cluster> private_postgres::look(const std::string& folder) {
  const auto binaries = find_binaries();
  if (binaries.empty()) return reject(errc::unavailable, not_installed);
  const auto is_there = look_at_cluster(binaries, folder_of(folder) / "data");
  if (!is_there) return is_there.error();
  return private_cluster{*is_there, std::atoi(major_of(binaries).c_str())};
}

std::string private_postgres::owner_url() const {
  return url_of(impl_->socket_folder, database);
}

std::string private_postgres::owner_url_of(const std::string& folder) {
  return url_of(socket_folder_of(folder_of(folder)), database);
}

/// A postmaster that was killed leaves its shared memory to backends that are about to notice; a
/// start that meets them fails, and the next one does not.
outcome<done> private_postgres::revive() {
  if (alive()) return done{};
  outcome<done> result = reject(errc::unavailable, "PostgreSQL does not start");
  for (int tries = 0; tries < 20 && !result; ++tries) {
    if (impl_->child > 0) wait_child(impl_->child, 0);
    impl_->launch();
    result = impl_->await_ready();
    if (!result) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return result;
}

bool private_postgres::alive() const {
  return impl_->child > 0 && is_running(impl_->child);
}

}  // namespace reeve::persistence
