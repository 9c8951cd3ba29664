#include "tests/support/private_cluster.hpp"

#include "tests/support/eventually.hpp"
#include "tests/support/pg.hpp"

#include <algorithm>
#include <iostream>
#include <signal.h>
#include <sstream>
#include <stdexcept>

namespace support {

private_cluster::private_cluster(std::vector<std::string> settings)
    : settings_(std::move(settings)),
      folder_(fast_dir(), "pg"),
      sockets_(work_dir(), "c"),
      dump_([this] { return log(); }) {
  process_options copy{{"cp", "-a", cluster_seed(), data()}};
  copy.drop_privileges = false;
  const auto copied = run_to_end(std::move(copy), 20s);
  if (copied.status != 0) throw std::runtime_error("copying the seed: " + copied.output);
  start();
}

private_cluster::~private_cluster() {
  if (test_is_failing()) std::cerr << log() << std::flush;
  kill_hard();
}

/// Ready when line 8 of postmaster.pid says so and line 1 is our process.
bool private_cluster::ready() const {
  std::istringstream file(contents_of(data() / "postmaster.pid"));
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (number == 1 && line != std::to_string(process_->pid())) return false;
    if (number == 8) return line.starts_with("ready");
  }
  return false;
}

void private_cluster::start(std::vector<std::string> settings) {
  settings_ = std::move(settings);
  start();
}

void private_cluster::start() {
  process_options child{
      {"bash", "-c", ". \"$0\"; pg_exec \"$@\"", shell_library(), data(), sockets_.path()},
      {},
      {},
      folder_.path() / "log",
      folder_.path() / "log",
      false};
  for (const auto& setting : settings_) child.command.push_back(setting);
  process_.emplace(child);
  eventually(20s * time_factor(), [&] { return ready() || !running(); });
  if (!ready()) throw std::runtime_error("the private cluster does not start");
}

std::vector<pid_t> private_cluster::processes() const {
  if (!process_ || process_->pid() < 0) return {};
  auto all = children_of(process_->pid());
  all.push_back(process_->pid());
  return all;
}

void private_cluster::kill_hard() {
  if (!running()) return;
  const auto all = processes();
  process_->kill_hard();
  for (const pid_t pid : all) {
    if (pid != process_->pid()) ::kill(pid, SIGKILL);
  }
  eventually(5s, [&] { return std::none_of(all.begin(), all.end(), process_runs); });
}

void private_cluster::stop() {
  if (!running()) return;
  process_->signal(SIGINT);
  if (!process_->wait(10s * time_factor())) throw std::runtime_error("the cluster does not stop");
}

void private_cluster::pause() {
  for (const pid_t pid : processes()) ::kill(pid, SIGSTOP);
}

void private_cluster::resume() {
  for (const pid_t pid : processes()) ::kill(pid, SIGCONT);
}

std::string private_cluster::url(const std::string& database) const {
  return "postgresql:///" + database + "?host=" + sockets_.path().string() + "&user=reeve";
}

std::string private_cluster::create_database(const std::string& name) {
  pg(url()).exec("CREATE DATABASE " + name);
  return url(name);
}

std::string private_cluster::log() const {
  return "---- private cluster ----\n" + tail_of(folder_.path() / "log", 100) + "---- end ----\n";
}

}  // namespace support
