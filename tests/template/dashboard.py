"""The dashboard's body, read the way CloudWatch reads it."""

import json


def body(template):
    """The dashboard of a resolved template, parsed."""
    return json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"])


def metrics(dashboard):
    """(namespace, metric, dimensions, options) of every line that a widget draws."""
    for widget in dashboard["widgets"]:
        for entry in widget["properties"].get("metrics", []):
            options = entry[-1] if isinstance(entry[-1], dict) else {}
            names = [part for part in entry if not isinstance(part, dict)]
            namespace, metric, *dimensions = names
            yield namespace, metric, dict(zip(dimensions[::2], dimensions[1::2], strict=True)), options
