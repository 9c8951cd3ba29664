#include "tasks/container/early_rooms.hpp"

#include <utility>

namespace reeve::tasks {

struct early_rooms::shared {
  explicit shared(options most) : free_places(most.places), space({most.bytes / 2, most.bytes}) {}

  std::mutex mutex;
  int free_places;  // guarded by mutex, as the next two
  std::int64_t refusals = 0;
  shared_room space;
};

class early_rooms::held_room final : public room {
 public:
  held_room(std::shared_ptr<shared> of, const uuid& tenant, std::size_t bytes)
      : of_(std::move(of)), tenant_(tenant), bytes_(bytes) {}
  ~held_room() override {
    const std::lock_guard lock(of_->mutex);
    of_->space.let_go(tenant_, bytes_);
  }
  held_room(const held_room&) = delete;
  held_room& operator=(const held_room&) = delete;

  void shrink(std::size_t bytes) override {
    if (bytes == 0 || bytes >= bytes_) return;
    const std::lock_guard lock(of_->mutex);
    of_->space.let_go(tenant_, std::exchange(bytes_, bytes) - bytes);
  }

 private:
  const std::shared_ptr<shared> of_;
  const uuid tenant_;
  std::size_t bytes_;
};

early_rooms::early_rooms(options most) : shared_(std::make_shared<shared>(most)) {}

std::shared_ptr<void> early_rooms::place() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->free_places == 0) {
    ++shared_->refusals;
    return nullptr;
  }
  --shared_->free_places;
  return {shared_.get(), [of = shared_](void*) {
            const std::lock_guard lock(of->mutex);
            ++of->free_places;
          }};
}

std::int64_t early_rooms::refusals() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->refusals;
}

std::shared_ptr<early_rooms::room> early_rooms::keep(const uuid& tenant, std::size_t bytes) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->space.fits(tenant, bytes) != turn_verdict::take) return nullptr;
  shared_->space.hold(tenant, bytes);
  return std::make_shared<held_room>(shared_, tenant, bytes);
}

}  // namespace reeve::tasks
