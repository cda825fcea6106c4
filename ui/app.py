"""The console's entry: who is reading, which pages that person may see. Run by Streamlit."""

import logging
import os
import traceback

import httpx
import streamlit as st

from ui import account, parts, sign_in
from ui.client import connect
from ui.desk import desk, t
from ui.panels import states
from ui.renewal import drawn_anew
from ui.views import PAGES, Page


def main() -> None:
    """Draw one run of the console."""
    drawn_anew()
    errors_keep_words()
    st.set_page_config(page_title="Second Chair", page_icon=parts.ICON, layout="wide")
    parts.style()
    parts.keep_preferences("preferences", t("account.html_lang"))
    # A place of its own: nothing below may move when it is empty, or fragments lose their parts.
    with st.container():
        known = sign_in.known()
        if not known:
            # Before anything the browser answers to: its answer ends this run, and Streamlit must
            # have heard the addresses by then, or a deep link does not find its page.
            st.navigation(list(_shown(PAGES).values()), position="hidden")
            if sign_in.signed_in(service()):
                st.rerun()
    if not known:
        sign_in.ask(service())
        return
    mine = tuple(page for page in PAGES if desk().me.role in page.roles)
    if not mine:
        st.navigation(list(_shown(PAGES).values()), position="hidden")
        states.no_permission()
        return
    shown = _shown(mine)
    st.session_state["pages"] = shown
    chosen = st.navigation(list(shown.values()), position="top")
    account.bar(tuple(shown))
    chosen.run()
    account.told()


@st.cache_resource
def service() -> httpx.Client:
    """The shared connections to the service."""
    return connect(os.environ.get("SECONDCHAIR_API_URL", "http://127.0.0.1:8400"))


@st.cache_resource(show_spinner=False)
def errors_keep_words() -> None:
    """Have Streamlit print where an error began and not what it says: it may quote a client."""
    # Where rich is installed it would print instead of the log.
    st.set_option("logger.enableRich", False)
    logging.getLogger("streamlit.error_util").addFilter(_without_words)


def _without_words(record: logging.LogRecord) -> bool:
    if record.exc_info and (error := record.exc_info[1]):
        places = "".join(traceback.format_tb(error.__traceback__))
        record.exc_text, record.exc_info = f"{places}{type(error).__name__}", None
    return True


def _shown(pages: tuple[Page, ...]) -> dict[str, st.Page]:
    return {
        page.path: st.Page(
            page.show,
            title=t(f"page.{page.path}"),
            icon=page.icon,
            url_path=page.path,
            default=place == 0,
        )
        for place, page in enumerate(pages)
    }


main()
