#pragma once
// The port over the Docker Engine API (1.40 and later) on a unix socket. The API version is
// negotiated before the first call and again after the engine was away, because it may have been
// upgraded. Reads are retried within their deadline; nothing that changes anything ever is.

#include "adapters/docker/docker_http.hpp"
#include "adapters/engine_port.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace reeve::adapters {

struct docker_options {
  std::string socket_path;  ///< 1..107 bytes
  int max_open = 1024;      ///< exchanges at once, among them one `wait` per running container
  /// Asked right before a change is sent, with the token that it was decided under: a server that
  /// stood still while another one took over must not send what it had decided before. Any thread.
  /// Empty: always.
  std::function<bool(fencing_token)> allows = {};
  /// A `wait` is asked anew, on another connection, after so long without an answer: one whose
  /// other end is gone without a word (a proxy, a tunnel) would say nothing for ever.
  std::int64_t wait_round_ms = 30'000;
  /// The output of a container that has ended is read as long as it flows: so long without a byte
  /// ends it, and so long in all.
  std::int64_t output_silence_ms = 30'000;
  std::int64_t output_ms = 600'000;
};

class docker_engine final : public container_engine {
 public:
  explicit docker_engine(docker_options options);
  ~docker_engine() override;

  std::string_view kind() const override { return "docker"; }
  void ping(reply_slot<done> slot) override;
  void version_info(reply_slot<engine_version> slot) override;
  void inspect_image(std::string ref, reply_slot<image_info> slot) override;
  void import_image(fencing_token by, tar_source tar, std::string ref,
                    reply_slot<std::string> slot) override;
  void create_volume(fencing_token by, std::string name, label_map labels,
                     reply_slot<done> slot) override;
  void remove_volume(fencing_token by, std::string name, reply_slot<done> slot) override;
  void list_volumes(std::vector<label_filter> filters,
                    reply_slot<std::vector<volume_summary>> slot) override;
  void create_container(fencing_token by, container_spec spec,
                        reply_slot<created_container> slot) override;
  void look_at(std::string container, std::string path, reply_slot<path_kind> slot) override;
  void put_archive(fencing_token by, std::string container, std::string path, shared_bytes tar,
                   reply_slot<done> slot) override;
  void start(fencing_token by, std::string container, reply_slot<start_result> slot) override;
  void wait(std::string container, reply_slot<wait_result> slot) override;
  void inspect(std::string id_or_name, reply_slot<container_info> slot) override;
  void details(std::string id_or_name, reply_slot<container_details> slot) override;
  void list_networks(reply_slot<std::vector<network_summary>> slot) override;
  void list(std::vector<label_filter> filters,
            reply_slot<std::vector<container_summary>> slot) override;
  void logs(std::string container, log_query query, reply_slot<log_answer> slot) override;
  void output(std::string container, std::size_t bytes_each, std::shared_ptr<call_stopper> stopper,
              reply_slot<kept_output> slot) override;
  void follow(std::string container, std::shared_ptr<output_sink> to,
              std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) override;
  void stop(fencing_token by, std::string container, int grace_s,
            reply_slot<stop_result> slot) override;
  void kill(fencing_token by, std::string container, int signal, reply_slot<done> slot) override;
  void remove_container(fencing_token by, std::string container, bool force,
                        reply_slot<done> slot) override;

 private:
  template <class T>
  using reader = std::function<outcome<T>(const http_answer&)>;

  /// Sends below the negotiated version and reads a 2xx or 304 with `read`.
  template <class T>
  void request(http_call call, reply_slot<T> slot, reader<T> read);
  /// The same for calls whose success says everything.
  void request(http_call call, reply_slot<done> slot);
  void send_versioned(http_call call, docker_http::callback answer);
  void wait_a_round(std::string container, reply_slot<wait_result> slot);
  void with_api(std::function<void(outcome<std::string>)> next);
  void fetch_logs(const std::string& container, const log_query& query, bool tty,
                  reply_slot<log_answer> slot);
  void take_in(http_call call, std::shared_ptr<body_sink> to, std::shared_ptr<call_stopper> stopper,
               reply_slot<done> slot);
  void forget_api();

  docker_options options_;
  std::mutex mutex_;
  std::string api_;  // guarded by mutex_; empty until negotiated
  /// So many read the outputs of containers again and again (log_follow.hpp).
  const std::shared_ptr<std::atomic<int>> output_readers_ = std::make_shared<std::atomic<int>>(0);
  // Last: destroyed first, so that no callback runs into members that are gone.
  docker_http http_;
};

}  // namespace reeve::adapters
