#include "api/llm_meter.hpp"

#include <algorithm>

namespace reeve::api {

std::int64_t tokens_of(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

llm_metered estimate_of(std::size_t request_bytes, std::int64_t completion_tokens) {
  return {{tokens_of(request_bytes), completion_tokens}, true};
}

llm_meter::step llm_meter::take(std::string_view data) {
  if (data == "[DONE]") {
    is_done_ = true;
    return step::done;
  }
  const auto chunk = codec::read_llm_answer(data);
  if (!chunk || chunk->has_error) return step::broken;
  if (chunk->counts) counts_ = chunk->counts;
  if (chunk->has_choices) ++chunks_;
  const bool is_hidden = chunk->counts && !chunk->has_choices && !wants_usage_;
  return is_hidden ? step::drop : step::pass;
}

/// Some upstreams tell the counts so far with each chunk: of one that was cut they are not all.
llm_metered llm_meter::sum() const {
  if (!counts_) return estimate_of(request_bytes_, chunks_);
  return {{counts_->prompt, std::max(counts_->completion, is_done_ ? 0 : chunks_)}, !is_done_};
}

}  // namespace reeve::api
