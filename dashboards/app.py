"""The dashboard's frame: its pages, its language, and which suite's files they show."""

import streamlit as st
from choices import choose_evaluation, choose_language
from words import say

from llmops.errors import UserError

st.set_page_config(page_title="llmops", layout="wide")
choose_language()
page = st.navigation(
    [
        st.Page("views/quality.py", title=say("quality"), default=True),
        st.Page("views/cost.py", title=say("cost")),
    ]
)
choose_evaluation()
try:
    page.run()
except UserError as problem:
    st.error(say("unreadable"), icon=":material/error:")
    st.code(str(problem), language=None, wrap_lines=True)
