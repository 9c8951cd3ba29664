// Whoever may do anything in the database may change history; `reeve verify` then fails and names
// the first position that does not fit. The tests switch the database's own refusals off first.

#include "tests/support/chaos.hpp"
#include "tests/support/server.hpp"
#include "tests/support/watchdog.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

using nlohmann::json;
using support::server;
using testing::HasSubstr;

namespace {

struct verdict {
  int status = -1;
  json result;
};

verdict verdict_of(const support::finished& command) {
  const auto at = command.output.find("{\"good\"");
  if (at == std::string::npos) {
    ADD_FAILURE() << command.output;
    return {command.status, json()};
  }
  const auto line = command.output.substr(at, command.output.find('\n', at) - at);
  return {command.status, json::parse(line)};
}

/// The log of a server that has worked, stopped, worked again and stopped: with two signed heads.
class finished_log {
 public:
  finished_log() {
    work();
    reeve_.start();
    work();
    database_.emplace(reeve_.database());
    database_->exec(
        "DO $$ DECLARE t regclass; BEGIN"
        "  FOR t IN SELECT relid FROM pg_partition_tree('reeve.events') LOOP"
        "    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', t);"
        "  END LOOP; END $$;"
        "ALTER TABLE reeve.checkpoints DISABLE TRIGGER ALL;"
        "CREATE TABLE public.kept AS TABLE reeve.events;"
        "CREATE TABLE public.kept_heads AS TABLE reeve.checkpoints;");
    head_ = database_->number("SELECT max(position) FROM reeve.events");
    first_head_ = database_->number("SELECT min(position) FROM reeve.checkpoints");
  }

  verdict verify(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"verify", "--json"});
    return verdict_of(reeve_.command(more));
  }
  /// After the statements, `position` is the first that does not fit; then all is as it was.
  void expect_found(const std::string& statements, long long position) {
    database_->exec(statements);
    const auto found = verify();
    EXPECT_EQ(found.status, 1) << statements;
    if (found.result.is_object()) {
      EXPECT_EQ(found.result.at("good"), false) << statements;
      EXPECT_EQ(found.result.at("first_bad"), position) << statements << found.result;
    }
    restore();
  }
  void restore() {
    database_->exec(
        "TRUNCATE reeve.events; INSERT INTO reeve.events TABLE public.kept;"
        "TRUNCATE reeve.checkpoints;"
        "INSERT INTO reeve.checkpoints TABLE public.kept_heads;");
  }
  server& reeve() { return reeve_; }
  support::pg& database() { return *database_; }
  long long head() const { return head_; }
  long long first_head() const { return first_head_; }

 private:
  void work() {
    const auto api = reeve_.api();
    for (int n = 0; n < 2; ++n) {
      const json run = support::launch(api, {{"tasks", {"task1", "task2"}}});
      support::await_run(api, run.at("id"));
    }
    EXPECT_EQ(reeve_.stop(), 0);
  }

  server reeve_;
  std::optional<support::pg> database_;
  long long head_ = 0;
  long long first_head_ = 0;
};

/// What makes a row another one, column by column, however small the change.
const std::vector<std::string> changes = {
    "epoch = epoch + 1",
    "stream = stream || 'x'",
    "version = version + 1",
    "type = 'x' || type",
    "schema_version = schema_version + 1",
    "tenant = '00000000-0000-0000-0000-000000000001'",
    "payload = overlay(payload PLACING CASE substr(payload, 3, 1) WHEN 'x' THEN 'y' ELSE 'x' END "
    "FROM 3 FOR 1)",
    "payload = payload || ' '",
    "payload_format = 1",
    "payload_format = payload_format + 256",
    "key_id = '00000000-0000-0000-0000-000000000001'",
    "principal = principal || ' '",
    "command_id = '00000000-0000-0000-0000-000000000001'",
    "request_digest = CASE WHEN request_digest IS NULL THEN '' ELSE NULL::bytea END",
    "correlation_id = '00000000-0000-0000-0000-000000000001'",
    "causation_id = COALESCE(causation_id, 0) + 1",
    "traceparent = traceparent || '0'",
    "recorded_at_us = recorded_at_us + 1",
    "leaf = set_bit(leaf, 200, 1 - get_bit(leaf, 200))",
    "hash = set_bit(hash, 0, 1 - get_bit(hash, 0))"};

/// Writes the chain anew from a position on, as the published format says: what an owner of the
/// database can do who knows it.
const char* const rewriting = R"(
CREATE FUNCTION pg_temp.field(b bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
  $$ SELECT COALESCE(int4send(length(b)) || b, '\xffffffff'::bytea) $$;
CREATE FUNCTION pg_temp.field(t text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
  $$ SELECT pg_temp.field(convert_to(t, 'UTF8')) $$;
CREATE FUNCTION pg_temp.leaf_of(e reeve.events) RETURNS bytea LANGUAGE sql AS $$
  SELECT sha256('\x00'::bytea || substring(int4send(e.payload_format) FROM 4 FOR 1) ||
    pg_temp.field(int8send(e.position)) || pg_temp.field(int8send(e.epoch)) ||
    pg_temp.field(e.stream) || pg_temp.field(int8send(e.version)) || pg_temp.field(e.type) ||
    pg_temp.field(int8send(e.schema_version)) || pg_temp.field(uuid_send(e.tenant)) ||
    pg_temp.field(uuid_send(e.key_id)) || pg_temp.field(e.principal) ||
    pg_temp.field(uuid_send(e.command_id)) || pg_temp.field(e.request_digest) ||
    pg_temp.field(uuid_send(e.correlation_id)) || pg_temp.field(int8send(e.causation_id)) ||
    pg_temp.field(e.traceparent) || pg_temp.field(int8send(e.recorded_at_us)) ||
    sha256(convert_to(e.payload, 'UTF8'))) $$;
CREATE FUNCTION pg_temp.rewrite(start bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  e reeve.events;
  before bytea := (SELECT hash FROM reeve.events WHERE position = start - 1);
BEGIN
  FOR e IN SELECT * FROM reeve.events WHERE position >= start ORDER BY position LOOP
    before := sha256('\x01'::bytea || before || pg_temp.leaf_of(e));
    UPDATE reeve.events SET leaf = pg_temp.leaf_of(e), hash = before WHERE position = e.position;
  END LOOP;
END $$;)";

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::istringstream text(support::contents_of(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST(EV7_verify, says_that_an_untouched_log_is_whole) {
  finished_log log;
  const auto whole = log.verify();
  EXPECT_EQ(whole.status, 0) << whole.result;
  EXPECT_EQ(whole.result.at("good"), true);
  EXPECT_EQ(whole.result.at("first_bad"), nullptr);
  EXPECT_EQ(whole.result.at("events"), log.head());
  EXPECT_GE(whole.result.at("checkpoints"), 2);
  EXPECT_GT(log.head(), log.first_head());
  // The tests' own tool writes the same bytes again, so that what it forges is a real forgery.
  log.database().exec(rewriting);
  log.database().exec("SELECT pg_temp.rewrite(2)");
  EXPECT_EQ(log.verify().status, 0);
}

TEST(P5_tampering, with_any_column_of_a_row_is_found_at_its_position) {
  // Forty times a whole `reeve verify`.
  REEVE_TEST_TIME_LIMIT(60);
  finished_log log;
  support::dice dice;
  ASSERT_GT(log.head(), 20);
  for (const auto& change : changes) {
    for (const long long position :
         {static_cast<long long>(dice.between(1, static_cast<int>(log.head()))), log.head()}) {
      log.expect_found(
          "UPDATE reeve.events SET " + change + " WHERE position = " + std::to_string(position),
          position);
    }
  }
  EXPECT_EQ(log.verify().status, 0);
}

TEST(P5_tampering, with_whole_rows_is_found_at_the_first) {
  finished_log log;
  support::dice dice;
  const int head = static_cast<int>(log.head());
  for (int n = 0; n < 5; ++n) {
    const int one = dice.between(2, head - 2);
    const int other = dice.between(one + 1, head - 1);
    const auto at = [](int position) { return " WHERE position = " + std::to_string(position); };
    log.expect_found("DELETE FROM reeve.events" + at(one), one);
    log.expect_found("DELETE FROM reeve.events WHERE position < " + std::to_string(one), 1);
    // The end is gone: only the signed head tells.
    log.expect_found("DELETE FROM reeve.events WHERE position >= " + std::to_string(other), other);
    log.expect_found("UPDATE reeve.events SET position = 9999999" + at(one) +
                         ";UPDATE reeve.events SET position = " + std::to_string(one) + at(other) +
                         ";UPDATE reeve.events SET position = " + std::to_string(other) +
                         at(9999999),
                     one);
    // The payloads of two rows change places, and nothing else.
    log.expect_found(
        "UPDATE reeve.events e SET payload = k.payload FROM public.kept k WHERE "
        "e.position IN (" +
            std::to_string(one) + ", " + std::to_string(other) +
            ") AND k.position = " + std::to_string(one + other) +
            " - e.position "
            "AND k.payload <> e.payload; UPDATE reeve.events SET principal = 'x'" +
            at(other),
        log.database().number("SELECT CASE WHEN a.payload = b.payload THEN b.position "
                              "ELSE a.position END FROM public.kept a, public.kept b "
                              "WHERE a.position = $1 AND b.position = $2",
                              {std::to_string(one), std::to_string(other)}));
  }
  log.expect_found(
      "CREATE TEMP TABLE one AS TABLE reeve.events WITH NO DATA;"
      "INSERT INTO one SELECT * FROM reeve.events WHERE position = 3;"
      "UPDATE one SET position = " +
          std::to_string(head + 1) + "; INSERT INTO reeve.events TABLE one;",
      head + 1);
  EXPECT_EQ(log.verify().status, 0);
}

TEST(P5_tampering, that_writes_the_whole_chain_anew_is_found_by_a_signed_head) {
  finished_log log;
  log.database().exec(rewriting);
  const std::string forged =
      "UPDATE reeve.events SET principal = 'nobody' WHERE position = 5;"
      "SELECT pg_temp.rewrite(5);";
  // The rewritten chain is right in itself: the first signed head behind the change is not.
  log.expect_found(forged, log.first_head());
  // Without the heads in the database those outside of it still tell.
  log.expect_found(forged + "TRUNCATE reeve.checkpoints;", log.first_head());
  const std::string cut =
      "DELETE FROM reeve.events WHERE position > 7;"
      "TRUNCATE reeve.checkpoints;";
  log.expect_found(cut, 8);
  // A head that nobody signed.
  log.expect_found(
      "UPDATE reeve.checkpoints SET signature = set_bit(signature, 9, 1 - "
      "get_bit(signature, 9)) WHERE position = " +
          std::to_string(log.first_head()),
      log.first_head());
  EXPECT_EQ(log.verify().status, 0);
  // Another log's heads do not vouch for this one.
  const auto other = log.reeve().data() / "other.ndjson";
  std::ofstream(other) << "{\"no\":\"head\"}\n";
  const auto refused = log.reeve().command({"verify", "--heads", other.string()});
  EXPECT_NE(refused.status, 0) << refused.output;
}

TEST(EV10_export, is_accepted_by_verify_and_every_change_of_it_is_found) {
  finished_log log;
  const auto file = log.reeve().data() / "log.ndjson";
  ASSERT_EQ(log.reeve().command({"export", "--to", file.string()}).status, 0);
  const auto whole = log.verify({"--from", file.string()});
  EXPECT_EQ(whole.status, 0) << whole.result;
  EXPECT_EQ(whole.result.at("events"), log.head());

  const auto lines = lines_of(file);
  const auto changed = log.reeve().data() / "changed.ndjson";
  const auto expect_found = [&](const std::vector<std::string>& text, long long position) {
    std::ofstream out(changed, std::ios::trunc);
    for (const auto& line : text) out << line << "\n";
    out.close();
    const auto found = log.verify({"--from", changed.string()});
    EXPECT_EQ(found.status, 1) << position;
    EXPECT_EQ(found.result.value("first_bad", json()), position);
  };
  // Line 0 says which log it is, so the event at a position stands in the line of that number, as
  // long as no signed head stands before it.
  auto text = lines;
  text[4].replace(text[4].find("\"principal\":\"") + 13, 1, "X");
  expect_found(text, 4);
  text = lines;
  text.erase(text.begin() + 3);
  expect_found(text, 3);
  text = lines;
  std::swap(text[2], text[3]);
  expect_found(text, 2);
  text = lines;
  text.resize(6);
  expect_found(text, 6);
  EXPECT_NE(log.reeve().command({"verify", "--from", "/no/such/file"}).status, 0);
}

TEST(EV10_export, goes_through_a_pipe_into_verify) {
  finished_log log;
  const auto piped = [&](const std::string& between) {
    support::process_options shell{
        {"bash", "-c",
         "set -o pipefail; \"$0\" export" + between + " | \"$0\" verify --from - --json",
         support::server_program()},
        {{"DATABASE_URL", log.reeve().database_url()}, {"REEVE_DATA", log.reeve().data()}}};
    return verdict_of(support::run_to_end(std::move(shell), std::chrono::seconds(20)));
  };
  const auto whole = piped("");
  EXPECT_EQ(whole.status, 0) << whole.result;
  EXPECT_EQ(piped(" --zstd").status, 0);
  const auto cut = piped(" | head -n 9");
  EXPECT_NE(cut.status, 0);
  EXPECT_EQ(cut.result.at("first_bad"), 9);
  EXPECT_THAT(cut.result.at("what").get<std::string>(), HasSubstr("cut off"));
}

TEST(EV10_export, of_a_tenant_says_that_events_of_its_own_may_be_hidden) {
  finished_log log;
  const auto tenant = *log.reeve().database().cell(
      "SELECT min(tenant::text) FROM reeve.events WHERE stream LIKE 'run-%'");
  const auto file = log.reeve().data() / "tenant.ndjson";
  ASSERT_EQ(log.reeve().command({"export", "--tenant", tenant, "--to", file.string()}).status, 0);
  const auto told = log.reeve().command({"verify", "--from", file.string()});
  EXPECT_EQ(told.status, 0) << told.output;
  EXPECT_THAT(told.output, HasSubstr("or of this tenant and hidden, cannot be told"));
}

TEST(EV6_outputs, that_were_changed_beside_the_log_are_found) {
  finished_log log;
  const auto before = log.verify();
  EXPECT_EQ(before.status, 0);
  EXPECT_GT(before.result.at("blobs").at("read"), 0) << before.result;
  EXPECT_EQ(before.result.at("blobs").at("changed"), 0) << before.result;
  log.database().exec("UPDATE reeve.blob_chunks SET data = data || 'x'");
  const auto found = log.verify();
  EXPECT_EQ(found.status, 1);
  EXPECT_EQ(found.result.at("good"), true) << "of the log itself: " << found.result;
  EXPECT_EQ(found.result.at("blobs").at("changed"), before.result.at("blobs").at("read"));
}

/// The login that servers write with may change outputs and read models, but no event.
TEST(EV6_outputs, that_the_writer_exchanged_with_what_names_them_are_found) {
  finished_log log;
  auto& database = log.database();
  const auto before = log.verify();
  EXPECT_EQ(before.status, 0);
  const json& blobs = before.result.at("blobs");
  EXPECT_GE(blobs.at("named"), blobs.at("read")) << before.result;
  EXPECT_EQ(blobs.at("knows_names"), true) << before.result;
  const auto was = *database.cell("SELECT min(sha256::text) FROM reeve.blobs");
  database.exec("SET ROLE \"" + *database.cell("SELECT writer FROM reeve.runtime_roles") + "\"");
  database.exec(
      "INSERT INTO reeve.blobs SELECT tenant, sha256('all is lost'), 11, created_at_us"
      "  FROM reeve.blobs WHERE sha256 = '" +
      was +
      "';"
      "INSERT INTO reeve.blob_chunks SELECT tenant, sha256, 0, 'all is lost'"
      "  FROM reeve.blobs WHERE sha256 = sha256('all is lost');"
      "DELETE FROM reeve.blob_chunks WHERE sha256 = '" +
      was +
      "';"
      "DELETE FROM reeve.blobs WHERE sha256 = '" +
      was +
      "';"
      "UPDATE reeve_read.blob_refs SET sha256 = sha256('all is lost'), bytes = 11"
      "  WHERE sha256 = '" +
      was + "';");
  database.exec("RESET ROLE");
  ASSERT_EQ(database.number("SELECT count(*) FROM reeve.blobs WHERE sha256 = '" + was + "'"), 0);
  ASSERT_GT(database.number("SELECT count(*) FROM reeve_read.blob_refs"
                            " WHERE sha256 = sha256('all is lost')"),
            0);
  const auto found = log.verify();
  EXPECT_EQ(found.status, 1) << found.result;
  EXPECT_EQ(found.result.at("good"), true) << "of the log itself: " << found.result;
  EXPECT_EQ(found.result.at("blobs").at("changed"), 0) << found.result;
  EXPECT_GE(found.result.at("blobs").at("missing"), 1) << found.result;
  EXPECT_THAT(found.result.at("blobs").at("first").get<std::string>(), HasSubstr(was.substr(2)));
  EXPECT_THAT(log.reeve().command({"verify"}).output, HasSubstr("that events name are gone"));
}
