"""What a deployment costs a month, reckoned from the template's own alarms and the declared metrics.

List prices of us-east-1 in US dollars, arm64, without any free tier, for a month of 730 hours.
"""

import declared
from parameter_sets import CREDENTIALS, LEAN, MANY_CLOUDS
from stack import parameter_values, resolved, source

HOURS = 730
METRIC, ALARM_METRIC, DASHBOARD, SECRET = 0.30, 0.10, 3.00, 0.40
SECRET_CALL = 0.05 / 10_000
LAMBDA_GB_SECOND, LAMBDA_REQUEST = 0.0000133334, 0.20 / 1_000_000
LOG_GB = 0.50
WORKFLOW_REQUEST, WORKFLOW_GB_SECOND = 1.00 / 1_000_000, 0.00001667
# An Express workflow is billed in chunks of 64 MB.
WORKFLOW_GB = 64 / 1024

# A project of 1,000 volumes with one daily policy, 21 pages that take the cloud 0.3 s each.
PASS_SECONDS, PASS_LOG_GB = 7.1, 6e-6
SNAPSHOTS_A_DAY, SNAPSHOT_SECONDS, SNAPSHOT_LOG_GB, DAYS = 1000, 3, 0.5e-6, 30.4


def ticks(values):
    """Snapshot and expire ticks of a month."""
    return {
        "snapshot": HOURS * 3600 / int(values["SnapshotTickSeconds"]),
        "expire": HOURS * 3600 / int(values["ExpireTickSeconds"]),
    }


def metrics(values, clouds, many):
    """Metrics are billed for the hours in which they are printed."""
    share = {
        phase: min(1, 3600 / int(values[f"{phase.capitalize()}TickSeconds"])) for phase in ("snapshot", "expire")
    }
    share["targets"] = max(share.values())
    once = declared.of_many_clouds() - declared.of_each_cloud() if many else declared.of_one_cloud()
    each = declared.of_each_cloud() if many else set()
    return METRIC * (sum(share[phase] for *_, phase in once) + clouds * sum(share[phase] for *_, phase in each))


def alarms(template):
    watched = [
        len([metric for metric in resource["Properties"].get("Metrics", []) if "MetricStat" in metric]) or 1
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    return ALARM_METRIC * sum(watched)


def parts(clouds=1, **given):
    """Each part of the bill of one stack for so many projects of the size above."""
    values = parameter_values(source(), **given)
    template = resolved(**given)
    many = values["ManyClouds"] == "true"
    assert many or clouds == 1
    gigabytes = int(values["MemorySize"]) / 1024
    every = ticks(values)
    passes = sum(every.values())
    waiting = SNAPSHOTS_A_DAY / int(values["MaxCreating"]) * SNAPSHOT_SECONDS * DAYS
    bill = {
        "metrics": metrics(values, clouds, many),
        "alarms": alarms(template),
        "dashboard": DASHBOARD if "Dashboard" in template["Resources"] else 0,
        "secret": SECRET + SECRET_CALL * passes * clouds,
        "compute": clouds * ((passes * PASS_SECONDS + waiting) * gigabytes * LAMBDA_GB_SECOND + passes * LAMBDA_REQUEST),
        "log": clouds * LOG_GB * (passes * PASS_LOG_GB + SNAPSHOTS_A_DAY * DAYS * SNAPSHOT_LOG_GB),
        "state machine": 0,
    }
    if many:
        longest = int(values["SpreadSeconds"]) + 1
        bill["state machine"] = passes * (WORKFLOW_REQUEST + longest * WORKFLOW_GB * WORKFLOW_GB_SECOND)
    return bill


def total(clouds=1, **given):
    return sum(parts(clouds, **given).values())


def rows():
    """The rows of the table in OPERATIONS.md."""
    secret = CREDENTIALS["secret"]
    for title, clouds, given in [
        ("1", 1, secret),
        ("1, without the dashboard", 1, {**secret, "CreateDashboard": "false"}),
        ("1, lean", 1, {**secret, **LEAN}),
        ("10", 10, {**secret, **MANY_CLOUDS}),
        ("50", 50, {**secret, **MANY_CLOUDS}),
        ("50, lean", 50, {**secret, **MANY_CLOUDS, **LEAN}),
    ]:
        bill = parts(clouds, **given)
        together = sum(bill.values())
        cells = " | ".join(f"{part:.2f}" for part in [*bill.values(), together, together / clouds])
        yield f"| {title} | {cells} |"


if __name__ == "__main__":
    print("\n".join(rows()))
