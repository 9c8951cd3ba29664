#include "tasks/container/early_rooms.hpp"

#include <algorithm>
#include <utility>

namespace reeve::tasks {

struct early_rooms::shared {
  explicit shared(options most) : free_places(most.places), space({most.bytes / 2, most.bytes}) {}

  std::mutex mutex;
  int free_places;  // guarded by mutex, as the next three
  int waiting = 0;
  int given_way = 0;  // places that nobody has taken since
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
  if (shared_->free_places == 0) return nullptr;
  --shared_->free_places;
  shared_->given_way = std::max(shared_->given_way - 1, 0);
  return {shared_.get(), [of = shared_](void*) {
            const std::lock_guard lock(of->mutex);
            ++of->free_places;
          }};
}

std::shared_ptr<void> early_rooms::wait() {
  const std::lock_guard lock(shared_->mutex);
  ++shared_->waiting;
  return {shared_.get(), [of = shared_](void*) {
            const std::lock_guard lock(of->mutex);
            --of->waiting;
          }};
}

bool early_rooms::give_way() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->waiting <= shared_->given_way) return false;
  ++shared_->given_way;
  return true;
}

std::shared_ptr<early_rooms::room> early_rooms::keep(const uuid& tenant, std::size_t bytes) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->space.fits(tenant, bytes) != turn_verdict::take) return nullptr;
  shared_->space.hold(tenant, bytes);
  return std::make_shared<held_room>(shared_, tenant, bytes);
}

}  // namespace reeve::tasks
