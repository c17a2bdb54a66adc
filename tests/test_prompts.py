"""Prompts: rendered in the sandbox, refused when they name what is not there."""

from pathlib import Path

import pytest

from llmops.errors import UserError
from llmops.prompts import load_prompt
from llmops.records import Example, Message

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
