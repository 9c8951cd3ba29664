#include "actors/runs/spare_volumes.hpp"

#include "adapters/attempt_archive_port.hpp"

#include <utility>

namespace reeve::actors {

namespace {

constexpr const char* label = "reeve.spare";

}  // namespace

std::optional<std::string> spare_volumes::take() {
  std::lock_guard lock(mutex_);
  if (closed_ || stopping_ || ready_.empty()) return std::nullopt;
  auto name = std::move(ready_.back());
  ready_.pop_back();
  return name;
}

bool spare_volumes::owns(const adapters::label_map& labels) const {
  const auto found = labels.find(label);
  return found != labels.end() && found->second == to_string(maker_);
}

bool spare_volumes::discard(std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  std::vector<std::string> gone;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    if (!changed_.wait_until(lock, deadline, [this] { return !busy_; })) return false;
    gone.swap(ready_);
    leaving_ = gone.size();
  }
  const auto by = ports_.token();
  if (!by) return gone.empty();
  for (auto& name : gone) {
    ports_.engine.remove_volume(*by, std::move(name),
                                reply_slot<done>([self = shared_from_this()](outcome<done>) {
                                  std::lock_guard lock(self->mutex_);
                                  --self->leaving_;
                                  self->changed_.notify_all();
                                }));
  }
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return leaving_ == 0; });
}

void spare_volumes::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

void spare_volumes::refill() {
  if (ports_.engine.kind() == "simulated") return;
  {
    std::lock_guard lock(mutex_);
    if (closed_ || stopping_ || busy_) return;
    busy_ = true;
  }
  const auto by = may_go_on();
  if (!by) return rest();
  image_.empty() ? find_image(*by) : prepare(*by);
}

void spare_volumes::find_image(fencing_token by) {
  using adapters::image_info;
  ports_.engine.inspect_image(
      std::string(spare_image),
      reply_slot<image_info>([self = shared_from_this(), by](outcome<image_info> found) {
        if (!found) {
          const bool missing = found.error().code == errc::not_found;
          return missing && self->may_go_on() ? self->import_image(by) : self->rest();
        }
        self->image_ = found->id;
        const auto still = self->may_go_on();
        still ? self->prepare(*still) : self->rest();
      }));
}

void spare_volumes::import_image(fencing_token by) {
  auto archive = adapters::bare_image();
  if (!archive) return rest();
  ports_.engine.import_image(
      by, {std::move(*archive), {}}, std::string(spare_image),
      reply_slot<std::string>([self = shared_from_this()](outcome<std::string> id) {
        const auto still = self->may_go_on();
        if (!id || !still) return self->rest();
        self->image_ = *id;
        self->prepare(*still);
      }));
}

std::optional<fencing_token> spare_volumes::may_go_on() const {
  std::lock_guard lock(mutex_);
  return closed_ ? std::nullopt : ports_.token();
}

void spare_volumes::prepare(fencing_token by) {
  bool enough = false;
  {
    std::lock_guard lock(mutex_);
    enough = closed_ || stopping_ || ready_.size() >= most;
  }
  if (enough) return rest();
  name_ = std::string(spare_prefix) + to_string(ports_.ids.next());
  ports_.engine.create_volume(by, name_, labels(), then(&spare_volumes::create));
}

void spare_volumes::create(fencing_token by) {
  adapters::container_spec spec;
  spec.name = name_;
  spec.volume = name_;
  spec.image_id = image_;
  spec.entrypoint = {std::string(adapters::init_path), std::string(adapters::marker_path), "--"};
  spec.command = {"true"};
  spec.labels = labels();
  spec.memory_bytes = 16 << 20;
  spec.nano_cpus = 100'000'000;
  spec.pids_limit = 16;
  const auto made = then(&spare_volumes::unpack);
  ports_.engine.create_container(
      by, std::move(spec),
      reply_slot<adapters::created_container>([made](outcome<adapters::created_container> answer) {
        made.answer(answer ? outcome<done>(done{}) : answer.error());
      }));
}

void spare_volumes::unpack(fencing_token by) {
  auto archive = adapters::attempt_archive({});
  if (!archive) return fail();
  ports_.engine.put_archive(by, name_, std::string(adapters::volume_target), std::move(*archive),
                            then(&spare_volumes::strip));
}

void spare_volumes::strip(fencing_token by) {
  ports_.engine.remove_container(by, name_, true, then(&spare_volumes::done_with_it));
}

void spare_volumes::done_with_it(fencing_token by) {
  {
    std::lock_guard lock(mutex_);
    ready_.push_back(std::exchange(name_, {}));
  }
  prepare(by);
}

/// What was made so far goes, as far as it is there.
void spare_volumes::fail() {
  image_.clear();  // perhaps it is that which is gone
  const auto by = may_go_on();
  if (!by) return rest();
  const auto name = std::exchange(name_, {});
  auto self = shared_from_this();
  ports_.engine.remove_container(*by, name, true, reply_slot<done>([self, name](outcome<done>) {
    if (const auto still = self->may_go_on()) {
      self->ports_.engine.remove_volume(*still, name, reply_slot<done>([](outcome<done>) {}));
    }
    self->rest();
  }));
}

void spare_volumes::rest() {
  std::lock_guard lock(mutex_);
  busy_ = false;
  changed_.notify_all();
}

reply_slot<done> spare_volumes::then(step next) {
  return reply_slot<done>([self = shared_from_this(), next](outcome<done> answer) {
    const auto by = self->may_go_on();
    if (!by) return self->rest();
    if (!answer) return self->fail();
    ((*self).*next)(*by);
  });
}

adapters::label_map spare_volumes::labels() const {
  return {{"reeve.instance", to_string(ports_.instance)}, {label, to_string(maker_)}};
}

}  // namespace reeve::actors
