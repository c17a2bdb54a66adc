from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from llmops import jsonl
from llmops.records import Judgement, Ranked, Response
from tests.dashboards.a_project import HOSTILE, MODELS

APP = Path(__file__).parents[2] / "dashboards" / "app.py"
SECTIONS = ["slices", "classes", "changes", "examples"]


def app(**state):
    test = AppTest.from_file(str(APP), default_timeout=30)
    for name, value in {"suite": "support", **state}.items():
        test.session_state[name] = value
    return test


def opened(page="quality", **state):
    test = app(**state).run()
    return test if page == "quality" else test.switch_page(f"views/{page}.py").run()


def table_with(test, column):
    return next(frame.value for frame in test.dataframe if column in frame.value.columns)


def said(test):
    every = [*test.text, *test.caption, *test.info, *test.code, *test.error, *test.warning, *test.success]
    return "\n".join(str(element.value) for element in every)


@pytest.mark.usefixtures("project")
def test_the_quality_page_says_first_what_stops_the_release():
    test = opened()
    assert [line.value for line in test.error] == ["Do not ship. Rules: 1 failed, 2 inconclusive, 1 passed."]
    first = test.text[0].value
    assert first.startswith("✗ fail   tiny-llama-q8 · support/v1: label_accuracy at least 0.8")
    assert "the whole interval is below 0.8" in first


@pytest.mark.usefixtures("project")
def test_the_leaderboard_holds_values_with_their_intervals_best_first():
    rows = table_with(opened(), "verdict")
    assert list(rows["value"]) == sorted(rows["value"], reverse=True)
    last = rows.iloc[-1]
    assert (last["model"], last["prompt"], last["n"], last["missing"]) == (MODELS[0], "support/v1", 39, 5)
    assert last["value"] == "0.641 [0.4842, 0.7726]"
    assert (last["difference"], last["verdict"]) == ("is the baseline", "✗ fail")
    assert rows.iloc[0]["difference"] == "+0.1538 [-0.0262, +0.2738]"


def test_a_pairwise_judges_ranking_is_drawn_and_listed_with_what_is_not_known(project):
    assert "ranking" not in opened().segmented_control[0].options
    first, second = ranked("better", MODELS[1], 0.7), ranked("better", MODELS[0], 0.3)
    jsonl.write(project / "results/support/ranking.jsonl", [first, second])
    test = opened(section="ranking")
    rows = table_with(test, "strength")
    assert list(rows["win_rate"]) == ["0.7 [0.6, 0.8]", "0.3 [0.2, 0.4]"]
    assert list(rows["strength"]) == ["unknown ", "unknown "]
    assert f"{MODELS[1]} · support/v1: strength: a run <b>never</b> won" in said(test)


def ranked(judge, model, rate):
    ends = {"win_low": rate - 0.1, "win_high": rate + 0.1}
    none = dict.fromkeys(
        ("strength", "strength_low", "strength_high", "controlled", "controlled_low", "controlled_high")
    )
    why = ["strength: a run <b>never</b> won"]
    return Ranked("support", judge, model, "support/v1", 40, win_rate=rate, reasons=why, **ends, **none)


def test_an_opened_answer_shows_what_its_judges_wrote(project):
    response = next(jsonl.read(project / "results/support/responses.jsonl", Response))
    place = {"example_id": response.example_id, "model": response.model, "prompt": response.prompt}
    wrote = Judgement("support", judge="fits", label="no", value=0.0, explanation=HOSTILE[0], **place)
    jsonl.write(project / "results/support/judgements.jsonl", [wrote])
    test = opened(section="examples")
    assert HOSTILE[0] in [element.value for element in test.code]
    assert "Judge fits: no" in said(test)


@pytest.mark.usefixtures("project")
def test_changes_are_counted_and_listed():
    test = opened(section="changes")
    counted, listed = table_with(test, "broke").iloc[0], table_with(test, "change")
    assert len(listed) == int(counted["broke"]) + int(counted["fixed"])
    assert listed["change"].iloc[0] == "✗ broke"


@pytest.mark.usefixtures("project")
def test_labels_show_their_numbers_and_their_mistakes():
    test = opened(section="classes")
    labels = table_with(test, "precision")
    assert list(labels["label"]) == [
        "cancel_order",
        "change_address",
        "other",
        "refund_status",
        "track_parcel",
    ]
    assert table_with(test, "count")["count"].iloc[0] >= 1


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, 160),
        ({"browse_outcome": "error"}, 4),
        ({"browse_outcome": "unread", "browse_candidate": "tiny-llama-q8 · support/v1"}, 4),
        ({"browse_slice": "language=ko"}, 80),
        ({"search": "환불은 언제"}, 16),
        ({"search": "REFUND #8"}, 4),
        ({"search": "no such words"}, None),
    ],
)
@pytest.mark.usefixtures("project")
def test_examples_are_found_by_what_happened_to_them(filters, expected):
    test = opened(section="examples", **filters)
    assert not test.exception
    assert f"{expected or 0} of 160 answers" in said(test)
    lists = [frame.value for frame in test.dataframe if "outcome" in frame.value.columns]
    assert [len(rows) for rows in lists] == ([expected] if expected else [])


@pytest.mark.usefixtures("project")
def test_an_opened_example_shows_all_answers_with_what_is_known_of_them():
    words = said(opened(section="examples", search="#17"))
    for known in ("상품권도 파나요 #17", "timeout: no answer within 30 s", "unknown: no known price"):
        assert known in words


@pytest.mark.usefixtures("project")
def test_the_cost_page_says_what_is_not_known_and_never_calls_it_nothing():
    test = opened("cost")
    assert not test.exception
    assert [metric.value for metric in test.metric] == ["≥ 0.024 USD", "≥ 0.036 USD", "96", "144 (60%)"]
    costs = table_with(test, "cost")["cost"]
    assert list(costs) == ["unknown: no price (39 of 39)"] * 2 + ["0.0195 USD", "0.0234 USD"]
    assert "78 of 156 answers have no known price" in said(test)
    assert "Not in the plot: tiny-llama-q8 · support/v1" in said(test)
    right = table_with(test, "usd_per_right")
    assert right["usd_per_right"].iloc[-1] == "unknown: no price for some of its answers"
    assert right["usd_per_right"].iloc[0].startswith("0.00062")


@pytest.mark.parametrize("page", ["quality", "cost"])
@pytest.mark.usefixtures("empty")
def test_without_results_a_page_names_the_commands_that_make_them(page):
    test = opened(page)
    assert not test.exception
    assert "There are no results yet" in test.info[0].value
    assert test.code[0].value == "make repro\nllmops run SUITE"


@pytest.mark.parametrize("page", ["quality", "cost"])
def test_a_broken_file_is_one_line_that_names_file_and_line(project, page):
    path = project / "results/support/estimates.jsonl"
    path.write_bytes(b'{"suite": "support"}\n' + path.read_bytes())
    test = opened(page)
    assert not test.exception
    assert "could not be read" in test.error[-1].value
    assert test.code[-1].value.startswith(f"{path}:1: ")
    assert "\n" not in test.code[-1].value


@pytest.mark.parametrize("gone", ["estimates.jsonl", "estimates.jsonl scores.jsonl examples.jsonl"])
def test_a_suite_that_is_half_evaluated_shows_what_there_is(project, gone):
    for name in [*gone.split(), "verdicts.jsonl", "classes.csv"]:
        (project / "results/support" / name).unlink()
    test = opened()
    for section in SECTIONS:
        test.session_state["section"] = section
        assert not test.run().exception
        assert "the compare stage has not run" in said(test)
    assert not test.switch_page("views/cost.py").run().exception


@pytest.mark.usefixtures("project")
def test_the_words_are_korean_when_korean_is_chosen():
    test = opened(language="ko")
    assert [title.value for title in test.title] == ["품질"]
    assert test.error[0].value == "배포하지 마세요. 규칙 1개 실패, 2개 판단 불가, 1개 통과."
    assert table_with(test, "verdict")["verdict"].iloc[-1] == "✗ 실패"
    assert [title.value for title in test.switch_page("views/cost.py").run().title] == ["비용"]


@pytest.mark.usefixtures("project")
def test_a_hostile_answer_is_shown_as_it_is_and_never_as_markup():
    test = opened(section="examples")
    for number, answer in enumerate(HOSTILE):
        test.session_state["search"] = f"support-000{number}"
        assert answer in [code.value for code in test.run().code]
        assert not marked_up(test, answer)


@pytest.mark.usefixtures("project")
def test_hostile_answers_are_no_markup_in_any_section():
    test = opened()
    for section in SECTIONS:
        test.session_state["section"] = section
        assert not test.run().exception
        assert not [answer for answer in HOSTILE if marked_up(test, answer)]


def marked_up(test, text):
    every = [
        *test.markdown,
        *test.caption,
        *test.title,
        *test.subheader,
        *test.error,
        *test.info,
        *test.get("html"),
    ]
    return [element for element in every if text in str(element.value)]


@pytest.mark.usefixtures("project")
def test_tryouts_are_shown_when_they_are_chosen():
    rows = table_with(opened(source="runs"), "verdict")
    assert rows["n"].iloc[0] == 19


@pytest.mark.usefixtures("project")
def test_a_suite_that_was_not_tried_out_gives_way_to_one_that_was():
    test = opened(suite="billing")
    test.session_state["source"] = "runs"
    assert not test.run().exception
    assert test.selectbox(key="suite").value == "support"
