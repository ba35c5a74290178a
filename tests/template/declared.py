"""The metrics that the function declares, by phase: those that an alarm or a graph needs.

What else a pass counts stands in the same lines, undeclared, where queries find it and nobody pays for it.
"""

NAMESPACE = "SnapSentry"

OF_PHASE = {
    "snapshot": {
        "DurationMs",
        "OldestDueAgeSeconds",
        "OldestBlockedAgeSeconds",
        "SnapshotsCreated",
        "SnapshotsFailed",
        "SnapshotsDeferred",
        "VolumesManaged",
        "VolumesInvalid",
    },
    "expire": {
        "DurationMs",
        "OldestExpiredAgeSeconds",
        "SnapshotsDeleted",
        "SnapshotsFailed",
        "SnapshotsDeferred",
        "VolumesLost",
    },
    "targets": {"Targets", "Faults"},
}
# Of many clouds these are declared for each besides.
OF_EACH_CLOUD = {"OldestDueAgeSeconds", "OldestExpiredAgeSeconds", "SnapshotsFailed"}


def of_one_cloud():
    """(metric, dimensions, phase) of a stack that keeps one cloud: (metric, frozenset of names, phase)."""
    return {
        (metric, frozenset({"Project", "Phase"}), phase)
        for phase in ("snapshot", "expire")
        for metric in OF_PHASE[phase]
    }


def of_many_clouds():
    """The same for a stack that keeps many: what the fleet has once, and what each cloud has."""
    fleet = {
        (metric, frozenset({"Fleet", "Phase"}), phase) for phase, metrics in OF_PHASE.items() for metric in metrics
    }
    return fleet | of_each_cloud()


def of_each_cloud():
    """What each of many clouds has besides."""
    return {
        (metric, frozenset({"Fleet", "Project", "Phase"}), phase)
        for phase in ("snapshot", "expire")
        for metric in OF_PHASE[phase] & OF_EACH_CLOUD
    }
