#include "tests/support/engine.hpp"

#include "tests/support/eventually.hpp"

#include <filesystem>
#include <grp.h>
#include <iostream>
#include <signal.h>
#include <stdexcept>
#include <unistd.h>

namespace support {

namespace {

/// Every byte but letters and digits becomes %XX: good enough for a query, and never wrong.
std::string escaped(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      out += c;
    } else {
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return out;
}

std::string label_filter(const std::string& label) {
  return "filters=" + escaped(nlohmann::json{{"label", {label}}}.dump());
}

http_response expect(int status, http_response answer, const std::string& doing) {
  if (answer.status != status) {
    throw std::runtime_error(doing + ": the engine answered " + std::to_string(answer.status) +
                             " " + answer.body);
  }
  return answer;
}

std::string service_group() {
  const auto user = service_user();
  const group* entry = ::getgrgid(user ? user->gid : ::getgid());
  return entry == nullptr ? "root" : entry->gr_name;
}

}  // namespace

http_response engine::call(const std::string& method, const std::string& target,
                           const std::optional<nlohmann::json>& body,
                           std::chrono::milliseconds deadline) const {
  http_request request{method, "/v1.41" + target, {{"Host", "engine"}}, std::nullopt, deadline};
  if (body) {
    request.body = body->dump();
    request.headers.emplace_back("Content-Type", "application/json");
  }
  return http_call({0, socket_}, request);
}

bool engine::answers() const {
  try {
    return call("GET", "/_ping", std::nullopt, 2s).status == 200;
  } catch (const http_error&) {
    return false;
  }
}

nlohmann::json engine::containers(const std::string& label) const {
  const std::string filter = label.empty() ? "" : "&" + label_filter(label);
  return expect(200, call("GET", "/containers/json?all=1" + filter), "listing").json();
}

nlohmann::json engine::inspect(const std::string& container) const {
  return expect(200, call("GET", "/containers/" + container + "/json"), "inspecting").json();
}

bool engine::exists(const std::string& container) const {
  return call("GET", "/containers/" + container + "/json").status == 200;
}

std::string engine::create(const std::string& name, const nlohmann::json& body) const {
  nlohmann::json whole = body;
  if (!whole.contains("HostConfig")) whole["HostConfig"] = nlohmann::json::object();
  // Our engines have no bridge.
  if (!whole["HostConfig"].contains("NetworkMode")) whole["HostConfig"]["NetworkMode"] = "none";
  return expect(201, call("POST", "/containers/create?name=" + escaped(name), whole), "creating")
      .json()
      .at("Id");
}

void engine::start(const std::string& container) const {
  expect(204, call("POST", "/containers/" + container + "/start"), "starting");
}

void engine::remove(const std::string& container) const {
  call("DELETE", "/containers/" + container + "?force=1&v=1");
}

void engine::remove_labelled(const std::string& label) const {
  for (const auto& container : containers(label)) remove(container.at("Id"));
  const auto volumes = call("GET", "/volumes?" + label_filter(label));
  const auto found = volumes.status == 200 ? volumes.json() : nlohmann::json::object();
  if (!found.contains("Volumes") || !found["Volumes"].is_array()) return;
  for (const auto& volume : found["Volumes"]) {
    call("DELETE", "/volumes/" + volume.at("Name").get<std::string>() + "?force=1");
  }
}

std::string engine_log() {
  const auto file = std::filesystem::path(engine_socket()).parent_path() / "log";
  return "---- engine ----\n" + tail_of(file, 30) + "---- end ----\n";
}

engine_cleanup::~engine_cleanup() {
  try {
    if (test_is_failing()) {
      for (const auto& container : on_.containers(label_)) {
        const auto found = on_.inspect(container.at("Id"));
        std::cerr << found.at("Name") << " " << found.at("State") << "\n";
      }
    }
    on_.remove_labelled(label_);
  } catch (const std::exception& why) {
    // The engine and all that is in it go at the end of the tests.
    std::cerr << "removing what has the label " << label_ << ": " << why.what() << "\n";
  }
}

private_dockerd::private_dockerd() : folder_(work_dir(), "d"), dump_([this] { return log(); }) {
  start();
  process_options import{{"bash", "-c", ". \"$0\"; box_import \"$1\"", shell_library(), socket()}};
  import.drop_privileges = false;
  const auto imported = run_to_end(std::move(import), 20s * time_factor());
  if (imported.status != 0) throw std::runtime_error("importing the image: " + imported.output);
  leave_time(30s);  // a slow disk takes as long for that image
}

private_dockerd::~private_dockerd() {
  if (test_is_failing()) std::cerr << log() << std::flush;
  resume();
  const std::string pid = process_ ? std::to_string(process_->pid()) : "";
  process_options sweep{{"bash", "-c", ". \"$0\"; dockerd_stop \"$1\" \"$2\"", shell_library(),
                         folder_.path(), process_ && process_->running() ? pid : ""}};
  sweep.drop_privileges = false;
  try {
    run_to_end(std::move(sweep), 60s);
  } catch (const std::exception& why) {
    std::cerr << "stopping the private engine: " << why.what() << "\n";
  }
}

void private_dockerd::start() {
  process_.emplace(process_options{{"bash", "-c", ". \"$0\"; dockerd_exec \"$1\" \"$2\"",
                                    shell_library(), folder_.path(), service_group()},
                                   {},
                                   {},
                                   folder_.path() / "log",
                                   folder_.path() / "log",
                                   false});
  eventually(30s * time_factor(), [&] { return api().answers() || !process_->running(); });
  if (!api().answers()) throw std::runtime_error("the private engine does not start");
}

/// The engine's containerd dies with it, a moment later; a new engine must not meet it.
void private_dockerd::await_containerd() {
  const std::string text = contents_of(folder_.path() / "exec" / "containerd" / "containerd.pid");
  if (text.empty()) return;
  const pid_t pid = std::stoi(text);
  const auto gone = [&] { return !process_runs(pid); };
  if (!eventually(3s, gone)) ::kill(pid, SIGKILL);
  if (!eventually(5s, gone)) throw std::runtime_error("the engine's containerd does not end");
}

void private_dockerd::kill_hard() {
  if (!process_) return;
  process_->kill_hard();
  await_containerd();
}

void private_dockerd::stop() {
  if (!process_) return;
  process_->signal(SIGTERM);
  if (!process_->wait(20s)) throw std::runtime_error("the private engine does not stop");
  await_containerd();
}

void private_dockerd::pause() {
  if (process_) process_->signal(SIGSTOP);
}

void private_dockerd::resume() {
  if (process_) process_->signal(SIGCONT);
}

std::string private_dockerd::log() const {
  return "---- private engine ----\n" + tail_of(folder_.path() / "log", 60) + "---- end ----\n";
}

}  // namespace support
