#include "codec/secret_json.hpp"

#include "codec/json.hpp"
#include "codec/json_scanner.hpp"

#include <optional>
#include <string>
#include <utility>

namespace reeve::codec {
namespace {

class secret_reader {
 public:
  secret_reader(std::string_view json, std::string_view member)
      : scan_(json), json_(json), member_(member) {
    // At once: where it grew it would stay behind.
    decoded_.reserve(json.size());
  }
  ~secret_reader() { wipe(decoded_); }
  secret_reader(const secret_reader&) = delete;
  secret_reader& operator=(const secret_reader&) = delete;

  outcome<secret_text> read() {
    const bool is_object = scan_.peek() == '{';
    const bool is_whole = (is_object ? take() : scan_.skip()) && scan_.peek() == '\0' &&
                          scan_.offset() == json_.size();
    if (!is_whole) {
      return reject(errc::bad_request,
                    "this is not valid JSON (at byte " + std::to_string(scan_.offset()) + ")");
    }
    if (is_twice_) return reject(errc::bad_request, "a key stands twice in one object", pointer());
    if (!is_object) return reject(errc::invalid, "must be an object");
    if (is_other_) return reject(errc::invalid, "must be a string", pointer());
    if (unknown_) return reject(errc::unknown_field, "is not a known field", *unknown_);
    if (!is_there_) return reject(errc::invalid, "is required", pointer());
    return secret_text(std::move(decoded_));
  }

 private:
  bool take() {
    return scan_.take_object([this](const std::string& name) {
      if (name != member_) {
        if (!unknown_) append_name(unknown_.emplace(), name);
        return scan_.skip();
      }
      is_twice_ = std::exchange(is_there_, true);
      if (scan_.peek() == '"' && !is_twice_) return scan_.take_string(decoded_);
      is_other_ = true;
      return scan_.skip();
    });
  }
  std::string pointer() const {
    std::string made;
    append_name(made, member_);
    return made;
  }

  json_scanner scan_;
  std::string_view json_, member_;
  std::string decoded_;
  std::optional<std::string> unknown_;
  bool is_there_ = false, is_twice_ = false, is_other_ = false;
};

}  // namespace

outcome<secret_text> read_secret(std::string_view json, std::string_view member) {
  return secret_reader(json, member).read();
}

}  // namespace reeve::codec
