"""What lets requests start, in simulated seconds: no test here waits."""

import itertools
from datetime import UTC, datetime

import pytest

from llmops.errors import WorldError
from llmops.models.limits.admission import Admission, Rates
from llmops.models.limits.bucket import evenly
from llmops.models.limits.expected import UNKNOWN_OUTPUT, Expected
from llmops.models.limits.lanes import Lanes
from llmops.models.limits.pace import Pace
from llmops.models.limits.told import RateLimit, Told, retry_after_s, seconds_until
from llmops.models.model import Model
from llmops.replies import Reply
from tests.models.simulated import Server, ran

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


# what servers tell


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0), ("20ms", 0.02), ("1.5s", 1.5), ("1h2m3s", 3723.0), ("7.66", 7.66), ("0", 0.0),
        ("2026-11-03T12:00:30Z", 30.0), ("2026-11-03T12:00:30", 30.0), ("Tue, 03 Nov 2026 12:01:00 GMT", 60.0),
        ("2026-11-03T11:00:00Z", 0.0), (str(int(NOW.timestamp()) + 5), 5.0),
        (str(int(NOW.timestamp() * 1000) + 5000), 5.0), ("", None), ("soon", None), ("5 apples", None),
        (None, None), ("inf", None), ("nan", None), ("9" * 400 + "s", None),
        ("Tue, 03 Nov 99999999999999999999 12:01:00 GMT", None),
        ("Tue, 03 Nov 2026 12:01:00 +99999999999999999999", None), ("Tue, 03 Nov 10000 12:01:00 GMT", None),
        ("2026-11-03T12:00:30+99:99", None), ("0001-01-01T00:00:00+23:59", 0.0),
    ],
)  # fmt: skip
def test_a_time_in_a_header_is_read_however_it_is_written(text, seconds):
    assert seconds_until(text, NOW) == seconds


def headers(unit="requests", limit="600", remaining="300", reset="30s"):
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"x-ratelimit-{what}-{unit}": value for what, value in values.items() if value is not None}


def test_what_a_server_told_is_taken_once():
    told = Told()
    told.hear(headers() | headers("tokens", "90000", "89000", "666ms"))
    assert told.taken() == {"requests": RateLimit(600, 300, 30), "tokens": RateLimit(90000, 89000, 0.666)}
    assert told.taken() == {}


@pytest.mark.parametrize("missing", [{"limit": None}, {"limit": "0"}, {"remaining": "many"}, {"reset": None}])
def test_what_is_told_in_part_is_not_used(missing):
    told = Told()
    told.hear(headers(**missing))
    assert told.taken() == {}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "2"}, 2.0), ({"retry-after": "2", "retry-after-ms": "1250"}, 1.25), ({}, None)],
)
def test_a_pause_is_read_to_the_millisecond_where_it_is_told(headers, seconds):
    assert retry_after_s(headers) == seconds


# buckets


def test_a_bucket_spaces_evenly_and_makes_up_for_late_starts():
    bucket, starts, now = evenly(10.0, 0.0), [], 0.0
    while len(starts) < 101:
        wait_s = bucket.wait_s(now, 1.0)
        now += wait_s + (0.004 if wait_s else 0.0)  # a sleep takes a little longer
        bucket.take(now, 1.0)
        starts.append(now)
    assert starts[-1] == pytest.approx(10.0, abs=0.05)
    assert min(b - a for a, b in itertools.pairwise(starts)) > 0.09


def test_what_exceeds_the_bucket_goes_into_debt_that_the_next_waits_off():
    bucket = evenly(100.0, 0.0)
    assert bucket.wait_s(1.0, 500.0) == 0.0
    bucket.take(1.0, 500.0)
    assert bucket.wait_s(1.0, 1.0) == pytest.approx(4.5)


# lanes


def test_all_lanes_are_open_from_the_start_but_for_the_first_moments():
    lanes = Lanes(64)
    opened = []
    for number in range(64):
        wait_s = lanes.wait_s(0.0 if number == 0 else opened[-1])
        opened.append((opened[-1] if opened else 0.0) + wait_s)
        lanes.start(opened[-1])
    assert opened[1] == pytest.approx(0.001), "one by one, so that their answers come one by one"
    assert opened[-1] == pytest.approx(63 * 0.001)
    assert lanes.wait_s(9.0) is None


def test_a_whole_crowd_of_answers_does_not_send_a_whole_crowd_of_requests():
    lanes = Lanes(64)
    lanes.start(0.0)
    lanes.answered(0.0, 0.2)
    lanes.end()
    now, at = 5.0, []
    for _ in range(64):
        now += lanes.wait_s(now)
        lanes.start(now)
        at.append(now)
    assert sum(moment < 5.0005 for moment in at) == 8
    assert at[-1] - 5.0 == pytest.approx(56 * 0.2 / 64 / 4), (
        "within a quarter of a latency, so that none is lost"
    )


def test_overload_cuts_once_for_all_that_was_in_flight():
    lanes = Lanes(64)
    for _ in range(40):
        lanes.overloaded(0.0, 1.0)
    assert lanes.limit == pytest.approx(44.8)
    lanes.overloaded(1.5, 2.0)
    assert lanes.limit == pytest.approx(31.36)
    for at in range(3, 99):
        lanes.overloaded(at, at)
    assert lanes.limit == 1.0


def rounds(lanes, latency_s, answers, now=10.0):
    for _ in range(answers):
        lanes.answered(now, now + latency_s)


def test_lanes_come_back_while_latency_does_not_rise():
    lanes = Lanes(64)
    lanes.overloaded(0.0, 1.0)
    rounds(lanes, 0.2, 400)
    assert lanes.limit == 64.0


def test_lanes_do_not_grow_where_answers_wait_for_each_other():
    lanes = Lanes(64)
    lanes.overloaded(0.0, 1.0)
    for _ in range(300):
        rounds(lanes, 0.2 * lanes.limit / 8, 1)
    assert lanes.limit < 0.9 * 64


def test_lanes_that_are_fixed_stay():
    lanes = Lanes(64, adaptive=False)
    for _ in range(64):
        assert lanes.wait_s(0.0) == 0.0
        lanes.start(0.0)
    lanes.overloaded(0.0, 1.0)
    assert lanes.limit == 64


# the pace


def test_a_pace_is_what_was_taken_between_two_refusals():
    pace = Pace()
    for n in range(601):
        pace.start(n / 300)
    pace.refused(2.0, 2.003, reopens_at=3.0)
    for n in range(21):
        pace.start(3.0 + n / 200)
    pace.refused(3.1, 4.003, reopens_at=5.0)
    assert pace.per_s == pytest.approx(0.5 * 0.98 * 200, rel=0.01)  # never less than half at once
    for n in range(11):
        pace.start(5.0 + n / 98)
    pace.refused(5.2, 5.2, reopens_at=6.0)
    assert pace.per_s == pytest.approx(49, rel=0.01)


def test_a_refusal_slows_down_and_never_speeds_up():
    pace, paces = Pace(), []
    for n in range(50):
        pace.start(float(n))
        pace.refused(n, n + 0.003, reopens_at=n + 0.5)
        paces.append(pace.per_s)
    assert paces == sorted(paces, reverse=True)
    assert paces[-1] > 0


# all of it


RETRY = {"whole seconds": lambda wait_s: -int(-wait_s // 1), "exact": lambda wait_s: wait_s, "none": None}


@pytest.mark.parametrize("retry_after", RETRY)
@pytest.mark.parametrize(
    ("burst", "tells"), [(burst, tells) for burst in (10, 600) for tells in (None, "asked", "answered")]
)
def test_what_a_server_allows_is_used_and_hardly_refused(burst, tells, retry_after):
    went = ran(1319, Server(600, burst, RETRY[retry_after], tells))
    assert went.refused <= 0.02 * went.calls
    assert went.seconds <= (1319 - burst) / 10 / 0.95


@pytest.mark.parametrize("tells", [None, "asked", "answered"])
def test_a_limit_that_is_set_is_never_refused(tells):
    went = ran(600, Server(600, 10, tells=tells), Rates(requests_per_min=600))
    assert went.refused == 0
    assert went.seconds == pytest.approx(60, abs=1)


@pytest.mark.parametrize("tells", ["asked", "answered"])
@pytest.mark.parametrize("tokens", [(100, 100), (20, 180), (500, 1500), (1000, 3000)])
def test_tokens_that_a_server_tells_of_are_used_and_hardly_refused(tokens, tells):
    server = Server(tells=tells, tokens_per_min=60_000.0, tokens=tokens)
    went = ran(round(10 * 60_000 / (sum(tokens) / 2)), server)
    assert went.refused <= 0.02 * went.calls
    assert went.seconds <= (went.tokens - 60_000) / 1000 / 0.95


def test_a_server_that_keeps_up_is_used_in_full_from_the_start():
    went = ran(1319, Server())
    assert went.most_in_flight == 64
    assert went.seconds <= 1.05 * 1319 * 0.2 / 64


def test_an_overloaded_server_is_spared_and_still_kept_busy():
    server = Server(work_s=lambda busy: 0.2 * max(1.0, busy / 8), timeout_s=1.0)
    went, stubborn = ran(3000, server), ran(300, server, Rates(adaptive=False), most=40)
    assert went.timeouts <= 0.1 * went.calls
    assert went.seconds <= 1.1 * 3000 * 0.2 / 8
    assert stubborn.most_in_flight == 40


def test_a_server_that_refuses_on_a_whim_is_not_slowed_down_for():
    went = ran(5000, Server(retry_after=None, whim=0.05))
    assert went.seconds <= 2 * 5000 * 0.2 / 64


def test_a_server_that_refuses_on_a_whim_is_still_given_the_pauses_it_asks_for():
    went = ran(1000, Server(retry_after=lambda wait_s: 1.0, whim=0.02))
    assert went.refused / 3 < went.seconds < 2 * went.refused + 10


def busy(retry_after_s=None):
    return WorldError("rate_limited", "slow down", transient=True, retry_after_s=retry_after_s)


def test_a_retry_after_holds_for_everyone():
    admission = Admission(64, Rates(), 0.0)
    first, second = admission.start(0.0, 0.0), admission.start(0.0, 0.0)
    admission.failed(first, 0.1, busy(17.0))
    assert admission.wait_s(0.1, 0.0) >= 17.0
    admission.failed(second, 0.2, busy(3.0))
    assert admission.wait_s(5.0, 0.0) >= 12.1


def test_a_pause_beyond_the_longest_is_not_waited_for():
    admission = Admission(64, Rates(longest_wait_s=60.0), 0.0)
    admission.failed(admission.start(0.0, 0.0), 0.1, busy(3600.0))
    with pytest.raises(WorldError, match="not asked: the server wants a pause of 3600 s") as caught:
        admission.wait_s(0.2, 0.0)
    assert (caught.value.sent, caught.value.transient) == (False, False)
    assert admission.wait_s(3599.9, 0.0) is not None


def test_a_server_that_never_stops_refusing_is_asked_every_half_a_minute():
    admission, now = Admission(64, Rates(), 0.0), 0.0
    for _ in range(1100):
        now += admission.wait_s(now, 0.0)
        admission.failed(admission.start(now, 0.0), now, busy())
        admission.lanes.end()
    assert admission.wait_s(now, 0.0) == pytest.approx(30.0)


def test_requests_since_the_told_one_are_counted_off():
    admission = Admission(64, Rates(), 0.0)
    tickets = [admission.start(0.0, 0.0) for _ in range(10)]
    told = {"requests": RateLimit(limit=600, remaining=9, reset_s=59)}
    admission.heard(tickets[0], 0.0, told)
    assert admission.wait_s(0.05, 0.0) == pytest.approx(0.3, abs=0.01)
    admission.heard(tickets[-1], 0.0, told)
    assert admission.wait_s(0.05, 0.0) == 0.0
    admission.heard(tickets[0], 0.0, told)  # an older word than the last
    assert admission.wait_s(0.05, 0.0) == 0.0


def test_tokens_a_minute_are_held_by_what_answers_really_take():
    admission, now, spent = Admission(64, Rates(tokens_per_min=6000.0), 0.0), 0.0, 0
    while now < 60.0:
        now += admission.wait_s(now, 20.0)
        ticket = admission.start(now, 20.0)
        admission.answered(ticket, now, Reply(text="x", input_tokens=40, output_tokens=60))
        admission.lanes.end()
        spent += 100
    assert spent == pytest.approx(6000, rel=0.05)


def test_expected_tokens_follow_the_answers(request_of):
    async def ask(request):
        return Reply()

    expected = Expected(Model("bot", {}, lambda request: {}, ask))
    request = request_of("x" * 400)
    assert expected.tokens(request) == 100 + UNKNOWN_OUTPUT
    for tokens in (10, 30):
        expected.learn(Reply(output_tokens=tokens))
    assert expected.tokens(request) == 120
    capped = Expected(Model("bot", {"sampling": {"max_tokens": 7}}, lambda request: {}, ask))
    assert capped.tokens(request) == 107
