#include "codec/json.hpp"

#include "base/utf8.hpp"
#include "codec/json_writer.hpp"
#include "codec/plain_json.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

namespace reeve::codec {
namespace {

using detail::json_cell;
using detail::json_span;
using detail::json_store;

/// Recursion over a document (text(), the codec) stays below this, whatever limits say.
constexpr int deepest = 512;

/// Reads bytes and tells its owner how far it has come, which the parser itself keeps to itself.
class tracked_bytes {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  tracked_bytes(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  tracked_bytes& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  tracked_bytes operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const tracked_bytes& other) const { return at_ == other.at_; }
  bool operator!=(const tracked_bytes& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

/// Takes the parser's events and builds the store. A container's children wait in `open_` until
/// it ends; then they are sorted (if it is an object) and move side by side into the store.
class builder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  builder(std::size_t bytes, const json_limits& limits)
      : limits_(limits), store_(std::make_unique<json_store>()) {
    store_->chars.reserve(bytes);
    // About one value in eight bytes is usual; vectors grow where there are more.
    store_->cells.reserve(std::min(bytes / 8, limits.nodes) + 1);
    open_.reserve(64);
    frames_.reserve(16);
  }

  bool null() { return add({}); }
  bool boolean(bool truth) {
    json_cell cell;
    cell.kind = json_kind::boolean;
    cell.boolean = truth;
    return add(cell);
  }
  bool number_integer(number_integer_t number) {
    json_cell cell;
    cell.kind = json_kind::integer;
    cell.integer = number;
    return add(cell);
  }
  bool number_unsigned(number_unsigned_t number) {
    if (number > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return refuse("an integer is outside the range of 64 bits with sign");
    }
    return number_integer(static_cast<number_integer_t>(number));
  }
  bool number_float(number_float_t number, const string_t& digits) {
    // The parser turns integers that are too large into doubles.
    if (digits.find_first_of(".eE") == string_t::npos) {
      return refuse("an integer is outside the range of 64 bits with sign");
    }
    json_cell cell;
    cell.kind = json_kind::number;
    cell.number = number;
    return add(cell);
  }
  bool string(std::string_view text) {
    json_cell cell;
    cell.kind = json_kind::string;
    return keep(text, cell.content) && add(cell);
  }
  bool binary(const binary_t&) { return refuse("binary values are not JSON"); }

  bool start_object(std::size_t) { return start(json_kind::object); }
  bool key(std::string_view text) { return keep(text, key_); }
  bool end_object() {
    const auto first = open_.begin() + static_cast<std::ptrdiff_t>(frames_.back().first);
    const auto key_of = [this](const json_cell& cell) { return store_->text(cell.key); };
    if (std::ranges::adjacent_find(first, open_.end(), std::ranges::greater_equal{}, key_of) !=
        open_.end()) {
      std::ranges::sort(first, open_.end(), std::ranges::less{}, key_of);
      const auto twice = std::ranges::adjacent_find(first, open_.end(), {}, key_of);
      if (twice != open_.end()) {
        key_ = twice->key;
        return refuse("a key stands twice in one object");
      }
    }
    return end();
  }
  bool start_array(std::size_t) { return start(json_kind::array); }
  bool end_array() { return end(); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    constexpr int number_out_of_range = 406;
    if (error.id == number_out_of_range) return refuse("a number is too large");
    detail_ = "this is not valid JSON";
    return false;
  }

  json_doc take() {
    store_->cells.push_back(open_.front());
    return json_doc(std::move(store_));
  }
  rejection why(std::size_t offset) const {
    return reject(errc::bad_request, detail_ + " (at byte " + std::to_string(offset) + ")", field_);
  }

 private:
  struct frame {
    std::size_t first;  // its children in open_
    json_span key;
    json_kind kind;
  };

  bool start(json_kind kind) {
    if (frames_.size() >= static_cast<std::size_t>(std::min(limits_.depth, deepest))) {
      return refuse("arrays and objects are nested too deeply");
    }
    if (!count()) return false;
    frames_.push_back({open_.size(), key_, kind});
    return true;
  }

  bool end() {
    const frame ended = frames_.back();
    frames_.pop_back();
    json_cell cell;
    cell.kind = ended.kind;
    cell.key = ended.key;
    cell.content = {static_cast<std::uint32_t>(store_->cells.size()),
                    static_cast<std::uint32_t>(open_.size() - ended.first)};
    const auto first = open_.begin() + static_cast<std::ptrdiff_t>(ended.first);
    store_->cells.insert(store_->cells.end(), first, open_.end());
    open_.erase(first, open_.end());
    open_.push_back(cell);
    return true;
  }

  bool add(json_cell cell) {
    if (!count()) return false;
    cell.key = key_;
    open_.push_back(cell);
    return true;
  }

  bool count() { return ++nodes_ <= limits_.nodes || refuse("there are too many values"); }

  bool keep(std::string_view text, json_span& at) {
    if (text.find('\0') != text.npos) return refuse("a string holds a NUL character");
    at = {static_cast<std::uint32_t>(store_->chars.size()),
          static_cast<std::uint32_t>(text.size())};
    store_->chars += text;
    return true;
  }

  bool refuse(std::string_view detail) {
    detail_ = detail;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      const bool last = i + 1 == frames_.size();
      if (frames_[i].kind == json_kind::object) {
        if (!append_name(field_, store_->text(last ? key_ : frames_[i + 1].key))) break;
      } else {
        const std::size_t next = last ? open_.size() : frames_[i + 1].first;
        append_pointer(field_, std::to_string(next - frames_[i].first));
      }
    }
    return false;
  }

  const json_limits& limits_;
  std::unique_ptr<json_store> store_;
  std::vector<json_cell> open_;
  std::vector<frame> frames_;
  json_span key_{0, 0};
  std::size_t nodes_ = 0;
  std::string detail_;
  std::string field_;
};

rejection at_byte(std::string_view detail, std::size_t offset) {
  return reject(errc::bad_request,
                std::string(detail) + " (at byte " + std::to_string(offset) + ")");
}

void write(json_writer& out, const json_node& node) {
  switch (node.kind()) {
    case json_kind::null_:
      out.null();
      break;
    case json_kind::boolean:
      out.value(node.as_bool());
      break;
    case json_kind::integer:
      out.value(node.as_int());
      break;
    case json_kind::number:
      out.value(node.as_double());
      break;
    case json_kind::string:
      out.value(node.as_string());
      break;
    case json_kind::array:
      out.begin_array();
      for (std::size_t i = 0; i < node.size(); ++i) write(out, node.at(i));
      out.end_array();
      break;
    case json_kind::object:
      out.begin_object();
      for (std::size_t i = 0; i < node.member_count(); ++i) {
        out.key(node.member_key(i));
        write(out, node.member_value(i));
      }
      out.end_object();
      break;
  }
}

}  // namespace

std::optional<json_node> json_node::find(std::string_view key) const {
  std::size_t low = 0;
  std::size_t high = member_count();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (member_key(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == member_count() || member_key(low) != key) return std::nullopt;
  return member_value(low);
}

std::optional<std::int64_t> json_node::whole() const {
  constexpr double most = 9'007'199'254'740'991;
  if (is_integer()) return as_int();
  if (kind() != json_kind::number) return std::nullopt;
  const double number = cell_->number;
  if (!(std::abs(number) <= most) || std::trunc(number) != number) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::string json_node::text() const {
  json_writer out;
  write(out, *this);
  return out.take();
}

outcome<json_doc> parse_strict(std::string_view text, const json_limits& limits) {
  const auto largest = std::min<std::size_t>(limits.bytes, UINT32_MAX);
  if (text.size() > largest) {
    return reject(errc::bad_request,
                  "the text has more than " + std::to_string(largest) + " bytes");
  }
  // The parser takes a NUL for the end of the text and skips a byte order mark.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return at_byte("a NUL byte is not JSON", nul);
  }
  if (text.starts_with("\xef\xbb\xbf")) return at_byte("a byte order mark is not JSON", 0);
  if (builder plain(text.size(), limits); detail::plain_json(text, plain).read()) {
    return plain.take();
  }
  builder built(text.size(), limits);
  const char* reached = text.data();
  const char* const end = text.data() + text.size();
  const tracked_bytes from(text.data(), &reached);
  if (nlohmann::json::sax_parse(from, tracked_bytes(end, nullptr), &built)) return built.take();
  if (const auto bad = first_invalid_utf8(text); bad != std::string_view::npos) {
    return at_byte("this is not valid UTF-8", bad);
  }
  return built.why(static_cast<std::size_t>(reached - text.data()));
}

outcome<std::string> canonical(std::string_view json_text) {
  auto doc = parse_strict(json_text);
  if (!doc) return doc.error();
  return doc->root().text();
}

void append_pointer(std::string& pointer, std::string_view key) {
  pointer += '/';
  for (const char c : key) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

bool append_name(std::string& pointer, std::string_view key) {
  constexpr std::size_t most_bytes = 64;
  const auto plain = [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    return letter || digit || std::string_view("_-./~").find(c) != std::string_view::npos;
  };
  if (key.size() > most_bytes || !std::all_of(key.begin(), key.end(), plain)) return false;
  append_pointer(pointer, key);
  return true;
}

}  // namespace reeve::codec
