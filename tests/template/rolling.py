"""CloudWatch's own way of evaluating an alarm: every minute, over periods that end at that minute.

So a period is cut at any minute of an hour, also between the passes of one tick, and of the newest one only
what has been printed by then is there. Where datapoints are missing, older ones take their place as far as the
evaluation range goes, before `TreatMissingData` is asked.
"""

import random
import re
from bisect import bisect_right
from dataclasses import dataclass

from stack import STACK

MINUTE = 60
# From the end of a period to its evaluation, and from a line's printing until its metrics can be read.
EVALUATED_AFTER = 40
READABLE_AFTER = 10
# Periods that are looked at beyond those that an alarm asks for. AWS does not say how many.
FURTHER_BACK = 2


@dataclass(frozen=True)
class Point:
    name: str
    phase: str
    at: float
    value: float


@dataclass
class Bucket:
    count: int = 0
    total: float = 0.0
    largest: float = 0.0


def ringing(alarm, points, until):
    """The minutes at which an alarm of the template rings."""
    metrics = _metrics(alarm)
    arriving = sorted(points, key=lambda point: point.at)
    times = [point.at for point in arriving]
    buckets, arrived, rings, minutes = {}, 0, False, []
    for minute in range(1, int(until // MINUTE)):
        now = minute * MINUTE + EVALUATED_AFTER
        readable = bisect_right(times, now - READABLE_AFTER)
        for point in arriving[arrived:readable]:
            # CloudWatch keeps them by the minute.
            bucket = buckets.setdefault((point.name, point.phase), {}).setdefault(int(point.at // MINUTE), Bucket())
            bucket.count += 1
            bucket.total += point.value
            bucket.largest = max(bucket.largest, point.value)
        arrived = readable
        rings = _evaluated(alarm, metrics, buckets, minute, rings)
        if rings:
            minutes.append(minute)
    return minutes


def _metrics(alarm):
    """Name, phase, statistic and period of each metric, by its id."""
    if "Metrics" not in alarm:
        return {"m": (alarm["MetricName"], _phase(alarm), alarm["Statistic"], alarm["Period"])}
    found = {}
    for metric in alarm["Metrics"]:
        if "MetricStat" in metric:
            of = metric["MetricStat"]
            found[metric["Id"]] = (of["Metric"]["MetricName"], _phase(of["Metric"]), of["Stat"], of["Period"])
    return found


def _phase(metric):
    dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
    assert STACK in dimensions.values()
    return dimensions["Phase"]


def _evaluated(alarm, metrics, buckets, minute, rang):
    wanted = alarm["EvaluationPeriods"]
    values = [_value(alarm, metrics, buckets, minute, back) for back in range(wanted + FURTHER_BACK)]
    real = [value for value in values if value is not None][:wanted]
    breaching = sum(_breaches(alarm, value) for value in real)
    missing = wanted - len(real)
    to_alarm = alarm.get("DatapointsToAlarm", wanted)
    treated = alarm["TreatMissingData"]
    if treated == "breaching":
        breaching += missing
    if breaching >= to_alarm:
        return True
    return rang and treated == "ignore" and breaching + missing >= to_alarm


def _value(alarm, metrics, buckets, minute, back):
    values = {name: _statistic(*of, buckets, minute, back) for name, of in metrics.items()}
    expressions = [metric["Expression"] for metric in alarm.get("Metrics", []) if "Expression" in metric]
    if not expressions:
        return values["m"]
    (expression,) = expressions
    needed = set(re.findall(r"[a-z_]+", re.sub(r"FILL\([^)]*\)", "", expression)))
    if any(values[name] is None for name in needed):
        return None
    functions = {"FILL": lambda value, instead: instead if value is None else value}
    # The template's own text, of which a test says word by word what it is.
    return eval(expression, {"__builtins__": {}}, {**functions, **values})  # noqa: S307


def _statistic(name, phase, statistic, period, buckets, minute, back):
    of = buckets.get((name, phase), {})
    end = minute - back * period // MINUTE
    found = [of[at] for at in range(end - period // MINUTE, end) if at in of]
    if not found:
        return None
    if statistic == "SampleCount":
        return sum(bucket.count for bucket in found)
    if statistic == "Sum":
        return sum(bucket.total for bucket in found)
    assert statistic == "Maximum"
    return max(bucket.largest for bucket in found)


def _breaches(alarm, value):
    threshold = alarm["Threshold"]
    return {
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "GreaterThanThreshold": value > threshold,
        "LessThanThreshold": value < threshold,
    }[alarm["ComparisonOperator"]]


AGES = {"snapshot": "OldestDueAgeSeconds", "expire": "OldestExpiredAgeSeconds"}
SICK = {
    "snapshot": ["OldestBlockedAgeSeconds", "SnapshotsFailed", "SnapshotsDeferred", "VolumesInvalid"],
    "expire": ["SnapshotsDeferred", "VolumesLost"],
}


class Weather:
    """Passes as AWS brings them: a rule fires within seconds of its minute, Lambda takes its time, and a pass lasts
    longer where snapshots are made, most of all after midnight."""

    def __init__(self, seed, shortest=2):
        self._random = random.Random(seed)
        # Seconds.
        self._shortest = shortest

    def ticks(self, phase, days):
        """Instants at which a rule of the template's defaults fires."""
        first, every = (3 * MINUTE, 10 * MINUTE) if phase == "snapshot" else (38 * MINUTE, 60 * MINUTE)
        at = first
        while at < days * 86400:
            yield at + self._random.uniform(0, 3)
            at += every

    def ended(self, begun):
        begun += self._random.uniform(0, 2)
        if begun % 86400 < 15 * MINUTE:
            return begun + self._random.uniform(60, 290)
        return begun + self._shortest + self._random.expovariate(1 / (2 * self._shortest))

    def passes(self, phase, delays, volumes, days):
        """What passes print, one for each delay (and number of volumes) at each tick."""
        for tick in self.ticks(phase, days):
            for delay, managed in zip(delays, volumes, strict=True):
                at = self.ended(tick + delay)
                yield Point("DurationMs", phase, at, 1000)
                for name in (AGES[phase], *SICK[phase]):
                    yield Point(name, phase, at, 0)
                if phase == "snapshot":
                    yield Point("VolumesManaged", phase, at, managed)

    def sick(self, phase, value, days):
        """What passes print whose cloud is sick: they last now seconds, and now as long as they may."""
        for tick in self.ticks(phase, days):
            at = tick + self._random.choice([3, 298])
            yield Point("DurationMs", phase, at, 1000)
            for name in (AGES[phase], *SICK[phase]):
                yield Point(name, phase, at, value)

    def fleet(self, clouds, days, absent=0):
        """Of so many clouds, of which some are wanted and get no pass."""
        delays = [120 * cloud / clouds for cloud in range(clouds)][absent:]
        for phase in ("snapshot", "expire"):
            for tick in self.ticks(phase, days):
                yield Point("Targets", "targets", tick + 0.2, clouds)
            yield from self.passes(phase, delays, [10] * len(delays), days)
