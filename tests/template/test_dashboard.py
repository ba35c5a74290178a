"""The dashboard: valid for every switch, nothing overlapping, all that a person wants at a glance."""

import itertools

import pytest

from dashboard import body, metrics
from parameter_sets import MANY_CLOUDS
from stack import REGION, STACK, resolved, stand_in

STATES = ["ENABLED", "DISABLED"]
GIVEN = {
    "SnapshotTickSeconds": 900,
    "ExpireTickSeconds": 7200,
    "OldestDueAgeLimitSeconds": 5000,
    "OldestBlockedAgeLimitSeconds": 700000,
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


@pytest.mark.parametrize("rest", [{}, MANY_CLOUDS, {"MinManagedVolumes": 0}], ids=["one", "many", "no minimum"])
@pytest.mark.parametrize(("snapshot", "expire"), list(itertools.product(STATES, STATES)))
def test_it_shows_exactly_the_alarms_that_there_are(snapshot, expire, rest):
    given = {"SnapshotScheduleState": snapshot, "ExpireScheduleState": expire, **rest}
    template = resolved(**given)
    existing = {
        f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:{resource['Properties']['AlarmName']}"
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    shown = widget("Alarms", **given)["alarms"]
    assert len(shown) == len(set(shown))
    assert set(shown) == existing


def test_it_can_be_left_out_with_its_address():
    without = resolved(CreateDashboard="false")
    assert "Dashboard" not in without["Resources"]
    assert "DashboardUrl" not in without["Outputs"]
    assert resolved()["Resources"]["Dashboard"]["Properties"]["DashboardName"] == f"{STACK}-{REGION}"
    assert resolved()["Outputs"]["DashboardUrl"]["Value"].endswith(f"#dashboards:name={STACK}-{REGION}")


KINDS = [{}, {"CreateReportWidget": "false"}, MANY_CLOUDS, {**MANY_CLOUDS, "ReportCloud": "green"}]


@pytest.mark.parametrize("given", KINDS)
def test_widgets_follow_each_other_in_full_rows(given):
    """None has a place of its own, so that none can lie over another when one is left out."""
    row = 0
    heights = set()
    for one in body(resolved(**given))["widgets"]:
        assert one["type"] in {"alarm", "custom", "metric", "log"}
        assert not {"x", "y"} & set(one)
        row += one["width"]
        heights.add(one["height"])
        assert row <= 24, one["properties"]["title"]
        if row == 24:
            assert len(heights) == 1, one["properties"]["title"]
            row, heights = 0, set()
    assert row == 0


def test_titles_tell_widgets_apart():
    titles = [one["properties"]["title"] for one in body(resolved(**MANY_CLOUDS, ReportCloud="green"))["widgets"]]
    assert len(titles) == len(set(titles))


def custom(**given):
    found = [one for one in body(resolved(**given))["widgets"] if one["type"] == "custom"]
    return found[0]["properties"] if found else None


def test_the_page_asks_the_function_that_only_looks():
    page = custom()
    assert page["endpoint"] == stand_in("AWS::Lambda::Function", "ReportFunction", "Arn")
    assert page["params"] == {}
    assert page["updateOn"]["refresh"] is True
    assert custom(**MANY_CLOUDS, ReportCloud="green")["params"] == {"cloud": "green"}
    assert custom(**MANY_CLOUDS) is None
    assert custom(CreateReportWidget="false") is None


def test_of_many_clouds_the_worst_come_first():
    query = widget("Clouds, worst first", **MANY_CLOUDS)["query"]
    assert query.startswith(f"SOURCE '/aws/lambda/{STACK}' | ")
    assert " by Project, Phase | sort passes_failed desc, without_recovery_point desc" in query
    for title, metric, statistic in [
        ("The ten clouds that are longest without a promised recovery point (seconds)", "OldestDueAgeSeconds", "Maximum"),
        ("The ten clouds with most failed snapshots", "SnapshotsFailed", "Sum"),
    ]:
        ((line,),) = widget(title, **MANY_CLOUDS, SnapshotTickSeconds=900)["metrics"]
        assert line["expression"] == (
            f"SORT(SEARCH('{{SnapSentry,Fleet,Project,Phase}} MetricName=\"{metric}\" Fleet=\"{STACK}\" "
            f"Phase=\"snapshot\"', '{statistic}', 900), MAX, DESC, 10)"
        )


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
            ("SnapshotsDeferred", "snapshot"),
            ("SnapshotsFailed", "snapshot"),
        },
        "Longest without a promised recovery point (seconds)": {("OldestDueAgeSeconds", "snapshot")},
        "Volumes managed; policies unreadable; volumes lost": {
            ("VolumesManaged", "snapshot"),
            ("VolumesInvalid", "snapshot"),
            ("VolumesLost", "expire"),
        },
        "Longest blocked (seconds)": {("OldestBlockedAgeSeconds", "snapshot")},
        "Deletions": {
            ("SnapshotsDeleted", "expire"),
            ("SnapshotsDeferred", "expire"),
            ("SnapshotsFailed", "expire"),
        },
        "Oldest expired snapshot (seconds)": {("OldestExpiredAgeSeconds", "expire")},
        "Duration (milliseconds)": {("DurationMs", "snapshot"), ("DurationMs", "expire"), ("Duration", None)},
        "Errors": {
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
        ("Longest without a promised recovery point (seconds)", "limit", 5000),
        ("Longest blocked (seconds)", "limit", 700000),
        ("Oldest expired snapshot (seconds)", "limit", 30000),
        ("Duration (milliseconds)", "time-out", 120_000),
    ],
)
def test_what_has_a_limit_is_drawn_against_it(title, label, value):
    assert widget(title, **GIVEN)["annotations"] == {"horizontal": [{"label": label, "value": value}]}


@pytest.mark.parametrize(("given", "own_dimension"), [({}, "Project"), (MANY_CLOUDS, "Fleet")], ids=["one", "many"])
def test_lines_belong_to_this_stack_alone(given, own_dimension):
    own = {
        "SnapSentry": {own_dimension: STACK},
        "AWS/Lambda": {"FunctionName": STACK},
        "AWS/SQS": {"QueueName": stand_in("AWS::SQS::Queue", "DeadLetterQueue", "QueueName")},
        "AWS/States": {"StateMachineArn": stand_in("AWS::StepFunctions::StateMachine", "HandOutStateMachine")},
    }
    for namespace, metric, dimensions, _ in metrics(body(resolved(**given))):
        dimensions.pop("Phase", None)
        assert dimensions == own[namespace], metric


def test_failures_are_read_from_the_functions_own_log():
    query = widget("Failures and warnings")["query"]
    assert query.startswith(f"SOURCE '/aws/lambda/{STACK}' | fields @timestamp, @message | filter ")
    assert "error|warn" in query
    # A pass that Lambda cut off printed nothing itself.
    assert "platform.runtimeDone" in widget("Failed passes")["query"]


@pytest.mark.parametrize("given", KINDS)
def test_logs_are_those_of_this_stack(given):
    logs = [one["properties"] for one in body(resolved(**given))["widgets"] if one["type"] == "log"]
    assert len(logs) >= 4
    for log in logs:
        assert log["query"].startswith(f"SOURCE '/aws/lambda/{STACK}' | "), log["title"]
        assert log["region"] == REGION
        assert log["view"] in {"table", "timeSeries"}
