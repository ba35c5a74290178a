"""What it costs: reckoned from the template's own alarms and the declared metrics, and as OPERATIONS.md says."""

import pytest

import cost
from parameter_sets import CREDENTIALS, LEAN, MANY_CLOUDS
from stack import ROOT, refusals

SECRET = CREDENTIALS["secret"]
MANY = {**SECRET, **MANY_CLOUDS}


def test_a_stack_has_fourteen_metrics_and_fourteen_alarms():
    bill = cost.parts(**SECRET)
    assert bill["metrics"] == pytest.approx(14 * 0.30)
    assert bill["alarms"] == pytest.approx(14 * 0.10)


def test_metrics_are_paid_for_in_the_hours_in_which_they_are_printed():
    rarely = cost.parts(**SECRET, ExpireTickSeconds=21600)
    assert rarely["metrics"] == pytest.approx(8 * 0.30 + 6 * 0.30 / 6)


def test_a_project_more_in_one_deployment_is_four_metrics_more():
    more = cost.parts(11, **MANY)["metrics"] - cost.parts(10, **MANY)["metrics"]
    assert more == pytest.approx(4 * 0.30)


def test_a_stack_without_what_costs_most_stays_under_five_dollars():
    assert refusals(**SECRET, **LEAN) == []
    assert cost.total(**SECRET, **LEAN) < 5


def test_many_projects_in_one_deployment_stay_under_five_dollars_each_and_get_cheaper():
    ten, fifty = (cost.total(clouds, **MANY) / clouds for clouds in (10, 50))
    assert fifty < ten < 5
    # Fifty stacks would each have all of it.
    assert cost.total(50, **MANY) < 50 * cost.total(**SECRET) / 5


def test_metrics_alarms_and_dashboard_are_most_of_it():
    bill = cost.parts(**SECRET)
    assert bill["compute"] + bill["log"] < 0.05 * sum(bill.values())


def test_the_documents_say_what_it_costs(operations):
    assert [row for row in cost.rows() if row not in operations] == []


def test_the_readme_names_the_same_sums():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    one, lean = cost.total(**SECRET), cost.total(**SECRET, **LEAN)
    ten, fifty = (cost.total(clouds, **MANY) / clouds for clouds in (10, 50))
    assert [f"{sum_:.2f}" for sum_ in (one, lean, ten, fifty) if f"{sum_:.2f}" not in readme] == []
