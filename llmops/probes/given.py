"""Models that only know their suites' examples: recorded answers, and functions of an application."""

from llmops import jsonl
from llmops.models.specs import RecordedSpec
from llmops.places import OUTS, Places
from llmops.probes.finding import Finding, unanswered
from llmops.probes.needs import suites_of
from llmops.probes.subject import Subject
from llmops.prompts import load_prompt
from llmops.records import Example
from llmops.replies import Reply
from llmops.suites import Suite


def places_of(places: Places, spec: object) -> Places:
    """Return the folder of outs that holds a recorded model's data set: results, or else runs."""
    if isinstance(spec, RecordedSpec) and spec.dataset:
        found = (each for each in _outs(places) if each.raw(spec.dataset or "").is_dir())
        return next(found, places)
    return places


async def matched(subject: Subject) -> list[Finding]:
    """Find out how many examples of each suite have a recorded answer."""
    findings = []
    for name, suite in suites_of(subject.places, subject.name):
        examples = _examples(subject.places, name, suite)
        if not examples:
            findings.append(_no_examples(f"matched in {name}", name))
            continue
        replies = [await subject.ask(example_id=e.id, inputs=e.inputs) for e in examples]
        known = sum(reply.error is None for reply in replies)
        says = f"{known:,} of {len(examples):,} examples have an answer ({known / len(examples):.1%})"
        findings.append(
            Finding(f"matched in {name}", known == len(examples), says, needed_by=[f"suite {name}"])
        )
    return findings or [Finding("matched", None, "no suite asks it")]


async def one_answered(subject: Subject) -> tuple[Reply | None, list[Finding]]:
    """Return a function's answer to the first example of its first suite that has any."""
    for name, suite in suites_of(subject.places, subject.name):
        if examples := _examples(subject.places, name, suite):
            messages = load_prompt(subject.places.root, suite.prompts[0]).render(examples[0])
            reply = await subject.ask(example_id=examples[0].id, inputs=examples[0].inputs, messages=messages)
            return reply, [] if reply.error is None else [unanswered("answers", reply)]
        return None, [_no_examples("answers", name)]
    return None, [Finding("answers", None, "no suite asks it, so there is no example to try")]


def _examples(places: Places, name: str, suite: Suite) -> list[Example]:
    paths = (each.suite(name, "examples.jsonl") for each in _outs(places))
    path = next((path for path in paths if path.is_file()), None)
    read = [] if path is None else jsonl.read(path, Example)
    return [e for e in read if all(e.slices.get(key) in values for key, values in suite.only.items())]


def _outs(places: Places) -> list[Places]:
    return [Places(places.root, out) for out in OUTS]


def _no_examples(check: str, suite: str) -> Finding:
    return Finding(check, None, f"no examples yet; run `llmops fetch` and `llmops validate {suite}` first")
