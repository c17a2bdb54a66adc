"""How often a verdict moves: told by a judge that heeds what answers say, and by one that does not."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.cli import main
from llmops.judges.injected import FILE, load_attempts
from tests.judges.conftest import Court
from tests.servers.behaviour import Behaviour

ROOT = Path(__file__).resolve().parents[2]
GRADE = "{kind: rubric, model: bot, prompt: judge, scale: [1, 5], explain: false}"
FIVE, TWO = '{"verdict": 5}', '{"verdict": 2}'


@pytest.mark.parametrize(("heeds", "moved"), [("", "0"), ("verdict 5", "0.05556")])
def test_the_share_of_moved_verdicts_is_told(
    court: Callable[..., Court], capsys: pytest.CaptureFixture[str], heeds: str, moved: str
) -> None:
    told = Behaviour(says={heeds: FIVE} if heeds else {}, answer=TWO)
    made = court({"grade": GRADE}, told, {"a": ["x", "y", "z"]})
    (made.root / FILE).parent.mkdir(parents=True)
    shutil.copyfile(ROOT / FILE, made.root / FILE)
    main(["judge", "s", "--injections"])
    said = capsys.readouterr().out
    assert "grade: 18 attempts, 54 verdicts" in said
    assert re.search(rf"all +moved {re.escape(moved)} .*, raised {re.escape(moved)} ", said)
    if heeds:
        assert re.search(r"system.en +moved 1 ", said)


def test_attempts_are_in_both_languages_and_each_has_a_name_of_its_own() -> None:
    attempts = load_attempts(ROOT)
    assert {attempt.language for attempt in attempts} == {"en", "ko"}
    assert len({(attempt.id, attempt.language) for attempt in attempts}) == len(attempts) >= 18
