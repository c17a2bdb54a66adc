"""Prompts: rendered in the sandbox, refused when they name what is not there."""

from pathlib import Path

import pytest

from llmops.errors import UserError
from llmops.prompts import load_prompt
from llmops.records import Example
from llmops.replies import Message

EXAMPLE = Example(id="e1", inputs={"message": "환불 어디까지 됐나요?"})


def prompt_file(root: Path, text: str) -> None:
    path = root / "prompts" / "p.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_prompt_renders_system_then_few_shot_then_user(tmp_path: Path) -> None:
    prompt_file(
        tmp_path,
        "messages:\n- {role: system, content: Be brief.}\n- {role: user, content: 'Q: {{ message }}'}\n"
        "few_shot:\n- {user: hi, assistant: greeting}\n",
    )
    assert load_prompt(tmp_path, "p").render(EXAMPLE) == [
        Message(role="system", content="Be brief."),
        Message(role="user", content="hi"),
        Message(role="assistant", content="greeting"),
        Message(role="user", content="Q: 환불 어디까지 됐나요?"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("messages:\n- {role: user, content: '{{ mesage }}'}\n", r"prompts/p.yaml: no field 'mesage' in the examples; fields are \['contexts', 'id', 'message'\]"),
        ("messages:\n- {role: user, content: '{{ message'}\n", r"prompts/p.yaml: .*must be a Jinja2 template"),
        ("messages:\n- {role: user, contents: x}\n", r"prompts/p.yaml: messages\[1\]: unknown key 'contents'"),
        ("messages: []\n", r"prompts/p.yaml: no messages; a prompt needs at least one"),
        ("{}\n", r"prompts/p.yaml: missing key `messages`"),
        ("messages:\n- {role: user, content: '{{ message.__class__.__mro__ }}'}\n", r"unsafe"),
        ("messages:\n- {role: user, content: '{{ message.nothing }}'}\n", r"example 'e1': .*mend the template"),
    ],
)  # fmt: skip
def test_a_prompt_that_cannot_be_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    prompt_file(tmp_path, text)

    def used() -> None:
        loaded = load_prompt(tmp_path, "p")
        loaded.check(EXAMPLE)
        loaded.render(EXAMPLE)

    with pytest.raises(UserError, match=message) as problem:
        used()
    assert "\n" not in str(problem.value)


def test_a_prompt_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    prompt_file(tmp_path, "messages: []\n")
    with pytest.raises(UserError, match=r"no prompt 'q' in prompts/; prompts are \['p'\]"):
        load_prompt(tmp_path, "q")


def test_a_prompts_hash_changes_with_what_it_says_and_with_nothing_else(tmp_path: Path) -> None:
    prompt_file(tmp_path, "messages:\n- {role: user, content: 'a {{ message }}'}\n")
    first = load_prompt(tmp_path, "p").sha256
    prompt_file(tmp_path, "# a comment\nmessages:\n  - role: user\n    content: 'a {{ message }}'\n")
    assert load_prompt(tmp_path, "p").sha256 == first
    prompt_file(tmp_path, "messages:\n- {role: user, content: 'b {{ message }}'}\n")
    assert load_prompt(tmp_path, "p").sha256 != first


def test_an_answer_that_looks_like_a_template_is_not_rendered(tmp_path: Path) -> None:
    prompt_file(tmp_path, "messages:\n- {role: user, content: '{{ message }}'}\n")
    hostile = Example(id="e", inputs={"message": "{{ 7 * 7 }}"})
    assert load_prompt(tmp_path, "p").render(hostile)[0].content == "{{ 7 * 7 }}"


TALK = Example(id="e1", inputs={"turns": ["one", "two"], "message": "m"})


def test_a_conversation_stands_behind_the_few_shot_turns(tmp_path: Path) -> None:
    prompt_file(
        tmp_path,
        "messages:\n- {role: system, content: Be brief.}\n- {role: user, content: 'In short, {{ message }}?'}\n"
        "few_shot:\n- {user: hi, assistant: greeting}\nconversation: turns\n",
    )
    prompt = load_prompt(tmp_path, "p")
    held = [{"role": "system", "content": "You sell shoes."}, "one", {"role": "assistant", "content": "1"}]
    example = Example(id="e1", inputs={"turns": held, "message": "m"})
    assert [(m.role, m.content) for m in prompt.render(example)] == [
        ("system", "Be brief."),
        ("system", "You sell shoes."),
        ("user", "hi"),
        ("assistant", "greeting"),
        ("user", "one"),
        ("assistant", "1"),
        ("user", "In short, m?"),
    ]
    assert prompt.asking == "conversation"


def test_a_conversation_alone_is_a_prompt_and_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    prompt_file(tmp_path, "messages: []\nconversation: turns\n")
    prompt = load_prompt(tmp_path, "p")
    assert prompt.render(TALK) == [Message("user", "one"), Message("user", "two")]
    with pytest.raises(UserError, match=r"no field 'turns' in the examples"):
        prompt.check(EXAMPLE)
    with pytest.raises(UserError, match=r"prompts/p.yaml: conversation: example 'e1': turns: is 3;"):
        prompt.render(Example(id="e1", inputs={"turns": 3}))


def test_a_prompts_schema_stands_in_it_or_in_its_file(tmp_path: Path) -> None:
    schema = '{"title": "The team!", "type": "object", "properties": {"team": {"enum": ["a", "b"]}}'
    closed = f'{schema}, "required": ["team"], "additionalProperties": false}}'
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "s.json").write_text(closed, encoding="utf-8")
    message = "messages:\n- {role: user, content: '{{ message }}'}\n"
    prompt_file(tmp_path, f"{message}response_format: prompts/s.json\n")
    from_file = load_prompt(tmp_path, "p")
    prompt_file(tmp_path, f"{message}response_format: {closed}\n")
    in_place = load_prompt(tmp_path, "p")
    assert from_file.response_format == in_place.response_format
    assert (in_place.response_format.name, in_place.response_format.strict) == ("The_team_", True)
    assert from_file.sha256 == in_place.sha256
    prompt_file(tmp_path, f"{message}response_format: {schema}}}\n")
    assert not load_prompt(tmp_path, "p").response_format.strict
    assert load_prompt(tmp_path, "p").sha256 != in_place.sha256


def test_a_prompt_without_schema_or_conversation_keeps_the_hash_it_had(tmp_path: Path) -> None:
    prompt_file(tmp_path, "messages:\n- {role: user, content: '{{ message }}'}\n")
    known = "4d6a45d1e5890c72f31eb0d5483385a31897474e9157b6220c64d6ef0a274547"
    assert load_prompt(tmp_path, "p").sha256 == known


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("prompts/none.json", "no file 'prompts/none.json'"),
        ("models/s.json", "lies where no edit would be seen; put it below one of"),
        ("prompts/../../outside.json", "leads out of the project's folder"),
        ("prompts/link.json", "leads out of the project's folder"),
        ("prompts/bad.json", "is no JSON Schema"),
        ("{type: 3}", "is no JSON Schema"),
    ],
)
def test_a_schema_that_cannot_be_is_refused(tmp_path: Path, told: str, message: str) -> None:
    root = tmp_path / "project"
    (root / "prompts").mkdir(parents=True)
    (tmp_path / "outside.json").write_text("{}", encoding="utf-8")
    (root / "prompts" / "link.json").symlink_to(tmp_path / "outside.json")
    (root / "prompts" / "bad.json").write_text('{"type": ', encoding="utf-8")
    prompt_file(root, f"messages:\n- {{role: user, content: x}}\nresponse_format: {told}\n")
    with pytest.raises(UserError, match=rf"prompts/p.yaml: response_format: .*{message}") as problem:
        load_prompt(root, "p")
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("name", ["../outside", "link"])
def test_a_prompt_outside_of_the_project_is_not_read(tmp_path: Path, name: str) -> None:
    root = tmp_path / "project"
    (root / "prompts").mkdir(parents=True)
    (tmp_path / "outside.yaml").write_text("messages: []\n", encoding="utf-8")
    (root / "outside.yaml").symlink_to(tmp_path / "outside.yaml")
    (root / "prompts" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(UserError, match="leads out of the project's folder"):
        load_prompt(root, name)
