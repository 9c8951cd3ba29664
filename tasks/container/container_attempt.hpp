#pragma once
// A `container` job's attempt: asks the allowlist and the engine, says what is to be executed, and
// passes on what the engine answers (adapters/work_engine_port.hpp).

#include "tasks/container/attempt_secrets.hpp"
#include "tasks/container/early_output.hpp"
#include "tasks/container/finished_log.hpp"
#include "tasks/task_kinds.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace reeve::tasks {

/// Its row.
std::unique_ptr<task_kind> open_container(const kind_surroundings& around);

class container_attempt final : public attempt_work {
 public:
  explicit container_attempt(attempt_host& host);
  ~container_attempt() override;

  bool is_own() const override { return false; }
  void resume(const domain::attempt_state& open) override;
  void allow() override;
  intention intend() override;
  void submit() override;
  void withhold(domain::end_reason why) override;
  void reach() override;
  void find() override;
  void started(const domain::attempts::execution& what) override;
  void watch(const std::string& execution) override;
  void stop(const std::string& execution) override;
  void collect(const std::string& execution) override;
  void forget() override;
  void let_go() override;

 private:
  void check_list(const domain::image_list_state& images);
  void find_image(const domain::image_allowed& entry, const std::string& reference);
  void choose_secrets(bool outlives_us);
  void choose_volume(bool outlives_us);
  /// Goes on with the image and the secrets of an attempt that was taken up.
  void find_again(std::function<void()> go);
  void submit_allowed();
  void submit_it();
  /// Why the image that was intended may not be started any more.
  std::optional<domain::end_reason> still_refused(const domain::image_list_state& images) const;
  void collect_it(const std::string& execution);
  void keep_nothing();
  void read_output(const std::string& execution, text_pool::room held);
  void redact_log(adapters::kept_output kept, text_pool::room held);
  void store_log(finished_log log, domain::attempts::collected what);
  void store_marks(const std::shared_ptr<const std::string>& marks,
                   domain::attempts::collected what);
  work_source source() const;
  adapters::work_key key() const;
  adapters::work_spec spec();
  adapters::container_spec container() const;
  const domain::container_params& params() const;
  /// Of an attempt that may call language models; nothing: this server cannot tell it (any more).
  std::optional<std::string> token() const;
  /// Of its output. An error: something that is secret in it cannot be looked for.
  outcome<redactor> rules() const;
  bool runs_as_server() const;
  std::function<std::optional<domain::end_reason>()> hindrance() const;

  adapters::work_engine* engine_;  // null: this server does not have the attempt's engine
  bool submitted_ = false;         // by this object; a resumed attempt was, perhaps, by another one
  bool is_just_intended_ = false;  // and not submitted since
  bool is_spare_ = false;          // the volume was prepared by this process
  domain::attempt_intended intent_;
  persistence::stream_version guard_;
  adapters::image_info image_;
  attempt_secrets secrets_;
  /// Read by the engine's threads.
  static constexpr auto not_withheld = domain::end_reason::exited;
  std::shared_ptr<std::atomic<domain::end_reason>> withheld_ =
      std::make_shared<std::atomic<domain::end_reason>>(not_withheld);
  std::string execution_;  // the engine's id of it, once it is known
  /// Nobody waits for the log's redaction any more.
  const std::shared_ptr<work_stop> is_over_ = std::make_shared<work_stop>();
  std::shared_ptr<call_stopper> reading_;  // the engine's output; null before
  early_output early_;
};

}  // namespace reeve::tasks
