"""The dashboard's body, read the way CloudWatch reads it."""

import json
import re


def body(template):
    """The dashboard of a resolved template, parsed."""
    return json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"])


def metrics(dashboard):
    """(namespace, metric, dimensions, options) of every line that a widget draws by name."""
    for widget in dashboard["widgets"]:
        for entry in widget["properties"].get("metrics", []):
            if "expression" in entry[0]:
                continue
            options = entry[-1] if isinstance(entry[-1], dict) else {}
            names = [part for part in entry if not isinstance(part, dict)]
            namespace, metric, *dimensions = names
            yield namespace, metric, dict(zip(dimensions[::2], dimensions[1::2], strict=True)), options


def searched(dashboard):
    """(metric, names of the dimensions, phase) of every search that a widget draws."""
    for widget in dashboard["widgets"]:
        for entry in widget["properties"].get("metrics", []):
            if "expression" in entry[0]:
                schema = re.search(r"SEARCH\('\{([\w/,]+)\}", entry[0]["expression"]).group(1).split(",")
                name, phase = (
                    re.search(rf'{key}="(\w+)"', entry[0]["expression"]).group(1) for key in ("MetricName", "Phase")
                )
                assert schema[0] == "SnapSentry"
                yield name, frozenset(schema[1:]), phase
