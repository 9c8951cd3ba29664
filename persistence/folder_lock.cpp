#include "persistence/folder_lock.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace reeve::persistence {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view serve_word = "serve\n";
constexpr std::string_view look_word = "look\n";
constexpr milliseconds between_tries{50};
// Longer than somebody takes from getting the lock to putting the word of the one before away.
constexpr milliseconds two_looks = 2 * between_tries;

/// Of the one who has the lock.
std::optional<folder_use> holder_in(int file) {
  char text[8];
  const auto length = ::pread(file, text, sizeof text, 0);
  const std::string_view word(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  if (word == serve_word) return folder_use::serve;
  if (word == look_word) return folder_use::look;
  return std::nullopt;
}

bool is_patient(const private_postgres_options& options, std::optional<folder_use> holder) {
  return options.use == folder_use::serve && holder == folder_use::look;
}

milliseconds patience(const private_postgres_options& options, std::optional<folder_use> holder) {
  if (is_patient(options, holder)) return milliseconds(options.look_wait_ms);
  const milliseconds usual(options.lock_wait_ms);
  const bool is_beside = options.use == folder_use::look && holder == folder_use::serve;
  return is_beside ? std::min(usual, two_looks) : usual;
}

}  // namespace

folder_lock::~folder_lock() {
  if (file_ >= 0) ::close(file_);
}

outcome<done> folder_lock::take(const std::string& path, const private_postgres_options& options) {
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) return reject(errc::unavailable, path + " cannot be opened");
  const auto begin = std::chrono::steady_clock::now();
  // Of this holder; between two of them, and while one says what it does, there is none.
  auto since = begin;
  std::optional<folder_use> seen;
  bool told = false;
  while (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    if (options.is_ended && options.is_ended()) {
      return reject(errc::unavailable, "the wait for " + options.folder + " was ended");
    }
    const auto holder = holder_in(file_);
    const auto now = std::chrono::steady_clock::now();
    if (std::exchange(seen, holder) != holder) since = now;
    const milliseconds longest(std::max(options.look_wait_ms, options.lock_wait_ms));
    if (now >= since + patience(options, holder) || now >= begin + longest) {
      const std::string who = holder == folder_use::look ? "a command" : "another server";
      return reject(errc::conflict, who + " uses " + options.folder);
    }
    if (is_patient(options, holder) && !std::exchange(told, true)) {
      log_warn("a command uses the private PostgreSQL; this server starts when it has ended",
               {{"folder", options.folder}});
    }
    std::this_thread::sleep_for(between_tries);
  }
  tell(std::nullopt);
  return done{};
}

void folder_lock::tell(std::optional<folder_use> use) const {
  if (file_ < 0 || ::ftruncate(file_, 0) != 0 || !use) return;
  const auto word = *use == folder_use::serve ? serve_word : look_word;
  const auto written = ::pwrite(file_, word.data(), word.size(), 0);
  // Half a word is none, as is a word that could not be written.
  if (written != static_cast<ssize_t>(word.size())) log_warn("the lock file tells no use");
}

}  // namespace reeve::persistence
