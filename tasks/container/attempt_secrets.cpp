#include "tasks/container/attempt_secrets.hpp"

#include <string>
#include <utility>

namespace reeve::tasks {

using domain::end_reason;
using reason = std::optional<end_reason>;

namespace {

rejection is_gone() {
  return reject(errc::not_found, "a secret of the attempt is gone");
}

/// Where the values lie that an attempt got; nothing: one of them is gone.
std::optional<std::vector<persistence::secret_place>> places_of(
    const domain::secret_list_state& list, const uuid& tenant,
    const std::vector<domain::secret_use>& uses) {
  std::vector<persistence::secret_place> places;
  for (const auto& use : uses) {
    const auto* secret = list.find_active(use.name);
    const auto value = secret == nullptr ? std::nullopt : secret->value_of(use.version);
    if (!value) return std::nullopt;
    places.push_back({tenant, use.name, *value});
  }
  return places;
}

}  // namespace

void open_used(const secret_sources& from, const uuid& tenant, std::vector<domain::secret_use> uses,
               reply_slot<opened_values> slot) {
  using list = std::shared_ptr<const domain::secret_list_state>;
  from.lists(tenant, reply_slot<list>([values = from.values, tenant, uses = std::move(uses),
                                       slot = std::move(slot)](outcome<list> found) {
               if (!found) return slot.answer(found.error());
               auto places = places_of(**found, tenant, uses);
               if (!places) return slot.answer(is_gone());
               values->open(std::move(*places), slot);
             }));
}

void find_rules(const secret_sources& from, const uuid& tenant, const redactor& others,
                const domain::attempt_intended& intent, reply_slot<redactor> slot) {
  if (!intent.secrets || intent.secrets->empty()) return slot.answer(others);
  open_used(from, tenant, *intent.secrets,
            reply_slot<opened_values>([&others, uses = *intent.secrets,
                                       slot = std::move(slot)](outcome<opened_values> values) {
              if (!values) return slot.answer(values.error());
              slot.answer(hiding(others, uses, **values));
            }));
}

outcome<redactor> hiding(const redactor& others, const std::vector<domain::secret_use>& uses,
                         const persistence::opened_secrets& values) {
  std::vector<named_secret> all;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    all.push_back({uses[i].name, std::string(values[i].view())});
  }
  auto made = others.with(std::move(all));
  if (!made) return reject(errc::not_found, "a secret of the attempt cannot be looked for");
  return made;
}

void attempt_secrets::choose(answer then) {
  uses_.clear();
  values_.reset();
  auto names = domain::secrets_of(host_.task().params);
  if (names.empty()) return then(reason());
  read(
      [this, names = std::move(names), then](const domain::secret_list_state& list) {
        std::vector<persistence::secret_place> places;
        for (const auto& name : names) {
          const auto* secret = list.find_active(name);
          if (secret == nullptr) return then(reason(end_reason::input_missing));
          uses_.push_back({name, secret->version});
          places.push_back({host_.run().tenant, name, secret->kept.back().id});
        }
        host_.ports().secret_values->open(
            std::move(places), host_.then<opened_values>([this, then](outcome<opened_values> v) {
              took(std::move(v), then);
            }));
      },
      then);
}

void attempt_secrets::take_up(const domain::attempt_intended& intent, answer then) {
  if (!intent.secrets || values_) return then(reason());
  uses_ = *intent.secrets;
  open_used({host_.ports().secrets, host_.ports().secret_values}, host_.run().tenant, uses_,
            host_.then<opened_values>(
                [this, then](outcome<opened_values> values) { took(std::move(values), then); }));
}

void attempt_secrets::read(std::function<void(const domain::secret_list_state&)> go,
                           const answer& failed) {
  using list = std::shared_ptr<const domain::secret_list_state>;
  host_.ports().secrets(host_.run().tenant, host_.then<list>([go, failed](outcome<list> found) {
    found ? go(**found) : failed(found.error());
  }));
}

void attempt_secrets::took(outcome<opened_values> values, const answer& then) {
  if (values) {
    values_ = std::move(*values);
    return then(reason());
  }
  switch (values.error().code) {
    case errc::not_found:  // deleted a moment ago
      return then(reason(end_reason::input_missing));
    case errc::internal:  // the server's log says why
      return then(reason(end_reason::internal_error));
    default:
      return then(values.error());
  }
}

std::optional<std::vector<domain::secret_use>> attempt_secrets::uses() const {
  if (uses_.empty()) return std::nullopt;
  return uses_;
}

secret_values attempt_secrets::values() const {
  secret_values all;
  if (!values_) return all;
  for (std::size_t i = 0; i < uses_.size(); ++i) all[uses_[i].name] = (*values_)[i].view();
  return all;
}

outcome<redactor> attempt_secrets::hidden_by(const redactor& others) const {
  if (uses_.empty()) return others;
  if (!values_) return reject(errc::not_found, "the values are not there");
  return hiding(others, uses_, *values_);
}

}  // namespace reeve::tasks
