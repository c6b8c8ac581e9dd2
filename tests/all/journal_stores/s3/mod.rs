//! The store in a bucket: against a twin that misbehaves on purpose, and against moto's S3, which others wrote.

mod arena;
mod costs;
mod elsewhere;
mod failures;
mod fences;

/// The twin.
mod twin {
    conformance!(super::arena::twin);
    conformance_without_writing!(super::arena::twin);
}

/// moto: what depends on the server. How damage is found does not.
mod moto {
    conformance! { super::arena::moto:
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
}
