#pragma once
// Looking at a container engine from outside, past the server under test.

#include "tests/support/environment.hpp"
#include "tests/support/http.hpp"
#include "tests/support/process.hpp"
#include "tests/support/watchdog.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace support {

class engine {
 public:
  explicit engine(std::string socket = engine_socket()) : socket_(std::move(socket)) {}

  bool answers() const;
  http_response call(const std::string& method, const std::string& target,
                     const std::optional<nlohmann::json>& body = std::nullopt,
                     std::chrono::milliseconds deadline = std::chrono::seconds(30)) const;
  /// All containers, whatever their state, with a label ("key" or "key=value"); all when empty.
  nlohmann::json containers(const std::string& label) const;
  /// By id or name. inspect() throws when there is none.
  nlohmann::json inspect(const std::string& container) const;
  bool exists(const std::string& container) const;
  /// The new container's id. `body` as the engine's API has it, e.g. {"Image", "Cmd", "Labels"}.
  std::string create(const std::string& name, const nlohmann::json& body) const;
  void start(const std::string& container) const;
  /// With its anonymous volumes, running or not; it need not exist.
  void remove(const std::string& container) const;
  void remove_labelled(const std::string& label) const;
  const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
};

/// What the common engine last logged.
std::string engine_log();

/// Removes the containers and volumes with a label when the test ends.
class engine_cleanup {
 public:
  engine_cleanup(engine on, std::string label) : on_(std::move(on)), label_(std::move(label)) {}
  ~engine_cleanup();
  engine_cleanup(const engine_cleanup&) = delete;
  engine_cleanup& operator=(const engine_cleanup&) = delete;

 private:
  engine on_;
  std::string label_;
};

/// An engine of a test's own, with the image localhost:1/box:1, for tests that kill or freeze it.
class private_dockerd {
 public:
  private_dockerd();
  ~private_dockerd();

  /// Returns when it answers.
  void start();
  /// kill -9; the engine and its containerd are gone when this returns, the containers go on.
  void kill_hard();
  /// An orderly stop; the containers go on.
  void stop();
  /// A frozen engine takes connections and never answers.
  void pause();
  void resume();

  std::string socket() const { return (folder_.path() / "sock").string(); }
  std::string url() const { return "unix://" + socket(); }
  engine api() const { return engine(socket()); }
  std::string log() const;

 private:
  void await_containerd();

  scratch_dir folder_;
  std::optional<process> process_;
  dump_on_expiry dump_;
};

}  // namespace support
