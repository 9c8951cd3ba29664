// The doctor's look at the database. It asks the same functions as a server that starts.

#include "cli/database.hpp"
#include "cli/doctor.hpp"
#include "persistence/admission.hpp"
#include "persistence/log_rights.hpp"
#include "persistence/migrate.hpp"
#include "persistence/private_postgres.hpp"
#include "persistence/read_models.hpp"

namespace reeve::cli {
namespace {

constexpr const char* more_help = "docs/operations.md, What a server refuses";

finding check_database(const database& db) {
  const std::string name = db.is_private ? "the private PostgreSQL" : "DATABASE_URL";
  const auto fit = persistence::check_schema(db.owner_url);
  if (fit) return {"database", "ok", name + " answers, its settings are safe", ""};
  if (db.is_private && fit.error().code == errc::unavailable) {
    // Not its own words: they name a setting that nobody has set.
    return {"database", "fail", name + " runs, or is held, and does not answer",
            "its log is pg/postgresql.log in the data folder; " + std::string(more_help)};
  }
  const bool is_setting = fit.error().code == errc::invalid;
  return {"database", "fail", fit.error().detail,
          is_setting ? "see docs/configuration.md, DATABASE_URL" : more_help};
}

/// What roles and logins lack, and the statements that mend it.
struct lacks {
  std::string missing, fix;

  void add(const std::string& who, const std::string& what) {
    missing += (missing.empty() ? "" : ", ") + who + " lacks " + what;
    fix += (fix.empty() ? "" : "; ") + persistence::mend_of(who, what);
  }
  void add(const persistence::role_rights& of) {
    for (const auto& one : of.missing) add(of.role, one);
    for (const auto& one : of.login_missing) add(of.login, one);
  }
};

/// What a look that failed says: that nothing is there yet, or that nothing was seen.
finding unseen(const char* name, const rejection& why) {
  if (why.code == errc::not_found) {
    return {name, "ok", "none to look at: no server has led here", ""};
  }
  return {name, "warn", "not looked at: " + why.detail, "ask again when the database answers"};
}

/// Whether it is the log that this data folder knows; and whether the roles may do their work.
finding check_log(const config& c, const std::string& url) {
  const auto admitted = persistence::look_at_admission(
      {heads_file(c), known_database_file(c), accepted_database_file(c)}, url);
  if (!admitted) return {"event log", "fail", admitted.error().detail, more_help};
  const auto rights = persistence::look_at_log_rights(url, {c.writer_url, c.reader_url});
  if (!rights) return unseen("event log", rights.error());
  lacks all;
  all.add(rights->writer);
  all.add(rights->reader);
  if (!all.missing.empty()) return {"event log", "fail", all.missing, all.fix};
  const std::string seen = rights->writer.role + " may append";
  if (admitted->accepted != "asked") return {"event log", "ok", seen, ""};
  return {"event log", "warn", seen + "; it is older than what is known, and was accepted",
          "the next start goes on from it; else bring the newer database back"};
}

finding check_read_models(const config& c, const std::string& url) {
  const auto all = persistence::stored_projections(url);
  if (!all) return unseen("read models", all.error());
  std::string behind, stale;
  for (const auto& one : *all) {
    if (one.state == "live" || one.state == "new") continue;
    auto& list = one.state == "stale" ? stale : behind;
    list += (list.empty() ? "" : ", ") + one.name;
  }
  if (!stale.empty()) {
    return {"read models", "fail", stale + " could not be kept up to date",
            "the server's log says why; then: reeve rebuild"};
  }
  // A build makes good what the server may not write, until the next row.
  const auto rights = persistence::look_at_model_rights(url, {}, {c.writer_url, c.reader_url});
  if (!rights && rights.error().code != errc::not_found) {
    return unseen("read models", rights.error());
  }
  lacks all_rights;
  if (rights) all_rights.add(*rights);
  if (!all_rights.missing.empty()) {
    return {"read models", "fail", all_rights.missing, all_rights.fix};
  }
  if (!behind.empty()) {
    return {"read models", "warn", behind + " is of another version",
            "a server that leads builds it by itself; readiness tells when it is done"};
  }
  // Their states and versions were looked at, and no row.
  return {"read models", "ok",
          std::to_string(all->size()) + " up to date; `reeve replay` compares their rows", ""};
}

finding cannot_start(const rejection& why) {
  const bool is_missing = why.code == errc::unavailable;
  return {"database", "fail", why.detail,
          is_missing ? "scripts/install.sh --runtime, or set DATABASE_URL" : more_help};
}

/// Of a database that is not there yet, or that cannot be asked.
std::vector<finding> and_nothing_else(finding database) {
  if (database.verdict == "ok") {
    return {std::move(database),
            {"event log", "ok", "none to look at", ""},
            {"read models", "ok", "none to look at", ""},
            {"secrets", "ok", "none to look at", ""}};
  }
  const std::string seen = "not looked at", fix = "mend the database first, then ask again";
  return {std::move(database),
          {"event log", "warn", seen, fix},
          {"read models", "warn", seen, fix},
          {"secrets", "warn", seen, fix}};
}

std::vector<finding> look_at_databases(const config& c) {
  if (c.database_url.empty()) {
    const auto there = persistence::private_postgres::look(c.data + "/pg");
    if (!there) return and_nothing_else(cannot_start(there.error()));
    if (!there->is_there) {
      const auto version = std::to_string(there->major);
      return and_nothing_else(
          {"database", "ok",
           "PostgreSQL " + version + " for a private cluster, which the first start makes", ""});
    }
  }
  const auto db = open_database(c);
  if (!db) return and_nothing_else({"database", "fail", db.error().detail, more_help});
  auto database = check_database(*db);
  if (database.verdict != "ok") return and_nothing_else(std::move(database));
  return {std::move(database), check_log(c, db->owner_url), check_read_models(c, db->owner_url),
          check_secrets(c, db->owner_url)};
}

}  // namespace

/// The key is a file, whatever the database says.
std::vector<finding> check_databases(const config& c) {
  auto all = look_at_databases(c);
  if (auto unfit = unfit_secrets_key(c)) all.back() = std::move(*unfit);
  return all;
}

}  // namespace reeve::cli
