#pragma once
// Values of secrets in memory, for attempts that open them.

#include "persistence/secret_port.hpp"
#include "tests/unit/domain/aggregate_steps.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace secrets_fixture {

using namespace reeve;

class memory_values final : public persistence::secret_port {
 public:
  void put(persistence::secret_place, std::shared_ptr<const secret_text>,
           reply_slot<digest>) override {}
  void destroy(uuid, std::vector<uuid>, reply_slot<done>) override {}
  void open(std::vector<persistence::secret_place> which,
            reply_slot<std::shared_ptr<const persistence::opened_secrets>> slot) override {
    ++asked;
    if (trouble) return slot.answer(*trouble);
    auto all = std::make_shared<persistence::opened_secrets>();
    for (const auto& where : which) {
      const auto found = held.find(where.value);
      if (found == held.end()) return slot.answer(reject(errc::not_found, ""));
      EXPECT_EQ(where.tenant, steps::tenant);
      all->emplace_back(std::string(found->second));
    }
    slot.answer(std::shared_ptr<const persistence::opened_secrets>(std::move(all)));
  }

  std::map<uuid, std::string> held;
  std::optional<rejection> trouble;
  int asked = 0;
};

}  // namespace secrets_fixture
