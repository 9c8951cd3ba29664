#include "api/routes/common.hpp"

#include <mutex>

#include "base/time.hpp"

namespace reeve::api {
namespace {

constexpr std::int64_t most_number = std::int64_t{1} << 62;

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = end == text.data() + text.size() && !text.empty();
  if (error != std::errc{} || !whole || number < 0 || number > most_number) return std::nullopt;
  return number;
}

std::string pointer_of(std::string_view name) { return "/query/" + std::string(name); }

class blob_reader final : public body_stream {
 public:
  blob_reader(persistence::read_port& reads, uuid tenant, const digest& sha256, std::int64_t bytes)
      : reads_(reads), tenant_(tenant), sha256_(sha256), bytes_(bytes) {}

  void next(reply_slot<std::string> slot) override {
    const auto left = bytes_ - offset_;
    if (left <= 0) return slot.answer(std::string());
    constexpr std::int64_t most = 256 * 1024;
    const auto size = std::min(left, most);
    const auto from = offset_;
    offset_ += size;
    reads_.blob(tenant_, sha256_, from, size, slot);
  }
  void cancel() override {}

 private:
  persistence::read_port& reads_;
  uuid tenant_;
  digest sha256_;
  std::int64_t bytes_;
  std::int64_t offset_ = 0;
};

}  // namespace

outcome<std::optional<std::int64_t>> number_of(const request& r, std::string_view name) {
  const auto text = r.query_value(name);
  if (!text) return std::optional<std::int64_t>();
  const auto number = parse_number(*text);
  if (!number) return reject(errc::invalid, "a whole number is needed", pointer_of(name));
  return std::optional<std::int64_t>(*number);
}

outcome<std::optional<time_us>> time_of(const request& r, std::string_view name) {
  const auto text = r.query_value(name);
  if (!text) return std::optional<time_us>();
  const auto at = parse_time(*text);
  if (!at) return reject(errc::invalid, "an RFC 3339 time is needed", pointer_of(name));
  return std::optional<time_us>(*at);
}

outcome<done> page_of(const request& r, persistence::list_query& query) {
  auto limit = number_of(r, "limit");
  if (!limit) return limit.error();
  if (*limit) {
    if (**limit < 1 || **limit > 500) {
      return reject(errc::invalid, "limit is 1..500", pointer_of("limit"));
    }
    query.limit = static_cast<int>(**limit);
  }
  if (const auto cursor = r.query_value("cursor")) query.cursor = std::string(*cursor);
  return done{};
}

outcome<std::optional<domain::version>> version_of_if_match(const request& r) {
  std::string_view text = r.if_match;
  if (text.empty() || text == "*") return std::optional<domain::version>();
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  const auto version = parse_number(text);
  if (!version) {
    return reject(errc::precondition_failed, "If-Match names the version of the resource");
  }
  return std::optional<domain::version>(*version);
}

std::shared_ptr<body_stream> blob_stream(persistence::read_port& reads, uuid tenant,
                                         const digest& sha256, std::int64_t bytes) {
  return std::make_shared<blob_reader>(reads, tenant, sha256, bytes);
}

}  // namespace reeve::api
