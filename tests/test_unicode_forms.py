import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.unicode_forms import MOST_COMBINING, normal_form, stream_safe


@pytest.mark.parametrize("form", ["NFC", "NFKC", "NFKD"])
@given(text=st.text())
def test_a_normal_form_is_unicodes(form, text):
    assert normal_form(form, text) == unicodedata.normalize(form, text)


def test_runs_of_marks_are_cut_so_that_time_stays_linear():
    start = time.perf_counter()
    normal_form("NFC", "e" + "\u0301\u0316" * 50_000)
    assert time.perf_counter() - start < 2
    assert stream_safe("e" + "\u0301" * 40 + "e\u0301") == "e" + "\u0301" * MOST_COMBINING + "e\u0301"
