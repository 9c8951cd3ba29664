#include "base/redact_keys.hpp"

#include "base/redact.hpp"
#include "base/redact_text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace reeve {
namespace {

constexpr std::size_t looked_at = 100;
constexpr std::size_t max_words = 16;

/// Which small letters stand in the text.
constexpr std::uint32_t letters_of(std::string_view text) {
  std::uint32_t letters = 0;
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') letters |= std::uint32_t{1} << (c - 'a');
  }
  return letters;
}

/// A part of words with its letters: most words lack one of them, and need no search.
struct word_part {
  consteval word_part(const char* part) : text(part), letters(letters_of(text)) {}
  bool may_stand_in(std::uint32_t all) const { return (letters & ~all) == 0; }

  std::string_view text;
  std::uint32_t letters;
};

/// In lower case, without anything between the words.
bool names_key(std::string_view word) {
  static constexpr auto keys = std::to_array<std::string_view>(
      {"apikey", "accesskey", "privatekey", "accountkey", "signingkey", "encryptionkey", "authkey",
       "masterkey", "sharedkey", "presharedkey", "secretkey"});
  return word.find("key") != word.npos && std::any_of(keys.begin(), keys.end(), [&](auto key) {
           return word.find(key) != word.npos;
         });
}

/// The words of a name in lower case: "db_password", "apiKey", "HTTPToken", "X-Api-Key".
struct name_words {
  std::array<char, looked_at> text{};
  std::array<std::string_view, max_words> word;
  std::size_t count = 0;
  bool ends_in_file = false;  // the last word stands behind a point
  bool holds_key = false;     // "APIkey" and the like, whose humps cut it wrongly

  explicit name_words(std::string_view name) {
    if (name.size() > looked_at) name.remove_prefix(name.size() - looked_at);
    std::size_t begin = 0;
    std::size_t part = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = name[i];
      text[i] = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
      const bool hump = is_upper(c) && i > 0 &&
                        (is_lower(name[i - 1]) ||
                         (is_upper(name[i - 1]) && i + 1 < name.size() && is_lower(name[i + 1])));
      if (!is_alnum(c)) {
        add(begin, i);
        join(part, i);
        begin = part = i + 1;
        ends_in_file = c == '.';
      } else if (hump) {
        add(begin, i);
        begin = i;
      }
    }
    add(begin, name.size());
    join(part, name.size());
  }

  std::string_view last() const { return count == 0 ? std::string_view() : word[count - 1]; }
  std::string_view last(std::size_t back) const {
    return count > back ? word[count - 1 - back] : std::string_view();
  }

 private:
  void join(std::size_t begin, std::size_t end) {
    holds_key = holds_key || names_key({text.data() + begin, end - begin});
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

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& sorted) {
  return std::binary_search(sorted.begin(), sorted.end(), word);
}

/// A name that ends so speaks of a secret without holding it.
constexpr auto harmless_ends = std::to_array<std::string_view>(
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
     "validity",  "version",      "volume",   "warning"});
static_assert(std::is_sorted(harmless_ends.begin(), harmless_ends.end()));

/// "has_password", "max_tokens", "allow_empty_password": switches and numbers.
constexpr auto harmless_begins = std::to_array<std::string_view>(
    {"allow",   "ask",      "disable", "enable", "existing",   "expired", "has",   "hide",
     "invalid", "is",       "max",     "min",    "missing",    "need",    "needs", "num",
     "require", "requires", "show",    "skip",   "unexpected", "use",     "wtoken"});
static_assert(std::is_sorted(harmless_begins.begin(), harmless_begins.end()));

/// Ends and beginnings that secrets themselves have now and then.
constexpr auto doubtful_ends =
    std::to_array<std::string_view>({"client", "env", "owner", "server", "service", "services",
                                     "source", "state", "store", "user"});
static_assert(std::is_sorted(doubtful_ends.begin(), doubtful_ends.end()));
constexpr auto doubtful_begins = std::to_array<std::string_view>({"skip", "use"});

constexpr auto source_ends = std::to_array<std::string_view>(
    {"c",   "cc",  "cert",  "conf", "cpp",  "crt",   "cs",   "css", "env", "ex",  "exs",   "go",
     "h",   "hpp", "html",  "ini",  "java", "js",    "json", "jsx", "kt",  "log", "lua",   "md",
     "mjs", "mod", "pem",   "php",  "pl",   "proto", "pub",  "py",  "rb",  "rs",  "scala", "sh",
     "sql", "sum", "swift", "tf",   "toml", "ts",    "tsx",  "txt", "vue", "xml", "yaml",  "yml"});
static_assert(std::is_sorted(source_ends.begin(), source_ends.end()));

/// What stands before "key" where the key is a secret.
constexpr auto secret_keys = std::to_array<std::string_view>(
    {"access",          "account",  "admin",          "ansible",      "api",      "app",
     "application",     "auth",     "authentication", "aws",          "azure",    "cipher",
     "client",          "consumer", "crypto",         "cryptography", "decrypt",  "decryption",
     "deploy",          "encrypt",  "encryption",     "functions",    "gcp",      "hmac",
     "instrumentation", "jwt",      "license",        "mailgun",      "master",   "openai",
     "preshared",       "private",  "recovery",       "root",         "sendgrid", "service",
     "session",         "share",    "shared",         "sign",         "signing",  "ssh",
     "storage",         "stripe",   "subscription",   "twilio",       "unseal",   "webhook"});
static_assert(std::is_sorted(secret_keys.begin(), secret_keys.end()));
/// The ones of them that are names of other things as well.
constexpr auto vague_keys = std::to_array<std::string_view>(
    {"admin",  "ansible",  "app",    "application", "authentication",  "aws",     "azure",
     "client", "consumer", "deploy", "gcp",         "instrumentation", "license", "mailgun",
     "openai", "recovery", "root",   "sendgrid",    "service",         "session", "share",
     "ssh",    "storage",  "stripe", "twilio",      "webhook"});
static_assert(std::is_sorted(vague_keys.begin(), vague_keys.end()));

/// "render_pass" and "old_pwd" are none.
constexpr auto stages =
    std::to_array<std::string_view>({"by", "first", "last", "multi", "old", "one", "render",
                                     "second", "single", "test", "tests", "total", "two"});
static_assert(std::is_sorted(stages.begin(), stages.end()));

name_kind kind_of_key(std::string_view before) {
  if (!is_one_of(before, secret_keys)) return name_kind::harmless;
  return is_one_of(before, vague_keys) ? name_kind::vague : name_kind::password;
}

/// One word, or what is written as one ("dbpassword", "apikey", "accesstoken").
name_kind kind_of_word(std::string_view word) {
  const auto letters = letters_of(word);
  const auto has = [&](const word_part& part) {
    return part.may_stand_in(letters) && word.find(part.text) != word.npos;
  };
  const auto ends_in = [&](const word_part& part) {
    return part.may_stand_in(letters) && word.ends_with(part.text);
  };
  if (has("passw") || has("passphrase") || has("passcode") || has("passwd")) {
    return word.starts_with("passwordless") ? name_kind::harmless : name_kind::password;
  }
  if (has("secretsmanager")) return name_kind::harmless;
  if (has("secret") && !has("secretar")) return name_kind::password;
  if (has("credential")) return name_kind::password;
  if (has("token")) {
    if (has("tokeniz") || has("tokenis") || has("tokenless")) return name_kind::harmless;
    return word.ends_with("tokens") ? name_kind::vague : name_kind::token;
  }
  if (names_key(word)) return name_kind::password;
  if (word == "pwd") return name_kind::pwd;
  if (word == "pass") return name_kind::pass;
  static constexpr word_part short_ends[] = {"pwd",    "bindpw", "rootpw", "adminpw",
                                             "userpw", "dbpw",   "psk"};
  static constexpr word_part ends[] = {"dbpass",      "userpass",  "rootpass",  "mypass",
                                       "keypass",     "ftppass",   "storepass", "sshpass",
                                       "requirepass", "bindpass",  "mailpass",  "sqlpass",
                                       "smtppass",    "adminpass", "masterauth"};
  if (std::any_of(std::begin(short_ends), std::end(short_ends), ends_in) && word != "oldpwd") {
    return name_kind::password;
  }
  if (std::any_of(std::begin(ends), std::end(ends), ends_in)) return name_kind::password;
  if (word == "pw") return name_kind::password;
  if (word == "signature" || word == "sig" || word == "otp") return name_kind::vague;
  if (has("sessionid") || has("sessid") || word == "csrf" || word == "xsrf") {
    return name_kind::session;
  }
  return name_kind::harmless;
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
    auto kind = kind_of_word(name.word[i]);
    if (name.word[i] == "key" && i > 0) kind = kind_of_key(name.word[i - 1]);
    if (name.word[i] == "keys" && i > 0 && kind_of_key(name.word[i - 1]) == name_kind::password) {
      kind = name_kind::password;
    }
    if (name.word[i] == "data" && i > 0 && name.word[i - 1] == "key") kind = name_kind::password;
    // One of several words: "db_pass" and "MYSQL_PWD" are no test and no directory.
    if (name.count > 1 && (kind == name_kind::pwd || kind == name_kind::pass)) {
      const bool ends = i + 1 == name.count && !is_one_of(name.word[i - 1], stages);
      kind = ends ? name_kind::password : name_kind::harmless;
    }
    if (kind > found) found = kind;
  }
  return found;
}

}  // namespace

namespace {

name_kind worked_out(std::string_view name) {
  const name_words words(name);
  // The key itself, which has a form of its own.
  if (words.count == 0 || name.starts_with("AGE-SECRET-KEY-")) return name_kind::harmless;
  const auto kind = kind_of_words(words);
  if (kind == name_kind::harmless || words.count == 1) return kind;
  const auto last = words.last();
  const bool clear = kind == name_kind::password || kind == name_kind::token;
  const auto less = clear ? name_kind::doubtful : name_kind::harmless;
  if (is_one_of(last, harmless_ends)) {
    return is_one_of(last, doubtful_ends) ? less : name_kind::harmless;
  }
  if (words.ends_in_file && is_one_of(last, source_ends)) return name_kind::harmless;
  if (is_one_of(words.word[0], harmless_begins)) {
    return is_one_of(words.word[0], doubtful_begins) ? less : name_kind::harmless;
  }
  if (last == "id" && kind == name_kind::token) return name_kind::vague;
  // "passwordKey", "adminPasswordSecretKey": which key of a secret holds it.
  if (last == "key" && kind_of_word(words.last(1)) == name_kind::password) {
    if (words.last(1) != "secret" || kind_of_word(words.last(2)) == name_kind::password) {
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
    std::array<std::uint64_t, 3> text{};
    std::memcpy(text.data(), name.data(), name.size());
    auto hash = (text[0] ^ name.size()) * 0x9E3779B97F4A7C15U;
    hash = (hash ^ text[1]) * 0xC2B2AE3D27D4EB4FU;
    hash = (hash ^ (hash >> 29) ^ text[2]) * 0x9E3779B97F4A7C15U;
    auto& entry = entries_[hash >> (64 - bits)];
    if (entry.size != name.size() || entry.text != text) {
      entry = {text, static_cast<std::uint8_t>(name.size()), worked_out(name)};
    }
    return entry.kind;
  }

 private:
  static constexpr int bits = 10;
  struct entry_type {
    std::array<std::uint64_t, 3> text{};
    std::uint8_t size = 0;  // 0: there is none
    name_kind kind = name_kind::harmless;
  };
  std::array<entry_type, std::size_t{1} << bits> entries_;
};

}  // namespace

name_kind kind_of_name(std::string_view name) {
  if (name.empty() || name.size() > known_names::longest) return worked_out(name);
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
