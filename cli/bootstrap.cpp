#include "cli/bootstrap.hpp"

#include "base/digest.hpp"
#include "base/files.hpp"
#include "base/secret.hpp"
#include "domain/access/token_text.hpp"

#include <algorithm>
#include <chrono>
#include <future>

namespace reeve::cli {
namespace {

template <class T, class Call>
outcome<T> wait_for(Call call) {
  auto promise = std::make_shared<std::promise<outcome<T>>>();
  auto answer = promise->get_future();
  call(reply_slot<T>([promise](outcome<T> r) { promise->set_value(std::move(r)); }));
  if (answer.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
    return reject(errc::timed_out, "the first start took too long");
  }
  return answer.get();
}

actors::command_context context_of(uuid tenant, id_source& ids) {
  actors::command_context c;
  c.tenant = tenant;
  c.meta.principal = "system:bootstrap";
  c.meta.command_id = ids.next();
  c.meta.correlation_id = c.meta.command_id;
  return c;
}

bool has_admin(const persistence::startup_rows& rows, bool of_system) {
  for (const auto& token : rows.tokens) {
    const bool here = (token.tenant == system_tenant) == of_system;
    if (here && token.is_active && token.role == domain::token_role::admin) return true;
  }
  return false;
}

std::optional<uuid> known_tenant(const persistence::startup_rows& rows, bool of_system) {
  if (!of_system) return persistence::first_tenant_of(rows.tenants);
  const auto is_system = [](const auto& one) { return one.id == system_tenant; };
  return std::any_of(rows.tenants.begin(), rows.tenants.end(), is_system)
             ? std::optional(system_tenant)
             : std::nullopt;
}

using access = actors::executed<domain::access_state>;

/// A tenant and its default directive.
outcome<done> make_tenant(actors::command_port& commands, id_source& ids, uuid tenant,
                          const char* name) {
  const domain::create_directive first{ids.next(), domain::default_directive(), true};
  using directive = actors::executed<domain::directive_state>;
  auto made = wait_for<directive>(
      [&](reply_slot<directive> slot) { commands.execute(context_of(tenant, ids), first, slot); });
  if (!made) return made.error();
  const domain::create_tenant then{tenant, name, first.id};
  auto done_so = wait_for<access>(
      [&](reply_slot<access> slot) { commands.execute(context_of(tenant, ids), then, slot); });
  if (!done_so) return done_so.error();
  return done{};
}

outcome<done> make_admin(actors::command_port& commands, id_source& ids, uuid tenant,
                         const std::string& file) {
  const auto secret = make_secret();
  domain::token_created token;
  token.id = ids.next();
  token.name = "bootstrap";
  token.role = domain::token_role::admin;
  token.secret_hash = sha256(secret);
  auto ok = write_small_file(file, domain::token_text(token.id, secret) + "\n");
  if (!ok) return ok;
  auto made = wait_for<access>([&](reply_slot<access> slot) {
    commands.execute(context_of(tenant, ids), domain::create_token{token}, slot);
  });
  if (!made) return made.error();
  return done{};
}

}  // namespace

outcome<bool> bootstrap(actors::command_port& commands, id_source& ids,
                        persistence::startup_rows& rows, const bootstrap_files& files) {
  bool first_made = false;
  for (const bool of_system : {false, true}) {
    if (has_admin(rows, of_system)) continue;
    auto tenant = known_tenant(rows, of_system);
    if (!tenant) {
      tenant = of_system ? system_tenant : ids.next();
      const char* name = of_system ? "system" : "default";
      auto ok = make_tenant(commands, ids, *tenant, name);
      if (!ok) return ok.error();
      rows.tenants.push_back({*tenant, name});
    }
    auto ok = make_admin(commands, ids, *tenant, of_system ? files.system_token : files.token);
    if (!ok) return ok.error();
    first_made = first_made || !of_system;
  }
  return first_made;
}

}  // namespace reeve::cli
