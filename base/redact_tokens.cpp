#include "base/redact_tokens.hpp"

#include "base/redact_text.hpp"

#include <algorithm>
#include <string>

namespace reeve {
namespace {

/// Beyond the run: what more a form asks for.
enum class extra : std::uint8_t {
  none,
  exact,        // the run has just so many characters
  mixed,        // letters and digits, and one long part
  jwt,          // three parts, the first two not short
  chat_bot,     // eight to ten digits before the beginning
  tail,         // the beginning is the end of it: so many hexadecimal digits stand before
  three_parts,  // "M…24.6.27+" around a point
  late,         // only what follows the beginning is the secret
  rv,           // 32 hexadecimal digits, '_', and the rest
  old_vault,    // exact, and random; behind '/' a page has that form
};

struct form {
  std::string_view kind;
  std::string_view begin;
  run_of run;
  std::size_t least;
  extra more = extra::none;
};

using enum run_of;

constexpr form forms[] = {
    {"reeve_token", "rv_", url, 34, extra::rv},
    {"reeve_token", "rva_", url, 40},
    {"aws_key", "AKIA", alnum, 16, extra::exact},
    {"aws_key", "ASIA", alnum, 16, extra::exact},
    {"aws_key", "ABIA", alnum, 16, extra::exact},
    {"aws_key", "ACCA", alnum, 16, extra::exact},
    {"aws_key", "ABSK", base64, 100},
    {"jwt", "eyJ", dotted, 6, extra::jwt},
    {"github_token", "ghp_", alnum, 20},
    {"github_token", "gho_", alnum, 20},
    {"github_token", "ghu_", alnum, 20},
    {"github_token", "ghs_", alnum, 20},
    {"github_token", "ghr_", alnum, 20},
    {"github_token", "github_pat_", word, 20},
    {"gitlab_token", "glpat-", dotted, 16},
    {"gitlab_token", "glptt-", dotted, 16},
    {"gitlab_token", "gldt-", dotted, 16},
    {"gitlab_token", "glrt-", dotted, 16},
    {"gitlab_token", "glrtr-", dotted, 16},
    {"gitlab_token", "glcbt-", dotted, 16},
    {"gitlab_token", "gloas-", dotted, 16},
    {"gitlab_token", "glsoat-", dotted, 16},
    {"gitlab_token", "glft-", dotted, 16},
    {"gitlab_token", "glimt-", dotted, 16},
    {"gitlab_token", "glagent-", dotted, 16},
    {"gitlab_token", "glwt-", dotted, 16},
    {"gitlab_token", "glffct-", dotted, 16},
    {"gitlab_token", "GR1348941", url, 16},
    {"slack_token", "xoxa-", url, 10},
    {"slack_token", "xoxb-", url, 10},
    {"slack_token", "xoxc-", url, 10},
    {"slack_token", "xoxd-", base64, 10},
    {"slack_token", "xoxe-", url, 10},
    {"slack_token", "xoxe.xox", url, 10},
    {"slack_token", "xoxo-", url, 10},
    {"slack_token", "xoxp-", url, 10},
    {"slack_token", "xoxr-", url, 10},
    {"slack_token", "xoxs-", url, 10},
    {"slack_token", "xapp-", url, 10},
    {"webhook", "hooks.slack.com/services/", path, 8, extra::late},
    {"webhook", "hooks.slack.com/workflows/", path, 8, extra::late},
    {"webhook", "hooks.slack.com/triggers/", path, 8, extra::late},
    {"webhook", "discord.com/api/webhooks/", path, 20, extra::late},
    {"webhook", "discordapp.com/api/webhooks/", path, 20, extra::late},
    {"webhook", "discord.com/api/v9/webhooks/", path, 20, extra::late},
    {"webhook", "discord.com/api/v10/webhooks/", path, 20, extra::late},
    {"webhook", ".webhook.office.com/webhookb2/", path, 20, extra::late},
    {"webhook", "hooks.zapier.com/hooks/catch/", path, 8, extra::late},
    {"telegram_token", ":AA", url, 30, extra::chat_bot},
    {"discord_token", ".", url, 6, extra::three_parts},
    {"google_key", "AIza", url, 30},
    {"google_key", "ya29.", dotted, 20},
    {"google_key", "GOCSPX-", url, 20},
    {"google_key", "1//0", url, 30},
    {"api_key", "sk-", url, 20, extra::mixed},
    {"api_key", "sk_", url, 20, extra::mixed},
    {"api_key", "rk-", url, 20, extra::mixed},
    {"api_key", "rk_", url, 20, extra::mixed},
    {"api_key", "pk-", url, 20, extra::mixed},
    {"api_key", "pk_", url, 20, extra::mixed},
    {"api_key", "sk_live_", alnum, 20},
    {"api_key", "sk_test_", alnum, 20},
    {"api_key", "rk_live_", alnum, 20},
    {"api_key", "rk_test_", alnum, 20},
    {"api_key", "sk-ant-", url, 20},
    {"api_key", "sk-proj-", url, 20},
    {"api_key", "whsec_", base64, 20},
    {"api_key", "hf_", alnum, 20},
    {"api_key", "npm_", alnum, 30},
    {"api_key", "dckr_pat_", url, 20},
    {"api_key", "dckr_oat_", url, 20},
    {"api_key", "pypi-", url, 50},
    {"api_key", "rubygems_", hex, 30},
    {"vault_token", "hvs.", dotted, 20},
    {"vault_token", "hvb.", dotted, 20},
    {"vault_token", "hvr.", dotted, 20},
    {"vault_token", "s.", alnum, 24, extra::old_vault},
    {"api_key", "SG.", dotted, 40},
    {"api_key", "dop_v1_", hex, 32},
    {"api_key", "doo_v1_", hex, 32},
    {"api_key", "dor_v1_", hex, 32},
    {"api_key", "dapi", url, 32, extra::mixed},
    {"api_key", "dose", hex, 32},
    {"api_key", "shpat_", alnum, 20},
    {"api_key", "shpca_", alnum, 20},
    {"api_key", "shppa_", alnum, 20},
    {"api_key", "shpss_", alnum, 20},
    {"api_key", "glsa_", word, 32},
    {"api_key", "glc_", base64, 32},
    {"private_key", "AGE-SECRET-KEY-1", alnum, 20},
    {"private_key", "AGE-SECRET-KEY-PQ-1", alnum, 20},
    {"private_key", "LS0tLS1CRUdJTiBQUklWQVRF", base64, 20},
    {"private_key", "LS0tLS1CRUdJTiBSU0EgUFJJ", base64, 20},
    {"private_key", "LS0tLS1CRUdJTiBFQyBQUklW", base64, 20},
    {"private_key", "LS0tLS1CRUdJTiBPUEVOU1NI", base64, 20},
    {"private_key", "LS0tLS1CRUdJTiBFTkNSWVBU", base64, 20},
    {"private_key", "LS0tLS1CRUdJTiBQR1AgUFJJ", base64, 20},
    {"private_key", "LS0tLS1CRUdJTiBEU0EgUFJJ", base64, 20},
    {"credential", "eyJhdXRocyI6", base64, 20},  // {"auths":
    {"credential", "ewogICJhdXRocyI6", base64, 20},
    {"credential", "ewoJImF1dGhzIj", base64, 20},
    {"api_key", "SK", hex, 32, extra::exact},
    {"api_key", "key-", hex, 32, extra::exact},
    {"api_key", "-us", alnum, 1, extra::tail},
    {"api_key", "xkeysib-", url, 40},
    {"api_key", "xsmtpsib-", url, 40},
    {"api_key", "ATATT3", base64, 40},
    {"api_key", "ATCTT3", base64, 40},
    {"api_key", "ATBB", alnum, 28},
    {"api_key", "lin_api_", alnum, 30},
    {"api_key", "ntn_", alnum, 40},
    {"api_key", "secret_", alnum, 43, extra::exact},
    {"api_key", "r8_", alnum, 30},
    {"api_key", "gsk_", alnum, 40},
    {"api_key", "xai-", alnum, 60},
    {"api_key", "pplx-", alnum, 32},
    {"api_key", "nvapi-", url, 40},
    {"api_key", "fo1_", url, 30},
    {"api_key", "fm2_", base64, 40},
    {"api_key", "nfp_", alnum, 30},
    {"api_key", "HRKU-", url, 30},
    {"api_key", ".atlasv1.", url, 50, extra::late},
    {"api_key", "pul-", hex, 40},
    {"api_key", "pscale_tkn_", url, 30},
    {"api_key", "pscale_pw_", url, 30},
    {"api_key", "pscale_oauth_", url, 30},
    {"api_key", "dp.pt.", dotted, 30},
    {"api_key", "dp.st.", dotted, 30},
    {"api_key", "dp.ct.", dotted, 30},
    {"api_key", "dp.sa.", dotted, 30},
    {"api_key", "sntrys_", base64, 40},
    {"api_key", "sntryu_", hex, 40},
    {"api_key", "NRAK-", alnum, 20},
    {"api_key", "NRRA-", alnum, 20},
    {"api_key", "NRII-", url, 20},
    {"api_key", "figd_", url, 20},
    {"api_key", "PMAK-", url, 40},
    {"api_key", "dt0c01.", dotted, 60},
    {"api_key", "dt0s16.", dotted, 60},
    {"api_key", "sbp_", hex, 40},
    {"api_key", "bkua_", hex, 40},
    {"api_key", "CCIPAT_", word, 30},
    {"api_key", "tskey-", url, 20},
    {"api_key", "AKCp", alnum, 60},
    {"api_key", "sha256~", url, 40},
    {"api_key", "sgp_", word, 40},
    {"api_key", "ops_eyJ", base64, 40},
    {"api_key", "LTAI", alnum, 16, extra::mixed},
    {"api_key", "AKID", alnum, 32, extra::mixed},
    {"api_key", "EAAC", alnum, 60},
    {"api_key", "EAAA", url, 60},
    {"api_key", "sq0atp-", url, 20},
    {"api_key", "sq0csp-", url, 40},
    {"api_key", "phx_", alnum, 40},
    {"api_key", "lsv2_pt_", word, 40},
    {"api_key", "lsv2_sk_", word, 40},
    {"api_key", "tvly-", url, 20},
    {"api_key", "CFPAT-", url, 40},
    {"api_key", "shippo_live_", hex, 30},
    {"api_key", "rdme_", alnum, 60},
    {"api_key", "pnu_", alnum, 36},
    {"api_key", "aio_", alnum, 28, extra::exact},
    {"api_key", "EZAK", alnum, 54},
    {"api_key", "EZTK", alnum, 54},
    {"api_key", "vercel_", word, 24},
    {"api_key", "napi_", alnum, 40},
};

constexpr sign_set digit_signs("0123456789");
constexpr auto alnum_signs =
    digit_signs | "ABCDEFGHIJKLMNOPQRSTUVWXYZ"_signs | "abcdefghijklmnopqrstuvwxyz"_signs;

/// By the number of the run.
constexpr std::array<sign_set, static_cast<std::size_t>(run_of::count)> run_signs{
    digit_signs | "abcdefABCDEF"_signs,
    alnum_signs,
    alnum_signs | "_"_signs,
    alnum_signs | "_-"_signs,
    alnum_signs | "_-"_signs,
    alnum_signs | "_-."_signs,
    alnum_signs | "_-/@"_signs,
    alnum_signs | "+/=_-%"_signs,
    alnum_signs | "._~+/=-"_signs};

bool is_in(char c, run_of kind) {
  return run_signs[static_cast<std::size_t>(kind)].holds(c);
}

/// A word may begin at `at`: behind no letter, digit or '_', unless those belong to an escape.
bool begins_word(std::string_view line, std::size_t at) {
  if (at == 0) return true;
  const char before = line[at - 1];
  if (!is_alnum(before) && before != '_') return true;
  // Behind an escape or a colour, whose last sign is a letter or a digit.
  for (std::size_t back = 1; back <= 12 && back < at; ++back) {
    const char c = line[at - back - 1];
    if (c == '\\' || c == '%' || c == '[') return begin_of_word(line, at - back) == at;
    if (!is_alnum(c) && c != ';') return false;
  }
  return false;
}

/// The line has so many bytes left. Most are short, and nearly all of them stand there.
bool stands_at(std::string_view text, std::string_view line, std::size_t at) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (line[at + i] != text[i]) return false;
  }
  return true;
}

std::size_t count_before(std::string_view line, std::size_t at, std::size_t most, run_of kind) {
  std::size_t count = 0;
  while (count < most && count < at && is_in(line[at - count - 1], kind)) ++count;
  return count;
}

/// So many letters and digits without a break. Each break is followed by a look at the last place
/// where such a part may have its end.
bool has_long_part(std::string_view text) {
  constexpr std::size_t least = 16;
  for (auto end = least; end <= text.size();) {
    auto begin = end;
    while (begin > end - least && is_alnum(text[begin - 1])) --begin;
    if (begin == end - least) return true;
    end = begin + least;
  }
  return false;
}

/// Letters and digits, and a part of at least 16 without a break: "pk_orders_by_customer" is none.
bool is_mixed(std::string_view text) {
  text = text.substr(0, looked_at);
  return has_long_part(text) && looks_made_up(text) &&
         std::any_of(text.begin(), text.end(), is_alpha);
}

bool is_jwt(std::string_view line, std::size_t begin, run_ends& runs) {
  const auto first = runs.end(begin, url);
  if (first == line.size() || line[first] != '.' || first - begin < 9) return false;
  const auto second = runs.end(first + 1, second_part);
  return second < line.size() && line[second] == '.' && second - first > 4;
}

/// "AAAA….BBBBBB.CCCC…" around its first point, which is at `at`.
bool read_three_parts(std::string_view line, std::size_t at, run_ends& runs, secret_span& out) {
  if (line.size() < at + 35 || line[at + 7] != '.') return false;
  const auto before = count_before(line, at, 40, url);
  if (before < 23) return false;
  // Behind an escape the run is longer than the token.
  auto begin = at - std::min<std::size_t>(before, 28);
  const auto may_begin = [&] {
    const char first = line[begin];
    return (first == 'M' || first == 'N' || first == 'O') && begins_word(line, begin);
  };
  while (at - begin >= 23 && !may_begin()) ++begin;
  if (at - begin < 23) return false;
  if (runs.end(at + 1, url) != at + 7) return false;
  const auto end = runs.end(at + 8, url);
  if (end - (at + 8) < 27 || !looks_made_up(line.substr(at + 8, end - at - 8))) return false;
  out = {begin, end, "discord_token", false};
  return true;
}

bool read_around(const form& one, std::string_view line, std::size_t begin, std::size_t end,
                 run_ends& runs, secret_span& out) {
  if (one.more == extra::three_parts) return read_three_parts(line, begin, runs, out);
  if (one.more == extra::chat_bot) {
    std::size_t digits = 0;
    while (digits < 11 && digits < begin && is_digit(line[begin - digits - 1])) ++digits;
    if (digits < 8 || digits > 10) return false;
    const auto stop = runs.end(end, one.run);
    if (stop - end < one.least || stop - end > 40) return false;
    out = {begin - digits, stop, one.kind, false};
    return true;
  }
  if (count_before(line, begin, 33, hex) != 32 || !begins_word(line, begin - 32)) return false;
  if (end >= line.size() || !is_digit(line[end])) return false;
  out = {begin - 32, runs.end(end, one.run), one.kind, false};
  return true;
}

}  // namespace

std::size_t run_ends::end(std::size_t from, run_of kind) {
  auto& known = known_[static_cast<std::size_t>(kind)];
  if (from >= known.begin && from < known.end) return known.end;
  known = {from, run_signs[static_cast<std::size_t>(kind)].find_other(line_, from)};
  return known.end;
}

std::vector<std::string_view> token_beginnings() {
  static const std::vector<std::string> small = [] {
    std::vector<std::string> all;
    for (const auto& one : forms) all.push_back(lower(one.begin));
    return all;
  }();
  return {small.begin(), small.end()};
}

bool is_always_secret(std::size_t form) {
  const auto& one = forms[form];
  return one.more != extra::old_vault && one.begin != "pk-" && one.begin != "pk_";
}

bool read_token(std::size_t number, std::string_view line, std::size_t begin, std::size_t end,
                run_ends& runs, secret_span& out) {
  const auto& one = forms[number];
  if (one.more == extra::three_parts || one.more == extra::chat_bot || one.more == extra::tail) {
    return stands_at(one.begin, line, begin) && read_around(one, line, begin, end, runs, out);
  }
  if (one.more != extra::late &&
      (!stands_at(one.begin, line, begin) || !begins_word(line, begin))) {
    return false;
  }
  // Before points are taken off, since a run may hold many beginnings before many points.
  if (one.more == extra::jwt && !is_jwt(line, begin, runs)) return false;
  auto stop = runs.end(end, one.run);
  while (one.run == dotted && stop > end && line[stop - 1] == '.') --stop;
  const auto size = stop - end;
  if (size < one.least || (one.more == extra::exact && size != one.least)) return false;
  if (one.more == extra::mixed && !is_mixed(line.substr(end, size))) return false;
  if (one.more == extra::old_vault) {
    const auto text = line.substr(end, size);
    const bool is_page = begin > 0 && line[begin - 1] == '/' && !looks_made_up(text);
    if (size != one.least || !looks_random(text) || is_page) return false;
  }
  if (one.more == extra::rv) {
    if (count_before(line, end + 32, 32, hex) != 32 || line[end + 32] != '_') return false;
    stop = runs.end(end, url);
  }
  out = {one.more == extra::late ? end : begin, stop, one.kind, false};
  return true;
}

}  // namespace reeve
