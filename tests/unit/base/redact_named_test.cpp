// The index of named secrets finds what a plain search for each form would, byte for byte, and what
// many secrets have in common costs no more than once.

#include "base/redact_named.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <time.h>
#include <tuple>
#include <vector>

namespace {

using namespace reeve;
using found_span = std::tuple<std::size_t, std::size_t, std::string>;

/// All forms of all secrets, in their order.
struct plain_search {
  struct form {
    std::string text, owner;
  };
  explicit plain_search(const std::vector<named_secret>& secrets) {
    for (const auto& one : secrets) {
      for (auto& text : secret_forms(one.value)) forms.push_back({std::move(text), one.name});
    }
  }
  std::vector<found_span> find(std::string_view text) const {
    std::vector<found_span> all;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const form* longest = nullptr;
      for (const auto& one : forms) {
        const bool is_longer = longest == nullptr || one.text.size() > longest->text.size();
        if (is_longer && text.substr(at).starts_with(one.text)) longest = &one;
      }
      if (longest != nullptr) all.emplace_back(at, at + longest->text.size(), longest->owner);
    }
    return all;
  }
  std::size_t unfinished_from(std::string_view text) const {
    auto from = text.size();
    for (const auto& [form, owner] : forms) {
      for (auto at = form.find('\n'); at != form.npos; at = form.find('\n', at + 1)) {
        const auto begun = std::string_view(form).substr(0, at + 1);
        const bool is_all = begun.size() == form.size();
        if (!is_all && text.ends_with(begun)) from = std::min(from, text.size() - begun.size());
      }
    }
    return from;
  }
  std::vector<form> forms;
};

std::vector<found_span> found_by(const secret_index& index, std::string_view text) {
  std::vector<secret_span> spans;
  index.find(text, spans);
  std::vector<found_span> all;
  for (const auto& one : spans) all.emplace_back(one.begin, one.end, std::string(one.kind));
  return all;
}

/// Values that have much in common.
std::string random_value(std::mt19937& random) {
  static const std::string pieces[] = {"-----BEGIN KEY-----\n",
                                       "a first line that is shared\n",
                                       "}\n",
                                       "aaaaaaaa",
                                       "aaaa\n",
                                       "abcdef",
                                       "\n",
                                       "<&>\"\\/",
                                       "xyz xyz xyz xyz\n",
                                       "\xc3\xa4",
                                       "line two\n",
                                       "line 3"};
  std::string value;
  while (value.size() < min_secret_bytes) {
    for (auto n = 1 + random() % 6; n > 0; --n) value += pieces[random() % std::size(pieces)];
    while (value.ends_with('\n')) value.pop_back();
  }
  return value;
}

/// Forms of theirs, whole and in pieces, one behind the other.
std::string random_text(const std::vector<named_secret>& secrets, std::mt19937& random) {
  std::string text;
  for (auto n = 1 + random() % 5; n > 0; --n) {
    const auto& value = secrets[random() % secrets.size()].value;
    const auto forms = random() % 2 == 0 ? secret_forms(value) : std::vector{value};
    auto form = forms[random() % forms.size()];
    if (random() % 2 == 0) form.resize(random() % (form.size() + 1));
    if (random() % 4 == 0) form.erase(0, random() % (form.size() + 1));
    text += form;
    if (random() % 3 == 0) text += '\n';
    if (random() % 5 == 0) text += 'a';
  }
  return text;
}

double cpu_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double ms_to_search(const std::vector<named_secret>& secrets, const std::string& text) {
  const secret_index index(secrets);
  std::vector<secret_span> spans;
  const auto begun = cpu_ms();
  index.find(text, spans);
  index.unfinished_from(text + "\n");
  return cpu_ms() - begun;
}

}  // namespace

TEST(P15_named, are_found_as_by_a_plain_search) {
  std::mt19937 random(20264);
  std::size_t found = 0, unfinished = 0;
  for (int i = 0; i < 150; ++i) {
    std::vector<named_secret> secrets(1 + random() % 6);
    for (std::size_t k = 0; k < secrets.size(); ++k) {
      secrets[k] = {"s" + std::to_string(k), random_value(random)};
    }
    const secret_index index(secrets);
    const plain_search plain(secrets);
    for (int k = 0; k < 6; ++k) {
      const auto text = random_text(secrets, random);
      const auto wanted = plain.find(text);
      ASSERT_EQ(found_by(index, text), wanted) << text;
      found += wanted.size();
      const auto lines = text + "\n";
      const auto from = plain.unfinished_from(lines);
      ASSERT_EQ(index.unfinished_from(lines), from) << text;
      unfinished += from < lines.size() ? 1 : 0;
    }
  }
  EXPECT_GT(found, 1000U);
  EXPECT_GT(unfinished, 100U);
}

TEST(P15_named, of_one_value_are_the_first_ones) {
  const secret_index index({{"one", "hunter2-hunter2"}, {"two", "hunter2-hunter2"}});
  const auto all = found_by(index, "it is hunter2-hunter2");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0], found_span(6, 21, "one"));
}

/// 1,400 ms for 32 secrets and 64 KiB before they had an index of what they share.
TEST(P15_named, that_share_a_long_line_cost_hardly_more_than_one) {
  const std::string line(4000, 'a');
  std::vector<named_secret> secrets;
  for (int i = 0; i < 32; ++i) {
    secrets.push_back({"s" + std::to_string(i), line + "\nand a tail " + std::to_string(1000 + i)});
  }
  const std::string text(16 << 10, 'a');
  const auto one = ms_to_search({secrets[0]}, text);
  const auto all = ms_to_search(secrets, text);
  EXPECT_LT(all, 6 * one + 20) << one;
}
