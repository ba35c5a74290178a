//! Days that some islands never had or had twice, when the date line moved over them.

use snapsentry::policy::PolicyKind::{Daily, Express, Monthly, Weekly, Yearly};

use super::{assert_windows, policy};

#[test]
fn a_day_that_samoa_skipped_has_no_window_of_its_own() {
    // On 29 December 2011, midnight was followed by the 31st.
    let apia = ("timezone", "Pacific/Apia");
    assert_windows(
        &policy(Daily, &[apia]),
        &[
            "2011-12-29T00:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2012-01-01T00:00:00+14:00",
        ],
    );
    assert_windows(
        &policy(Express, &[apia]),
        &[
            "2011-12-29T12:00:00-10:00",
            "2011-12-29T18:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T06:00:00+14:00",
        ],
    );
}

#[test]
fn a_start_on_a_skipped_day_is_the_first_instant_after_it() {
    let apia = ("timezone", "Pacific/Apia");
    assert_windows(
        &policy(Daily, &[apia, ("start-time", "10:00")]),
        &[
            "2011-12-29T10:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T10:00:00+14:00",
            "2012-01-01T10:00:00+14:00",
        ],
    );
    assert_windows(
        &policy(Weekly, &[apia, ("start-day-of-week", "friday")]),
        &[
            "2011-12-23T00:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2012-01-06T00:00:00+14:00",
        ],
    );
    assert_windows(
        &policy(
            Monthly,
            &[apia, ("start-day-of-month", "30"), ("start-time", "23:59")],
        ),
        &[
            "2011-11-30T23:59:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2012-01-30T23:59:00+14:00",
        ],
    );
}

#[test]
fn all_starts_of_a_skipped_day_begin_one_window() {
    let apia = ("timezone", "Pacific/Apia");
    assert_windows(
        &policy(Daily, &[apia, ("times", "00:00,06:00,12:00,18:00")]),
        &[
            "2011-12-29T12:00:00-10:00",
            "2011-12-29T18:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T06:00:00+14:00",
        ],
    );
    assert_windows(
        &policy(Express, &[apia, ("interval-hours", "1")]),
        &[
            "2011-12-29T22:00:00-10:00",
            "2011-12-29T23:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T01:00:00+14:00",
        ],
    );
    assert_windows(
        &policy(
            Yearly,
            &[apia, ("start-month", "12"), ("start-day-of-month", "30")],
        ),
        &[
            "2010-12-30T00:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2012-12-30T00:00:00+14:00",
        ],
    );
}

#[test]
fn kwajalein_skipped_a_day_and_repeated_one() {
    let kwajalein = ("timezone", "Pacific/Kwajalein");
    assert_windows(
        &policy(Daily, &[kwajalein]),
        &[
            "1993-08-20T00:00:00-12:00",
            "1993-08-22T00:00:00+12:00",
            "1993-08-23T00:00:00+12:00",
        ],
    );
    // The last hours of September 1969 came twice; what starts in them starts the first time.
    assert_windows(
        &policy(Daily, &[kwajalein, ("start-time", "12:00")]),
        &[
            "1969-09-29T12:00:00+11:00",
            "1969-09-30T12:00:00+11:00",
            "1969-10-01T12:00:00-12:00",
        ],
    );
    assert_windows(
        &policy(Express, &[kwajalein]),
        &[
            "1969-09-30T12:00:00+11:00",
            "1969-09-30T18:00:00+11:00",
            "1969-10-01T00:00:00-12:00",
        ],
    );
}
