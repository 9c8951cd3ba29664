#pragma once
// Reading JSON from outside, strictly. What RFC 8259 leaves open is refused: duplicate keys, a byte
// order mark, numbers that would lose their value, lone surrogates. So is NUL (also as \u0000),
// which PostgreSQL cannot store. Limits hold while the text is read, not afterwards, so a hostile
// text costs no more than its bytes.
//
// A document is flat: two blocks of memory, whatever its shape. Members stand in the order of
// their keys' bytes, which is the canonical order. A canonical text has that order, no spaces,
// \u escapes only where JSON needs them, and the shortest digits that give a number back; 1 and
// 1.0 stay apart.

#include "base/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::codec {

/// `depth` counts nested arrays and objects and is never taken above 512; `nodes` counts values
/// (not keys); `bytes` is the size of the text, at most 4 GiB - 1.
struct json_limits {
  int depth = 32;
  std::size_t nodes = 10'000;
  std::size_t bytes = 1 << 20;
};

enum class json_kind : std::uint8_t { null_, boolean, integer, number, string, array, object };

namespace detail {

struct json_span {
  std::uint32_t first;
  std::uint32_t size;
};

/// One value. `content` holds characters (string) or cells (array, object) of the store.
struct json_cell {
  json_span key{0, 0};
  union {
    std::int64_t integer = 0;
    double number;
    bool boolean;
    json_span content;
  };
  json_kind kind = json_kind::null_;
};

/// The children of a container lie side by side; the root is the last cell.
struct json_store {
  std::vector<json_cell> cells;
  std::string chars;
  std::string_view text(json_span at) const { return {chars.data() + at.first, at.size}; }
};

}  // namespace detail

/// A view of one value, valid while its document lives (also when that is moved). Asking for what
/// the value is not is a programmer's error.
class json_node {
 public:
  json_kind kind() const { return cell_->kind; }
  bool is_null() const { return kind() == json_kind::null_; }
  bool is_boolean() const { return kind() == json_kind::boolean; }
  /// Written without fraction and exponent.
  bool is_integer() const { return kind() == json_kind::integer; }
  /// Integers are numbers.
  bool is_number() const { return is_integer() || kind() == json_kind::number; }
  bool is_string() const { return kind() == json_kind::string; }
  bool is_array() const { return kind() == json_kind::array; }
  bool is_object() const { return kind() == json_kind::object; }

  bool as_bool() const { return cell_->boolean; }
  std::int64_t as_int() const { return cell_->integer; }
  double as_double() const {
    return is_integer() ? static_cast<double>(cell_->integer) : cell_->number;
  }
  /// An integer however it is written: 60, 60.0 and 6e1 are one. With fraction or exponent only up
  /// to 2^53 - 1, where each integer has a double of its own (RFC 7493): none becomes its
  /// neighbour.
  std::optional<std::int64_t> whole() const;
  std::string_view as_string() const { return store_->text(cell_->content); }

  /// Elements of an array.
  std::size_t size() const { return cell_->content.size; }
  json_node at(std::size_t i) const { return {*store_, child(i)}; }

  /// Members of an object, in the order of their keys' bytes.
  std::size_t member_count() const { return cell_->content.size; }
  std::string_view member_key(std::size_t i) const { return store_->text(child(i).key); }
  json_node member_value(std::size_t i) const { return at(i); }
  std::optional<json_node> find(std::string_view key) const;

  /// Canonical text.
  std::string text() const;

 private:
  friend class json_doc;
  json_node(const detail::json_store& store, const detail::json_cell& cell)
      : store_(&store), cell_(&cell) {}
  const detail::json_cell& child(std::size_t i) const {
    return store_->cells[cell_->content.first + i];
  }

  const detail::json_store* store_;
  const detail::json_cell* cell_;
};

/// Movable.
class json_doc {
 public:
  explicit json_doc(std::unique_ptr<const detail::json_store> store) : store_(std::move(store)) {}
  json_node root() const { return {*store_, store_->cells.back()}; }

 private:
  std::unique_ptr<const detail::json_store> store_;
};

/// `bad_request` for everything that is refused; `detail` says what and at which byte offset and
/// never quotes the text. For a value that JSON allows and Reeve does not, `field` is its pointer.
outcome<json_doc> parse_strict(std::string_view text, const json_limits& limits = {});

/// `parse_strict`, then the canonical text.
outcome<std::string> canonical(std::string_view json_text);

/// One step of a JSON pointer (RFC 6901): "/" and the key with '~' and '/' escaped.
void append_pointer(std::string& pointer, std::string_view key);
/// The same for a key that came from outside: false, and nothing is added, unless it looks like the
/// name of something (at most 64 letters, digits and _-./~). Pointers end up in answers and logs,
/// and a sentence as a key must not get there.
bool append_name(std::string& pointer, std::string_view key);

}  // namespace reeve::codec
