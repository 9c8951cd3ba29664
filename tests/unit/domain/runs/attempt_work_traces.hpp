#pragma once
// The rest of the table of attempt_traces.hpp: what depends on whose work it is, and on who died of
// it.

#include "tests/unit/domain/runs/attempt_traces.hpp"

namespace attempt_traces {

inline const trace work_traces[] = {
    // Crashes while working on it.
    {"a_crash_is_counted_before_the_next_try",
     {"resume crashed => work 1", "written => find", "found nothing => submit"}},
    {"the_last_try_waits_for_its_turn",
     {"resume crashed works=1 => ask turn after 3000", "back =>", "turn => work 2",
      "written => find", "found nothing => submit", "turn =>"}},
    {"a_last_try_over_an_ended_one_waits_for_its_turn",
     {"resume c@100 crashed works=1", "found c@100-200 => ask turn after 3000", "turn => work 2",
      "written => find", "found c@100-200 => watch c"}},
    {"cancelled_while_it_waits_for_its_turn",
     {"resume crashed works=1", "cancel => work 2", "turn =>", "written => find",
      "found nothing => end cancelled"}},
    {"timed_out_while_it_waits_for_its_turn",
     {"resume crashed works=1 rest=5", "wait 5 => work 2", "written => find",
      "found c@100 => adopted c@100", "written => watch c"}},
    {"a_crash_over_a_running_one_is_none_of_its_own",
     {"resume c@100 crashed", "found c@100 => watch c"}},
    {"a_crash_over_an_ended_one_is_counted",
     {"resume c@100 crashed", "found c@100-200 => work 1", "written => find",
      "found c@100-200 => watch c"}},
    {"the_third_crash_puts_it_aside",
     {"resume crashed works=2 => quarantine 3", "written =>", "wait 60000 =>", "back =>"}},
    {"the_third_crash_over_an_ended_one_puts_it_aside",
     {"resume c@100 crashed works=2 => find", "found c@100-200 => quarantine 3", "written =>"}},
    {"the_third_crash_over_a_running_one_is_none_of_its_own",
     {"resume c@100 crashed works=2 => find", "found c@100 => watch c"}},
    {"an_operator_tries_it_again",
     {"resume crashed works=2 => quarantine 3", "written =>", "retry => find",
      "found c => submit"}},
    {"an_operator_gives_it_up",
     {"resume quarantined works=2 =>", "discard => forget", "forgotten => close"}},
    {"cancelled_in_quarantine",
     {"resume quarantined works=2 =>", "cancel => end cancelled", "written => forget"}},
    {"cancelled_while_it_is_put_aside",
     {"resume crashed works=2 => quarantine 3", "cancel =>", "written => end cancelled"}},

    // Reeve's own work.
    {"own_work_is_done_and_has_no_exit_code",
     {"own", "up", "watched 0 => find", "found c@100-400 => collect c",
      "collected file => end completed file", "written => forget", "forgotten => close"}},
    {"own_work_that_a_restart_lost_is_done_again",
     {"own", "resume c@100 crashed => work 1", "written => find", "found nothing => submit",
      "submitted c@900 => watch c", "watched 0 => find", "found c@900-950 => collect c",
      "collected => end completed"}},
    {"own_work_done_again_has_the_rest_of_its_time",
     {"own", "resume c@100 rest=300 => find", "found nothing => submit",
      "submitted c@900 => watch c", "wait 300 => stopping timed_out", "noted => stop c",
      "stopped it", "watched 0", "found c@900-950", "collected => end timed_out"}},
    {"own_work_is_put_aside_by_the_third_crash",
     {"own", "resume c@100 crashed works=2 => quarantine 3", "written =>", "retry => find",
      "found nothing => submit"}},
    {"own_work_whose_input_is_missing_ends_as_that",
     {"own", "up", "refused input_missing => end input_missing"}},
    {"own_work_that_waits_is_timed_out_at_once",
     {"own", "up", "failed away => waiting", "wait 5000 => find", "found nothing => submit",
      "submitted c@700 => watch c", "failed away => waiting", "wait 4999 =>",
      "wait 1 => end timed_out"}},
    {"own_work_is_cancelled",
     {"own", "up", "cancel => stopping cancelled", "noted => stop c", "stopped it =>",
      "watched 0 => find", "found c@100-400 => collect c", "collected => end cancelled"}},
};

}  // namespace attempt_traces
