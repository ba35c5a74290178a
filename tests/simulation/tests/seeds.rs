//! A small share of the seeds, with every `cargo test`.

use std::sync::Arc;

use simulation::campaign::{Campaign, Length, Report, replay, run_case};
use simulation::case::Item;
use simulation::draw;
use simulation::run::Detail;
use simulation::{clouds, restores};

/// The first seeds of this length.
fn run(length: Length, seeds: u64) -> Report {
    Campaign {
        from: 0,
        seeds,
        length,
        jobs: 2,
        binary: None,
        most_failures: 3,
    }
    .run()
}

#[test]
fn no_seed_violates_an_invariant() {
    let report = run(Length::Passes, 300);
    let failed: Vec<String> = report
        .failed
        .iter()
        .map(|failed| {
            format!(
                "seed {}: {}; {}",
                failed.seed,
                failed.violations[0],
                replay(failed.seed)
            )
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(report.seeds, 300);
    // A simulation in which nothing happens would find nothing either.
    assert!(report.figures.faults > 500, "{:?}", report.figures);
    for name in [
        "snapshot pass: created",
        "expire pass: deleted",
        "converged",
    ] {
        assert!(report.coverage.count(name) > 50, "{name}");
    }
}

#[test]
fn no_seed_of_restores_or_of_clouds_violates_an_invariant() {
    for (length, seeds, happens) in [
        (Length::Restores, 120, "created"),
        (Length::Clouds, 40, "as alone"),
    ] {
        let report = run(length, seeds);
        let failed: Vec<String> = report
            .failed
            .iter()
            .map(|failed| format!("{length:?} {}: {}", failed.seed, failed.violations[0]))
            .collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert_eq!(report.seeds, seeds);
        assert!(report.coverage.count(happens) > 50, "{happens}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_request_by_request() {
    for seed in 0..60 {
        let case = Arc::new(draw::case(seed));
        let [first, second] = [(); 2].map(|()| run_case(&case, Detail::None).fingerprint);
        assert_eq!(first, second, "seed {seed}");
    }
    for seed in 0..20 {
        let case = restores::restores(seed);
        let [first, second] = [(); 2].map(|()| restores::run(&case, Detail::None).fingerprint);
        assert_eq!(first, second, "seed {seed} of restores");
        let case = clouds::clouds(seed);
        let [first, second] = [(); 2].map(|()| clouds::run(&case, Detail::None).fingerprint);
        assert_eq!(first, second, "seed {seed} of clouds");
    }
}

#[test]
fn a_part_that_is_left_out_leaves_the_rest_as_it_was() {
    let case = draw::case(7);
    let mut smaller = draw::case(7);
    for item in case.items() {
        let text = item.to_string();
        assert_eq!(text.parse(), Ok(item), "{text}");
    }
    smaller.without.insert(Item::Step(0));
    assert_eq!(smaller.items().first(), Some(&Item::Step(1)));
    assert_eq!(format!("{:?}", smaller.steps), format!("{:?}", case.steps));
}
