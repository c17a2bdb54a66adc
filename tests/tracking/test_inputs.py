import re
from pathlib import Path

import pytest

from llmops.records import Example
from llmops.tracking.client import connect
from llmops.tracking.inputs import PAGE, DataSet, dataset_input, registry_name
from llmops.tracking.publish import publish
from tests.tracking.conftest import Store
from tests.tracking.samples import prompt_text, record


def templates(prompt: object) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in prompt.template]


def test_a_prompt_is_in_the_registry_once_and_shows_its_words(store: Store) -> None:
    assert [run.prompt_uri for run in store.runs] == ["prompts:/support.v1/1"] * 2
    [version] = store.client.search_prompt_versions("support.v1")
    assert templates(version) == [
        ("system", "{% if x %}y{% endif %}"),
        ("user", "Label {{ message }} 한국어"),
    ]
    assert version.tags["sha256"] == "f" * 64
    assert store.client.get_prompt("support.v1").tags["prompt"] == "support/v1"


def test_a_prompt_is_shown_beside_its_experiment_its_runs_and_its_traces(store: Store) -> None:
    experiment_id = store.runs[0].experiment_id
    assert [p.name for p in store.client.search_prompts(f'experiment_id = "{experiment_id}"')] == [
        "support.v1"
    ]
    assert store.run(1).data.tags["mlflow.linkedPrompts"] == '[{"name": "support.v1", "version": "1"}]'
    found = store.client.search_traces(locations=[experiment_id], filter_string="prompt = 'support.v1/1'")
    assert len(found) == 5


def test_a_changed_prompt_is_a_new_version_and_an_old_one_comes_back(fresh: str, tmp_path: Path) -> None:
    texts = ["one", "two", "one"]
    done = [publish(fresh, "e", [record(tmp_path, text=prompt_text(text))], print)[0] for text in texts]
    assert [run.prompt_uri for run in done] == [f"prompts:/support.v1/{n}" for n in (1, 2, 1)]


def test_an_old_version_is_found_behind_many(fresh: str, tmp_path: Path) -> None:
    client = connect(fresh)
    publish(fresh, "e", [record(tmp_path, text=prompt_text("the first"))], print)
    for i in range(PAGE + 1):
        client.create_prompt_version("support.v1", [{"role": "user", "content": str(i)}])
    [run] = publish(fresh, "e", [record(tmp_path, text=prompt_text("the first"))], print)
    assert run.prompt_uri == "prompts:/support.v1/1"


def test_a_prompt_of_two_experiments_is_shown_beside_both(fresh: str, tmp_path: Path) -> None:
    runs = [publish(fresh, name, [record(tmp_path)], print)[0] for name in ("e", "f", "e")]
    for run in runs:
        assert connect(fresh).search_prompts(f'experiment_id = "{run.experiment_id}"')


@pytest.mark.parametrize("name", ["support/v1", "a.b-c_d", "지원/v1", "support v1"])
def test_a_registry_name_is_one_that_mlflow_takes(name: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_.-]+", registry_name(name))


def test_names_that_had_to_change_stay_apart() -> None:
    assert registry_name("지원/v1") != registry_name("결제/v1")


def test_columns_are_described_by_what_is_in_them() -> None:
    examples = [
        Example(id="1", inputs={"question": "왜?", "year": 2026, "tags": ["a"], "mixed": 1}),
        Example(id="2", inputs={"question": "how?", "year": 2025, "tags": [], "mixed": "x"}, target="yes"),
    ]
    found = dataset_input(DataSet(name="d", source="data/sets/d", sha256="0" * 64, examples=examples)).dataset
    assert found.source_type == "local"
    assert found.schema == (
        '{"mlflow_colspec": [{"type": "string", "name": "id", "required": true}, '
        '{"type": "string", "name": "question", "required": true}, '
        '{"type": "long", "name": "year", "required": true}, '
        '{"type": "any", "name": "tags", "required": true}, '
        '{"type": "any", "name": "mixed", "required": true}, '
        '{"type": "string", "name": "target", "required": false}]}'
    )
