// Whether the value of a name is a secret.
#include "base/redact_scan.hpp"
#include "base/redact_text.hpp"
#include "base/redact_words.hpp"

#include <algorithm>
#include <array>

namespace reeve {
namespace {

/// So much of it as is looked at.
std::string_view name_of(const line_scan& scan, const key_use& key) {
  return scan.line.substr(key.begin, std::min(key.end - key.begin, looked_at));
}

/// They stand shortly before the name: what follows is the reason then.
bool tells_trouble(line_scan& scan, const key_use& key) {
  constexpr std::size_t shortly = 64;
  if (scan.trouble_end <= key.begin && key.begin <= scan.read_to) {
    return scan.trouble_begin > 0 && scan.trouble_begin + shortly > key.begin;
  }
  // The last one stands within the name: which one was the last before it?
  static const near_words words(trouble_words());
  return words.stand_before(scan.line, key.begin, shortly, scan.trouble);
}

std::string_view bare_word(std::string_view word) {
  static constexpr sign_set after(",;)]}");
  while (!word.empty() && after.holds(word.back())) word.remove_suffix(1);
  return word;
}

bool is_number(std::string_view text) {
  static constexpr sign_set digits("0123456789");
  return !text.empty() && digits.hold(text);
}

/// As of the line from there on. Letters before one colon, as of a further name, are none, which is
/// seen without another look at what follows.
bool is_code_at(line_scan& scan, std::size_t at) {
  static constexpr sign_set signs(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$");
  const auto end = scan.name_end.find_other(scan.line, signs, at);
  if (scan.at(end) == ':' &&
      (end >= at + looked_at ||
       scan.colons.find(scan.line, "::", end, at + looked_at - end) == scan.line.npos)) {
    return false;
  }
  return is_code(scan.line.substr(at, looked_at));
}

/// "creds.password", "process.env.TOKEN": letters in parts, the last of which names a secret.
bool is_member(line_scan& scan, const secret_span& span) {
  const auto whole = scan.text(span).substr(0, looked_at);
  if (scan.point.find(scan.line, "."_signs, span.begin) >= span.begin + whole.size()) return false;
  const auto text = bare_word(whole);
  static constexpr sign_set signs("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.");
  if (!signs.hold(text)) return false;
  const auto point = text.rfind('.');
  if (point == text.npos || point == 0) return false;
  static constexpr auto objects = std::to_array<std::string_view>(
      {"self.", "this.", "process.env.", "var.", "secrets.", "config.", "settings.", "args."});
  const auto begins = [&](std::string_view object) { return text.starts_with(object); };
  if (is_of(text[0], "stpvca"_signs) && std::any_of(objects.begin(), objects.end(), begins))
    return true;
  // "password = module.db.password" of Terraform.
  const auto points = std::count(text.begin(), text.end(), '.');
  if (is_blank(scan.at(span.begin - 1)) && points >= 1 && text.find('_') < text.rfind('.')) {
    return true;
  }
  static constexpr auto references =
      std::to_array<std::string_view>({"module.", "data.", "local.", "each."});
  if (is_of(text[0], "mdle"_signs) && std::any_of(references.begin(), references.end(), begins)) {
    return true;
  }
  // A setting stands by itself, code between others.
  const char before = scan.at(span.begin - 1);
  const char behind = scan.at(span.end);
  if (before == '=' && whole.size() == text.size() && behind != ';' && behind != ',') return false;
  return kind_of_name(text.substr(point + 1)) != name_kind::harmless;
}

/// "Initial admin password: …": a password is told here, and words may go on behind it.
bool is_announced(const line_scan& scan, const key_use& key) {
  if (key.kind != name_kind::password) return false;
  static constexpr word_set words(std::to_array<std::string_view>(
      {"admin", "generated", "initial", "one-time", "root", "temporary"}));
  auto before = left_of(scan.line, key.begin, 32);
  for (auto end = before.find(' '); end != before.npos; end = before.find(' ')) {
    if (words.holds_lower(before.substr(0, end))) return true;
    before.remove_prefix(end + 1);
  }
  return false;
}

/// No list and no message goes on behind the word.
bool ends_there(std::string_view rest) {
  if (rest.empty() || is_of(rest[0], "\"',;)}]&#"_signs)) {
    return true;
  }
  rest = rest.substr(0, 64);
  const auto end = " \t="_signs.find(rest, 0);
  if (end < rest.size() && rest[end] == '=') return true;
  return end > 1 && rest[end - 1] == ':';
}

bool is_named_exactly(const line_scan& scan, const key_use& key, std::string_view name) {
  return key.end - key.begin == name.size() &&
         equals_lower(scan.line.substr(key.begin, key.end - key.begin), name);
}

/// "passwd: files systemd" of nsswitch.conf.
bool is_source_of_names(std::string_view word) {
  static constexpr word_set all(
      std::to_array<std::string_view>({"compat", "files", "ldap", "nis", "sss", "systemd"}));
  return all.holds(word);
}

/// "token-ring" and "secret.db" speak of something else.
bool ends_in_secret(const line_scan& scan, const key_use& key) {
  const auto name = scan.line.substr(key.begin, key.end - key.begin);
  static constexpr sign_set joints("._-");
  const auto tail = name.substr(joints.behind_last(name));
  // All of it is a name that was found to be one.
  if (tail.size() == name.size() || kind_of_name(tail) != name_kind::harmless) return true;
  auto word = tail;
  while (!word.empty() && is_digit(word.back())) word.remove_suffix(1);
  return equals_lower(word, "key");
}

/// "BOS token = 128000 '<|begin|>'": a number of a model's vocabulary.
bool is_of_vocabulary(const line_scan& scan, const key_use& key, std::string_view text) {
  if (key.kind != name_kind::token || key.quoted || text.size() > 16) return false;
  if (!is_number(bare_word(text))) return false;
  static constexpr word_set words(std::to_array<std::string_view>(
      {"bos",  "cls", "end",     "eog",   "eom",  "eos",  "eot", "fim",
       "last", "lf",  "mask",    "max",   "mid",  "next", "pad", "pre",
       "rep",  "sep", "special", "start", "stop", "suf",  "unk", "unknown"}));
  auto before = left_of(scan.line, key.begin, 16);
  while (!before.empty() && is_blank(before.back())) before.remove_suffix(1);
  static constexpr sign_set signs(" \t|:,(");
  return words.holds_lower(before.substr(signs.behind_last(before)));
}

/// Of a source: "password=password,", "token: str = None", "tokens = (start, end)", "NAME = 5,".
bool is_of_source(const line_scan& scan, const key_use& key, const secret_span& span) {
  const auto text = scan.text(span).substr(0, looked_at);
  const auto word = bare_word(text);
  if (text[0] == '(') return !text.ends_with(')') && !looks_made_up(text.substr(1));
  const auto name = name_of(scan, key);
  const bool is_argument = word.size() < text.size();
  if (is_argument && word == name) return true;
  static constexpr word_set types(
      std::to_array<std::string_view>({"Option", "Optional", "Secret", "SecretStr", "String",
                                       "bool", "bytes", "int", "str", "string"}));
  const bool is_apart = is_blank(scan.at(span.begin - 1));
  const bool colon = scan.at(span.begin - (is_apart ? 2 : 1)) == ':';
  if (colon && is_of(text[0], "OSbis"_signs) &&
      types.holds(before_any(word.substr(0, 12), "<["_signs))) {
    return true;
  }
  if (is_apart && is_argument && text.size() - word.size() == 1 &&
      std::none_of(name.begin(), name.end(), is_lower)) {
    return is_number(word) || (begins_with(word, "0x") && word.size() <= 10);
  }
  if (!is_apart || scan.at(span.begin - 2) != '=' || !is_plain_word(word)) return false;
  // "token = Name.Class", "signing_key = key".
  if (key.kind == name_kind::token) return word.size() < 16 && !is_odd_word(word);
  return word.size() >= 3 && name.size() > word.size() && name.ends_with(word);
}

/// So many letters and digits.
bool holds_alnums(std::string_view text, std::size_t least) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size() && count < least; ++i) count += is_alnum(text[i]);
  return count >= least;
}

/// "failed to refresh token: connection refused" holds none, "token: 8f2c9a" does.
bool is_secret_behind_colon(line_scan& scan, const key_use& key, const secret_span& span) {
  const auto word = scan.text(span).substr(0, looked_at);
  const auto rest_of_line = [&] { return trimmed(scan.line.substr(span.end, looked_at)); };
  const bool is_token = key.kind == name_kind::token;
  if ((word.ends_with(':') && !rest_of_line().empty()) || word[0] == '(' || is_status_word(word)) {
    return false;
  }
  if (is_number(bare_word(word))) {
    const auto size = bare_word(word).size();
    if (key.quoted) return !is_token || size > 1;
    const bool is_apart = is_blank(scan.line[span.begin - 1]);
    if (is_token) return size >= 5 && is_apart && ends_there(rest_of_line());
    // "PasswordEncoderTest.encode:42" is a place in a source.
    const auto name = name_of(scan, key);
    if (!is_apart && size <= 5 && name.find('.') != name.npos) return false;
    return ends_there(rest_of_line());
  }
  if (is_plain_word(word)) {
    if (is_named_exactly(scan, key, "passwd") && is_source_of_names(bare_word(word))) return false;
    if (!ends_in_secret(scan, key)) return false;
    if (is_odd_word(word)) return !tells_trouble(scan, key);
    const auto rest = rest_of_line();
    const bool goes_on = word.ends_with(',') || rest.starts_with('(');
    if (!ends_there(rest) && !(goes_on && is_announced(scan, key))) return false;
    if (scan.at(key.begin - 1) == '/' || scan.at(key.begin - 1) == '\\') return false;
    static constexpr sign_set joints("-/._");
    if (joints.stand_in(word) && (is_token || is_named_exactly(scan, key, "secret"))) return false;
    return !tells_trouble(scan, key);
  }
  if (is_token)
    return scan.looks_made_up_at(span) && (word.size() >= 10 || !tells_trouble(scan, key));
  return holds_alnums(word, 3);
}

/// "X-Vault-Token: s.abc": headers of that form hold one word.
bool is_of_header(const line_scan& scan, const key_use& key) {
  const auto begin = scan.line.substr(key.begin, 2);
  const auto name = scan.line.substr(key.begin, key.end - key.begin);
  return (begin == "X-" || begin == "x-") && name.find('-', 2) != name.npos &&
         name.find('.') == name.npos;
}

/// Letters or digits and nothing else, as of no word and no number that counts something.
bool is_bare_run(std::string_view text, std::size_t letters, std::size_t digits) {
  if (text.size() < letters || text.size() > looked_at) return false;
  if (is_number(text)) return text.size() >= digits;
  return std::all_of(text.begin(), text.end(), is_alnum) && !is_status_word(text);
}

bool looks_like_key(std::string_view text) {
  text = bare_word(text.substr(0, looked_at));
  const bool ends = text.size() >= 10 && text.back() == '=';
  if (!looks_random(text) && !(ends && looks_made_up(text))) return false;
  return !is_place(text) && !is_code(text);
}

bool is_short_login_pair(std::string_view text) {
  if (text.size() < 8 || text.size() > looked_at || text.size() % 4 != 0) return false;
  const auto bare = text.substr(0, text.find('='));
  return std::all_of(bare.begin(), bare.end(),
                     [](char c) { return is_alnum(c) || c == '+' || c == '/'; }) &&
         is_login_pair(text);
}

/// "sig", "auth", "tokens": the value has to say it.
bool is_vague_secret(const line_scan& scan, const key_use& key, const read_value& value,
                     bool colon) {
  const auto text = scan.text(value.span);
  const auto tail = left_of(scan.line, key.end, 9);
  const bool is_signature = equals_lower(tail, "signature") || ends_lower(tail, "sig");
  if (is_signature) {
    if (equals_lower(left_of(scan.line, key.begin, 5), "etag ")) return false;
    const bool is_close = !colon && scan.at(value.span.begin - 1) == '=';
    const auto run = before_any(text.substr(0, looked_at), "%"_signs);
    if (is_close && !is_number(run) && is_bare_run(run, 12, 0)) return true;
  }
  if (ends_lower(tail, "auth") && is_short_login_pair(text)) return true;
  return looks_like_key(text);
}

/// Words of code and of packages: "token = await f()", "libsecret-1-0:amd64".
bool is_operator(std::string_view text) {
  static constexpr word_set words(std::to_array<std::string_view>(
      {"all", "amd64", "arm64", "armhf", "await", "function", "i386", "lambda", "new", "noarch",
       "typeof", "x86_64", "yield"}));
  return is_of(text[0], "aflntxyi"_signs) &&
         words.holds(before_any(text.substr(0, 9), ".,;)"_signs));
}

bool is_outcome(std::string_view text) {
  static constexpr sign_set signs("0123456789.,/%smhu");
  return signs.hold(text) || is_status_word(text);
}

/// "build-7", "ubuntu-22.04": what passed.
bool is_release(std::string_view text) {
  static constexpr sign_set digits_and_points("0123456789.");
  const auto dash = text.substr(0, 32).find('-');
  return dash != text.npos && dash > 1 && dash + 1 < text.size() &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(dash), is_lower) &&
         digits_and_points.hold(text.substr(dash + 1));
}

/// "PASS: test_a", "pass=12 fail=0".
bool is_secret_pass(line_scan& scan, const key_use& key, const read_value& value, bool colon) {
  const auto text = scan.text(value.span);
  if (is_outcome(text.substr(0, 64)) || is_place(text) || is_release(text)) return false;
  if (!colon && value.quoted && is_upper(scan.line[key.begin])) return true;
  if (!value.quoted && is_code_at(scan, value.span.begin)) return false;
  if (!colon || key.quoted || value.quoted) return !is_sentence(text);
  if (is_upper(scan.line[key.begin])) return false;
  return is_secret_behind_colon(scan, key, value.span);
}

}  // namespace

std::vector<std::string_view> trouble_words() {
  return {"fail",     "error",  "invalid", "unexpected", "unable",  "cannot",  "could not",
          "couldn't", "can't",  "bad ",    "missing",    "illegal", "unknown", "unrecognized",
          "reject",   "denied", "wrong",   "expired",    "expected"};
}

/// A password may be a sentence; a token is none.
bool is_quoted_message(const line_scan& scan, const key_use& key, std::string_view text) {
  if (key.kind != name_kind::password) return is_sentence(text);
  return is_message(text) && !holds_lower(name_of(scan, key), "passphrase");
}

/// "/var/x/y123": no folder where secrets lie, and no file's name at its end.
bool is_strange_path(std::string_view text) {
  static constexpr word_set folders(std::to_array<std::string_view>(
      {"app",  "data", "dev",    "etc",     "home", "keys", "mnt", "opt", "private", "proc",
       "root", "run",  "secret", "secrets", "srv",  "sys",  "tmp", "usr", "vault",   "workspace"}));
  if (!text.starts_with('/') || text.size() > looked_at) return false;
  const auto last = text.substr(text.rfind('/') + 1);
  const auto first = before_any(text.substr(1), "/"_signs);
  if (last.find('.') != last.npos || !looks_made_up(last)) return false;
  if (folders.holds(first)) return false;
  for (const std::string_view folder : {"/var/run/", "/var/lib/", "/var/log/", "/var/secrets/"}) {
    if (text.starts_with(folder)) return false;
  }
  return true;
}

bool is_place_for(const line_scan& scan, const key_use& key, std::string_view text) {
  if (!is_place(text)) return false;
  if (key.kind != name_kind::password) return true;
  if (is_slashed_key(text)) return false;
  // "password=10.20.30": neither a version nor an address stands there.
  const bool plain =
      (key.quoted || scan.at(key.end) == '=') && holds_lower(name_of(scan, key), "passw");
  if (key.quoted && is_strange_path(text)) return false;
  return !plain || text.find("://") != text.npos || is_of(text[0], "/.~"_signs);
}

bool is_hidden_value(std::string_view text) {
  return !is_no_secret(text) && !is_sentence(text) && !is_status_word(text);
}

bool is_secret_value(line_scan& scan, const key_use& key, const read_value& value, bool colon) {
  const auto text = scan.text(value.span);
  if (text.empty() || is_no_secret(text)) return false;
  switch (key.kind) {
    case name_kind::harmless:
      return false;
    case name_kind::vague:
      return is_vague_secret(scan, key, value, colon);
    case name_kind::doubtful:
      return text.size() >= 6 && looks_made_up(text) && !is_place(text) && !is_sentence(text);
    case name_kind::session:
      if (begins_with(text, "0x") || text.size() < 8 || is_place(text)) return false;
      return looks_made_up(text) || (!(colon && !key.quoted) && is_bare_run(text, 12, 14));
    case name_kind::pwd:
      return !is_place(text) && !text.starts_with('/') && !text.starts_with('~') &&
             (!colon || looks_made_up(text)) && !is_status_word(text);
    case name_kind::pass:
      return is_secret_pass(scan, key, value, colon);
    default:
      break;
  }
  const auto kinds = kinds_of_signs(text);
  if (may_be_place(kinds) && is_place_for(scan, key, text)) return false;
  // A call's arguments go on behind the quotes that end the value.
  if (!value.quoted &&
      (((kinds & opening_sign) != 0 && is_code_at(scan, value.span.begin)) ||
       ((kinds & some_point) != 0 && is_member(scan, value.span)) || is_operator(text))) {
    return false;
  }
  const bool is_token = key.kind == name_kind::token;
  if ((kinds & some_digit) != 0 && is_of_vocabulary(scan, key, text)) return false;
  if (!value.quoted && !key.quoted && is_of_source(scan, key, value.span)) return false;
  if (is_number(text) && equals_lower(left_of(scan.line, key.end, 3), "_id")) return false;
  if (value.quoted) {
    if (is_quoted_message(scan, key, text) || is_status_word(text)) return false;
    if (is_token && is_number(text) && text.size() <= 3) return false;
    if (key.quoted || !colon) return true;
    if (is_token && tells_trouble(scan, key)) return looks_made_up(text) && text.size() >= 8;
    return !is_plain_word(text) || !is_named_exactly(scan, key, "secret");
  }
  if (colon && is_of_header(scan, key)) {
    return text.size() >= 4 && !is_status_word(text) && !is_sentence(text) &&
           !tells_trouble(scan, key);
  }
  if (colon) return is_secret_behind_colon(scan, key, value.span);
  if (is_token && text.size() <= 3 && is_number(bare_word(text))) return false;
  return !is_status_word(text);
}

}  // namespace reeve
