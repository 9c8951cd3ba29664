#pragma once
// The output of one job as server-sent events: of an attempt that runs as it comes, of one that has
// ended as it is stored, and on through the job's further attempts until the job has ended.
//
//   id: 1-7-1795000000000000000       attempt, line, and when it was written (nanoseconds)
//   event: line
//   data: {"attempt":1,"line":7,"stream":"stderr","at":"…","text":"…"}
//
// What is stored tells no time, and the stream only where that was kept: who asks for one stream of
// other output gets `streams_unknown` in its place, {"attempt":1,"streams":"unknown"}. A line of
// more than 16 KiB comes in pieces, all but the last of which say `"is_ended":false` and have no
// id. `gap` says that lines may be missing there, `end` how the job ended. Ids are the same for an
// attempt that runs and once it is stored, so who comes back, to whichever server, goes on where it
// was: behind a part that is not stored lines may come again, and none is left out.

#include "api/route.hpp"
#include "domain/runs/job_state.hpp"
#include "domain/runs/line_streams.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::api {

struct services;

struct output_line {
  std::int64_t number = 0;  // from 1
  std::int64_t at_ns = 0;   // 0: not known
  bool is_err = false;
  bool is_ended = true;  // false: the same line goes on
  std::string text;
  /// Of a stored line, which has no `is_err`; nothing: not known.
  std::optional<domain::line_stream> of = {};
  bool is_gap = false;  // it is none: some may be missing here
};

/// Output of an attempt that runs, redacted. Any thread.
class output_source {
 public:
  virtual ~output_source() = default;
  /// What has come, about so many bytes of it.
  virtual std::vector<output_line> take(std::size_t most_bytes) = 0;
  /// `broken`: it ended before the output did; another one may be asked for.
  enum class phase { going, over, broken };
  virtual phase state() const = 0;
};

/// The last line that a client has.
struct output_place {
  std::int64_t attempt = 0;  // 0: none yet
  std::int64_t line = 0;     // 0: nothing of the attempt
  std::int64_t at_ns = 0;    // 0: not known
  bool operator==(const output_place&) const = default;
};

std::string to_string(const output_place& place);
std::optional<output_place> parse_output_place(std::string_view text);

struct output_request {
  uuid tenant;
  domain::attempt_intended intent;
  std::string execution;  // the engine's id of it
  output_place after;
  uuid token;  // who follows it
  uuid run;
};

/// Streams that are there, for what concerns all of them. Outlives its streams' calls.
class log_streams {
 public:
  explicit log_streams(services& s) : services_(s) {}

  /// Behind that place; attempt 0: from the beginning of the newest attempt. `only`: nothing but
  /// the lines of that stream, and what Reeve says in between.
  std::shared_ptr<body_stream> open(uuid tenant, uuid run, uuid job, output_place after, uuid token,
                                    std::optional<domain::line_stream> only);
  /// Several times a second, from any thread.
  void heartbeat();
  /// The token was revoked.
  void end_of(const uuid& token);

 private:
  std::vector<std::shared_ptr<class log_stream>> present();

  services& services_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<class log_stream>> streams_;
};

}  // namespace reeve::api
