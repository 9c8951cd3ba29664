// RUN8: each form of a time that is read is masked too: a line that comes again a month later is of
// the same kind.
#include "tasks/triage/log_mask.hpp"
#include "tasks/triage/log_reader.hpp"
#include "tasks/triage/log_time.hpp"

#include <array>
#include <ctime>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using namespace reeve::tasks;

/// Months of all lengths, days and hours of one digit and of two, both halves of the day, midnight
/// and noon; without fractions, as some forms have none. The years lie close enough for forms that
/// have none.
constexpr std::array<std::time_t, 13> masked_times = {
    1'795'278'005, 1'767'326'706, 1'771'502'399, 1'773'273'600, 1'775'624'400,
    1'777'651'261, 1'780'272'000, 1'783'180'799, 1'785'542'403, 1'788'220'800,
    1'791'511'199, 1'793'491'200, 1'764'547'200};
constexpr reeve::time_us masks_now = 1'795'280'000'000'000;  // 2026-11-21T16:53:20Z

struct written_form {
  std::string form;  // for strftime, with "%-d", "%-I", "%^b" of the GNU C library
  std::string fraction = "";
  std::string end = "";
};

std::string written(const written_form& as, std::time_t at) {
  std::tm wall{};
  ::gmtime_r(&at, &wall);
  std::array<char, 128> text{};
  const auto size = std::strftime(text.data(), text.size(), as.form.c_str(), &wall);
  return std::string(text.data(), size) + as.fraction + as.end;
}

std::string text_of_record(const std::string& line) {
  record_reader reader(4096);
  std::vector<log_record> done;
  reader.add(line, std::nullopt, done);
  reader.finish(done);
  return done.empty() ? "none" : done[0].text;
}

/// Every form that time_of_line and docs/log-times.md name, with all that may be in them.
std::vector<written_form> written_forms() {
  std::vector<written_form> all;
  for (const auto* date : {"%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"}) {
    for (const auto* between : {"T", "t", " ", ", "}) {
      for (const auto* clock : {"%H:%M:%S", "%H:%M"}) {
        all.push_back({std::string(date) + between + clock});
      }
    }
  }
  for (const auto* end : {"Z", "z", "+01:00", "+0100", "-05", " +0100", " UTC", "UTC", " EST",
                          " MET", " CEST", " AEDT", " NZDT", " GMT+0200", " UTC+02", " EET"}) {
    all.push_back({"%Y-%m-%d %H:%M:%S", "", end});
    all.push_back({"%Y-%m-%dT%H:%M:%S", ".123", end});
    all.push_back({"%d-%b-%Y %H:%M:%S", "", end});
  }
  for (const auto* fraction : {"", ".1", ".123", ",123", ".123456789"}) {
    for (const auto* form :
         {"%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%S", "%Y%m%d %H:%M:%S", "%b %e %H:%M:%S",
          "%b %d, %Y %H:%M:%S", "%a %b %d %H:%M:%S", "%d %b %Y %H:%M:%S", "%d.%m.%Y %H:%M:%S",
          "%a, %d %b %Y %H:%M:%S", "1:M %d %b %Y %H:%M:%S"}) {
      const bool needs_year = std::string_view(form) == "%a %b %d %H:%M:%S";
      all.push_back({form, fraction, needs_year ? " 2026" : ""});
    }
  }
  for (const auto* form : {"%Y%m%dT%H%M%SZ",
                           "%Y%m%d %H:%M:%SZ",
                           "%b %d %Y %H:%M:%S",
                           "%b %d %Y, %H:%M",
                           "%b %-d, %Y, %-H:%M:%S",
                           "%a %b %e %H:%M:%S CET %Y",
                           "%a %b %d %Y %H:%M:%S GMT+0200",
                           "%a %b %d %H:%M:%S MET %Y",
                           "%-d %b %Y %H:%M",
                           "%d %b %Y, %H:%M:%S",
                           "%d-%b-%Y %H:%M:%S UTC",
                           "%d-%^b-%Y %H:%M:%S",
                           "%-d-%^b-%Y %H:%M",
                           "%a, %d-%b-%Y %H:%M:%S GMT",
                           "%d.%m.%Y %H:%M",
                           "%-d.%m.%Y %-H:%M:%S",
                           "%d/%b/%Y:%H:%M:%S +0000",
                           "%d/%b/%Y %H:%M:%S",
                           "%s",
                           "%s.123",
                           "%s000",
                           "%s000000",
                           "%s000000000",
                           "%m-%d %H:%M:%S.123",
                           "I%m%d %H:%M:%S.123456",
                           "E%m%d %H:%M:%S.123456",
                           "I%Y%m%d %H:%M:%S.123456",
                           "E%Y%m%d %H:%M:%S.123456",
                           "F%Y%m%d %H:%M:%S.123456",
                           "W%Y%m%d %H:%M:%S"}) {
    all.push_back({form});
  }
  for (const auto* space : {"", " ", "\xC2\xA0", "\xE2\x80\xAF"}) {
    for (const auto* form :
         {"%Y-%m-%d %I:%M:%S", "%b %-d, %Y %-I:%M:%S", "%b %-d, %Y, %-I:%M", "%-m/%-d/%Y %-I:%M:%S",
          "%m/%d/%Y, %I:%M", "%-d.%m.%Y %-I:%M", "%d-%^b-%Y %I:%M:%S", "%b %e %I:%M:%S"}) {
      all.push_back({std::string(form) + space + "%p"});
    }
  }
  return all;
}

/// The kinds of lines, behind what may stand in front of a time and inside of a message.
TEST(RUN8_time_masks, of_every_form_that_is_read_a_line_is_of_one_kind_whenever_it_was_written) {
  for (const auto& form : written_forms()) {
    for (const std::string_view around :
         {"@ lost x", "[@] lost x", "ERROR @ lost x", "[main] [ERROR] @ lost x",
          "app-1  | @ ERROR lost x", "ERROR the job of @ is lost", "ERROR lost since (@)"}) {
      std::string first;
      for (const auto at : masked_times) {
        std::string line(around);
        line.replace(line.find('@'), 1, written(form, at));
        EXPECT_TRUE(around[0] != '@' || time_of_line(line, masks_now)) << line;
        const auto masked = mask_variables(text_of_record(line));
        if (first.empty()) first = masked;
        EXPECT_EQ(masked, first) << line;
      }
      const std::string_view said = first;
      EXPECT_NE(said.find("lost"), said.npos) << form.form;
    }
  }
}

/// A date with the name of a month, or a time of day, is no row of numbers.
TEST(RUN8_time_masks, name_what_is_a_time_so) {
  for (const auto& form : written_forms()) {
    const auto line = "since " + written(form, masked_times[0]) + " it is lost";
    const bool is_number = form.form.starts_with("%s");
    const auto masked = mask_variables(line);
    EXPECT_TRUE(is_number || masked.find("<time>") != masked.npos) << line << " is " << masked;
    EXPECT_EQ(masked.find("Nov"), masked.npos) << masked;
    EXPECT_EQ(masked.find("NOV"), masked.npos) << masked;
  }
}

TEST(RUN8_time_masks, end_before_words_and_numbers_that_are_no_zone) {
  const std::string clock = "2026-06-25 14:54:28";
  EXPECT_EQ(mask_variables(clock + " MET the requirements"), "<time> MET the requirements");
  EXPECT_EQ(mask_variables(clock + " -12 items"), "<time> <num> items");
  EXPECT_EQ(mask_variables(clock + " -1234 items"), "<time> <num> items");
  EXPECT_EQ(mask_variables(clock + " EST [7] x, " + clock + " CST x"),
            "<time> [<num>] x, <time> x");
  EXPECT_EQ(mask_variables("1/2/2026, 1/2/1000 and 1.2.2026"),
            "<time>, <num>/<num>/<num> and <num>");
}

TEST(RUN8_time_masks, of_glog_with_a_year_go_with_its_header) {
  EXPECT_EQ(text_of_record("E20261121 16:20:05.123456  4711 a.cc:7] lost"), "a.cc:7] lost");
  EXPECT_EQ(klog_severity("E20261121 16:20:05.123456  4711 a.cc:7] lost"), log_severity::error);
  EXPECT_EQ(klog_severity("W20261121 16:20:05.123456"), log_severity::warning);
  for (const auto* none :
       {"E20261121", "E20261121 ", "E20261121 1", "E2026112 16:20", "E202611 16:20",
        "E202611211 16:20", "E20261121 16x", "X20261121 16:20:05"}) {
    EXPECT_FALSE(klog_severity(none)) << none;
  }
}

}  // namespace
