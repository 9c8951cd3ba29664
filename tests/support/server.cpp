#include "tests/support/server.hpp"

#include <iostream>
#include <signal.h>
#include <stdexcept>

namespace support {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view ready_line = "reeve: ready on ";
constexpr std::string_view standby_line = "reeve: standby on ";
constexpr std::size_t dumped_lines = 200;

/// The processes, other than us, whose command line names the folder: a cluster that the server
/// under test started there.
std::vector<pid_t> processes_naming(const fs::path& folder) {
  std::vector<pid_t> found;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const pid_t pid = std::stoi(name);
    const bool names = contents_of(entry.path() / "cmdline").find(folder) != std::string::npos;
    if (names && pid != ::getpid() && process_runs(pid)) found.push_back(pid);
  }
  return found;
}

/// A file of one line, which must be there.
std::string line_in(const fs::path& file) {
  std::string text = contents_of(file);
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) throw std::runtime_error("there is nothing in " + file.string());
  return text;
}

}  // namespace

std::string real_engine() {
  leave_time(std::chrono::seconds(90));
  return "unix://" + engine_socket();
}

server::server(server_options options)
    : options_(std::move(options)),
      folder_(work_dir() / "servers", "s"),
      data_(options_.data.empty() ? folder_.path() / "data" : options_.data),
      dump_([this] { return log(); }) {
  if (!options_.private_postgres) {
    if (options_.database_url.empty()) own_database_ = std::make_unique<test_database>();
    database_url_ = own_database_ ? own_database_->url() : options_.database_url;
  }
  if (options_.start) start();
}

server::~server() {
  if (test_is_failing()) std::cerr << log() << std::flush;
  if (process_) process_->kill_hard();
  // A cluster of the server's own dies with it, a moment later.
  const auto gone = [&] { return processes_naming(data_).empty(); };
  if (options_.data.empty() && !eventually(5s, gone)) {
    for (const pid_t pid : processes_naming(data_)) ::kill(pid, SIGKILL);
    eventually(5s, gone);
  }
}

std::map<std::string, std::string> server::environment() const {
  auto variables = options_.environment;
  variables["REEVE_DATA"] = data_;
  variables.emplace("REEVE_LOGS", (folder_.path() / "logs").string());
  variables.emplace("REEVE_UPLOADS", (folder_.path() / "uploads").string());
  if (!database_url_.empty()) variables["DATABASE_URL"] = database_url_;
  return variables;
}

void server::start_without_waiting() {
  if (running()) throw std::logic_error("the server is running already");
  log_before_ = contents_of(folder_.path() / "out.log").size();
  process_options child{{server_program(), "serve", "--data", data_, "--listen", options_.listen,
                         "--docker", options_.docker},
                        environment(),
                        {"DATABASE_URL"},
                        folder_.path() / "out.log",
                        folder_.path() / "err.log"};
  for (const auto& argument : options_.arguments) child.command.push_back(argument);
  process_.emplace(child);
}

void server::start() {
  start_without_waiting();
  await_ready();
}

std::optional<std::string> server::url_after(std::string_view words) const {
  const std::string out = contents_of(folder_.path() / "out.log").substr(log_before_);
  const auto at = out.find(words);
  const auto end = at == std::string::npos ? at : out.find('\n', at);
  if (end == std::string::npos) return std::nullopt;
  const std::string rest = out.substr(at + words.size(), end - at - words.size());
  // What follows the URL in the line is for people.
  return rest.substr(0, rest.find(": "));
}

std::optional<std::string> server::announced_url() const {
  return url_after(ready_line);
}

std::optional<endpoint> server::standby_address() const {
  const auto url = url_after(standby_line);
  return url ? std::optional(endpoint::from_url(*url)) : std::nullopt;
}

void server::await_ready() {
  const auto deadline = options_.ready_within * time_factor();
  const bool settled = eventually(deadline, [&] { return announced_url() || !running(); });
  if (announced_url()) return;
  throw std::runtime_error(settled ? "the server ended before it was ready, status " +
                                         std::to_string(process_->wait(0ms).value_or(-1))
                                   : "the server was not ready in time");
}

int server::await_exit(std::chrono::milliseconds deadline) {
  if (!process_) throw std::logic_error("the server was never started");
  const auto status = process_->wait(deadline * time_factor());
  if (!status) throw std::runtime_error("the server did not end in time");
  return *status;
}

int server::stop() {
  if (process_) process_->signal(SIGTERM);
  return await_exit(20s);
}

void server::kill_hard() {
  if (process_) process_->kill_hard();
}

void server::pause() {
  if (process_) process_->signal(SIGSTOP);
}

void server::resume() {
  if (process_) process_->signal(SIGCONT);
}

void server::crash_and_restart() {
  kill_hard();
  start();
}

pid_t server::pid() const {
  return process_ ? process_->pid() : -1;
}

endpoint server::address() const {
  const auto url = announced_url();
  if (!url) throw std::logic_error("the server has not said where it listens");
  return endpoint::from_url(*url);
}

std::string server::token() const {
  return line_in(data_ / "token");
}

api_client server::system_api() const {
  return api_client(address(), line_in(data_ / "system-token"));
}

std::string server::log() const {
  return "---- standard output ----\n" + tail_of(folder_.path() / "out.log", dumped_lines) +
         "---- standard error ----\n" + tail_of(folder_.path() / "err.log", dumped_lines) +
         "---- end ----\n";
}

std::string server::whole_log() const {
  return contents_of(folder_.path() / "out.log") + contents_of(folder_.path() / "err.log");
}

finished server::command(std::vector<std::string> arguments,
                         std::chrono::milliseconds deadline) const {
  process_options child{std::move(arguments), environment(), {"DATABASE_URL"}};
  child.command.insert(child.command.begin(), server_program());
  return run_to_end(std::move(child), deadline);
}

}  // namespace support
