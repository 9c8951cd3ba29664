#include "base/redact_keys.hpp"

#include "base/redact.hpp"
#include "base/redact_name_parts.hpp"
#include "base/redact_sets.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace reeve {
namespace {

constexpr std::size_t longest_seen = 100;
constexpr std::size_t max_words = 16;

/// The words of a name in lower case: "db_password", "apiKey", "HTTPToken", "X-Api-Key".
struct name_words {
  std::array<char, longest_seen> text;
  std::array<std::string_view, max_words> word;
  std::array<word_parts, max_words> parts{};  // of the words
  std::size_t count = 0;
  bool ends_in_file = false;  // the last word stands behind a point

  bool holds_key = false;  // "APIkey" and the like, whose humps cut it wrongly

  /// `name`: its last part of at most 100 characters.
  explicit name_words(std::string_view name) {
    std::size_t begin = 0;
    std::uint8_t before = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
      text[i] = to_lower(name[i]);
      const auto here = kind_of_byte(name[i]);
      const auto behind = i + 1 < name.size() ? kind_of_byte(name[i + 1]) : std::uint8_t{0};
      const bool hump = here == upper_kind &&
                        (before == lower_kind || (before == upper_kind && behind == lower_kind));
      const bool is_joint = (here & (digit_kind | upper_kind | lower_kind)) == 0;
      before = here;
      if (!hump && !is_joint) continue;
      add(begin, i);
      begin = is_joint ? i + 1 : i;
      if (is_joint) ends_in_file = name[i] == '.';
    }
    add(begin, name.size());
    find_parts({text.data(), name.size()});
  }

  /// Of the word with this number.
  name_kind kind_of(std::size_t number) const { return kind_of_word(word[number], parts[number]); }
  /// Of the word so far before the last one.
  name_kind kind_of_last(std::size_t back) const {
    return count > back ? kind_of(count - 1 - back) : name_kind::harmless;
  }
  std::string_view last() const { return count == 0 ? std::string_view() : word[count - 1]; }
  std::string_view last(std::size_t back) const {
    return count > back ? word[count - 1 - back] : std::string_view();
  }

 private:
  /// Words and parts stand in the same order.
  void find_parts(std::string_view name) {
    std::size_t number = 0;
    const auto end_of = [&](std::size_t i) {
      return static_cast<std::size_t>(word[i].data() - text.data()) + word[i].size();
    };
    part_finder finder(name);
    while (finder.next()) {
      holds_key = holds_key || finder.is_key();
      while (number < count && end_of(number) < finder.end()) ++number;
      if (number == count) continue;
      const auto end = end_of(number);
      finder.add_to(parts[number], end - word[number].size(), end);
    }
  }
  /// A number at the end of a word says nothing: "key2".
  void add(std::size_t begin, std::size_t end) {
    if (begin >= end) return;
    auto stop = end;
    while (stop > begin && is_digit(text[stop - 1])) --stop;
    if (stop > begin) end = stop;
    if (count == max_words) {
      std::shift_left(word.begin(), word.end(), 1);
      --count;
    }
    word[count++] = {text.data() + begin, end - begin};
  }
};

/// A name that ends so speaks of a secret without holding it.
constexpr word_set harmless_ends(std::to_array<std::string_view>(
    {"address",   "age",          "alg",      "algorithm", "arn",        "at",         "attempt",
     "attempts",  "audience",     "authn",    "bucket",    "budget",     "bytes",      "cache",
     "change",    "changed",      "class",    "client",    "complexity", "config",     "controller",
     "count",     "counter",      "created",  "date",      "days",       "dir",        "directory",
     "disabled",  "duration",     "enabled",  "encoder",   "encoding",   "encryption", "endpoint",
     "env",       "error",        "errors",   "exception", "expiration", "expired",    "expires",
     "expiry",    "factory",      "failure",  "failures",  "fd",         "field",      "fields",
     "file",      "filename",     "filter",   "folder",    "form",       "format",     "generator",
     "handler",   "header",       "hint",     "host",      "hours",      "in",         "index",
     "interval",  "invalid",      "issuer",   "label",     "len",        "length",     "lifetime",
     "limit",     "list",         "location", "manager",   "max",        "method",     "metric",
     "min",       "minutes",      "missing",  "mode",      "mount",      "ms",         "name",
     "namespace", "offset",       "owner",    "page",      "param",      "path",       "paths",
     "pattern",   "placeholder",  "policy",   "port",      "position",   "prefix",     "prompt",
     "provider",  "rate",         "ref",      "reference", "refs",       "remaining",  "request",
     "required",  "requirements", "reset",    "retries",   "review",     "reviews",    "rotation",
     "rule",      "rules",        "schema",   "scope",     "scopes",     "seconds",    "server",
     "service",   "services",     "since",    "size",      "source",     "state",      "status",
     "stdin",     "store",        "strength", "suffix",    "supported",  "timeout",    "title",
     "total",     "ttl",          "type",     "types",     "updated",    "uri",        "url",
     "usage",     "used",         "user",     "username",  "valid",      "validation", "validator",
     "validity",  "version",      "volume",   "warning"}));

/// "has_password", "max_tokens", "allow_empty_password": switches and numbers.
constexpr word_set harmless_begins(std::to_array<std::string_view>(
    {"allow",   "ask",      "disable", "enable", "existing",   "expired", "has",   "hide",
     "invalid", "is",       "max",     "min",    "missing",    "need",    "needs", "num",
     "require", "requires", "show",    "skip",   "unexpected", "use",     "wtoken"}));

/// Ends and beginnings that secrets themselves have now and then.
constexpr word_set doubtful_ends(
    std::to_array<std::string_view>({"client", "env", "owner", "server", "service", "services",
                                     "source", "state", "store", "user"}));
constexpr word_set doubtful_begins(std::to_array<std::string_view>({"skip", "use"}));

constexpr word_set source_ends(std::to_array<std::string_view>(
    {"c",   "cc",  "cert",  "conf", "cpp",  "crt",   "cs",   "css", "env", "ex",  "exs",   "go",
     "h",   "hpp", "html",  "ini",  "java", "js",    "json", "jsx", "kt",  "log", "lua",   "md",
     "mjs", "mod", "pem",   "php",  "pl",   "proto", "pub",  "py",  "rb",  "rs",  "scala", "sh",
     "sql", "sum", "swift", "tf",   "toml", "ts",    "tsx",  "txt", "vue", "xml", "yaml",  "yml"}));

/// What stands before "key" where the key is a secret.
constexpr word_set secret_keys(std::to_array<std::string_view>(
    {"access",          "account",  "admin",          "ansible",      "api",      "app",
     "application",     "auth",     "authentication", "aws",          "azure",    "cipher",
     "client",          "consumer", "crypto",         "cryptography", "decrypt",  "decryption",
     "deploy",          "encrypt",  "encryption",     "functions",    "gcp",      "hmac",
     "instrumentation", "jwt",      "license",        "mailgun",      "master",   "openai",
     "preshared",       "private",  "recovery",       "root",         "sendgrid", "service",
     "session",         "share",    "shared",         "sign",         "signing",  "ssh",
     "storage",         "stripe",   "subscription",   "twilio",       "unseal",   "webhook"}));
/// The ones of them that are names of other things as well.
constexpr word_set vague_keys(std::to_array<std::string_view>(
    {"admin",  "ansible",  "app",    "application", "authentication",  "aws",     "azure",
     "client", "consumer", "deploy", "gcp",         "instrumentation", "license", "mailgun",
     "openai", "recovery", "root",   "sendgrid",    "service",         "session", "share",
     "ssh",    "storage",  "stripe", "twilio",      "webhook"}));

/// "render_pass" and "old_pwd" are none.
constexpr word_set stages(std::to_array<std::string_view>({"by", "first", "last", "multi", "old",
                                                           "one", "render", "second", "single",
                                                           "test", "tests", "total", "two"}));

name_kind kind_of_key(std::string_view before) {
  if (!secret_keys.holds(before)) return name_kind::harmless;
  return vague_keys.holds(before) ? name_kind::vague : name_kind::password;
}

/// The last word decides unless it says nothing: "token_value", "password_hash", "secret_key_base".
name_kind kind_of_words(const name_words& name) {
  const auto last = name.last();
  if (last == "authorization") return name_kind::authorization;
  if (last == "cookie" || last == "cookies") return name_kind::cookie;
  if (last == "auth") return name_kind::vague;
  if (last == "id" && name.last(1) == "session") return name_kind::session;
  if (last == "sid" && name.last(1) == "connect") return name_kind::session;
  auto found = name.holds_key ? name_kind::password : name_kind::harmless;
  for (std::size_t i = 0; i < name.count; ++i) {
    auto kind = name.kind_of(i);
    if (name.word[i] == "key" && i > 0) kind = kind_of_key(name.word[i - 1]);
    if (name.word[i] == "keys" && i > 0 && kind_of_key(name.word[i - 1]) == name_kind::password) {
      kind = name_kind::password;
    }
    if (name.word[i] == "data" && i > 0 && name.word[i - 1] == "key") kind = name_kind::password;
    // One of several words: "db_pass" and "MYSQL_PWD" are no test and no directory.
    if (name.count > 1 && (kind == name_kind::pwd || kind == name_kind::pass)) {
      const bool ends = i + 1 == name.count && !stages.holds(name.word[i - 1]);
      kind = ends ? name_kind::password : name_kind::harmless;
    }
    if (kind > found) found = kind;
  }
  return found;
}

}  // namespace

namespace {

name_kind worked_out(std::string_view name) {
  const auto seen = name.substr(name.size() - std::min(name.size(), longest_seen));
  const name_words words(seen);
  // The key itself, which has a form of its own.
  if (words.count == 0 || name.starts_with("AGE-SECRET-KEY-")) return name_kind::harmless;
  const auto kind = kind_of_words(words);
  if (kind == name_kind::harmless || words.count == 1) return kind;
  const auto last = words.last();
  const bool clear = kind == name_kind::password || kind == name_kind::token;
  const auto less = clear ? name_kind::doubtful : name_kind::harmless;
  if (harmless_ends.holds(last)) {
    return doubtful_ends.holds(last) ? less : name_kind::harmless;
  }
  if (words.ends_in_file && source_ends.holds(last)) return name_kind::harmless;
  if (harmless_begins.holds(words.word[0])) {
    return doubtful_begins.holds(words.word[0]) ? less : name_kind::harmless;
  }
  if (last == "id" && kind == name_kind::token) return name_kind::vague;
  // "passwordKey", "adminPasswordSecretKey": which key of a secret holds it.
  if (last == "key" && words.kind_of_last(1) == name_kind::password) {
    if (words.last(1) != "secret" || words.kind_of_last(2) == name_kind::password) {
      return name_kind::harmless;
    }
  }
  return kind;
}

/// Names come again and again, above all in a text that was made to cost time.
class known_names {
 public:
  static constexpr std::size_t longest = 24;

  name_kind kind_of(std::string_view name) {
    const auto text = packed(name);
    auto hash = (text[0] ^ name.size()) * 0x9E3779B97F4A7C15U;
    hash = (hash ^ text[1]) * 0xC2B2AE3D27D4EB4FU;
    hash = (hash ^ (hash >> 29) ^ text[2]) * 0x9E3779B97F4A7C15U;
    auto& pair = entries_[hash >> (64 - bits)];
    const auto is_it = [&](const entry_type& one) {
      return one.size == name.size() && one.text == text;
    };
    if (is_it(pair[0])) return pair[0].kind;
    if (is_it(pair[1])) return pair[1].kind;
    pair[1] = pair[0];
    pair[0] = {text, static_cast<std::uint8_t>(name.size()), worked_out(name)};
    return pair[0].kind;
  }

 private:
  /// Its bytes, some of them twice; with its size they are only this name's.
  static std::array<std::uint64_t, 3> packed(std::string_view name) {
    const auto part = [&](std::size_t at, auto bytes) {
      std::memcpy(&bytes, name.data() + at, sizeof bytes);
      return std::uint64_t{bytes};
    };
    const auto size = name.size();
    if (size >= 8) {
      return {part(0, std::uint64_t{}), size > 16 ? part(8, std::uint64_t{}) : 0,
              part(size - 8, std::uint64_t{})};
    }
    if (size >= 4) return {part(0, std::uint32_t{}), part(size - 4, std::uint32_t{}), 0};
    return {part(0, std::uint8_t{}), part(size / 2, std::uint8_t{}),
            part(size - 1, std::uint8_t{})};
  }

  static constexpr int bits = 9;
  struct entry_type {
    std::array<std::uint64_t, 3> text{};
    std::uint8_t size = 0;  // 0: there is none
    name_kind kind = name_kind::harmless;
  };
  // Two names may share a place: a text of the two would have both worked out anew otherwise.
  std::array<std::array<entry_type, 2>, std::size_t{1} << bits> entries_;
};

/// The same for longer ones, of which there are fewer.
class known_long_names {
 public:
  name_kind kind_of(std::string_view name) {
    auto& entry = entries_[hash_of(name) >> (64 - bits)];
    if (entry.size != name.size() || std::memcmp(entry.text.data(), name.data(), entry.size) != 0) {
      std::memcpy(entry.text.data(), name.data(), name.size());
      entry.size = static_cast<std::uint8_t>(name.size());
      entry.kind = worked_out(name);
    }
    return entry.kind;
  }

 private:
  /// Of more than 8 bytes, the last of which may count twice.
  static std::uint64_t hash_of(std::string_view name) {
    constexpr auto step = sizeof(std::uint64_t);
    std::uint64_t hash = name.size();
    for (std::size_t at = 0; at < name.size(); at += step) {
      std::uint64_t part = 0;
      std::memcpy(&part, name.data() + std::min(at, name.size() - step), step);
      hash = (hash ^ part) * 0x9E3779B97F4A7C15U;
      hash ^= hash >> 29;
    }
    return hash * 0xC2B2AE3D27D4EB4FU;
  }

  static constexpr int bits = 8;
  struct entry_type {
    std::array<char, longest_seen> text;
    std::uint8_t size = 0;  // 0: there is none
    name_kind kind = name_kind::harmless;
  };
  std::array<entry_type, std::size_t{1} << bits> entries_;
};

}  // namespace

name_kind kind_of_name(std::string_view name) {
  if (name.empty()) return name_kind::harmless;
  if (name.size() > longest_seen) return worked_out(name);
  if (name.size() > known_names::longest) {
    thread_local known_long_names known;
    return known.kind_of(name);
  }
  thread_local known_names known;
  return known.kind_of(name);
}

bool names_a_secret(std::string_view name) {
  switch (kind_of_name(name)) {
    case name_kind::harmless:
    case name_kind::vague:
    case name_kind::doubtful:
    case name_kind::pwd:
      return false;
    default:
      return true;
  }
}

}  // namespace reeve
