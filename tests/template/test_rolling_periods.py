"""Alarms that count, evaluated as CloudWatch does it: a healthy stack rings none of them."""

import pytest

from parameter_sets import MANY_CLOUDS
from rolling import Weather, ringing
from test_alarms import EXPIRE, INTENDED, OF_PHASE, SNAPSHOT, alarms

DAYS = 3
COUNTING = ["no-snapshot-pass", "no-expire-pass", "no-volumes-managed"]
# What is deferred is no failure yet, and may be said with breaks.
BROKEN_OFF = {"snapshots-deferred", "deletions-deferred"}
OF_WHAT_IS_SICK = sorted(
    name for name in set(INTENDED) - {*COUNTING, *BROKEN_OFF} if INTENDED[name][0] in (SNAPSHOT, EXPIRE)
)
# Before there has been anything to count, an alarm may ring.
BEGINNING = 2 * 60


def rung(alarm, points, days=DAYS):
    return [minute for minute in ringing(alarm, points, days * 86400) if minute > BEGINNING]


@pytest.mark.parametrize("clouds", [2, 12, 150])
@pytest.mark.parametrize("name", [*COUNTING, "passes-missing"])
def test_a_healthy_fleet_rings_nothing(name, clouds):
    alarm = alarms(**MANY_CLOUDS, MinManagedVolumes=9 * clouds)[name]
    assert rung(alarm, list(Weather(clouds).fleet(clouds, DAYS))) == []


@pytest.mark.parametrize("clouds", [1, 12, 150])
def test_one_cloud_that_gets_no_passes_rings(clouds):
    alarm = alarms(**MANY_CLOUDS)["passes-missing"]
    minutes = rung(alarm, list(Weather(clouds).fleet(clouds, DAYS, absent=1)))
    # After half a day nearly without a break: after midnight passes are late, and the more clouds there are the
    # less is one of them.
    settled = [minute for minute in minutes if minute > 13 * 60]
    assert len(settled) > 0.98 * (DAYS * 1440 - 13 * 60)


@pytest.mark.parametrize("shards", [3, 32])
@pytest.mark.parametrize("name", COUNTING)
def test_a_healthy_project_in_shards_rings_nothing(name, shards):
    alarm = alarms(SnapshotPassesPerTick=shards, ExpirePassesPerTick=shards, MinManagedVolumes=9 * shards)[name]
    phase = "expire" if name == "no-expire-pass" else "snapshot"
    assert rung(alarm, list(Weather(shards, shortest=20).passes(phase, [0] * shards, [10] * shards, DAYS))) == []


@pytest.mark.parametrize("name", COUNTING[:2])
def test_a_shard_that_gets_no_passes_rings(name):
    alarm = alarms(SnapshotPassesPerTick=4, ExpirePassesPerTick=4)[name]
    phase = "expire" if name == "no-expire-pass" else "snapshot"
    assert rung(alarm, list(Weather(1).passes(phase, [0] * 3, [10] * 3, DAYS)))


@pytest.mark.parametrize("name", COUNTING)
def test_one_project_whose_passes_last_now_seconds_and_now_minutes_rings_nothing(name):
    phase = "expire" if name == "no-expire-pass" else "snapshot"
    alarm = alarms(MinManagedVolumes=10)[name]
    assert rung(alarm, list(Weather(3).passes(phase, [0], [10], DAYS))) == []


def test_an_empty_cloud_that_is_quick_and_a_full_one_that_is_slow_are_no_fleet_without_volumes():
    alarm = alarms(**MANY_CLOUDS)["no-volumes-managed"]
    points = [*Weather(1).passes("snapshot", [0], [0], DAYS), *Weather(2).passes("snapshot", [119], [10], DAYS)]
    assert rung(alarm, points) == []


@pytest.mark.parametrize("given", [MANY_CLOUDS, {"SnapshotPassesPerTick": 10, "ExpirePassesPerTick": 10}])
@pytest.mark.parametrize("name", OF_WHAT_IS_SICK)
def test_what_is_sick_among_others_rings_without_a_break(name, given):
    """Whatever the lines of the others say meanwhile: who is told that it is over does not look any more."""
    phase = "expire" if name in OF_PHASE["ExpireScheduleState"] else "snapshot"
    healthy = Weather(1).passes(phase, range(9), [10] * 9, DAYS)
    minutes = ringing(alarms(**given)[name], [*healthy, *Weather(2).sick(phase, 1_000_000, DAYS)], DAYS * 86400)
    assert minutes[0] < 5 * 60
    assert minutes == list(range(minutes[0], DAYS * 1440))


@pytest.mark.parametrize("given", [{}, MANY_CLOUDS])
def test_volumes_that_are_gone_ring(given):
    alarm = alarms(**given)["no-volumes-managed"]
    assert rung(alarm, list(Weather(1).passes("snapshot", [0, 60], [0, 0], 1)), 1)
