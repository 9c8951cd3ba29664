// The doctor's look at the key of the secrets.

#include "base/sealing.hpp"
#include "cli/database.hpp"
#include "cli/doctor.hpp"
#include "persistence/secret_vault.hpp"

#include <algorithm>

namespace reeve::cli {
namespace {

finding unfit(const rejection& why) {
  return {"secrets", "fail", why.detail, "mend it, or put it back from a copy: docs/operations.md"};
}

}  // namespace

outcome<done> judge_secrets_key(const config& c) {
  const auto key = sealing_key::load(secrets_key_file(c));
  if (!key) return reject(errc::invalid, key.error().detail);
  return done{};
}

std::optional<finding> unfit_secrets_key(const config& c) {
  const auto ok = judge_secrets_key(c);
  return ok ? std::nullopt : std::optional(unfit(ok.error()));
}

finding check_secrets(const config& c, const std::string& owner_url) {
  const std::string name = "secrets";
  const auto path = secrets_key_file(c);
  const auto key = sealing_key::load(path);
  if (!key) return unfit(key.error());
  const auto used = persistence::sealing_keys_of(owner_url);
  if (!used && used.error().code == errc::not_found) {
    return {name, "ok", "none to look at: no server has led here", ""};
  }
  if (!used) {
    return {name, "warn", "not looked at: " + used.error().detail,
            "ask again when the database answers"};
  }
  const auto fits = [&](const std::string& id) { return *key && id == (*key)->id(); };
  if (std::all_of(used->begin(), used->end(), fits)) {
    if (!*key) return {name, "ok", "none are kept yet", ""};
    return {name, "ok", "their key is " + path + ", " + (*key)->id(), ""};
  }
  return {
      name, "fail",
      *key ? "some are sealed with another key than " + path : "their key is not there: " + path,
      "put the file back from the data folder of the server that kept them; without it delete "
      "every secret and put it anew"};
}

}  // namespace reeve::cli
