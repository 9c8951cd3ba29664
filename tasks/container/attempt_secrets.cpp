#include "tasks/container/attempt_secrets.hpp"

#include "base/log.hpp"
#include "base/redact_encodings.hpp"

#include <string>
#include <utility>

namespace reeve::tasks {

using domain::end_reason;
using reason = std::optional<end_reason>;

namespace {

rejection is_gone() {
  return reject(errc::not_found, "a secret of the attempt is gone");
}

/// What is looked for of a value: the value. Of one that was stored before that was refused, since
/// its few bytes are a part of ordinary words, only what no ordinary text is. At most six texts: an
/// attempt has 32 secrets, and a redactor 256.
std::vector<std::string> looked_for(std::string_view value) {
  if (can_be_redacted(value)) return {std::string(value)};
  if (value.find_first_not_of(" \t\r\n") == value.npos) return {};
  const std::string text(value);
  std::vector<std::string> all;
  for (auto& form : {base64_inside(text, 0, standard_base64, true), in_hex(text, hex_lower),
                     in_hex(text, hex_upper), url_encoded(text, {""}, hex_upper), '"' + text + '"',
                     "'" + text + "'"}) {
    // An encoding that changed nothing is the value again.
    if (form != text && can_be_redacted(form)) all.push_back(form);
  }
  return all;
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
    for (auto& text : looked_for(values[i].view())) all.push_back({uses[i].name, std::move(text)});
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
    warn_of_short();
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

void attempt_secrets::warn_of_short() const {
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    if (can_be_redacted((*values_)[i].view())) continue;
    log_warn(
        "a secret is too short to be hidden as it is in the output of its job: put a longer one",
        {{"job", to_string(host_.job().id)}, {"secret", uses_[i].name}});
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
