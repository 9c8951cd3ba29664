#pragma once
// A `container` job's attempt: intent, create, archive, start, wait, collect, remove. Each effect
// follows its event; an answer that says "maybe" is followed by a look, never by a second start.

#include "actors/runs/job_attempt.hpp"

namespace reeve::actors {

class container_attempt final : public job_attempt {
 public:
  using job_attempt::job_attempt;

  void prepare() override;
  void resume() override;
  void cancel() override;

 private:
  using info = adapters::container_info;

  void check_lists(const domain::image_list_state& images);
  void find_image(const domain::image_allowed& entry, std::string reference,
                  persistence::stream_version guard);
  void intend(std::string reference, std::string image_id, persistence::stream_version guard);
  void create();
  void create_container();
  void put_archive();
  void check();
  void start();
  void record_started(bool adopted);
  void look();
  void looked(const info& found);
  void never_started();
  void wait();
  void watch_deadline();
  void stop(domain::end_reason why);
  void collect();
  void collect_log(const info& found);
  void store_log(const info& found, adapters::log_answer answer);
  void finish(const info& found, std::optional<domain::blob_ref> log);
  void give_up(domain::end_reason reason);
  void remove();
  void removed_container();
  /// Goes on with `next` when the engine may be asked again after this error.
  void retry(errc code, void (container_attempt::*next)());
  adapters::container_spec spec() const;
  /// What may be mounted is looked at again: a folder may have become a link since the launch.
  bool may_mount() const;
  /// Changes name the container by its id: one that another leader has put in its place under the
  /// same name is out of reach.
  const std::string& container() const { return container_id_.empty() ? name_ : container_id_; }
  const domain::attempt_state& attempt() const { return job().attempts.back(); }
  adapters::container_engine& engine() { return run_.ports().engine; }

  std::string name_;
  std::string volume_;
  std::optional<std::string> spare_;  // taken, for the intent to name it
  bool prepared_ = false;             // the volume has everything, as far as is known
  adapters::image_info image_;
  std::string container_id_;
  std::optional<domain::end_reason> stopping_;
  int recreated_ = 0;
  int removals_ = 0;
  int log_failures_ = 0;
  bool waiting_ = false;
  bool intended_ = false;
};

}  // namespace reeve::actors
