"""The dashboard: valid for every switch, nothing overlapping, all that a person wants at a glance."""

import itertools

import pytest

from dashboard import body, metrics
from stack import REGION, STACK, resolved, stand_in

STATES = ["ENABLED", "DISABLED"]
GIVEN = {
    "SnapshotTickSeconds": 900,
    "ExpireTickSeconds": 7200,
    "OldestDueAgeLimitSeconds": 5000,
    "OldestExpiredAgeLimitSeconds": 30000,
    "TimeoutSeconds": 120,
}


def widget(title, **given):
    (found,) = [one for one in body(resolved(**given))["widgets"] if one["properties"].get("title") == title]
    return found["properties"]


def drawn(title):
    """(metric, phase or None) of each line in a widget."""
    dashboard = {"widgets": [{"properties": widget(title)}]}
    return {(metric, dimensions.get("Phase")) for _, metric, dimensions, _ in metrics(dashboard)}


@pytest.mark.parametrize(("snapshot", "expire"), list(itertools.product(STATES, STATES)))
def test_it_shows_exactly_the_alarms_that_there_are(snapshot, expire):
    template = resolved(SnapshotScheduleState=snapshot, ExpireScheduleState=expire)
    existing = {
        f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:{resource['Properties']['AlarmName']}"
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    shown = widget("Alarms", SnapshotScheduleState=snapshot, ExpireScheduleState=expire)["alarms"]
    assert len(shown) == len(set(shown))
    assert set(shown) == existing


def test_it_can_be_left_out_with_its_address():
    without = resolved(CreateDashboard="false")
    assert "Dashboard" not in without["Resources"]
    assert "DashboardUrl" not in without["Outputs"]
    assert resolved()["Resources"]["Dashboard"]["Properties"]["DashboardName"] == f"{STACK}-{REGION}"
    assert resolved()["Outputs"]["DashboardUrl"]["Value"].endswith(f"#dashboards:name={STACK}-{REGION}")


def test_widgets_lie_side_by_side_within_the_grid():
    taken = {}
    for one in body(resolved())["widgets"]:
        assert one["type"] in {"alarm", "metric", "log"}
        assert one["x"] >= 0
        assert one["x"] + one["width"] <= 24
        for place in itertools.product(range(one["x"], one["x"] + one["width"]), range(one["y"], one["y"] + one["height"])):
            assert place not in taken, f"{one['properties']['title']} lies over {taken[place]}"
            taken[place] = one["properties"]["title"]


def test_every_graph_says_where_from_how_summed_and_how_often():
    for one in body(resolved(**GIVEN))["widgets"]:
        if one["type"] != "metric":
            continue
        properties = one["properties"]
        assert properties["region"] == REGION
        assert properties["view"] == "timeSeries"
        assert properties["stat"] in {"Sum", "Maximum"}
        assert properties["period"] in {900, 7200}
        assert all(options["label"] for _, _, _, options in metrics({"widgets": [one]}))


@pytest.mark.parametrize(
    ("title", "lines"),
    {
        "Recovery points": {
            ("SnapshotsCreated", "snapshot"),
            ("SnapshotsAdopted", "snapshot"),
            ("SnapshotsPending", "snapshot"),
            ("SnapshotsDeferred", "snapshot"),
            ("SnapshotsFailed", "snapshot"),
        },
        "Oldest due window left unserved (seconds)": {("OldestDueAgeSeconds", "snapshot")},
        "Volumes managed; policies due and unreadable": {
            ("VolumesManaged", "snapshot"),
            ("VolumesDue", "snapshot"),
            ("VolumesInvalid", "snapshot"),
        },
        "Deletions": {
            ("SnapshotsDeleted", "expire"),
            ("SnapshotsCleaned", "snapshot"),
            ("SnapshotsDeferred", "expire"),
            ("SnapshotsFailed", "expire"),
        },
        "Oldest expired snapshot (seconds)": {("OldestExpiredAgeSeconds", "expire")},
        "Requests to the cloud": {
            ("RequestsSent", "snapshot"),
            ("RequestsSent", "expire"),
            ("RequestsRetried", "snapshot"),
            ("RequestsRetried", "expire"),
        },
        "Duration (milliseconds)": {("DurationMs", "snapshot"), ("DurationMs", "expire"), ("Duration", None)},
        "Errors": {
            ("InvocationsFailed", "snapshot"),
            ("InvocationsFailed", "expire"),
            ("InvocationsFailed", "unknown"),
            ("Errors", None),
            ("Throttles", None),
            ("AsyncEventsDropped", None),
            ("ApproximateNumberOfMessagesVisible", None),
        },
    }.items(),
)
def test_a_widget_draws_these_lines(title, lines):
    assert drawn(title) == lines


@pytest.mark.parametrize(
    ("title", "label", "value"),
    [
        ("Oldest due window left unserved (seconds)", "limit", 5000),
        ("Oldest expired snapshot (seconds)", "limit", 30000),
        ("Duration (milliseconds)", "time-out", 120_000),
    ],
)
def test_what_has_a_limit_is_drawn_against_it(title, label, value):
    assert widget(title, **GIVEN)["annotations"] == {"horizontal": [{"label": label, "value": value}]}


def test_lines_belong_to_this_stack_alone():
    own = {
        "SnapSentry": {"Project": STACK},
        "AWS/Lambda": {"FunctionName": STACK},
        "AWS/SQS": {"QueueName": stand_in("AWS::SQS::Queue", "DeadLetterQueue", "QueueName")},
    }
    for namespace, metric, dimensions, _ in metrics(body(resolved())):
        dimensions.pop("Phase", None)
        assert dimensions == own[namespace], metric


def test_failures_are_read_from_the_functions_own_log():
    query = widget("Failures and warnings")["query"]
    assert query.startswith(f"SOURCE '/aws/lambda/{STACK}' | fields @timestamp, @message | filter ")
    assert "error|warn" in query
    # A pass that Lambda cut off printed nothing itself.
    assert "platform.runtimeDone" in query
