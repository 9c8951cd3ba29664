#include "codec/json_writer.hpp"

#include "base/utf8.hpp"

#include <charconv>
#include <cmath>
#include <utility>

namespace reeve::codec {

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_json_number(std::string& out, std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

json_writer& json_writer::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

json_writer& json_writer::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

json_writer& json_writer::value(double number) {
  separate();
  append_json_number(out_, number);
  return *this;
}

json_writer& json_writer::value(std::int64_t number) {
  separate();
  append_json_number(out_, number);
  return *this;
}

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

std::string json_writer::take() {
  comma_ = false;
  return std::exchange(out_, {});
}

json_writer& json_writer::open(char bracket) {
  // Most documents are longer than that; growing from nothing would copy their start five times.
  constexpr std::size_t usual_bytes = 512;
  if (out_.empty()) out_.reserve(usual_bytes);
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

void json_writer::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

}  // namespace reeve::codec
