#pragma once
// A log in memory, as its writer and as a reader of streams: what actors need of a database,
// without one.

#include "persistence/log_writer_port.hpp"
#include "persistence/read_port.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace memory_log {

using namespace reeve;

class store {
 public:
  /// What is never taken, whatever else is in the append; set before the first one.
  std::function<bool(const domain::new_event&)> is_invalid;

  outcome<persistence::append_result> append(const persistence::append_request& what) {
    const std::lock_guard lock(mutex_);
    if (refusals_ > 0) {
      --refusals_;
      refused_at_us_.push_back(real_clock().mono_us());
      return reject(errc::internal, "planted");
    }
    for (const auto& e : what.events) {
      if (is_invalid && is_invalid(e)) return reject(errc::invalid, "planted");
    }
    for (const auto& [stream, version] : what.expect) {
      if (versions_[stream] != version) return reject(errc::version_conflict, stream);
    }
    persistence::append_result result;
    for (const auto& e : what.events) {
      domain::event_record r;
      r.position = static_cast<domain::position>(records_.size()) + 1;
      r.stream = e.stream;
      r.version = ++versions_[e.stream];
      r.type = e.type;
      r.schema_version = e.schema_version;
      r.tenant = e.tenant;
      r.payload = e.payload;
      r.meta = e.meta;
      r.recorded_at_us = real_clock().now_us();
      result.stamps.push_back({r.position, r.version, r.recorded_at_us});
      records_.push_back(std::move(r));
    }
    result.last_position = static_cast<domain::position>(records_.size());
    return result;
  }
  /// The next so many appends.
  void refuse(int appends) {
    const std::lock_guard lock(mutex_);
    refusals_ = appends;
  }
  /// In the order of the log, of every stream.
  std::vector<std::string> payloads() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const auto& r : records_) all.push_back(r.payload);
    return all;
  }
  /// When each was, by the monotonic clock.
  std::vector<std::int64_t> refused_at_us() const {
    const std::lock_guard lock(mutex_);
    return refused_at_us_;
  }
  std::vector<domain::event_record> read(const std::string& stream, domain::version after) const {
    const std::lock_guard lock(mutex_);
    std::vector<domain::event_record> found;
    for (const auto& r : records_) {
      if (r.stream == stream && r.version > after) found.push_back(r);
    }
    return found;
  }
  std::vector<std::string> types_in(const std::string& stream) const {
    std::vector<std::string> types;
    for (const auto& r : read(stream, 0)) types.push_back(r.type);
    return types;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<domain::event_record> records_;
  std::map<std::string, domain::version> versions_;
  int refusals_ = 0;
  std::vector<std::int64_t> refused_at_us_;
};

class writer final : public persistence::log_writer {
 public:
  explicit writer(store& log) : log_(log) {}

  outcome<persistence::journal_head> open() override {
    state_ = persistence::journal_state::leading;
    return persistence::journal_head{};
  }
  void append(std::shared_ptr<persistence::journal_batch> batch) override {
    for (const auto& each : batch->requests) batch->answers.emplace_back(log_.append(each));
  }
  void begin(std::shared_ptr<persistence::journal_batch> batch) override {
    append(std::move(batch));
  }
  bool in_flight() const override { return false; }
  bool has_landed() const override { return false; }
  void on_landed(std::function<void()>) override {}
  void finish() override {}
  outcome<done> renew() override { return done{}; }
  outcome<done> resign() override { return done{}; }
  persistence::journal_state state() const override { return state_; }

 private:
  store& log_;
  persistence::journal_state state_ = persistence::journal_state::closed;
};

/// Streams alone; everything else is not there. Counts the events that it gives.
class reads : public persistence::read_port {
 public:
  explicit reads(const store& log) : log_(log) {}

  std::int64_t events_given() const { return given_; }

  void stream(uuid, const std::string& name, domain::version after, int limit,
              reply_slot<std::vector<domain::event_record>> slot) override {
    auto found = log_.read(name, after);
    if (found.size() > static_cast<std::size_t>(limit)) {
      found.resize(static_cast<std::size_t>(limit));
    }
    given_ += static_cast<std::int64_t>(found.size());
    slot.answer(std::move(found));
  }
  void get(persistence::collection, uuid, const std::string&,
           reply_slot<persistence::document> slot) override {
    refuse(slot);
  }
  void list(persistence::list_query, reply_slot<persistence::document> slot) override {
    refuse(slot);
  }
  void run_detail(uuid, uuid, reply_slot<persistence::document> slot) override { refuse(slot); }
  void job_detail(uuid, uuid, reply_slot<persistence::document> slot) override { refuse(slot); }
  void run_of_job(uuid, uuid, reply_slot<std::optional<uuid>> slot) override { refuse(slot); }
  void llm_usage(persistence::llm_usage_query, reply_slot<persistence::document> slot) override {
    refuse(slot);
  }
  void llm_spent(persistence::llm_spent_query, reply_slot<domain::llm_sums> slot) override {
    refuse(slot);
  }
  void events(persistence::event_query, reply_slot<persistence::event_page> slot) override {
    refuse(slot);
  }
  void event(std::optional<uuid>, domain::position, domain::event_reader,
             reply_slot<persistence::document> slot) override {
    refuse(slot);
  }
  void last_successful_run(uuid, uuid, reply_slot<std::optional<last_success>> slot) override {
    refuse(slot);
  }
  void stored_logs(persistence::stored_log_query,
                   reply_slot<persistence::stored_log_page> slot) override {
    refuse(slot);
  }
  void blob(uuid, const digest&, std::int64_t, std::int64_t,
            reply_slot<std::string> slot) override {
    refuse(slot);
  }
  void command(uuid, const std::string&, const std::string&, const std::string&,
               reply_slot<std::optional<known_command>> slot) override {
    refuse(slot);
  }
  domain::position head() const override { return 0; }

 private:
  template <class T>
  static void refuse(const reply_slot<T>& slot) {
    slot.answer(reject(errc::not_found, "streams alone are there"));
  }

  const store& log_;
  std::atomic<std::int64_t> given_{0};
};

}  // namespace memory_log
