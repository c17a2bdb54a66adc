"""Whether a model heeds what ``sampling`` asks of it, one probe for each part."""

from llmops.models.specs import OPENAI_URL, OpenAISpec
from llmops.probes.finding import Finding, unanswered
from llmops.probes.subject import Subject
from llmops.replies import Reply


async def max_tokens(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out which field caps an answer, by a cap of one token in each."""
    capped = []
    for field in ("max_tokens", "max_completion_tokens"):
        reply = await subject.ask_with(max_tokens_field=field, sampling={"max_tokens": 1})
        if reply.error is None and reply.finish_reason == "length" and (reply.output_tokens or 0) <= 1:
            capped.append(field)
    spec: OpenAISpec = subject.spec
    own = "max_completion_tokens" if spec.base_url.rstrip("/") == OPENAI_URL else "max_tokens"
    used = spec.max_tokens_field or own
    if used in capped:
        return [Finding("max_tokens", True, f"the cap holds as {' and as '.join(capped)}; {used} is sent")]
    if capped:
        says = f"the cap holds as {capped[0]}, but {used} is sent"
        return [Finding("max_tokens", False, says, {"max_tokens_field": capped[0]})]
    return [Finding("max_tokens", False, "no cap was held to one token, so a long answer cannot be bounded")]


async def stop(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether a stop text ends the answer, by one out of the plain answer."""
    text = plain.text or ""
    word = text[len(text) // 2 :][:3]
    if len(text) < 4 or text.index(word) == 0:
        return [Finding("stop", None, f"cannot be told from so short an answer: {text!r}")]
    reply = await subject.ask_with(sampling={"stop": [word]})
    if reply.error is not None:
        return [unanswered("stop", reply)]
    if word in (reply.text or ""):
        return [Finding("stop", False, f"is ignored: {word!r} stands in the answer all the same")]
    if (reply.text or "").strip() == text[: text.index(word)].strip():
        return [Finding("stop", True, f"ends the answer: {reply.text!r} of {text[:40]!r}")]
    return [Finding("stop", None, f"cannot be told: the answer changed to {(reply.text or '')[:40]!r}")]


async def seed(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether a seed decides the answer at temperature 1, by one seed twice and two others."""
    question = "Name a fruit, a city and a number below one thousand."
    replies = [
        await subject.ask_with(question, sampling={"temperature": 1.0, "top_p": 1.0, "seed": each})
        for each in (1, 1, 2, 3)
    ]
    if failed := next((reply for reply in replies if reply.error is not None), None):
        return [unanswered("seed", failed)]
    first, again, *others = [reply.text for reply in replies]
    if first != again:
        return [Finding("seed", False, "one seed gave two answers at temperature 1: runs cannot be repeated")]
    if set(others) == {first}:
        says = f"cannot be told: three seeds gave the same answer at temperature 1, {(first or '')[:40]!r}"
        return [Finding("seed", None, says)]
    return [Finding("seed", True, "one seed gave the same answer twice at temperature 1, others another")]


async def logprobs(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether log-probabilities are told, of the drawn tokens and of the likeliest."""
    reply = await subject.ask_with(sampling={"logprobs": True, "top_logprobs": 2})
    if reply.error is not None:
        return [unanswered("logprobs", reply), unanswered("top_logprobs", reply)]
    told = bool(reply.logprobs)
    top = max((len(token.top_logprobs) for token in reply.logprobs), default=0)
    says = f"told of {len(reply.logprobs)} tokens" if told else "none came: no confidence, no calibration"
    return [
        Finding("logprobs", told, says),
        Finding("top_logprobs", top >= 2, f"{top} of the 2 asked for came" if top else "none came"),
    ]


async def streaming(subject: Subject, plain: Reply) -> list[Finding]:
    """Find out whether an answer comes as it is made, and whether its tokens are counted then."""
    reply = await subject.ask_with(sampling={"stream": True})
    if reply.error is not None:
        return [unanswered("streaming", reply)]
    first = reply.first_token_s
    if first is None:
        return [Finding("streaming", False, "the answer came as a whole: no time to the first token")]
    counted = reply.usage_source == "server"
    return [
        Finding("streaming", True, f"first token after {first:.3g} s"),
        Finding("streamed usage", counted, "is sent at the end" if counted else "none is sent: estimates"),
    ]
