// The secrets of an attempt: of which versions they are, what their container gets, and that they
// are hidden in whatever it says.

#include "tasks/container/attempt_secrets.hpp"

#include "adapters/docker/container_rules.hpp"
#include "adapters/docker/docker_body.hpp"
#include "tests/unit/actors/runs/memory_log.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"
#include "tests/unit/tasks/container/memory_values.hpp"

namespace {

using namespace reeve;
using namespace reeve::tasks;
using domain::end_reason;
using steps::id_of;

class no_blobs final : public persistence::blob_port {
 public:
  void put(uuid, std::shared_ptr<const std::string>, reply_slot<digest>) override {}
};

/// A job whose variables A and C hold the secret "db", and B the secret "api".
class host final : public attempt_host {
 public:
  host() {
    launched.tenant = steps::tenant;
    launched.jobs.resize(1);
    put("db", "hunter2-hunter2");
    put("api", "an api/key+value");
    give(domain::env_map{{"A", domain::secret_ref{"db"}},
                         {"B", domain::secret_ref{"api"}},
                         {"C", domain::secret_ref{"db"}},
                         {"DB_PASSWORD", domain::plain_value{"none"}},
                         {"STAGE", "night"}});
  }

  /// The task has these variables.
  void give(domain::env_map env) {
    auto task = steps::container_task("a");
    std::get<domain::container_params>(task.params).env = std::move(env);
    domain::run_launched launch;
    launch.directive.tasks = {std::move(task)};
    launched.launch = decltype(launched.launch)(std::move(launch));
  }
  void put(const std::string& name, const std::string& value) {
    const auto id = id_of(++made);
    values.held[id] = value;
    steps::take(secrets, decide(secrets, domain::put_secret{name, id, sha256(value)}));
  }
  void end(const std::string& name) {
    steps::take(secrets, decide(secrets, domain::delete_secret{name}));
    for (const auto& id : secrets.find(name)->gone) values.held.erase(id);
  }

  const attempt_ports& ports() const override { return its_ports; }
  const domain::run_state& run() const override { return launched; }
  const domain::job_state& job() const override { return launched.jobs[0]; }
  void feed(domain::attempts::input) override {}
  void when_allowed(std::function<void(fencing_token)>) override {}
  void after(std::chrono::milliseconds, std::function<void()>) override {}
  std::function<void(std::function<void()>)> gate() override {
    return [](const std::function<void()>& f) { f(); };
  }
  const domain::container_params& params() const {
    return std::get<domain::container_params>(task().params);
  }

  memory_log::store log;
  memory_log::reads reads{log};
  no_blobs blobs;
  int made = 0;
  secrets_fixture::memory_values values;
  domain::secret_list_state secrets;
  std::optional<rejection> trouble;  // of the list
  domain::run_state launched;
  adapters::work_engines engines;
  redactor redact;
  text_pool texts;
  attempt_ports its_ports{reads,
                          blobs,
                          engines,
                          redact,
                          texts,
                          real_clock(),
                          {},
                          {},
                          {},
                          {},
                          {},
                          {},
                          id_of(1),
                          1 << 20,
                          -1,
                          [this](uuid, auto slot) {
                            if (trouble) return slot.answer(*trouble);
                            slot.answer(std::make_shared<const domain::secret_list_state>(secrets));
                          },
                          &values};
};

/// "" or the reason; the code of what passes.
std::string said(const outcome<std::optional<end_reason>>& answer) {
  if (!answer) return std::string(name_of(answer.error().code));
  return *answer ? std::string(name_of(**answer)) : "";
}
std::string chosen(attempt_secrets& secrets) {
  std::string what = "nothing";
  secrets.choose([&](const auto& answer) { what = said(answer); });
  return what;
}
std::string taken_up(attempt_secrets& secrets, const domain::attempt_intended& intent) {
  std::string what = "nothing";
  secrets.take_up(intent, [&](const auto& answer) { what = said(answer); });
  return what;
}

adapters::container_spec spec_for(const host& of) {
  domain::attempt_intended intent;
  intent.container_name = "reeve-x";
  intent.image_id = "sha256:" + std::string(64, '0');
  adapters::image_info image;
  image.command = {"true"};
  return container_spec_of(id_of(1), of.run(), of.job(), intent, image);
}

TEST(ACC4_attempt, gets_the_newest_versions_and_its_intent_says_which) {
  host h;
  h.put("db", "hunter3-hunter3");
  attempt_secrets secrets(h);
  ASSERT_EQ(chosen(secrets), "");
  EXPECT_EQ(secrets.uses(), (std::vector<domain::secret_use>{{"db", 2}, {"api", 1}}));
  EXPECT_EQ(secrets.values().at("db"), "hunter3-hunter3");
  EXPECT_EQ(secrets.values().at("api"), "an api/key+value");
}

TEST(ACC4_attempt, without_secrets_asks_for_none_and_says_nothing) {
  host h;
  h.give({});
  attempt_secrets secrets(h);
  EXPECT_EQ(chosen(secrets), "");
  EXPECT_FALSE(secrets.uses());
  EXPECT_EQ(h.values.asked, 0);
  EXPECT_EQ(taken_up(secrets, {}), "");
  EXPECT_TRUE(secrets.hidden_by(h.redact));
}

TEST(ACC4_attempt, is_refused_when_a_secret_is_gone_and_waits_for_what_passes) {
  host h;
  attempt_secrets secrets(h);
  h.trouble = reject(errc::unavailable, "");
  EXPECT_EQ(chosen(secrets), "unavailable");
  h.trouble.reset();
  h.values.trouble = reject(errc::overloaded, "");
  EXPECT_EQ(chosen(secrets), "overloaded");
  h.values.trouble = reject(errc::internal, "");
  EXPECT_EQ(chosen(secrets), "internal_error") << "the key is lost";
  h.values.trouble = reject(errc::not_found, "");
  EXPECT_EQ(chosen(secrets), "input_missing") << "its value was destroyed a moment ago";
  h.values.trouble.reset();
  EXPECT_EQ(chosen(secrets), "");
  h.end("api");
  EXPECT_EQ(chosen(secrets), "input_missing");
}

TEST(ACC4_attempt, taken_up_has_the_versions_of_its_intent) {
  host h;
  domain::attempt_intended intent;
  intent.secrets = std::vector<domain::secret_use>{{"db", 1}, {"api", 1}};
  h.put("db", "hunter3-hunter3");
  attempt_secrets secrets(h);
  ASSERT_EQ(taken_up(secrets, intent), "");
  EXPECT_EQ(secrets.values().at("db"), "hunter2-hunter2");
  // What was opened is kept, whatever becomes of it.
  h.end("db");
  EXPECT_EQ(taken_up(secrets, intent), "");
  EXPECT_EQ(h.values.asked, 1);
  attempt_secrets later(h);
  EXPECT_EQ(taken_up(later, intent), "input_missing");
  EXPECT_FALSE(later.hidden_by(h.redact)) << "so its output is kept nowhere";
}

TEST(ACC4_attempt, gives_its_container_variables_and_files) {
  host h;
  attempt_secrets secrets(h);
  ASSERT_EQ(chosen(secrets), "");
  auto spec = spec_for(h);
  EXPECT_EQ(spec.environment, (std::vector<std::string>{"DB_PASSWORD=none", "STAGE=night"}));
  EXPECT_EQ(spec.entrypoint,
            (std::vector<std::string>{"/reeve/reeve-init", "/reeve/state/started",
                                      "secret=/reeve/secrets/db=A", "secret=/reeve/secrets/api=B",
                                      "disk=268435456", "watch=/reeve", "--"}));
  const auto before = adapters::hash_of(spec);
  give_secrets(spec, h.params(), secrets.values());
  EXPECT_EQ(spec.environment,
            (std::vector<std::string>{"DB_PASSWORD=none", "STAGE=night", "A=hunter2-hunter2",
                                      "B=an api/key+value", "C=hunter2-hunter2"}));
  EXPECT_TRUE(adapters::check_container(spec));
  EXPECT_NE(adapters::create_body(spec).find(
                R"("/reeve/secrets":"rw,nosuid,nodev,noexec,mode=0700,size=1048576,)"
                R"(uid=65534,gid=65534")"),
            std::string::npos);
  // What the intent holds of it says nothing of the values.
  h.put("db", "hunter3-hunter3");
  EXPECT_EQ(adapters::hash_of(spec_for(h)), before);
}

TEST(ACC4_attempt, without_secrets_has_no_folder_for_them) {
  host h;
  h.give(domain::env_map{{"STAGE", "night"}});
  const auto spec = spec_for(h);
  EXPECT_EQ(spec.entrypoint, (std::vector<std::string>{"/reeve/reeve-init", "/reeve/state/started",
                                                       "disk=268435456", "watch=/reeve", "--"}));
  EXPECT_EQ(spec.secret_bytes, 0);
  EXPECT_EQ(adapters::create_body(spec).find("/reeve/secrets"), std::string::npos);
}

TEST(ACC4_attempt, hides_each_form_of_its_secrets_in_its_output) {
  host h;
  attempt_secrets secrets(h);
  ASSERT_EQ(chosen(secrets), "");
  // Also where what looks like a secret is left alone.
  for (const auto& rules : {redactor(), redactor().without_patterns()}) {
    const auto hidden = secrets.hidden_by(rules);
    ASSERT_TRUE(hidden) << hidden.error().detail;
    EXPECT_EQ(hidden->redact("it is hunter2-hunter2!\n"), "it is [redacted:db]!\n");
    EXPECT_EQ(hidden->redact("aHVudGVyMi1odW50ZXIy\n"), "[redacted:db]\n");
    EXPECT_EQ(hidden->redact("an%20api%2Fkey%2Bvalue\n"), "[redacted:api]\n");
  }
}

/// Who reads its output while it runs has none of its own state.
TEST(ACC4_attempt, is_read_by_others_through_what_hides_its_secrets) {
  host h;
  const secret_sources from{h.its_ports.secrets, &h.values};
  const auto rules = [&](const domain::attempt_intended& intent) {
    std::optional<outcome<redactor>> got;
    find_rules(from, steps::tenant, h.redact, intent,
               reply_slot<redactor>([&](outcome<redactor> r) { got.emplace(std::move(r)); }));
    return got.value_or(reject(errc::timed_out, "nothing came"));
  };
  domain::attempt_intended intent;
  EXPECT_TRUE(rules(intent));
  intent.secrets = std::vector<domain::secret_use>{};
  EXPECT_TRUE(rules(intent));
  EXPECT_EQ(h.values.asked, 0) << "there are none";
  intent.secrets = std::vector<domain::secret_use>{{"db", 1}, {"api", 1}};
  h.put("db", "hunter3-hunter3");
  const auto hidden = rules(intent);
  ASSERT_TRUE(hidden) << hidden.error().detail;
  EXPECT_EQ(hidden->redact("hunter2-hunter2, hunter3-hunter3\n"),
            "[redacted:db], hunter3-hunter3\n");
  h.trouble = reject(errc::unavailable, "");
  EXPECT_EQ(rules(intent).error().code, errc::unavailable);
  h.trouble.reset();
  h.values.trouble = reject(errc::internal, "");
  EXPECT_EQ(rules(intent).error().code, errc::internal);
  h.values.trouble.reset();
  h.end("db");
  EXPECT_EQ(rules(intent).error().code, errc::not_found) << "so nothing may be shown";
}

/// Once 6 bytes with the blanks around them were enough. Its job goes on as before, and its output
/// is kept: what is hidden is what nobody else would write.
TEST(ACC4_attempt, gets_a_short_secret_of_old_and_no_word_of_its_output_is_eaten) {
  host h;
  for (const char* value : {"  abc  ", "a     b", "abc\t\t\t\n", "     ~"}) {
    h.put("db", value);
    attempt_secrets secrets(h);
    ASSERT_EQ(chosen(secrets), "");
    EXPECT_EQ(secrets.values().at("db"), value);
    const auto hidden = secrets.hidden_by(h.redact);
    ASSERT_TRUE(hidden) << hidden.error().detail;
    for (const char* line : {"abc of the abc  abc  alphabet\n", "a b, a     b\n", "     ~ 3\n"}) {
      EXPECT_EQ(hidden->redact(line), line) << value;
    }
    EXPECT_EQ(hidden->redact("an api/key+value\n"), "[redacted:api]\n") << "and the other one is";
  }
  h.put("db", "  abc  ");
  attempt_secrets secrets(h);
  ASSERT_EQ(chosen(secrets), "");
  const auto hidden = secrets.hidden_by(redactor().without_patterns());
  ASSERT_TRUE(hidden);
  for (const char* form :
       {"ICBhYmMgIA", "20206162632020", "%20%20abc%20%20", R"("  abc  ")", "'  abc  '"}) {
    const auto text = hidden->redact(std::string("is ") + form + ".\n");
    EXPECT_EQ(text.find(form), text.npos) << text;
    EXPECT_NE(text.find("[redacted:db]"), text.npos) << text;
  }
}

/// It is in every text, and as base64 in every second one.
TEST(ACC4_attempt, gets_a_secret_of_old_that_is_all_blank_and_nothing_is_hidden) {
  host h;
  h.put("db", "      ");
  attempt_secrets secrets(h);
  ASSERT_EQ(chosen(secrets), "");
  const auto hidden = secrets.hidden_by(h.redact);
  ASSERT_TRUE(hidden);
  const std::string text = "{\n      \"a\": \"      \", 'b': '      '\n} ICAgICAg 202020202020\n";
  EXPECT_EQ(hidden->redact(text), text);
}

TEST(ACC4_attempt, may_have_as_many_short_secrets_as_others) {
  host h;
  domain::env_map env;
  for (int i = 0; i < 32; ++i) {
    const auto name = "s" + std::to_string(i);
    h.put(name, "  " + std::to_string(i) + "\xc3\xaf  ");
    env["V" + std::to_string(i)] = domain::secret_ref{name};
  }
  h.give(std::move(env));
  attempt_secrets secrets(h);
  ASSERT_EQ(chosen(secrets), "");
  EXPECT_TRUE(secrets.hidden_by(h.redact));
}

}  // namespace
