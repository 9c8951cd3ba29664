#include "api/llm_meter.hpp"

#include <algorithm>

namespace reeve::api {

std::int64_t tokens_of(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

llm_metered estimate_of(std::size_t request_bytes, std::int64_t completion_tokens) {
  return {std::min(tokens_of(request_bytes), codec::most_llm_tokens),
          std::min(completion_tokens, codec::most_llm_tokens), true};
}

llm_metered metered_as(const codec::llm_told_counts& told, const llm_metered& estimate) {
  return {told.prompt.value_or(estimate.prompt), told.completion.value_or(estimate.completion),
          !told.prompt || !told.completion};
}

llm_meter::step llm_meter::take(std::string_view data) {
  if (data == "[DONE]") {
    is_done_ = true;
    return step::done;
  }
  const auto chunk = codec::read_llm_answer(data);
  if (!chunk) {
    said_bytes_ += data.size();
    return step::broken;
  }
  const auto& told = chunk->told;
  if (told.prompt) told_.prompt = told.prompt;
  if (told.completion) told_.completion = told.completion;
  if (chunk->has_choices) ++chunks_;
  // Counts alone say nothing, and the words of an error are none of the model's.
  const bool is_of_counts = told.is_there() && !chunk->has_choices;
  if (chunk->has_choices || !(is_of_counts || chunk->has_error)) said_bytes_ += chunk->said_bytes;
  if (chunk->has_error) return step::broken;
  return is_of_counts && !wants_usage_ ? step::drop : step::pass;
}

/// Some upstreams tell the counts so far with each chunk: of one that was cut they are not all.
llm_metered llm_meter::sum() const {
  const auto estimate = estimate_of(request_bytes_, std::max(chunks_, tokens_of(said_bytes_)));
  auto sum = metered_as(told_, estimate);
  if (is_done_) return sum;
  sum.completion = std::max(sum.completion, estimate.completion);
  sum.is_estimate = true;
  return sum;
}

}  // namespace reeve::api
