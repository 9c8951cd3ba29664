#pragma once
// The answer of a language model, chunk by chunk, from an upstream to its client: data and nothing
// else, without the chunk of counts that only Reeve asked for. The last word comes when the call
// has been recorded.

#include "adapters/llm_call_port.hpp"
#include "api/llm_meter.hpp"
#include "api/route.hpp"
#include "codec/sse_data.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace reeve::api {

class llm_relay final : public body_stream, public std::enable_shared_from_this<llm_relay> {
 public:
  /// Told once what the call came to, however it ended; the slot is answered when it is recorded.
  using record_fn = std::function<void(llm_metered what, reply_slot<done> slot)>;

  llm_relay(std::shared_ptr<adapters::upstream_bytes> from, llm_meter meter, record_fn record);
  ~llm_relay() override;

  void next(reply_slot<std::string> slot) override;
  void cancel() override;

 private:
  void pull();
  void on_bytes(outcome<std::string> bytes);
  /// Of what was read: true, if nothing more is.
  bool take_events(std::string& text);
  void end(std::string text, bool is_whole);
  void give(outcome<std::string> piece);

  const std::shared_ptr<adapters::upstream_bytes> from_;
  const record_fn record_;
  std::atomic<std::thread::id> puller_{};
  std::atomic<bool> again_{false};

  std::mutex mutex_;  // for all below
  llm_meter meter_;
  codec::sse_data events_;
  reply_slot<std::string> waiting_;
  bool is_done_ = false, is_broken_ = false;
  bool is_recorded_ = false;
  int silent_rounds_ = 0;         // since somebody asked for a piece
  std::size_t silent_bytes_ = 0;  // that came meanwhile
  bool has_ended_ = false;        // the next piece is the end
  bool is_whole_ = false;         // its last word was said: else it is cut
};

}  // namespace reeve::api
