import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmops.tracking.figures import SUFFIXES, Figure, figures, metric_name, metrics, not_known
from tests.tracking.samples import estimate

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100)


@pytest.mark.parametrize(
    ("cut", "name"),
    [
        ("all", "f1"),
        ("language=ko", "f1/language/ko"),
        ("주제=환불", "f1/주제/환불"),
        ("size=1.5 kB", "f1/size/1.5 kB"),
    ],
)
def test_a_name_that_mlflow_takes_is_kept(cut: str, name: str) -> None:
    assert metric_name("f1", cut) == name


@example(key="k", value=".", end="")
@example(key="..", value="v", end="")
@given(key=NAMES, value=NAMES, end=st.sampled_from(list(SUFFIXES.values())))
def test_any_slice_gets_a_name_that_mlflow_takes(key: str, value: str, end: str) -> None:
    from mlflow.utils.validation import MAX_ENTITY_KEY_LENGTH, _validate_metric_name

    name = metric_name("label_accuracy", f"{key}={value}") + end
    _validate_metric_name(name)
    assert ":" not in name, "a colon is refused on Windows"
    assert len(name) <= MAX_ENTITY_KEY_LENGTH


@given(st.lists(NAMES, min_size=2, unique=True), st.sampled_from(["", ".n", ".low", "/", "=", "."]))
def test_two_slices_never_share_a_metric(values: list[str], end: str) -> None:
    cuts = {f"k={value}{end}" for value in values} | {f"k={value}" for value in values}
    logged = metrics([estimate(cut=cut, baseline="b", difference=0.0, fixed=1, broke=0) for cut in cuts])
    assert len(logged) == 8 * len(cuts)
    assert len(figures(logged)) == len(cuts)


def test_every_number_comes_back_as_it_was() -> None:
    made = estimate(
        cut="language=ko", difference=-0.01, difference_low=-0.02, difference_high=-0.0, fixed=1, broke=2
    )
    [found] = figures(metrics([made]))
    assert found == Figure(**{field: getattr(made, field) for field in ("metric", "slice", *SUFFIXES)})
    assert [type(found.n), type(found.fixed), math.copysign(1, found.difference_high)] == [int, int, -1]


def test_what_is_not_known_has_no_metric_and_is_named_with_its_reason() -> None:
    rows = [
        estimate("f1", value=None, low=None, high=None, n=0, reason="no answer could be read"),
        estimate("f1", "language=ko", low=None, high=None, reason="fewer than 2 scores"),
        estimate("f1", "language=en", value=math.nan, reason=None),
        estimate("f1", "language=de", high=math.inf, reason="diverged"),
        estimate("f1", "language=fr"),
    ]
    assert set(metrics(rows[:1])) == {"f1.n", "f1.missing"}
    assert set(metrics(rows[1:2])) == {"f1/language/ko", "f1/language/ko.n", "f1/language/ko.missing"}
    assert not [value for value in metrics(rows).values() if not math.isfinite(value)]
    assert not_known(rows) == (
        "f1: no answer could be read; f1/language/ko interval: fewer than 2 scores; "
        "f1/language/en: no reason given; f1/language/de interval: diverged"
    )


def test_metrics_of_others_are_no_figures() -> None:
    assert figures({"loss": 0.1, "loss.n": 3.0, "epoch": 2.0}) == []


def test_a_name_that_had_to_change_is_still_read_by_a_person() -> None:
    assert re.fullmatch(r"f1/주제/환불_교환-[0-9a-f]{6}", metric_name("f1", "주제=환불/교환"))
