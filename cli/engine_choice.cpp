#include "cli/engine_choice.hpp"

#include "adapters/docker/docker_engine.hpp"
#include "adapters/simulated/simulated_engine.hpp"

#include <chrono>
#include <cstdlib>
#include <future>

namespace reeve::cli {
namespace {

constexpr std::string_view scheme = "unix://";
constexpr const char* usual_socket = "/var/run/docker.sock";

std::string socket_of(std::string_view setting) {
  return std::string(setting.starts_with(scheme) ? setting.substr(scheme.size()) : setting);
}

std::unique_ptr<adapters::container_engine> docker_at(const std::string& path,
                                                      std::function<bool(fencing_token)> allows) {
  adapters::docker_options options;
  options.socket_path = path;
  options.allows = std::move(allows);
  return std::make_unique<adapters::docker_engine>(options);
}

bool answers(adapters::container_engine& engine) {
  auto promise = std::make_shared<std::promise<bool>>();
  auto answer = promise->get_future();
  engine.ping(reply_slot<done>([promise](outcome<done> ok) { promise->set_value(ok.ok()); }));
  return answer.wait_for(std::chrono::seconds(3)) == std::future_status::ready && answer.get();
}

}  // namespace

std::string engine_socket(const std::string& setting) {
  if (setting == "simulated") return "";
  if (setting.starts_with(scheme)) return socket_of(setting);
  const char* host = std::getenv("DOCKER_HOST");
  const bool named = host != nullptr && std::string_view(host).starts_with(scheme);
  return named ? socket_of(host) : usual_socket;
}

outcome<std::unique_ptr<adapters::container_engine>> choose_engine(
    const std::string& setting, bool real_engine_seen, std::function<bool(fencing_token)> allows) {
  using engine_ptr = std::unique_ptr<adapters::container_engine>;
  if (setting == "simulated") return engine_ptr(std::make_unique<adapters::simulated_engine>());
  if (setting.starts_with(scheme)) {
    const auto path = engine_socket(setting);
    if (path.empty() || path.size() > 107) {
      return reject(errc::invalid, "the path of the engine's socket has 1..107 bytes", "docker");
    }
    return docker_at(path, std::move(allows));
  }
  auto docker = docker_at(engine_socket(setting), std::move(allows));
  if (real_engine_seen || answers(*docker)) return docker;
  return engine_ptr(std::make_unique<adapters::simulated_engine>());
}

}  // namespace reeve::cli
