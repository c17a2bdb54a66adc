"""docs/conformance.md: published figures beside ours, from recorded answers through the ordinary stages."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from llmops import jsonl
from llmops.baseline import reference
from llmops.cards.frame import plain
from llmops.comparing import Plan, Rows, compared, load_plan
from llmops.concordance import told
from llmops.errors import UserError
from llmops.places import Places
from llmops.published import PUBLISHED, Agreement, Column, Figure, Labels, Policies, load_published
from llmops.records import Estimate
from llmops.stages import compare, fetch, generate, score, validate
from llmops.stages.fetch import fetch_sets
from llmops.table import rows, value_at

PAGE = "docs/conformance.md"
SAME = "0.0"
POLICIES = ("wrong", "excluded", "chance")


class Run(NamedTuple):
    """A suite that was run: what its estimates are made from, and the estimates by its own policy."""

    plan: Plan
    rows: Rows
    estimates: list[Estimate]


def main(places: Places) -> int:
    """Run every suite that a published figure names and write the page; return 1 when one differs.

    A figure agrees when ours, rounded to one decimal of a percent as it is printed, is the same.
    """
    found = load_published(places.root)
    named = [
        *(figure.suite for figure in found.figures),
        *(labels.suite for labels in found.labels),
        *(policies.suite for policies in found.policies),
    ]
    names = list(dict.fromkeys(named))
    fetch.main(places, names)
    runs = {name: _run(places, name) for name in names}
    figures = [cells for figure in found.figures for cells in _figure_cells(figure, runs[figure.suite])]
    labels = [cells for each in found.labels for cells in _label_cells(each, runs[each.suite], places)]
    policies = [cells for each in found.policies for cells in _policy_cells(each, runs[each.suite])]
    fetch_sets(places, sorted({each.dataset for each in found.agreements}))
    judges = [_agreement_cells(each, places) for each in found.agreements]
    jsonl.write_text(places.root / PAGE, _page(figures, labels, policies, judges))
    differ = [cells for cells in (*figures, *judges) if cells[6] != SAME]
    print(
        f"{PAGE}: {len(figures)} figures and {len(judges)} of judges, {len(differ)} differ; "
        f"{len(labels)} files of labels"
    )
    return 1 if differ else 0


def _run(places: Places, name: str) -> Run:
    validate.main(places, name)
    generate.main(places, name)
    score.main(places, name)
    plan = load_plan(places.root, name)
    read = compare.held_rows(places, plan)
    return Run(plan, read, compared(plan, read, reference(places.root, plan.suite, read.scores)).estimates)


Cells = tuple[str, ...]


def _figure_cells(figure: Figure, run: Run) -> Iterator[Cells]:
    for model, printed in figure.percent.items():
        ours = _estimate(run.estimates, model, figure.metric, figure.slice)
        yield (
            figure.suite,
            model,
            figure.slice,
            f"{printed:.1f}",
            _percent(ours.value),
            _interval(ours),
            _apart(ours.value, printed),
            f"{ours.n:,}",
            figure.source,
            f"`llmops run {figure.suite}`",
        )


def _agreement_cells(figure: Agreement, places: Places) -> Cells:
    ours = told(places, figure)
    low, high = ours.shown(ours.interval.low), ours.shown(ours.interval.high)
    apart = float(ours.shown(ours.interval.value)) - float(figure.published)
    return (
        figure.dataset,
        figure.judge,
        figure.statistic,
        figure.published,
        ours.shown(ours.interval.value),
        f"{low} to {high}",
        SAME if abs(apart) < 0.5 * 10.0**-ours.digits else f"{apart:+.{ours.digits}f}",
        f"{ours.interval.n:,}",
        f"{ours.unscored:,}",
        figure.source,
    )


def _apart(value: float | None, printed: float) -> str:
    """Return ours less theirs, both to one decimal."""
    if value is None:
        return "–"
    apart = round(round(100 * value, 1) - printed, 1)
    return SAME if apart == 0 else f"{apart:+.1f}"


def _estimate(found: Iterable[Estimate], model: str, metric: str, name: str) -> Estimate:
    wanted = (e for e in found if (e.model, e.metric, e.slice) == (model, metric, name))
    estimate = next(wanted, None)
    if estimate is None:
        raise UserError(f"{PUBLISHED}: no estimate of {metric} for {model!r} over {name!r}; mend its names")
    return estimate


def _label_cells(labels: Labels, run: Run, places: Places) -> Iterator[Cells]:
    for model, column in (labels.grades or labels.reads).items():
        theirs = _column(labels, column, places)
        pairs = list(_pairs(labels, run, model, theirs))
        same = sum(ours == other for ours, other in pairs)
        unread = sum(other is None for _, other in pairs)
        what = "right or wrong" if labels.grades else f"answer as read ({unread:,} unread there)"
        apart = f"{len(pairs) - same:,}"
        yield (labels.suite, model, what, f"{same:,} of {len(pairs):,}", apart, labels.source,
               f"`llmops run {labels.suite}`")  # fmt: skip


def _column(labels: Labels, column: Column, places: Places) -> dict[tuple[str | None, ...], object]:
    path = places.raw(labels.dataset) / column.file
    return {
        tuple(plain(value_at(row, field)) for field in labels.match): value_at(row, column.field)
        for _, row in rows(path)
    }


def _pairs(
    labels: Labels, run: Run, model: str, theirs: Mapping[tuple[str | None, ...], object]
) -> Iterator[tuple[object, object]]:
    """Yield (ours, theirs) for each answer that both have."""
    examples = {example.id: example for example in run.rows.examples}
    for score_ in run.rows.scores:
        if score_.model != model or score_.metric != labels.metric:
            continue
        inputs = {"id": score_.example_id, **examples[score_.example_id].inputs}
        key = tuple(plain(inputs.get(field)) for field in labels.match.values())
        if key in theirs:
            yield (score_.value == 1 if labels.grades else score_.read), theirs[key]


def _policy_cells(policies: Policies, run: Run) -> Iterator[Cells]:
    by_policy = {policy: _by_policy(run, policy) for policy in POLICIES}
    for model in run.plan.suite.models:
        found = [
            _estimate(estimates, model, policies.metric, policies.slice) if estimates else None
            for estimates in by_policy.values()
        ]
        share = next(f"{e.counted_wrong:,} of {e.n:,}" for e in found if e and e.policy == "wrong")
        yield (
            policies.suite,
            model,
            policies.slice,
            share,
            *(_percent(e.value if e else None) for e in found),
        )


def _by_policy(run: Run, policy: str) -> list[Estimate]:
    """Return the suite's estimates under a policy; none by chance where there is nothing to guess among."""
    if policy == "chance" and not all(example.choices for example in run.rows.examples):
        return []
    plan = run.plan._replace(suite=replace(run.plan.suite, unread=policy, baseline=None))
    return compared(plan, run.rows, None).estimates


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "–"
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}"


INTRODUCTION = """\
Written by `llmops conformance` from `data/published.yaml`: answers that were recorded when the figures
were made, read, scored and estimated by the ordinary stages. The data come from the cards in
`data/sets/`; those that are not published as one file need `LLMOPS_DATA_MIRROR`."""
BY_LABELS = """\
What a data set's own file says of each recorded answer, beside what we make of it. MMLU-Pro's files were
written by several versions of its program: for an answer that announces no choice, some hold nothing,
some the last letter that stands alone, some a guess (always G). Here such an answer is unread."""
BY_POLICY = """\
Accuracy in percent under each policy (`unread:` of a suite). By chance, an unread answer is right as
often as a guess among the example's choices: the expected value of the guess that MMLU-Pro draws."""


BY_JUDGE = """\
Recorded verdicts beside people's labels, or beside the same judge's in the other order. Accuracy,
agreement and win rate are in percent; an unscored verdict counts as wrong in them, and kappa leaves it
out (LLMBar's kappa of the two orders takes it for a third class: it is here for judges that scored all).
The kappas of LLMBar's judges with the labels are not among the figures: its files compare verdicts and
labels by codes that do not match, so that a judge right 92 times in 100 has a kappa of 0.25 there; it is
0.84. AlpacaEval's length-controlled win rates rest on a regression over all models of its leaderboard, of
which six are recorded here, so they are not told anew."""


def _page(figures: list[Cells], labels: list[Cells], policies: list[Cells], judges: list[Cells]) -> str:
    agree = sum(cells[6] == SAME for cells in figures)
    parts = [
        "# Published figures, and ours",
        INTRODUCTION,
        f"## Figures: {agree} of {len(figures)} agree to the decimal that is printed",
        _table("suite,model,examples,published %,ours %,95 % interval,difference,n,source,command", figures),
        "An answer that cannot be read counts as wrong, as in the sources.",
        "## Labels of each answer",
        BY_LABELS,
        _table("suite,model,compared,the same,differ,source,command", labels),
        "## What an unread answer counts as",
        BY_POLICY,
        _table(f"suite,model,examples,unread,{','.join(POLICIES)}", policies),
    ]
    if judges:
        same = sum(cells[6] == SAME for cells in judges)
        parts += [
            f"## Judges: {same} of {len(judges)} agree to the digits that are printed",
            BY_JUDGE,
            _table(
                "data set,judge,statistic,published,ours,95 % interval,difference,n,unscored,source", judges
            ),
        ]
    return "\n\n".join(parts) + "\n"


def _table(head: str, lines: Iterable[Cells]) -> str:
    names = tuple(head.split(","))
    rule = tuple("---" for _ in names)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, rule, *lines))
