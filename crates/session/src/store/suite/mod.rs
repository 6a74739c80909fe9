//! The contract of every engine, one test a sentence. An engine takes it on with [`session_store_suite!`](crate::session_store_suite).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![expect(clippy::unchecked_time_subtraction, reason = "spans are written down with their tests")]

#[doc(hidden)]
pub mod admission;
pub(crate) mod bench;
#[doc(hidden)]
pub mod carrying;
#[doc(hidden)]
pub mod counting;
#[doc(hidden)]
pub mod ending;
#[doc(hidden)]
pub mod faults;
#[doc(hidden)]
pub mod limits;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod money;
#[doc(hidden)]
pub mod naming;
#[doc(hidden)]
pub mod notices;
#[doc(hidden)]
pub mod opening;
#[doc(hidden)]
pub mod races;
#[doc(hidden)]
pub mod receipts;
#[doc(hidden)]
pub mod recording;
#[doc(hidden)]
pub mod replays;
#[doc(hidden)]
pub mod resending;
#[doc(hidden)]
pub mod retrying;
mod step;
#[doc(hidden)]
pub mod strike;
#[doc(hidden)]
pub mod verifying;

use std::any::Any;
use std::sync::Arc;

use countersign_model::ManualClock;

pub use bench::Bench;
pub use strike::Strike;

use super::SessionStore;
use crate::code::CodeKeys;
use crate::subject::BudgetRule;

/// What an engine under test is made with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Its keys.
    pub keys: Arc<CodeKeys>,
    /// Its time.
    pub clock: Arc<ManualClock>,
    /// Its rule for wrong guesses.
    pub budget: BudgetRule,
    /// Where it must break.
    pub strike: Arc<Strike>,
}

/// An engine under test, empty.
pub struct Engine {
    /// It.
    pub store: Arc<dyn SessionStore>,
    /// All that it keeps, in any form that is the same when nothing has changed; none for an engine that cannot be broken into.
    pub dump: Option<Box<dyn Fn() -> String + Send + Sync>>,
    /// What must live as long as it, such as the directory of its file.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Holds one sentence against one engine.
#[doc(hidden)]
pub fn run(make: impl AsyncFn(Setup) -> Engine, sentence: impl AsyncFn(Bench)) {
    runtime().block_on(async {
        sentence(Bench::new(&make).await).await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Makes a test of every sentence of the contract. Takes the path of an `async fn(Setup) -> Engine`.
#[macro_export]
macro_rules! session_store_suite {
    ($make:path) => {
        $crate::session_store_suite! { @tests $make;
            admission {
                a_step_tells_how_many_calls_its_key_has_left
                a_key_without_a_call_left_takes_no_step
                a_step_that_nobody_asks_for_counts_no_call
                a_repeated_step_counts_no_call
                a_caller_of_an_older_revision_must_read_its_records_again
                a_revoked_key_takes_no_step
                of_a_hundred_racing_calls_as_many_as_the_limit_are_let_through
            }
            money {
                an_open_holds_and_an_accepted_message_captures
                a_failed_message_gives_back_what_was_held_for_it
                a_session_of_which_nothing_went_out_costs_nothing
                where_all_channels_are_needed_one_refusal_makes_the_others_cost_nothing
                where_all_channels_are_needed_a_kept_session_costs_what_went_out
                where_all_channels_are_needed_a_refused_resend_costs_what_went_out
                an_unclear_message_counts_as_sent
                what_nobody_reports_on_is_captured_when_its_lease_is_over
                an_instant_message_is_captured_as_it_is_opened
                nothing_is_opened_or_counted_that_is_not_paid_for
                a_resend_pays_for_its_message_but_not_for_the_fee_again
                a_resend_that_is_not_paid_for_changes_nothing
                a_fallback_that_is_not_paid_for_gives_its_turn_up
                the_fee_is_kept_for_a_fallback_that_is_still_to_come
                a_message_whose_place_a_resend_takes_counts_as_sent
                a_cancelled_session_gives_the_fee_back_once_nothing_is_on_its_way
                credits_are_taken_in_order_and_once
                the_tenant_hears_once_that_its_balance_is_low
                a_cut_writes_the_balance_into_the_log
                a_rebuilt_balance_keeps_what_sessions_hold
                of_fifty_racing_opens_as_many_as_are_paid_for_are_let_through
            }
            opening {
                an_opened_session_is_found_as_it_was_answered
                the_language_that_a_contact_is_to_have_is_told_with_its_session
                every_message_is_written_down_before_it_leaves
                a_message_of_an_instant_provider_is_accepted_at_once
                a_foreign_tenant_and_the_other_kind_of_key_see_nothing
                a_list_shows_the_newest_first_and_goes_on_where_it_ended
                a_list_shows_only_what_its_filter_admits
                a_session_past_the_life_of_its_token_is_not_there
                the_log_is_read_on_from_where_one_stopped
                a_store_that_can_take_a_step_says_so
            }
            recording {
                an_accepted_message_is_sent
                one_accepted_channel_is_enough
                a_session_of_which_nothing_went_out_is_closed
                a_service_may_keep_a_session_of_which_nothing_went_out
                in_all_mode_a_refused_channel_ends_the_session
                when_nothing_went_out_the_next_fallback_is_due
                an_outcome_of_a_replaced_message_goes_to_the_log_only
                a_late_outcome_of_an_old_message_does_not_settle_a_resend
                an_unclear_message_may_turn_out_accepted
                an_outcome_is_settled_once
                outcomes_of_an_unknown_session_are_not_written
            }
            verifying {
                a_right_guess_completes_a_session_in_any_mode
                a_code_verifies_once
                in_any_mode_the_named_channel_is_a_hint
                one_code_posted_under_two_channels_verifies
                of_a_shared_code_the_named_channel_is_proved
                in_all_mode_every_channel_must_be_proved
                in_all_mode_a_guess_counts_for_its_channel_only
                a_right_guess_is_kept_beside_a_wrong_one
                a_call_with_two_wrong_guesses_uses_one_attempt
                the_last_allowed_guess_may_still_be_right
                no_guess_is_heard_beyond_the_last_allowed_one
                a_channel_that_is_not_in_the_session_uses_no_attempt
                nothing_is_compared_when_no_named_channel_is_in_the_session
                a_channel_that_was_proved_is_not_asked_again
                an_unnamed_guess_is_held_against_every_open_channel
                an_unnamed_guess_is_not_heard_where_two_channels_could_be_meant
                codes_die_with_their_session
                an_expired_session_is_not_locked_any_more
                a_contact_is_due_when_the_first_channel_is_proved
            }
            resending {
                a_resend_makes_new_codes_and_a_new_expiry
                the_old_code_opens_until_the_new_one_is_accepted
                an_instant_resend_kills_the_old_code_at_once
                keep_previous_keeps_both_codes_until_their_own_expiry
                a_failed_resend_leaves_the_old_code_alive
                a_failed_resend_brings_no_attempts_and_no_time
                wrong_guesses_during_a_resend_that_fails_stay_counted
                two_resends_that_both_fail_leave_everything_as_it_was
                a_resend_that_is_not_out_yet_brings_no_more_guesses_at_the_old_code
                the_code_of_an_unclear_message_stays_whatever_the_policy
                a_resend_unlocks_a_session
                a_service_may_keep_a_locked_session_locked
                a_resend_revives_an_expired_session
                a_resend_before_its_time_waits
                a_resend_of_one_channel_leaves_the_other_alone
                a_resend_names_only_channels_that_are_asked
                an_ended_session_is_not_sent_again
            }
            ending {
                a_canceled_session_hears_nothing
                canceling_twice_is_canceling_once
                a_verified_session_cannot_be_canceled
                the_next_fallback_is_asked_under_the_expiry_of_its_session
                of_two_that_saw_the_same_turn_one_takes_it
                a_fallback_to_a_blocked_recipient_is_skipped
                there_is_no_fallback_when_none_is_left
                no_fallback_starts_on_a_dead_session
                a_message_nobody_reported_on_becomes_unclear
                an_expiry_is_told_once
                a_fallback_is_due_at_its_time
                an_expired_session_with_a_fallback_left_is_not_due_for_ever
                a_session_is_dropped_when_nobody_can_ask_for_it
                what_is_longest_overdue_is_done_first
            }
            limits {
                a_user_is_sent_to_five_times_in_five_minutes_and_no_more
                a_limit_counts_every_user_of_a_session
                an_address_that_asks_for_many_is_refused_exactly
                a_user_has_only_so_many_open_sessions
                an_ended_session_makes_room_for_another
                a_refused_open_counts_against_nothing
                a_resend_is_a_send
                a_refused_resend_changes_nothing
                wrong_guesses_at_a_recipient_add_up_over_resends_and_sessions
                a_call_with_more_guesses_than_the_recipient_is_worth_is_not_heard
                a_recipient_that_only_ever_fails_is_blocked_for_longer_each_time
                a_blocked_recipient_is_sent_nothing
                of_two_recipients_the_blocked_one_is_named
                what_is_swept_is_not_missed
            }
            replays {
                an_open_repeated_with_its_id_opens_nothing_more
                a_record_repeated_with_its_step_changes_nothing
                a_verify_repeated_with_its_step_answers_the_same
                a_resend_repeated_with_its_step_answers_the_same
                a_cancel_repeated_with_its_step_answers_the_same
                an_advance_repeated_with_its_step_answers_the_same
                a_lost_reply_is_not_mistaken_for_a_replay
                a_send_under_a_used_key_is_answered_from_memory
                a_send_under_the_key_of_a_running_one_waits
                a_key_used_with_another_body_is_refused
                a_key_whose_call_died_answers_what_it_had_opened
                a_refused_send_leaves_no_trace_under_its_key
                a_send_of_which_nothing_went_out_frees_its_key
                a_verify_under_a_used_key_is_answered_from_memory
                a_cancel_under_a_used_key_is_answered_from_memory
                a_resend_under_a_used_key_is_answered_from_memory
                a_key_means_nothing_after_a_day
                a_stored_reply_holds_nothing_to_try_a_guess_against
            }
            naming {
                a_taken_slot_is_refused_and_nothing_is_counted
                a_locked_session_keeps_its_slot_until_it_expires
                a_session_that_is_over_frees_its_slot
                a_slot_whose_sender_died_may_be_claimed_and_its_session_is_found_until_then
                a_message_that_a_provider_may_have_keeps_its_slot
                a_slot_names_its_last_session_for_a_day
                a_send_under_a_used_key_is_answered_although_it_holds_its_own_slot
                a_recipient_names_all_its_sessions_the_newest_first
                a_name_keeps_the_newest_sixty_four
                a_code_names_its_session_while_it_lives
                a_minted_code_that_is_taken_is_passed_over
                where_no_minted_code_is_free_a_code_names_several
                a_code_that_died_is_free_again
                a_resend_goes_on_behind_the_generation_that_was_chosen
                what_no_name_is_asked_for_leaves_none
            }
            notices {
                a_notice_is_told_as_itself_and_hears_nothing
                nobody_finds_a_notice
                a_notice_opened_again_with_its_id_is_the_same_one
                a_notice_pays_for_its_message_and_no_fee
                a_notice_of_which_nothing_went_out_costs_nothing
                a_notice_whose_sender_died_may_have_gone_out
                a_notice_counts_against_the_limits_of_any_send
                a_notice_under_a_used_key_is_answered_from_memory
            }
            counting {
                strikes_add_up_to_their_limit_and_no_further
                a_spared_budget_counts_no_wrong_guess
                a_blocked_recipient_is_not_heard_though_its_budget_be_spared
                an_unblocked_recipient_is_heard_again
                unblocking_who_is_not_blocked_forgets_the_guesses_and_says_so
            }
            receipts {
                a_receipt_says_that_a_message_arrived
                a_message_arrived_no_later_than_its_receipt_came
                a_receipt_says_that_a_message_did_not_arrive
                what_is_known_already_or_better_changes_nothing
                only_who_took_a_message_is_believed
                a_receipt_may_be_quicker_than_the_answer_of_its_provider
                a_replaced_message_is_still_heard_of
                who_took_a_replaced_message_may_be_said_late
                of_replaced_messages_the_newest_four_are_heard_of
                an_ended_session_hears_of_its_messages_and_nothing_follows
                a_notice_hears_of_its_message
                of_a_message_one_can_learn_whether_it_is_being_handed_over
                a_receipt_finds_its_session_in_the_scope_that_it_names_and_in_no_other
                a_receipt_about_nothing_is_unknown
                a_message_is_found_by_what_its_provider_calls_it
                a_part_knows_its_message_and_the_other_parts
                a_receipt_that_comes_before_its_message_is_named_waits
                a_receipt_waits_for_ten_minutes_and_no_more_than_eight_wait
            }
            retrying {
                a_missing_receipt_is_asked_for_at_its_time
                every_channel_has_a_wait_of_its_own
                a_message_that_arrived_is_not_asked_for
                a_receipt_that_came_early_needs_no_waiting
                a_bad_receipt_asks_at_once_where_anything_can_follow
                where_nobody_asks_for_it_no_receipt_is_missed
                a_retry_sends_a_new_code_beside_the_old_one
                a_retry_of_which_nothing_went_out_leaves_the_session_open
                a_retry_is_paid_for_like_any_message
                no_more_than_four_retries_are_made_until_a_resend
                a_receipt_for_the_message_before_ends_the_waiting_for_its_retry
                another_channel_follows_in_place_of_a_message
                no_channel_follows_one_that_another_has_followed_already
                nothing_follows_a_message_for_which_nobody_waits
                what_is_given_up_is_not_asked_for_again
                nothing_follows_in_a_session_that_is_over
                a_proved_channel_is_not_sent_to_again
                a_retry_repeated_with_its_step_answers_the_same
                a_retry_whose_sender_died_may_have_gone_out
                a_retry_whose_sender_died_keeps_the_slot_of_what_went_out_before
            }
            carrying {
                a_right_code_tells_whose_message_it_was
                of_messages_with_one_code_the_newest_that_arrived_is_told
            }
            races {
                of_two_hundred_racing_wrong_guesses_three_are_counted
                of_fifty_racing_right_guesses_one_completes_the_session
                of_fifty_racing_opens_of_a_user_five_are_let_through
                racing_resends_guesses_and_cancels_leave_one_history
                of_fifty_racing_opens_of_one_slot_one_passes
                of_two_hundred_racing_opens_no_two_are_found_by_one_code
                of_fifty_racing_checks_of_one_code_one_consumes_it
                of_fifty_racing_retries_one_sends
                racing_receipts_are_told_once
            }
        }
        #[test]
        fn any_sequence_of_steps_ends_as_it_does_in_memory() {
            $crate::store::suite::model::any_sequence_of_steps_ends_as_it_does_in_memory($make);
        }
        #[test]
        fn an_error_at_any_statement_of_a_step_changes_nothing() {
            $crate::store::suite::faults::an_error_at_any_statement_of_a_step_changes_nothing($make);
        }
        #[test]
        fn a_commit_that_fails_changes_nothing() {
            $crate::store::suite::faults::a_commit_that_fails_changes_nothing($make);
        }
        #[test]
        fn a_step_whose_reply_was_lost_is_answered_when_it_is_repeated() {
            $crate::store::suite::faults::a_step_whose_reply_was_lost_is_answered_when_it_is_repeated($make);
        }
    };
    (@tests $make:path; $($file:ident { $($sentence:ident)* })*) => {
        $($(
            #[test]
            fn $sentence() {
                $crate::store::suite::run($make, $crate::store::suite::$file::$sentence);
            }
        )*)*
    };
}

#[cfg(test)]
mod tests {
    /// A sentence that was written and not listed would never be held against any engine.
    #[test]
    fn every_sentence_is_listed() {
        let list = include_str!("mod.rs");
        let sources = [
            include_str!("opening.rs"),
            include_str!("recording.rs"),
            include_str!("verifying.rs"),
            include_str!("resending.rs"),
            include_str!("ending.rs"),
            include_str!("limits.rs"),
            include_str!("replays.rs"),
            include_str!("races.rs"),
            include_str!("admission.rs"),
            include_str!("money.rs"),
            include_str!("naming.rs"),
            include_str!("notices.rs"),
            include_str!("counting.rs"),
            include_str!("receipts.rs"),
            include_str!("retrying.rs"),
            include_str!("carrying.rs"),
        ];
        for source in sources {
            for sentence in source.split("pub async fn ").skip(1) {
                let (name, _) = sentence.split_once('(').unwrap();
                assert!(list.contains(&format!("  {name}\n")), "{name} is not listed");
            }
        }
    }
}
