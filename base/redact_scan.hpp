#pragma once
// One pass over a line: what is known so far, and the readers that the words found lead to. Every
// reader looks at a bounded number of bytes, or at bytes that no later reader looks at again.

#include "base/redact_keys.hpp"
#include "base/redact_text.hpp"
#include "base/redact_tokens.hpp"
#include "base/redact_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace reeve {

/// Where a word stands last before a place that moves on through a line: the line is searched for
/// it once, however often that is asked.
class last_place {
 public:
  /// Where it begins, all of it within the last `within` bytes before `at`; npos without one.
  std::size_t before(std::string_view line, std::string_view word, std::size_t at,
                     std::size_t within) {
    const auto from = at > within ? at - within : 0;
    if (last_ != line.npos && last_ + word.size() > at) {
      // The place has moved back.
      const auto found = line.substr(from, at - from).rfind(word);
      return found == line.npos ? found : from + found;
    }
    if (!begun_) next_ = line.find(word);
    begun_ = true;
    while (next_ != line.npos && next_ + word.size() <= at) {
      last_ = next_;
      next_ = line.find(word, next_ + 1);
    }
    return last_ != line.npos && last_ >= from ? last_ : line.npos;
  }

 private:
  bool begun_ = false;
  std::size_t last_ = std::string_view::npos;
  std::size_t next_ = 0;  // the first one that is not before the place
};

/// Where the next of some signs stands: what lies before it is not searched again.
class next_sign {
 public:
  /// The first one from `from` on; the line's end without one.
  std::size_t find(std::string_view line, const sign_set& signs, std::size_t from) {
    if (from < begin_ || from > end_) {
      begin_ = from;
      end_ = signs.find(line, from);
    }
    return end_;
  }
  /// The first other one.
  std::size_t find_other(std::string_view line, const sign_set& signs, std::size_t from) {
    if (from < begin_ || from > end_) {
      begin_ = from;
      end_ = signs.find_other(line, from);
    }
    return end_;
  }

 private:
  std::size_t begin_ = 1;
  std::size_t end_ = 0;
};

/// Where the next of a word stands, likewise; not much further than asked is searched.
class next_word {
 public:
  /// Where the first one begins in [from, from + within); npos without one.
  std::size_t find(std::string_view line, std::string_view word, std::size_t from,
                   std::size_t within) {
    if (from < begin_ || from > end_) {
      begin_ = end_ = from;
      found_ = false;
    }
    const auto limit = from + within;
    if (!found_ && end_ < limit) {
      // Further ahead, since the next one who asks asks for a little more.
      const auto ahead = limit + std::size_t{256};
      const auto at = find_word(line.substr(0, ahead + word.size() - 1), word, end_);
      found_ = at != line.npos;
      end_ = found_ ? at : ahead;
    }
    return found_ && end_ < limit ? end_ : line.npos;
  }

 private:
  /// As find() of the text. The first sign may stand everywhere, and each costs a call there.
  static std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
    if (word.size() != 2) return text.find(word, from);
    for (auto at = from; at + 1 < text.size(); ++at) {
      if (text[at] == word[0] && text[at + 1] == word[1]) return at;
    }
    return text.npos;
  }

  std::size_t begin_ = 1;
  std::size_t end_ = 0;  // none begins in [begin_, end_)
  bool found_ = false;   // one begins at the end
};

struct line_scan {
  line_scan(std::string_view text, std::vector<secret_span>& spans)
      : line(text), out(spans), runs(text) {}

  std::string_view line;
  std::vector<secret_span>& out;
  run_ends runs;
  std::size_t cursor = 0;     // what is before it is decided
  std::size_t keys_done = 0;  // no name that begins before it is read again
  std::array<std::size_t, 3>
      containers_done{};  // lists and objects up to here were searched for values
  // Where the last bare value ended, outside and inside of objects: names within it have the same.
  std::array<std::array<std::size_t, 2>, 2> bare_known{{{1, 0}, {1, 0}}};
  next_sign quote, argument_end, command_end, name_end, cookie_end;
  next_word colons, equals;              // "::" and "="
  next_word encoded_and, encoded_quote;  // "%26" and "%22"
  std::size_t blanks_end = 0;  // of those that the line begins with, once it was asked for
  next_sign list_end;          // ')'
  next_sign point;
  next_sign made_up_sign;         // without one of these nothing looks made up
  std::size_t read_to = 0;        // so far words were looked for in the line
  std::size_t trouble_begin = 0;  // of the last word of trouble up to there, plus one; 0: none
  std::size_t trouble_end = 0;
  near_words::seen trouble;       // words of trouble, where those do not answer
  near_words::seen reader;        // programs that read a password
  last_place pipe, echo, printf;  // what is fed to a program
  last_place machine, entry;      // "machine " and "default " of a netrc file
  last_place value, usage, usages, arn;
  bool has_login = false;        // "login" stands before
  bool has_machine = false;      // "machine " of a netrc file stands before
  bool was_told = false;         // the line's end was looked at for a password
  int tool = -1;                 // the program whose options are being read
  std::size_t tool_checked = 0;  // no other command begins between the program and here

  std::string_view text(const secret_span& span) const {
    return line.substr(span.begin, span.end - span.begin);
  }
  char at(std::size_t place) const { return place < line.size() ? line[place] : '\0'; }
  std::size_t skip_blanks(std::size_t from) const {
    while (from < line.size() && (line[from] == ' ' || line[from] == '\t')) ++from;
    return from;
  }
  /// The first quote or backslash from `from` on; the line's end without one.
  std::size_t next_quote(std::size_t from) {
    static constexpr sign_set signs("\"'\\");
    return quote.find(line, signs, from);
  }
  /// Nothing but blanks stands before `at`, where something else does.
  bool begins_at(std::size_t at) {
    if (blanks_end == 0) blanks_end = skip_blanks(0);
    return at == blanks_end;
  }
  /// As of its text. Names within one long value have nearly the same one to look at.
  bool looks_made_up_at(const secret_span& span) {
    constexpr std::size_t is_long = 24;
    static constexpr sign_set signs("0123456789!#$%&*+=?@^~");
    const auto size = std::min(span.end - span.begin, looked_at);
    if (size > is_long && made_up_sign.find(line, signs, span.begin) >= span.begin + size) {
      return false;
    }
    return looks_made_up(text(span));
  }
  void hide(const secret_span& span) {
    if (span.begin >= span.end) return;
    out.push_back(span);
    if (span.end > cursor) cursor = span.end;
  }
  /// Of a value that does not stand right behind what led to it: what is between is still read.
  void hide_ahead(const secret_span& span) {
    if (span.begin < span.end) out.push_back(span);
  }
};

/// Words of trouble: what follows a name shortly behind one is the reason.
std::vector<std::string_view> trouble_words();

/// A name and how it stands in the line.
struct key_use {
  name_kind kind = name_kind::harmless;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool quoted = false;  // a quote stands behind it
  bool dashed = false;  // an option: "--token", "-password"
};

inline constexpr std::string_view credential_kind = "credential";

/// A value: in escaped quotes, in double or single quotes, or bare. `in_json`: a bare one ends at
/// the punctuation of an object, and its marker needs quotes.
struct read_value {
  secret_span span;
  bool quoted = false;
};
read_value value_at(line_scan& scan, std::size_t at, bool in_json, std::string_view kind);

/// A path or an address, where this key's value would stand.
bool is_place_for(const line_scan& scan, const key_use& key, std::string_view text);
/// Whether the value of this key is to be hidden. `colon`: ':' stands between them.
bool is_secret_value(line_scan& scan, const key_use& key, const read_value& value, bool colon);
/// For values that stand at a place where only values stand.
bool is_hidden_value(std::string_view text);
/// Hides the strings of a list or an object that begins at `at`.
void take_container(line_scan& scan, const key_use& key, std::size_t at);
/// The key is itself a value: {"name": "password", "value": "…"}, <key>password</key>….
void take_pair(line_scan& scan, const key_use& key);
/// `name=password value=x`, the name being the key. False if no value is there.
bool take_named_values(line_scan& scan, const key_use& key);
/// The key's name has this part, which is in lower case.
bool is_word_of_key(std::string_view line, const key_use& key, std::string_view part);
/// What follows an option is its value, unless it is a word of a manual. `at`: where it begins.
bool is_option_value(line_scan& scan, const key_use& key, const secret_span& value);
/// <password>…</password>
bool take_element(line_scan& scan, const key_use& key);
/// Without a sign between: "--password x", "login bob password x", "PASSWORD 'x'".
void take_spaced(line_scan& scan, const key_use& key);
/// Behind "authorization: " the scheme and what it takes, up to the closing quote. `at`: where the
/// value begins; `colon`: ':' stands before it.
void take_authorization(line_scan& scan, const key_use& key, std::size_t at, bool colon);
/// "Cookie: a=b; c=d"; "cookie: not found" is a message.
void take_cookie(line_scan& scan, const key_use& key, std::size_t at);
/// A word that belongs to the names of secrets was found.
void take_key(line_scan& scan, std::size_t begin, std::size_t end);
/// "://" was found.
void take_url(line_scan& scan, std::size_t begin, std::size_t end);
/// "@tcp(" or "@unix(" was found.
void take_dsn(line_scan& scan, std::size_t begin);

/// A word that introduces a secret in prose, a protocol or a shell: "identified by ", "<<<".
std::vector<std::string_view> phrase_words();
void take_phrase(line_scan& scan, std::size_t number, std::size_t begin, std::size_t end);

/// Programs that take a password as an option, and their options.
std::vector<std::string_view> tool_words();
std::vector<std::string_view> option_words();
void take_tool(line_scan& scan, std::size_t number, std::size_t begin, std::size_t end);
void take_option(line_scan& scan, std::size_t begin, std::size_t end);
/// The program that was named last has "password x" among its arguments.
bool takes_spaced_password(const line_scan& scan);

}  // namespace reeve
