#include "adapters/simulated/simulated_engine.hpp"

#include "adapters/simulated/simulated_world.hpp"
#include "adapters/timer_thread.hpp"

namespace reeve::adapters {

simulated_engine::simulated_engine(clock_port& clock)
    : thread_(std::make_unique<timer_thread>("simulated")) {
  world_ = std::make_unique<simulated_world>(
      clock, [thread = thread_.get()](std::int64_t after_ms, std::function<void()> job) {
        auto at = timer_thread::steady::now() + std::chrono::milliseconds(after_ms);
        thread->post_at(at, std::move(job));
      });
}

simulated_engine::~simulated_engine() = default;

void simulated_engine::ping(reply_slot<done> slot) {
  thread_->post([slot] { slot.answer(done{}); });
}

void simulated_engine::version_info(reply_slot<engine_version> slot) {
  thread_->post([slot] { slot.answer(engine_version{"simulated", "", false, "simulated"}); });
}

void simulated_engine::inspect_image(std::string ref, reply_slot<image_info> slot) {
  thread_->post([=, this] { slot.answer(world_->inspect_image(ref)); });
}

void simulated_engine::import_image(fencing_token, tar_source tar, std::string ref,
                                    reply_slot<std::string> slot) {
  thread_->post([=, this] { slot.answer(world_->import_image(tar, ref)); });
}

void simulated_engine::create_volume(fencing_token, std::string name, label_map labels,
                                     reply_slot<done> slot) {
  thread_->post([=, this] { slot.answer(world_->create_volume(name, labels)); });
}

void simulated_engine::remove_volume(fencing_token, std::string name, reply_slot<done> slot) {
  thread_->post([=, this] { slot.answer(world_->remove_volume(name)); });
}

void simulated_engine::list_volumes(std::vector<label_filter> filters,
                                    reply_slot<std::vector<volume_summary>> slot) {
  thread_->post([=, this] { slot.answer(world_->list_volumes(filters)); });
}

void simulated_engine::create_container(fencing_token, container_spec spec,
                                        reply_slot<created_container> slot) {
  thread_->post([=, this] { slot.answer(world_->create(spec)); });
}

void simulated_engine::look_at(std::string container, std::string, reply_slot<path_kind> slot) {
  thread_->post([=, this] {
    const auto found = world_->inspect(container);
    slot.answer(found ? outcome<path_kind>(path_kind::folder) : found.error());
  });
}

void simulated_engine::put_archive(fencing_token, std::string container, std::string path,
                                   shared_bytes, reply_slot<done> slot) {
  thread_->post([=, this] { slot.answer(world_->put_archive(container, path)); });
}

void simulated_engine::start(fencing_token, std::string container, reply_slot<start_result> slot) {
  thread_->post([=, this] { slot.answer(world_->start(container)); });
}

void simulated_engine::wait(std::string container, reply_slot<wait_result> slot) {
  thread_->post([=, this] { world_->wait(container, slot); });
}

void simulated_engine::inspect(std::string id_or_name, reply_slot<container_info> slot) {
  thread_->post([=, this] { slot.answer(world_->inspect(id_or_name)); });
}

void simulated_engine::details(std::string id_or_name, reply_slot<container_details> slot) {
  thread_->post([=, this] { slot.answer(world_->details(id_or_name)); });
}

void simulated_engine::list_networks(reply_slot<std::vector<network_summary>> slot) {
  thread_->post([slot] { slot.answer(std::vector<network_summary>{}); });
}

void simulated_engine::list(std::vector<label_filter> filters,
                            reply_slot<std::vector<container_summary>> slot) {
  thread_->post([=, this] { slot.answer(world_->list(filters)); });
}

void simulated_engine::logs(std::string container, log_query, reply_slot<log_answer> slot) {
  thread_->post([=, this] {
    auto found = world_->inspect(container);
    if (!found) return slot.answer(found.error());
    slot.answer(log_answer{});
  });
}

void simulated_engine::output(std::string container, std::size_t, std::shared_ptr<call_stopper>,
                              reply_slot<kept_output> slot) {
  thread_->post([=, this] {
    auto found = world_->inspect(container);
    if (!found) return slot.answer(found.error());
    slot.answer(kept_output{});
  });
}

void simulated_engine::follow(std::string container, std::shared_ptr<output_sink>,
                              std::shared_ptr<call_stopper>, reply_slot<done> slot) {
  thread_->post([=, this] {
    auto found = world_->inspect(container);
    // It prints nothing, now and later.
    slot.answer(found ? outcome<done>(done{}) : found.error());
  });
}

void simulated_engine::stop(fencing_token, std::string container, int grace_s,
                            reply_slot<stop_result> slot) {
  thread_->post([=, this] { world_->stop(container, grace_s, slot); });
}

void simulated_engine::kill(fencing_token, std::string container, int signal,
                            reply_slot<done> slot) {
  thread_->post([=, this] { slot.answer(world_->kill(container, signal)); });
}

void simulated_engine::remove_container(fencing_token, std::string container, bool force,
                                        reply_slot<done> slot) {
  thread_->post([=, this] { slot.answer(world_->remove(container, force)); });
}

}  // namespace reeve::adapters
