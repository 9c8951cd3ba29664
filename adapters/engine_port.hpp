#pragma once
// The port to a container engine. Asynchronous: every call returns at once and answers its slot
// exactly once, on a thread of the adapter; the slot's function must only hand the value over.
// Every call but `wait` has a deadline inside the adapter (ping 1 s, reads 5 s, create and start
// 30 s, stop grace + 10 s, import and archives 120 s). Safe to call from any thread. The destructor
// answers what is still open; after it no slot is called.
//
// Errors are a closed set, so that the caller can tell what may have happened:
//   engine_unavailable  nothing was sent (no socket, breaker open). Surely no effect.
//   overloaded          nothing was sent: too many calls wait. Back pressure, the engine is well.
//   fenced              nothing was sent: this server may not change anything now.
//   timed_out           it was sent and no whole answer came: it MAY have happened. Inspect.
//   internal            the engine answered that it failed: it MAY have happened. Inspect.
//   engine_unreadable   its answer is not what its API promises: it MAY have happened. Inspect.
//   not_found, conflict, invalid   the engine refused: surely no effect.
// What changes anything carries the token of the leadership that decided it, which is asked again
// right before it is sent. A name that is taken is `conflict`, which makes create idempotent under
// deterministic names.

#include "base/call_stopper.hpp"
#include "base/leadership.hpp"
#include "base/outcome.hpp"
#include "base/slot.hpp"
#include "base/time.hpp"
#include "domain/runs/line_streams.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::adapters {

/// True if the failed call may have taken effect all the same. `unavailable` is a slot that was
/// dropped unanswered, about which nothing is known either.
constexpr bool may_have_happened(errc code) {
  return code == errc::timed_out || code == errc::internal || code == errc::unavailable ||
         code == errc::engine_unreadable;
}

/// True if an error of a question says nothing about what was asked: the engine was not reached, or
/// gave no answer that can be understood.
constexpr bool is_unanswered(errc code) {
  return code != errc::not_found && code != errc::invalid && code != errc::conflict;
}

using label_map = std::map<std::string, std::string>;

/// Bytes that several hold at once: an archive with reeve-init in it has about a megabyte, and
/// copying it took a good part of the processor's time that a launch needs.
using shared_bytes = std::shared_ptr<const std::string>;

/// The directory that every attempt's volume is mounted at; archives go only there.
inline constexpr std::string_view volume_target = "/reeve";
/// The program that is PID 1, and the file that it creates exactly once, both on that volume.
inline constexpr std::string_view init_path = "/reeve/reeve-init";
inline constexpr std::string_view marker_path = "/reeve/state/started";
/// Where a container finds its secrets as files: in its memory, so they go with the execution and
/// are never on the host's disk. reeve-init writes them.
inline constexpr std::string_view secrets_path = "/reeve/secrets";

/// Where a container finds the server's socket for language models: a folder of the host,
/// read-only, with nothing in it but that socket. reeve-init relays to it (init/llm_relay.h).
inline constexpr std::string_view llm_path = "/reeve/llm";
inline constexpr std::string_view llm_socket_name = "reeve.sock";

struct engine_version {
  std::string version;      ///< of the engine, e.g. "20.10.24"
  std::string api_version;  ///< the one in use after negotiation, e.g. "1.41"
  bool live_restore = false;
  std::string id;   ///< the engine's own: another engine at the same place has another one
  time_us now = 0;  ///< the engine's clock when it answered; 0: it did not say
  /// Where it keeps images, volumes and containers, absolute; empty: it did not say.
  std::string data_root = {};
  bool operator==(const engine_version&) const = default;
};

struct image_info {
  std::string id;                         ///< "sha256:" and 64 hexadecimal digits
  std::vector<std::string> repo_digests;  ///< "name@sha256:…"; empty for imported images
  std::uint64_t size_bytes = 0;
  /// What the image would run by itself: a caller that puts reeve-init in front repeats it.
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::string user;
  std::string working_dir;
  std::vector<std::string> volumes;  ///< paths that get a volume of the image's own
};

/// Either the bytes themselves or, if `path` is not empty, a file that is streamed (≤ 4 GiB).
struct tar_source {
  std::string bytes;
  std::string path;
};

enum class network_mode { none, host };

inline constexpr std::int64_t default_log_bytes = 16 << 20;

/// A bind mount. The caller has resolved `source` (no symbolic links) and checked it against the
/// configured roots; the engine's socket, its directory and "/" are refused once more here.
struct bind_mount {
  std::string source;
  std::string target;
  bool read_only = true;
};

/// Everything that a caller may choose about a container. The rest of the host configuration is
/// fixed (docker_body.cpp): no capabilities, no new privileges, private namespaces, no restarts.
struct container_spec {
  std::string name;                      ///< [a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}
  std::string image_id;                  ///< "sha256:…", never a reference
  std::vector<std::string> entrypoint;   ///< e.g. {init_path, marker_path, "--"}
  std::vector<std::string> command;      ///< appended to the entrypoint
  std::vector<std::string> environment;  ///< "NAME=value"
  label_map labels;
  std::int64_t memory_bytes = 0;  ///< 6 MiB..; swap is always equal to it (none)
  std::int64_t nano_cpus = 0;     ///< 1e9 is one CPU; at least 10,000,000 (0.01 CPU)
  std::int64_t pids_limit = 256;  ///< 1..32768
  network_mode network = network_mode::none;
  std::string user = "65534:65534";  ///< "uid:gid" in digits
  bool read_only_root = true;
  std::int64_t tmp_bytes = 0;  ///< > 0 mounts a tmpfs of that size at /tmp (counts as memory)
  /// > 0 mounts a tmpfs of that size at secrets_path, which is the user's alone (counts as memory).
  std::int64_t secret_bytes = 0;
  /// What the engine keeps of the output, in its own form: 1 MiB..1 GiB. It lets go of the oldest
  /// in steps of an eighth.
  std::int64_t log_bytes = default_log_bytes;
  std::vector<bind_mount> mounts;
  /// Where the image brings volumes of its own along, in plain form ("/data"): the engine makes
  /// them unasked, and a container that has other ones is not started.
  std::vector<std::string> image_volumes;
  /// The folder of the host that is mounted at llm_path; empty for none.
  std::string llm_folder;
  std::string volume;       ///< the named volume that is mounted at /reeve; empty for none
  std::string working_dir;  ///< absolute, or empty for the image's
};

struct created_container {
  std::string id;
};

struct start_result {
  bool already_running = false;  ///< the engine answered 304
};

struct wait_result {
  std::int64_t exit_code = 0;
};

/// Something that is mounted in a container, but for tmpfs.
struct container_mount {
  std::string volume;  ///< its name; empty for a folder of the host
  std::string target;  ///< as it was asked for: a link of the image there is not resolved
};

/// What a path in a container is; a link itself, not what it leads to.
enum class path_kind { folder, link, other };

/// `status` is the engine's word: created, running, paused, restarting, removing, exited, dead.
struct container_info {
  std::string id;
  std::string name;  ///< without the leading '/'
  std::string image_id;
  std::string status;
  time_us started_at = 0;   ///< 0: never started
  time_us finished_at = 0;  ///< 0: not finished
  std::int64_t exit_code = 0;
  std::int64_t pid = 0;  ///< 0: not running
  bool oom_killed = false;
  std::string error;  ///< the engine's text of a failed start
  label_map labels;
  bool tty = false;
  std::vector<container_mount> mounts;
};

struct stop_result {
  bool was_running = false;  ///< else there was nothing to stop: the engine answered 304
};

struct container_summary {
  std::string id;
  std::string name;
  std::string image;
  std::string image_id;
  std::string state;
  label_map labels;
  std::vector<std::string> volumes;  ///< the names of those that it mounts
};

struct volume_summary {
  std::string name;
  label_map labels;
};

/// A network that a container has joined.
struct joined_network {
  std::string name;
  std::string id;        ///< empty before the container's first start
  std::string address;   ///< "10.0.0.2"; empty while it does not run
  std::string address6;  ///< of IPv6
};

struct published_port {
  std::string protocol;  ///< "tcp", "udp", "sctp"
  std::int64_t container_port = 0;
  std::string host_address;    ///< "0.0.0.0", "::"; empty: not published
  std::int64_t host_port = 0;  ///< 0: not published, only said by the image or at its making
};

/// A named volume in a container. Folders of the host are not told: their paths are the host's.
struct mounted_volume {
  std::string name;
  std::string target;
  bool read_only = false;
};

/// What a container is connected to.
struct container_details {
  std::string id;
  std::string name;      ///< without the leading '/'
  std::string image;     ///< as it was asked for, "nginx:1.25"
  std::string image_id;  ///< "sha256:…"
  std::string status;    ///< as container_info has it
  std::int64_t pid = 0;  ///< 0: not running; of the engine's own view of the machine
  /// "bridge", "host", "none", a network's name, or "container:<id>" whose network it shares.
  std::string network_mode;
  label_map labels;
  std::vector<joined_network> networks;
  std::vector<published_port> ports;
  std::vector<mounted_volume> volumes;
};

struct network_summary {
  std::string id;
  std::string name;
  std::string driver;     ///< "bridge", "overlay", "host", "null", …
  bool internal = false;  ///< without a way out
};

/// A label that must be there; an empty value matches any value.
struct label_filter {
  std::string key;
  std::string value;
};

/// Bounds are inclusive nanoseconds since the epoch, 0 for none. Several lines share a
/// microsecond, none a nanosecond: to follow, ask from the largest at_ns + 1. Two streams may be
/// written a little out of order, so the final collection asks for everything.
struct log_query {
  std::int64_t since_ns = 0;
  std::int64_t until_ns = 0;
  std::size_t max_bytes = 1 << 20;  ///< of text with newlines; what lies beyond is left out
  bool stdout_lines = true;
  bool stderr_lines = true;
};

enum class log_stream : std::uint8_t { out = 1, err = 2 };

struct log_line {
  log_stream stream = log_stream::out;
  std::int64_t at_ns = 0;  ///< the engine's stamp of the line's last part; 0: unreadable
  std::string text;        ///< without its newline; any bytes, also no valid UTF-8
  bool is_ended = true;    ///< false: no newline came; its rest follows, or the stream was over
  bool operator==(const log_line&) const = default;
};

struct log_answer {
  std::vector<log_line> lines;
  bool truncated = false;  ///< max_bytes was reached: ask again from the last line on
  /// That the engine could not read all of it, in words of a closed list; empty if it could.
  /// Lines are those that it gave all the same.
  std::string problem = {};
};

/// A line of an output by which its place is found in another reading of it (line_anchors.hpp).
struct line_anchor {
  std::size_t end = 0;  ///< behind its newline, in `kept_output::head`
  std::int64_t at_ns = 0;
  log_stream stream = log_stream::out;
  std::size_t hash = 0;  ///< of its text; this process' own
  bool is_same(const line_anchor& other) const {
    return at_ns == other.at_ns && stream == other.stream && hash == other.hash;
  }
};

/// The output of a container that has ended, as it was written (kept_output.hpp). Of one that runs
/// the last `most_unsettled_bytes` may come in another order once more has come.
struct kept_output {
  std::string head;            ///< all of it if nothing is left out
  std::string tail;            ///< its end, if something is
  std::uint64_t left_out = 0;  ///< bytes between the two
  /// Whose each of their lines is; the first one of `tail` may have begun before. Empty: not known.
  domain::line_marks head_lines = {};
  domain::line_marks tail_lines = {};
  bool gone = false;  ///< the engine has none of it; only work_engine::collect says so
  /// The engine has so much of it that it may have let go of what came before `head`.
  bool lacks_beginning = false;
  std::vector<line_anchor> anchors = {};  ///< in `head`
  /// More than `left_out` may be missing between the two. The engine does not say so; whoever joins
  /// two readings does.
  bool lacks_middle = false;
};
/// A line of each stream that has not ended is read in pieces of 64 KiB.
inline constexpr std::size_t most_unsettled_bytes = 2 * (std::size_t{4} * 16'384 + 1);

/// Takes the output of a container line by line, on a thread of the adapter.
class output_sink {
 public:
  virtual ~output_sink() = default;
  /// In the order in which the engine has them, as `output` would put them together.
  virtual void take(std::vector<log_line> lines) = 0;
  /// Between what it took and what comes some may be missing: the engine has let go of it.
  virtual void lost() = 0;
  /// While it is true, no more is read; it is asked every now and then.
  virtual bool is_full() const = 0;
  /// False: it is content with what an engine tells that is only followed, which of an output that
  /// it rotates may leave out some and tell some twice; `lost` is never said then.
  virtual bool needs_every_line() const { return true; }
};

class container_engine {
 public:
  virtual ~container_engine() = default;

  /// "docker" or "simulated". The second is always said plainly wherever its results appear.
  virtual std::string_view kind() const = 0;

  virtual void ping(reply_slot<done> slot) = 0;
  virtual void version_info(reply_slot<engine_version> slot) = 0;

  /// Never contacts a registry. An image that is not there is `not_found`.
  virtual void inspect_image(std::string ref, reply_slot<image_info> slot) = 0;
  /// `ref` is "repository:tag"; answers the new image's id.
  virtual void import_image(fencing_token by, tar_source tar, std::string ref,
                            reply_slot<std::string> slot) = 0;

  /// Creating a volume that exists with the same name is a success.
  virtual void create_volume(fencing_token by, std::string name, label_map labels,
                             reply_slot<done> slot) = 0;
  virtual void remove_volume(fencing_token by, std::string name, reply_slot<done> slot) = 0;
  /// Filters are joined by "and".
  virtual void list_volumes(std::vector<label_filter> filters,
                            reply_slot<std::vector<volume_summary>> slot) = 0;

  virtual void create_container(fencing_token by, container_spec spec,
                                reply_slot<created_container> slot) = 0;
  /// Of a container that was made, with its volumes where they will be. `not_found` if nothing is
  /// there. Links in front of the last part are followed.
  virtual void look_at(std::string container, std::string path, reply_slot<path_kind> slot) = 0;
  /// Unpacks into a directory below /reeve of a created container. Fails with `invalid` elsewhere.
  /// `tar` is not null.
  virtual void put_archive(fencing_token by, std::string container, std::string path,
                           shared_bytes tar, reply_slot<done> slot) = 0;
  /// Starting an exited container would run it AGAIN: start only when `status` is created and
  /// `started_at` is 0, and after an ambiguous answer inspect, never start again.
  virtual void start(fencing_token by, std::string container, reply_slot<start_result> slot) = 0;
  /// Answers when the container is not running (also at once if it never was: start it first).
  /// No deadline. An engine that goes away is `timed_out`: the outcome is unknown, never success.
  virtual void wait(std::string container, reply_slot<wait_result> slot) = 0;
  virtual void inspect(std::string id_or_name, reply_slot<container_info> slot) = 0;
  virtual void details(std::string id_or_name, reply_slot<container_details> slot) = 0;
  virtual void list_networks(reply_slot<std::vector<network_summary>> slot) = 0;
  /// All states; filters are joined by "and". At most 10,000 containers.
  virtual void list(std::vector<label_filter> filters,
                    reply_slot<std::vector<container_summary>> slot) = 0;
  virtual void logs(std::string container, log_query query, reply_slot<log_answer> slot) = 0;
  /// Both streams of a container with the usual `log_bytes`; at most `bytes_each` (> 0) of its
  /// beginning and of its end. It is read as long as it flows (1 KiB a second), ten minutes at
  /// most; the stopper, if not null, ends it sooner.
  virtual void output(std::string container, std::size_t bytes_each,
                      std::shared_ptr<call_stopper> stopper, reply_slot<kept_output> slot) = 0;
  /// Both streams from the beginning, as far as the engine has it, and on as it comes: every line
  /// once and in order, but where the sink is told that some may be missing (there one may be cut),
  /// up to half a minute late where many are read; or what the engine tells who follows, if the
  /// sink does not need every line. Answers when
  /// no more will come and the sink has all of it, which is when the container has ended; or soon
  /// after it was stopped. No deadline. An engine that goes away is `timed_out`.
  virtual void follow(std::string container, std::shared_ptr<output_sink> to,
                      std::shared_ptr<call_stopper> stopper, reply_slot<done> slot) = 0;
  /// SIGTERM, then SIGKILL after `grace_s` (0..3600). One that is not running is a success.
  virtual void stop(fencing_token by, std::string container, int grace_s,
                    reply_slot<stop_result> slot) = 0;
  /// One that is not running is `conflict`.
  virtual void kill(fencing_token by, std::string container, int signal, reply_slot<done> slot) = 0;
  /// With the volumes that have no name of ours: those that the image brings along.
  virtual void remove_container(fencing_token by, std::string container, bool force,
                                reply_slot<done> slot) = 0;
};

}  // namespace reeve::adapters
