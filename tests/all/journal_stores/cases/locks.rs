//! Locks, leases, fences.

use std::sync::Arc;
use std::time::Duration;

use switchover::apply::journal::{Acquire, Holder};
use switchover::model::Exit;

use crate::journal_stores::arena::{Arena, LONG, LeaseClock, acquire, entries, entry};

pub async fn a_lock_has_one_holder_and_says_whose_it_is(arena: &dyn Arena) {
    let lease = arena.open().acquire(&acquire("staging", "r1", &["rds:1/eu/db"], LONG)).await.unwrap();
    let refused = arena.open().acquire(&acquire("staging", "r2", &[], LONG)).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Locked);
    assert!(["somebody", "r1", "elsewhere"].iter().all(|word| refused.chain().contains(word)), "{refused:?}");
    // A resource is locked across environments, and a refusal takes nothing.
    let refused = arena.open().acquire(&acquire("other", "r3", &["dns:x", "rds:1/eu/db"], LONG)).await.unwrap_err();
    assert!(refused.exit() == Exit::Locked && refused.chain().contains("rds:1/eu/db"), "{refused:?}");
    for (name, environment) in [("env:other", "other"), ("dns:x", "other")] {
        assert!(arena.open().lock(name, environment).await.unwrap().is_none(), "{name} was left behind by a refusal");
    }
    let seen = arena.open().lock("rds:1/eu/db", "any").await.unwrap().expect("whoever asks");
    assert_eq!((seen.run.as_str(), seen.fence.as_str(), seen.expired), ("r1", lease.fence.as_str(), false));
    arena.open().release(&lease).await.unwrap();
    assert!(arena.open().lock("env:staging", "staging").await.unwrap().is_none());
    let again = arena.open().acquire(&acquire("other", "r3", &["rds:1/eu/db"], LONG)).await.unwrap();
    assert_ne!(again.fence, lease.fence);
    assert!(arena.open().append(&lease, "r1", &[entry(0)]).await.is_err(), "given back is given back");
}

pub async fn an_expired_lease_is_taken_by_explicit_word_alone(arena: &dyn Arena) {
    arena.open().acquire(&acquire("staging", "r1", &["rds:1/eu/db"], Duration::ZERO)).await.unwrap();
    assert!(arena.open().lock("env:staging", "staging").await.unwrap().unwrap().expired);
    let refused = arena.open().acquire(&acquire("staging", "r2", &[], LONG)).await.unwrap_err();
    assert!(refused.exit() == Exit::Locked && refused.help().contains("--takeover"), "{refused:?}");
    let explicit = |environment: &str, run: &str| Acquire { takeover: true, ..acquire(environment, run, &["rds:1/eu/db"], LONG) };
    arena.open().acquire(&acquire("staging", "r1", &["rds:1/eu/db"], Duration::ZERO)).await.expect("whoever goes on with a run names it");
    let lease = arena.open().acquire(&explicit("staging", "r2")).await.unwrap();
    // One that has not expired is not for the taking, whatever is said.
    let refused = arena.open().acquire(&explicit("staging", "r2")).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Locked);
    assert_eq!(arena.open().acquire(&explicit("other", "r9")).await.unwrap_err().exit(), Exit::Locked);
    arena.open().renew(&lease).await.unwrap();
}

pub async fn a_paused_holder_is_fenced(arena: &dyn Arena) {
    let paused = arena.open();
    let old = paused.acquire(&acquire("staging", "r1", &["rds:1/eu/db"], Duration::ZERO)).await.unwrap();
    paused.append(&old, "r1", &entries(0..2)).await.unwrap();
    // The same run is gone on with, then another one takes the environment; each fences all that were before.
    let on = arena.open();
    let second = on.acquire(&acquire("staging", "r1", &["rds:1/eu/db"], Duration::ZERO)).await.unwrap();
    let fenced = paused.append(&old, "r1", &[entry(2)]).await.expect_err("a fenced holder wrote");
    assert_eq!(fenced.exit(), Exit::Person, "{fenced:?}");
    assert!(paused.renew(&old).await.is_err(), "a fenced holder renewed");
    on.append(&second, "r1", &[entry(2)]).await.unwrap();
    // Though the records of the new holder are just the ones that the old one would have written, it is refused.
    assert!(paused.append(&old, "r1", &[entry(2)]).await.is_err());
    assert!(paused.append(&old, "r1", &[entry(3)]).await.is_err());
    let third = arena.open().acquire(&Acquire { takeover: true, ..acquire("staging", "r2", &["rds:1/eu/db"], LONG) }).await.unwrap();
    for lease in [&old, &second] {
        assert!(on.append(lease, "r1", &[entry(3)]).await.is_err() && arena.open().append(lease, "r1", &[entry(3)]).await.is_err());
        assert!(on.append(lease, "r7", &[entry(0)]).await.is_err(), "a fenced holder began another run");
        assert!(on.renew(lease).await.is_err());
        on.release(lease).await.expect("giving back what is no longer ours takes it from nobody");
    }
    arena.open().renew(&third).await.unwrap();
    arena.open().append(&third, "r2", &[entry(0)]).await.unwrap();
    let read = arena.open().read("staging", "r1").await.unwrap().unwrap();
    assert_eq!(read.entries, entries(0..3), "what fenced holders tried is nowhere");
    assert_eq!(arena.open().runs("staging").await.unwrap(), ["r1", "r2"]);
}

/// How often the lock changes hands.
const TAKEOVERS: u64 = 6;

pub async fn a_takeover_in_the_middle_of_appends_cuts_them_off_in_one_place(arena: &dyn Arena) {
    let mut lease = arena.open().acquire(&acquire("staging", "r1", &["rds:1/eu/db"], Duration::ZERO)).await.unwrap();
    let mut next = 0;
    for _ in 0..TAKEOVERS {
        let (store, old, from) = (arena.open(), lease, next);
        let (began, wait) = tokio::sync::oneshot::channel();
        let writing = tokio::spawn(async move {
            let (mut began, mut at) = (Some(began), from);
            // An answer that is good is a promise, so that it counts what the successor must find.
            while store.append(&old, "r1", &[entry(at)]).await.is_ok() {
                at += 1;
                if let Some(began) = began.take() {
                    began.send(()).expect("it is waited for");
                }
            }
            at
        });
        wait.await.unwrap();
        lease = arena.open().acquire(&acquire("staging", "r1", &["rds:1/eu/db"], Duration::ZERO)).await.unwrap();
        let found = arena.open().read("staging", "r1").await.unwrap().unwrap().entries;
        next = found.len() as u64;
        assert_eq!(found, entries(0..next));
        arena.open().append(&lease, "r1", &[entry(next)]).await.expect("nothing came in between");
        assert_eq!(writing.await.unwrap(), next, "an append was answered well and is not there, or came after the takeover");
        next += 1;
    }
    assert_eq!(arena.open().read("staging", "r1").await.unwrap().unwrap().entries, entries(0..next));
}

pub async fn a_removed_lock_fences(arena: &dyn Arena) {
    for (name, run) in [("env:staging", "r1"), ("rds:1/eu/db", "r2")] {
        let store = arena.open();
        let lease = store.acquire(&acquire("staging", run, &["rds:1/eu/db"], LONG)).await.unwrap();
        store.append(&lease, run, &[entry(0)]).await.unwrap();
        let held = arena.open().lock(name, "staging").await.unwrap().unwrap();
        assert!(arena.open().remove_lock(&held, "staging").await.unwrap());
        assert!(arena.open().lock(name, "staging").await.unwrap().is_none());
        let refused = store.append(&lease, run, &[entry(1)]).await.unwrap_err();
        assert!(refused.chain().contains(name), "one of two locks is enough: {refused:?}");
        assert!(store.renew(&lease).await.is_err());
        store.release(&lease).await.unwrap();
        let next = arena.open().acquire(&acquire("staging", run, &["rds:1/eu/db"], LONG)).await.unwrap();
        assert!(store.append(&lease, run, &[entry(1)]).await.is_err(), "held again, by somebody else");
        assert!(!arena.open().remove_lock(&held, "staging").await.unwrap(), "who looked before may not remove what is another's now");
        arena.open().append(&next, run, &[entry(1)]).await.unwrap();
        arena.open().release(&next).await.unwrap();
    }
}

pub async fn a_renewed_lease_lasts(arena: &dyn Arena) {
    let store = arena.open();
    let lease = store.acquire(&acquire("staging", "r1", &[], LONG)).await.unwrap();
    let before = store.lock("env:staging", "staging").await.unwrap().unwrap();
    store.renew(&lease).await.unwrap();
    let after = arena.open().lock("env:staging", "staging").await.unwrap().unwrap();
    assert!(after.expires >= before.expires && after.heartbeat >= before.heartbeat);
    assert_eq!((&after.fence, after.since, &after.run, &after.holder), (&before.fence, before.since, &before.run, &before.holder));
    // One that is over is renewed as long as nobody took it: the fence says that nobody did.
    let over = store.acquire(&acquire("other", "r2", &[], Duration::ZERO)).await.unwrap();
    store.append(&over, "r2", &[entry(0)]).await.unwrap();
    store.renew(&switchover::apply::journal::Lease { length: LONG, ..over.clone() }).await.unwrap();
    assert!(!arena.open().lock("env:other", "other").await.unwrap().unwrap().expired);
    assert!(arena.open().acquire(&Acquire { takeover: true, ..acquire("other", "r3", &[], LONG) }).await.is_err());
}

pub async fn a_lock_whose_process_is_known_to_be_gone_is_free(arena: &dyn Arena) {
    let mut gone = acquire("staging", "r1", &[], LONG);
    gone.holder = Holder { process_start: 1, ..Holder::this_process("the dead") };
    let dead = arena.open().acquire(&gone).await.unwrap();
    arena.open().acquire(&acquire("staging", "r2", &[], LONG)).await.unwrap();
    assert!(arena.open().append(&dead, "r1", &[entry(0)]).await.is_err());
}

/// How many want one lock at once, and how often.
const RACERS: usize = 12;
const RACES: usize = 4;

pub async fn of_many_that_race_for_a_lock_one_has_it(arena: &dyn Arena) {
    for race in 0..RACES {
        let (environment, gate) = (format!("race-{race}"), Arc::new(tokio::sync::Barrier::new(RACERS)));
        // Half of the races are for a lock whose lease is over.
        if race % 2 == 1 {
            arena.open().acquire(&acquire(&environment, "before", &["rds:1/eu/db"], Duration::ZERO)).await.unwrap();
        }
        let mut racers = Vec::new();
        for number in 0..RACERS {
            let (store, gate, environment) = (arena.open(), Arc::clone(&gate), environment.clone());
            racers.push(tokio::spawn(async move {
                // Not all of them name the two locks in one order.
                let mut wanted = Acquire { takeover: true, ..acquire(&environment, &format!("r{number}"), &["rds:1/eu/db"], LONG) };
                if number % 2 == 1 {
                    wanted.names.reverse();
                }
                gate.wait().await;
                let taken = store.acquire(&wanted).await;
                let wrote = match &taken {
                    Ok(lease) => store.append(lease, &wanted.run, &[entry(0)]).await.is_ok(),
                    Err(refused) => {
                        assert_eq!(refused.exit(), Exit::Locked, "{refused:?}");
                        false
                    }
                };
                (taken.ok(), wrote)
            }));
        }
        let mut winners = Vec::new();
        for racer in racers {
            let (lease, wrote) = racer.await.unwrap();
            assert_eq!(lease.is_some(), wrote, "who has the lock can write");
            winners.extend(lease);
        }
        assert_eq!(winners.len(), 1, "race {race}: {winners:?}");
        arena.open().release(&winners[0]).await.unwrap();
        for name in [format!("env:{environment}"), "rds:1/eu/db".to_owned()] {
            assert!(arena.open().lock(&name, &environment).await.unwrap().is_none(), "{name} was left behind");
        }
        assert_eq!(arena.open().runs(&environment).await.unwrap().len(), 1);
    }
}

const HOUR: i64 = 3_600;

pub async fn a_clock_that_is_off_by_an_hour_takes_nothing_from_anybody(arena: &dyn Arena) {
    for (at, (holder, taker)) in [(0, HOUR), (0, -HOUR), (HOUR, 0), (-HOUR, 0), (HOUR, -HOUR), (-HOUR, HOUR)].into_iter().enumerate() {
        let environment = format!("e{at}");
        let wanted = |run: &str, length| {
            let mut wanted = Acquire { takeover: true, ..acquire(&environment, run, &[], length) };
            if arena.lease_clock() == LeaseClock::SameBoot {
                wanted.holder = Holder::this_process("somebody");
            }
            wanted
        };
        let (holding, taking) = (arena.skewed(holder), arena.skewed(taker));
        let name = format!("env:{environment}");
        let lease = holding.acquire(&wanted("r1", LONG)).await.unwrap();
        assert!(!taking.lock(&name, &environment).await.unwrap().unwrap().expired, "{holder} {taker}");
        let refused = taking.acquire(&wanted("r1", LONG)).await.expect_err("a lease that lives was taken");
        assert_eq!(refused.exit(), Exit::Locked, "{holder} {taker}");
        holding.renew(&lease).await.unwrap();
        assert!(taking.acquire(&wanted("r1", LONG)).await.is_err(), "{holder} {taker}: after it was renewed");
        holding.append(&lease, "r1", &[entry(0)]).await.unwrap();
        holding.release(&lease).await.unwrap();
        // And one that is over is over, however early it may seem to be.
        let over = holding.acquire(&wanted("r1", Duration::ZERO)).await.unwrap();
        assert!(taking.lock(&name, &environment).await.unwrap().unwrap().expired, "{holder} {taker}");
        taking.acquire(&wanted("r1", LONG)).await.expect("a lease that is over can be taken");
        assert!(holding.append(&over, "r1", &[entry(1)]).await.is_err(), "{holder} {taker}");
    }
}
