"""A signature says what a number rests on, the same every time."""

from msgspec.structs import replace

from llmops.metrics.catalog import METRICS
from llmops.records import Estimate
from llmops.signature import Resampling, signature, unversioned

ESTIMATE = Estimate("s", "m", "p", "label_accuracy", value=0.8, low=0.7, high=0.9, method="wilson", n=733, policy="wrong")  # fmt: skip
DRAWN = Resampling(2000, 0)


def signed(estimate: Estimate, **settings: str) -> str:
    metric = METRICS["label_accuracy"]._replace(settings=settings)
    return unversioned(signature(estimate, "label", metric, DRAWN)) or ""


def test_a_signature_names_metric_version_reading_policy_number_and_interval() -> None:
    whole = signature(ESTIMATE, "label", METRICS["label_accuracy"], DRAWN)
    assert whole.startswith("label_accuracy|v:1|read:label|unread:wrong|n:733|ci:wilson 0.95|llmops:")
    assert whole == signature(ESTIMATE, "label", METRICS["label_accuracy"], DRAWN)


def test_a_metrics_settings_are_part_of_its_signature() -> None:
    assert signed(ESTIMATE, tokeniser="ko-mecab", case="mixed").startswith(
        "label_accuracy|v:1|tokeniser:ko-mecab|case:mixed|read:label|"
    )


def test_a_slice_is_named_and_cannot_pass_for_another_part() -> None:
    assert "|slice:topic=a%7Cn:9|n:733|" in signed(replace(ESTIMATE, slice="topic=a|n:9"))


def test_a_resampled_interval_names_its_seed() -> None:
    assert signed(replace(ESTIMATE, method="bootstrap")).endswith("|ci:bootstrap 0.95|resamples:2000|seed:0")


def test_an_interval_that_is_not_known_is_none() -> None:
    assert signed(replace(ESTIMATE, low=None, high=None)).endswith("|n:733|ci:none")
    count = replace(ESTIMATE, metric="cost_usd", policy=None, method="complete")
    assert unversioned(signature(count, "label", None, DRAWN)) == "cost_usd|n:733|ci:complete"
