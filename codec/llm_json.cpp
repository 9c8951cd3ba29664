#include "codec/llm_json.hpp"

#include "codec/json_scanner.hpp"

#include <array>
#include <charconv>
#include <set>

namespace reeve::codec {
namespace {

/// As the most lenient of readers compares names: long s and the sign of kelvin are letters to it.
std::string folded(std::string_view name) {
  constexpr std::string_view long_s = "\xc5\xbf", kelvin = "\xe2\x84\xaa";
  std::string out;
  while (!name.empty()) {
    if (name.starts_with(long_s)) {
      out.push_back('s');
      name.remove_prefix(long_s.size());
    } else if (name.starts_with(kelvin)) {
      out.push_back('k');
      name.remove_prefix(kelvin.size());
    } else {
      const char c = name.front();
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
      name.remove_prefix(1);
    }
  }
  return out;
}

class request_reader {
 public:
  explicit request_reader(std::string_view body) : scan_(body), body_(body) {}

  outcome<llm_request> read() {
    const bool is_whole =
        scan_.peek() == '{' && note_first() &&
        scan_.take_object([this](const std::string& name) { return take(name); }) &&
        scan_.peek() == '\0' && scan_.offset() == body_.size();
    // A member of which half came is no wrong one.
    if (!is_whole) return reject(errc::invalid, "the body is no JSON object");
    if (why_) return *why_;
    if (!seen_.contains("/model")) return reject(errc::invalid, "a model is needed", "/model");
    return std::move(out_);
  }

 private:
  bool note_first() {
    out_.first_member = scan_.offset() + 1;
    return true;
  }
  /// Kept until it is known that all of the body is JSON.
  bool refuse(std::string detail, std::string pointer) {
    if (!why_) why_ = reject(errc::invalid, std::move(detail), std::move(pointer));
    return false;
  }
  /// Passes over a value that is none of what is wanted.
  bool skip_wrong(std::string detail, std::string pointer) {
    refuse(std::move(detail), std::move(pointer));
    return scan_.skip();
  }
  /// Whether it is that member. False with a reason: it is, in a way that counts for nothing.
  bool is(std::string_view name, std::string_view wanted, std::string_view below = {}) {
    // Its longest spelling has three bytes for each letter; most names are no work then.
    if (name.size() < wanted.size() || name.size() > 3 * wanted.size()) return false;
    if (folded(name) != wanted) return false;
    const auto pointer = std::string(below).append("/").append(wanted);
    if (name != wanted) return refuse("this member has another spelling", pointer);
    if (!seen_.insert(pointer).second) return refuse("this member stands twice", pointer);
    return true;
  }
  bool take(const std::string& name) {
    if (is(name, "model")) {
      return scan_.peek() == '"' ? scan_.take_string(out_.model)
                                 : skip_wrong("must be a text", "/model");
    }
    if (is(name, "stream")) return take_flag(out_.streams, "/stream");
    if (is(name, "stream_options")) return take_options();
    return scan_.skip();
  }
  bool take_flag(bool& flag, const char* pointer) {
    scan_.peek();
    flag = scan_.take_literal("true");
    return flag || scan_.take_literal("false") || scan_.take_literal("null") ||
           skip_wrong("must be true or false", pointer);
  }
  bool take_options() {
    const char first = scan_.peek();
    if (first != '{' && first != 'n') return skip_wrong("must be an object", "/stream_options");
    out_.options.begin = scan_.offset();
    const bool is_taken =
        first == 'n' ? scan_.take_literal("null")
                     : scan_.take_object([this](const std::string& n) { return take_option(n); });
    out_.options.end = scan_.offset();
    return is_taken;
  }
  bool take_option(const std::string& name) {
    if (!is(name, "include_usage", "/stream_options")) {
      out_.has_options = true;
      return scan_.skip();
    }
    scan_.peek();
    out_.include_usage.begin = scan_.offset();
    const bool is_taken = take_flag(out_.wants_usage, "/stream_options/include_usage");
    out_.include_usage.end = scan_.offset();
    return is_taken;
  }

  json_scanner scan_;
  std::string_view body_;
  llm_request out_;
  std::set<std::string> seen_;
  std::optional<rejection> why_;
};

class answer_reader {
 public:
  explicit answer_reader(std::string_view text) : scan_(text), text_(text) {}

  outcome<llm_answer> read() {
    const bool is_whole =
        scan_.peek() == '{' &&
        scan_.take_object([this](const std::string& name) { return take(name); }) &&
        scan_.peek() == '\0' && scan_.offset() == text_.size();
    if (!is_whole) return reject(errc::invalid, "it is no JSON object");
    if (!lists_choices_) out_.said_bytes = text_.size();
    return std::move(out_);
  }

 private:
  bool take(const std::string& name) {
    const char first = scan_.peek();
    if (name == "usage" && first == '{') return take_usage();
    if (name == "error" && first != 'n') return take_error(first);
    if (name == "choices" && first == '[') {
      lists_choices_ = true;
      return scan_.take_array([this] {
        out_.has_choices = true;
        return take_choice();
      });
    }
    return scan_.skip();
  }
  /// `logprobs` have the text once more, and much that was not said.
  bool take_choice() {
    if (scan_.peek() != '{') return take_said();
    return scan_.take_object([this](const std::string& name) {
      const bool is_said = name == "delta" || name == "message" || name == "text";
      return is_said ? take_said() : scan_.skip();
    });
  }
  /// As deep as the scanner goes.
  bool take_said() {
    switch (scan_.peek()) {
      case '"':
        if (!scan_.skip()) return false;
        out_.said_bytes += scan_.string_bytes();
        return true;
      case '[':
        return scan_.take_array([this] { return take_said(); });
      case '{':
        return scan_.take_object([this](const std::string& name) {
          const bool is_frame = name == "role" || name == "id" || name == "type";
          return is_frame ? scan_.skip() : take_said();
        });
      default:
        return scan_.skip();
    }
  }
  bool take_usage() {
    return scan_.take_object([this](const std::string& name) {
      if (name == "prompt_tokens") return take_count(out_.told.prompt);
      if (name == "completion_tokens") return take_count(out_.told.completion);
      return scan_.skip();
    });
  }
  bool take_count(std::optional<std::int64_t>& count) {
    scan_.peek();
    const auto begin = scan_.offset();
    if (!scan_.skip()) return false;
    const auto digits = text_.substr(begin, scan_.offset() - begin);
    std::int64_t read = -1;
    const auto* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, read);
    const bool is_count =
        error == std::errc{} && stop == end && read >= 0 && read <= most_llm_tokens;
    count = is_count ? std::optional(read) : std::nullopt;
    return true;
  }
  bool take_error(char first) {
    out_.has_error = true;
    if (first != '{') return scan_.skip();
    return scan_.take_object([this](const std::string& name) {
      if (name != "code" || scan_.peek() != '"') return scan_.skip();
      return scan_.take_string(out_.error_code);
    });
  }

  json_scanner scan_;
  std::string_view text_;
  llm_answer out_;
  bool lists_choices_ = false;
};

}  // namespace

outcome<llm_request> read_llm_request(std::string_view body) {
  return request_reader(body).read();
}

std::string asking_for_usage(std::string_view body, const llm_request& read) {
  std::size_t from = read.first_member, to = from;
  std::string put = R"("stream_options":{"include_usage":true},)";
  if (read.include_usage.is_there()) {
    from = read.include_usage.begin;
    to = read.include_usage.end;
    put = "true";
  } else if (read.options.is_there() && body[read.options.begin] == '{') {
    from = to = read.options.begin + 1;
    put = read.has_options ? R"("include_usage":true,)" : R"("include_usage":true)";
  } else if (read.options.is_there()) {
    from = read.options.begin;
    to = read.options.end;
    put = R"({"include_usage":true})";
  }
  std::string out(body.substr(0, from));
  return out.append(put).append(body.substr(to));
}

outcome<llm_answer> read_llm_answer(std::string_view text) {
  return answer_reader(text).read();
}

}  // namespace reeve::codec
