"""Whether an answer of the function is one to the event that was sent.

    python answer.py EVENT < ANSWER

Event and answer are files of JSON; prints one line on what was answered, or what is wrong with it.
"""

import json
import re
import sys
from pathlib import Path

COUNTS = {"managed", "created", "adopted", "pending", "deferred", "failed", "deleted", "kept", "cleaned"}


def request(event):
    """What is asked: the event itself, or what its envelope carries."""
    return event["detail"] if "detail" in event else event


def faults(event, answer):
    asked = request(event)
    if not isinstance(answer, dict) or "errorType" in answer:
        yield f"the invocation failed: {answer}"
        return
    for part in ("phase", "dry_run"):
        wanted = asked.get(part, False)
        if answer.get(part) != wanted:
            yield f"{part} is {answer.get(part)!r}, not {wanted!r}"
    if not re.fullmatch(r"req-[0-9a-f-]{36}", str(answer.get("run_id"))):
        yield f"run_id is {answer.get('run_id')!r}"
    if asked["phase"] == "subscribe":
        yield from subscription_faults(asked, answer)
    else:
        yield from pass_faults(asked, answer)


def subscription_faults(asked, answer):
    if answer.get("volume_id") != asked["volume_id"]:
        yield f"volume_id is {answer.get('volume_id')!r}, not {asked['volume_id']!r}"
    metadata = answer.get("metadata", {})
    for key in ("x-snapsentry-managed", f"x-snapsentry-{asked['policy']}-enabled"):
        if key not in metadata:
            yield f"the metadata lack {key}: {metadata}"


def pass_faults(asked, answer):
    if answer.get("outcome") not in {"complete", "partial", "deferred"}:
        yield f"outcome is {answer.get('outcome')!r}"
    if not COUNTS <= set(answer.get("snapshots", {})):
        yield f"snapshots are {answer.get('snapshots')!r}"
    whole = asked["phase"] == "snapshot" and not {"volume_ids", "shard"} & set(asked)
    if whole and not answer.get("volumes", {}).get("managed"):
        yield "no managed volume was seen; the cloud should have some"
    if not answer.get("requests", {}).get("sent"):
        yield "no request was sent"


def summary(answer):
    if answer["phase"] == "subscribe":
        return f"subscribe: {answer['volume_id']}"
    return f"{answer['phase']}: {answer['outcome']}, {answer['requests']['sent']} requests"


if __name__ == "__main__":
    event = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = sys.stdin.read()
    try:
        answer = json.loads(text)
    except ValueError:
        sys.exit(f"not JSON: {text.strip()!r}")
    found = list(faults(event, answer))
    if found:
        sys.exit("\n".join(found))
    print(summary(answer))
