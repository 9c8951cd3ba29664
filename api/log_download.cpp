#include "api/log_download.hpp"

#include "api/routes/common.hpp"
#include "api/stored_streams.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

namespace reeve::api {
namespace {

constexpr std::int64_t read_bytes = 256 << 10;

/// One thing is read at a time, by who asks for the next chunk.
class stream_reader final : public body_stream, public std::enable_shared_from_this<stream_reader> {
 public:
  stream_reader(persistence::read_port& reads, uuid tenant, const domain::blob_ref& log,
                const domain::log_streams& streams, domain::line_stream wanted)
      : reads_(reads), tenant_(tenant), log_(log), lines_(stored_streams(streams), wanted) {}

  void next(reply_slot<std::string> slot) override { go_on(std::move(slot)); }
  void cancel() override { is_cancelled_ = true; }

 private:
  void go_on(reply_slot<std::string> slot) {
    auto chunk = lines_.take();
    if (!chunk.empty()) return slot.answer(std::move(chunk));
    const auto marks = lines_.needs();
    if (is_cancelled_) return slot.answer(cut_off());
    if (!marks && offset_ >= log_.bytes) return slot.answer(std::string());
    marks ? read_marks(*marks, std::move(slot)) : read_text(std::move(slot));
  }

  void read_text(reply_slot<std::string> slot) {
    const auto size = std::min(read_bytes, log_.bytes - offset_);
    const auto from = std::exchange(offset_, offset_ + size);
    read(log_.sha256, from, size, std::move(slot),
         [](stream_lines& to, std::string piece) { to.add(piece); });
  }

  void read_marks(const stored_streams::piece& what, reply_slot<std::string> slot) {
    read(what.sha256, what.offset, what.bytes, std::move(slot),
         [what](stream_lines& to, std::string piece) { to.add(what, std::move(piece)); });
  }

  template <class F>
  void read(const digest& sha256, std::int64_t from, std::int64_t size,
            reply_slot<std::string> slot, F add) {
    reads_.blob(tenant_, sha256, from, size,
                reply_slot<std::string>([self = shared_from_this(), slot = std::move(slot),
                                         add](outcome<std::string> piece) {
                  if (!piece) return slot.answer(piece.error());
                  add(self->lines_, std::move(*piece));
                  self->go_on(slot);
                }));
  }

  persistence::read_port& reads_;
  const uuid tenant_;
  const domain::blob_ref log_;
  stream_lines lines_;
  std::int64_t offset_ = 0;  // of the next piece of the text
  std::atomic<bool> is_cancelled_ = false;
};

std::string name_of_bytes(const domain::blob_ref& log, const domain::log_streams& streams,
                          domain::line_stream wanted) {
  const auto marks = streams.marks ? to_hex(streams.marks->sha256) : std::string();
  return etag_of(to_hex(log.sha256) + " " + marks + " " + std::string(domain::name_of(wanted)));
}

}  // namespace

outcome<std::optional<domain::line_stream>> stream_of(const request& r) {
  using found = std::optional<domain::line_stream>;
  const auto text = r.query_value("stream");
  if (!text) return found();
  if (*text == "stdout") return found(domain::line_stream::out);
  if (*text == "stderr") return found(domain::line_stream::err);
  return reject(errc::invalid, "stdout or stderr is needed", "/query/stream");
}

response download_stream(persistence::read_port& reads, uuid tenant, const domain::blob_ref& log,
                         const domain::log_streams& streams, domain::line_stream wanted) {
  const bool is_out = wanted == domain::line_stream::out;
  const auto bytes = is_out ? streams.stdout_bytes : streams.stderr_bytes;
  const bool is_whole = bytes == log.bytes;
  response made;
  made.content_type = "text/plain; charset=utf-8";
  made.headers.emplace_back(
      "ETag", is_whole ? "\"" + to_hex(log.sha256) + "\"" : name_of_bytes(log, streams, wanted));
  if (bytes == 0) {
    made.body = std::make_shared<const std::string>();
    return made;
  }
  made.stream_bytes = bytes;
  if (is_whole) {
    made.stream = blob_stream(reads, tenant, log.sha256, bytes);
  } else {
    made.stream = std::make_shared<stream_reader>(reads, tenant, log, streams, wanted);
  }
  return made;
}

}  // namespace reeve::api
