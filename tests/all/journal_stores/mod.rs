//! The conformance suite of journal stores: what every one of them promises, run against each. A store joins it with an [`Arena`](arena::Arena)
//! and one line `conformance!`.

/// One test for each case, for the store whose arena `$make` gives: none where its service is missing.
macro_rules! conformance {
    ($make:path) => {
        conformance_of_a_server! { $make }
        conformance! { $make:
            locks::a_clock_that_is_off_by_an_hour_takes_nothing_from_anybody,
            damage::a_changed_record_is_refused_and_named,
            damage::a_record_that_is_gone_moved_or_doubled_is_refused,
            damage::nothing_is_written_behind_damage,
        }
    };
    ($make:path: $($part:ident::$case:ident,)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            if let Some(arena) = $make().await {
                crate::journal_stores::cases::$part::$case(&arena).await;
            }
        }
    )* };
}

/// The cases that depend on the server behind a store. How damage is found does not, nor whose clock counts.
macro_rules! conformance_of_a_server {
    ($make:path) => {
        conformance! { $make:
            records::what_was_appended_is_read_back_by_anybody,
            records::a_gap_or_a_record_out_of_order_is_refused,
            records::a_large_entry_comes_back_whole,
            records::odd_names_are_kept_apart,
            records::asking_makes_nothing,
            locks::a_lock_has_one_holder_and_says_whose_it_is,
            locks::an_expired_lease_is_taken_by_explicit_word_alone,
            locks::a_paused_holder_is_fenced,
            locks::a_takeover_in_the_middle_of_appends_cuts_them_off_in_one_place,
            locks::a_removed_lock_fences,
            locks::a_renewed_lease_lasts,
            locks::a_lock_whose_process_is_known_to_be_gone_is_free,
            locks::of_many_that_race_for_a_lock_one_has_it,
            damage::a_last_record_that_is_not_whole_is_left_out_or_refused,
            failures::a_connection_that_is_lost_around_an_append_loses_and_doubles_nothing,
            failures::a_connection_that_is_lost_around_a_lock_leaves_it_held_or_free,
        }
    };
}

/// The cases in which a store cannot write: for stores whose arena can bring that about within this process.
macro_rules! conformance_without_writing {
    ($make:path) => {
        conformance! { $make:
            failures::what_may_only_be_read_is_read_and_says_so_when_written,
            failures::a_full_store_refuses_and_keeps_what_it_has,
        }
    };
}

mod arena;
mod cases;
mod elsewhere;
mod local;
mod memory;
mod postgres;
mod postgres_tables;
mod s3;
