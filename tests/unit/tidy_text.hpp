#pragma once
// Sizes of lines, functions and files, words that do not belong here, and the migrations' numbers
// and sealed migrations.

#include "base/digest.hpp"
#include "tests/unit/tidy_walls.hpp"

#include <cctype>

namespace tidy {

inline constexpr std::size_t longest_line = 100;
inline constexpr std::size_t longest_function = 70;
inline constexpr std::size_t longest_file = 400;

/// The text with comments, literals and preprocessor lines blanked; line ends stay.
class blanked {
 public:
  explicit blanked(std::string_view text) : in_(text), out_(text) {
    while (at_ < in_.size()) step();
  }
  const std::string& text() const { return out_; }

 private:
  void blank_to(std::size_t end) {
    for (end = std::min(end, in_.size()); at_ < end; ++at_) {
      if (in_[at_] != '\n') out_[at_] = ' ';
    }
  }
  std::size_t after(std::string_view what, std::size_t from) const {
    const auto found = in_.find(what, from);
    return found == std::string_view::npos ? in_.size() : found + what.size();
  }
  /// The end of a quoted literal that begins at at_.
  std::size_t after_literal(char quote) const {
    std::size_t end = at_ + 1;
    while (end < in_.size() && in_[end] != quote && in_[end] != '\n') {
      end += in_[end] == '\\' ? 2 : 1;
    }
    return end + 1;
  }
  std::size_t after_directive() const {
    std::size_t end = at_;
    do end = after("\n", end);
    while (end < in_.size() && end >= 2 && in_[end - 2] == '\\');
    return end;
  }
  bool begins_line() const {
    const auto before = in_.substr(0, at_).find_last_not_of(" \t");
    return before == std::string_view::npos || in_[before] == '\n';
  }
  static bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

  void step() {
    const auto rest = in_.substr(at_);
    if (rest.starts_with("//")) return blank_to(after("\n", at_));
    if (rest.starts_with("/*")) return blank_to(after("*/", at_ + 2));
    if (rest.starts_with("R\"")) {
      const auto open = in_.find('(', at_);
      const auto name = in_.substr(at_ + 2, open - at_ - 2);
      return blank_to(after(")" + std::string(name) + "\"", at_));
    }
    // 1'000 is a number, not a literal.
    const bool separator = at_ > 0 && is_word(in_[at_ - 1]) && rest.size() > 1 && is_word(rest[1]);
    if (rest[0] == '"' || (rest[0] == '\'' && !separator)) return blank_to(after_literal(rest[0]));
    if (rest[0] == '#' && begins_line()) return blank_to(after_directive());
    ++at_;
  }

  std::string_view in_;
  std::string out_;
  std::size_t at_ = 0;
};

/// Finds the functions of a file by its braces: a block whose head has a parameter list and no
/// word that opens a type or a namespace.
class function_scanner {
 public:
  explicit function_scanner(const source& file) : path_(file.path), code_(file.text) {
    for (const char c : code_.text()) {
      if (c == '\n') ++line_;
      take(c);
      ++at_;
    }
  }
  const std::vector<finding>& findings() const { return findings_; }

 private:
  struct block {
    bool function = false;
    std::size_t first_line = 0;
    std::string head;
  };

  void take(char c) {
    if (in_function_ == 0 && c == ';') return head_.clear();
    if (c == '{') return open();
    if (c == '}') return close();
    if (in_function_ != 0) return;
    if (head_.empty() && std::isspace(static_cast<unsigned char>(c)) != 0) return;
    if (head_.empty()) first_line_ = line_;
    head_ += c;
    if (head_ == "public:" || head_ == "private:" || head_ == "protected:") head_.clear();
  }

  void open() {
    const bool function = in_function_ != 0 || opens_function(head_);
    blocks_.push_back({function, first_line_, head_});
    if (function) ++in_function_;
    head_.clear();
  }

  void close() {
    if (blocks_.empty()) return;
    const block ended = blocks_.back();
    blocks_.pop_back();
    head_.clear();
    if (!ended.function || --in_function_ != 0) return;
    // `a_{1}, b_{2} {`: those braces were members in an initialiser list, the body is to come.
    const auto next = code_.text().find_first_not_of(" \n\t", at_ + 1);
    if (next != std::string::npos && (code_.text()[next] == ',' || code_.text()[next] == '{')) {
      head_ = ended.head;
      first_line_ = ended.first_line;
      return;
    }
    const std::size_t length = line_ - ended.first_line + 1;
    if (length > longest_function) {
      findings_.push_back({path_, ended.first_line,
                           "a function of " + std::to_string(length) + " lines: give its parts " +
                               "names, so that none has more than 70 (aim at 40)"});
    }
  }

  static bool opens_function(const std::string& head) {
    static const std::set<std::string> types = {"class", "struct", "union", "enum", "namespace"};
    int depth = 0;
    bool parameters = false;
    std::string word;
    for (const char c : head + " ") {
      const bool opens = c == '(' || c == '<' || c == '[';
      if (c == '(') parameters = true;
      if (opens) ++depth;
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
        word += c;
        continue;
      }
      if (depth == 0 && types.contains(word)) return false;
      word.clear();
      if ((c == ')' || c == '>' || c == ']') && depth > 0) --depth;
    }
    return parameters;
  }

  std::string path_;
  blanked code_;
  std::vector<finding> findings_;
  std::vector<block> blocks_;
  std::string head_;
  std::size_t line_ = 1;
  std::size_t first_line_ = 1;
  std::size_t at_ = 0;
  int in_function_ = 0;
};

inline std::vector<finding> check_sizes(const source& file) {
  std::vector<finding> findings;
  const auto lines = lines_of(file.text);
  for (std::size_t number = 1; number <= lines.size(); ++number) {
    const auto line = lines[number - 1];
    const auto width = static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
      return (static_cast<unsigned>(c) & 0xC0U) != 0x80U;
    }));
    if (width <= longest_line) continue;
    findings.push_back(
        {file.path, number, std::to_string(width) + " characters: break the line at 100"});
  }
  if (!is_code(file.path)) return findings;
  if (lines.size() > longest_file) {
    findings.push_back({file.path, lines.size(),
                        std::to_string(lines.size()) + " lines: split the file by purpose at 400"});
  }
  if (file.path.ends_with(".hpp") && file.text.find("#pragma once") == std::string::npos) {
    findings.push_back({file.path, 1, "begin the header with #pragma once"});
  }
  function_scanner scanner(file);
  for (const auto& one : scanner.findings()) findings.push_back(one);
  return findings;
}

/// Words that a project's files must not hold. They are put together here, so that this file does
/// not hold them either. `here` is where the project lies on this machine, which no file may know.
inline std::vector<finding> check_words(const source& file, const std::string& here) {
  const std::vector<std::pair<std::string, std::string>> words = {
      {here, "a path of one machine: make it relative"},
      {std::string("TO") + "DO", "do it, or file an issue and leave no mark"},
      {std::string("FIX") + "ME", "fix it, or file an issue and leave no mark"},
      {std::string("GTEST_") + "SKIP", "a skipped test proves nothing: make what it needs"},
      {std::string("DISAB") + "LED_", "a disabled test proves nothing: mend it or remove it"},
      {std::string("sleep_") + "for", "poll with a deadline (support::eventually, a timer)"},
      {std::string("deb.deb") + "ian.org", "name packages, not the hosts that serve them"},
      {std::string("registry.np") + "mjs", "name packages, not the hosts that serve them"},
  };
  std::vector<finding> findings;
  const auto lines = lines_of(file.text);
  for (std::size_t number = 1; number <= lines.size(); ++number) {
    for (const auto& [word, advice] : words) {
      if (lines[number - 1].find(word) == std::string_view::npos) continue;
      // A server may have to wait, and so does a helper that polls; a test that sleeps is slow or
      // wrong.
      if (word.starts_with("sleep_") && !file.path.ends_with("_test.cpp")) continue;
      findings.push_back({file.path, number, "holds \"" + word + "\": " + advice});
    }
  }
  return findings;
}

/// A thread without a name says nothing in /proc, and is in no list.
inline std::vector<finding> check_threads(const source& file) {
  if (!is_code(file.path) || file.path.starts_with("base/named_thread.")) return {};
  if (file.path.starts_with("tests/") || file.path.starts_with("bench/")) return {};
  std::vector<finding> findings;
  const auto lines = lines_of(file.text);
  for (std::size_t number = 1; number <= lines.size(); ++number) {
    for (const char* start : {"std::thread(", "std::thread{", "std::jthread", "std::async("}) {
      if (lines[number - 1].find(start) == std::string_view::npos) continue;
      findings.push_back(
          {file.path, number,
           "starts a thread that has no name: use base/named_thread.hpp, and list it "
           "in docs/threads.md"});
    }
  }
  return findings;
}

/// The migrations that do not say what they follow: how many, and the SHA-256 of their texts, one
/// after the other.
struct sealed_migrations {
  std::size_t count = 4;
  std::string sha256 = "a2b855e570d7b4311bc464a7d18a0629c5d215d9e77f5d706b83b472aaa7ed79";
};

/// Numbers 001, 002, … without a gap. Every later migration says in its first line what it follows:
/// the SHA-256 of all texts before it, one after the other (`cat`). So it seals the old ones, and a
/// new one needs no second file.
inline std::vector<finding> check_migrations(const std::vector<source>& files,
                                             const sealed_migrations& sealed = {}) {
  std::vector<finding> findings;
  std::map<std::string, const source*> all;
  for (const auto& file : files) {
    if (room_of(file.path) != "migrations" || !file.path.ends_with(".sql")) continue;
    all[file.path.substr(file.path.find('/') + 1)] = &file;
  }
  const std::string restore =
      "an old migration was changed or is gone; databases that ran it would differ: restore it and "
      "write a new one";
  const auto sum_of = [](const std::string& text) { return reeve::to_hex(reeve::sha256(text)); };
  std::string before;
  std::size_t number = 0;
  for (const auto& [name, file] : all) {
    const std::string wanted = std::to_string(1000 + ++number).substr(1) + "_";
    if (name.substr(0, 4) != wanted) {
      findings.push_back({file->path, 1, "expected " + wanted + "slug.sql: no gaps and no twins"});
      return findings;
    }
    const std::string first = "-- follows " + sum_of(before);
    if (number > sealed.count && !file->text.starts_with(first + "\n")) {
      findings.push_back({file->path, 1,
                          file->text.starts_with("-- follows ")
                              ? restore
                              : "a new migration: its first line is \"" + first + "\""});
    }
    before += file->text;
    if (number == sealed.count && sum_of(before) != sealed.sha256) {
      findings.push_back({file->path, 1, restore});
    }
  }
  if (number < sealed.count) findings.push_back({"migrations", 1, restore});
  return findings;
}

}  // namespace tidy
