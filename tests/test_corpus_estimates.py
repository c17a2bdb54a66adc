"""From answers to a corpus metric's estimate: the corpus's value, resampled, beside its baseline."""

import pytest
import sacrebleu

from llmops.baseline import Reference
from llmops.comparing import Plan, Rows, Settings, compared
from llmops.metrics.catalog import METRICS
from llmops.records import Example, Response
from llmops.replies import Fault
from llmops.scoring import scored
from llmops.suites import Suite
from llmops.tasks.readers import READERS

TARGETS = [
    f"the {noun} sat on the {place} mat" for noun in ("cat", "dog", "cow") for place in ("old", "red", "new")
]


def estimates(answers, unread="wrong", cluster=lambda i: None, others=None, repeats=1):
    examples = [
        Example(str(i), {}, target, slices={"end": target.split()[-2]}, cluster=cluster(i))
        for i, target in enumerate(TARGETS)
    ]
    suite = Suite("d", "text", ["p"], ["m"], ["bleu", "chrf"], slices=["end"], unread=unread, repeats=repeats)
    metrics = [METRICS[name] for name in suite.metrics]

    def scores_of(texts):
        responses = [
            Response(
                "s",
                str(i % 9),
                "m",
                "p",
                repeat=i // 9,
                answer=text,
                error=None if text is not None else FAULT,
            )
            for i, text in enumerate(texts)
        ]
        pairs = [(response, examples[int(response.example_id)]) for response in responses]
        scores = list(scored(READERS["text"], metrics, pairs, []))
        return responses, sorted(scores, key=lambda score: score.metric)

    responses, scores = scores_of(answers)
    baseline = Reference("theirs", scores_of(others)[1]) if others else None
    found = compared(
        Plan("s", suite, metrics, Settings(resamples=300)), Rows(examples, responses, scores), baseline
    )
    return {(e.metric, e.slice): e for e in found.estimates}, scores


FAULT = Fault("timeout", "too late")
ANSWERS = ["the cat sat on the old mat", "a dog sat on the mat", "no", *TARGETS[3:]]


def test_an_estimate_is_the_value_of_the_corpus():
    found, scores = estimates(ANSWERS)
    overall = found["bleu", "all"]
    assert overall.value == pytest.approx(sacrebleu.corpus_bleu(ANSWERS, [TARGETS]).score, abs=1e-9)
    assert overall.low < overall.value < overall.high <= 100
    assert (overall.n, overall.method) == (9, "bootstrap")
    assert found["chrf", "all"].value == pytest.approx(
        sacrebleu.corpus_chrf(ANSWERS, [TARGETS]).score, abs=1e-9
    )
    old = sacrebleu.corpus_bleu(ANSWERS[::3], [TARGETS[::3]]).score
    assert found["bleu", "end=old"].value == pytest.approx(old, abs=1e-9)
    sentence = sacrebleu.sentence_bleu(ANSWERS[1], [TARGETS[1]]).score
    assert scores[1].value == pytest.approx(sentence, abs=1e-9)
    assert len(scores[1].statistics) == 10


@pytest.mark.parametrize(("unread", "n"), [("wrong", 8), ("excluded", 7)])
def test_an_unread_answer_is_an_empty_one_where_it_counts_as_wrong_and_an_error_is_none(unread, n):
    answers = [*ANSWERS[:7], "  ", None]
    kept = [*ANSWERS[:7], ""][:n]
    found, _ = estimates(answers, unread)
    overall = found["bleu", "all"]
    assert overall.value == pytest.approx(sacrebleu.corpus_bleu(kept, [TARGETS[:n]]).score, abs=1e-9)
    assert (overall.n, overall.missing) == (n, 2)


def test_a_difference_is_between_the_corpora_of_the_shared_examples():
    found, _ = estimates([*TARGETS[:8], None], others=ANSWERS)
    overall = found["bleu", "all"]
    theirs = sacrebleu.corpus_bleu(ANSWERS[:8], [TARGETS[:8]]).score
    assert overall.difference == pytest.approx(100 - theirs, abs=1e-9)
    assert overall.difference_low <= overall.difference <= overall.difference_high
    assert (overall.baseline, overall.fixed, overall.broke) == ("theirs", 2, 0)


def test_examples_of_one_source_are_drawn_together():
    found, _ = estimates(ANSWERS, cluster=lambda i: f"source {i // 3}")
    assert found["bleu", "all"].method == "clustered bootstrap"
    assert found["bleu", "all"].n == 9


def test_repeats_make_one_corpus():
    found, _ = estimates([*ANSWERS, *TARGETS], repeats=2)
    value = sacrebleu.corpus_bleu([*ANSWERS, *TARGETS], [TARGETS * 2]).score
    assert found["bleu", "all"].value == pytest.approx(value, abs=1e-9)
    assert found["bleu", "all"].n == 9


def test_the_signature_says_how_the_number_came_to_be():
    found, _ = estimates(ANSWERS)
    signature = found["bleu", "all"].signature
    assert signature.startswith("bleu|v:1|case:mixed|tokeniser:13a|smooth:exp|version:sacrebleu 2.")
    assert "|ci:bootstrap 0.95|resamples:300|seed:0|" in signature
