"""The console's six browser parts: small scripts where Streamlit's own widgets cannot do it."""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from ui.texts import Tongue

_STATIC = Path(__file__).parent / "static"
ICON = _STATIC / "icon.png"
_COOKIE: Final = "secondchair_reader"


class Preferences(NamedTuple):
    """How a reader wants the console; this browser keeps it, whoever signs in."""

    tongue: Tongue
    letters: bool
    """Whether single characters are keys."""


@dataclass(frozen=True, slots=True)
class EditorBox:
    """What the editor shows."""

    slot: str
    """Reader and session: under this name the tab keeps what the server has not yet saved."""
    revision: int
    value: str
    confirmed: bool
    """The server has these very words; the tab need not keep them."""
    said: str
    """What was said last: where the tab still has it, it was sent."""
    label: str
    placeholder: str
    disabled: bool
    limit: int
    """Characters a reply should not exceed; a colour, not a wall."""


def editor_box(key: str, box: EditorBox, on_text: Any, on_send: Any) -> None:
    """A text box that reports what is typed as it is typed, and Ctrl+Enter with its words.

    Streamlit's own reports only when it loses focus: a refresh in mid-sentence would lose words.
    """
    _part("editor")(key=key, data=asdict(box), on_text_change=on_text, on_send_change=on_send)


def queue_list(
    key: str, rows: list[dict[str, object]], label: str, waits: dict[str, str]
) -> str | None:
    """A list of sessions that keeps focus and scroll while it changes; answers the chosen one.

    ``waits`` says how a wait is told: ``{n}`` s, min, or ``{h}`` h and ``{n}`` min.
    """
    fields = {"rows": rows, "label": label, "waits": waits}
    answer = _part("queue")(key=key, data=fields, on_open_change=lambda: None)
    return answer.get("open")


@dataclass(frozen=True, slots=True)
class Signals:
    """What calls the reader, and which keys do."""

    alerts: list[str]
    """Those nobody looks at; ids, not a number: one that comes as another goes must be heard."""
    spoken: str
    """What a screen reader says when there is a new one."""
    pages: list[str]
    """The pages that 1, 2, 3 open, by name."""
    letters: bool
    """Whether single characters are keys."""


def signals(key: str, data: Signals) -> None:
    """Title, sound and a screen reader's words for new alerts; keys that Streamlit cannot bind."""
    _part("signals")(key=key, data=asdict(data))


def tab_memory(key: str, keep: str | None, forget: bool = False) -> str | None:
    """Keep the development token in this browser tab, and bring it back after a refresh."""
    answer = _part("memory")(
        key=key, data={"keep": keep, "forget": forget}, on_token_change=lambda: None
    )
    return answer.get("token")


def preferred() -> Preferences:
    """What the browser kept when this connection began; at first the language it asks for."""
    asked = "zh" if str(st.context.locale).startswith("zh") else "en"
    tongue, _, keys = dict(st.context.cookies).get(_COOKIE, asked).partition(".")
    return Preferences("zh" if tongue == "zh" else "en", keys != "silent")


def wanted() -> Preferences:
    """How the reader wants it now: as last chosen here, else as preferred."""
    chosen = st.session_state
    # Asked for with every text: what the browser kept is read only until the menu was drawn once.
    return Preferences(
        chosen.get("tongue") or preferred().tongue,
        bool(chosen["single_keys"] if "single_keys" in chosen else preferred().letters),
    )


def keep_preferences(key: str, lang: str) -> None:
    """Have the browser keep them; ``lang`` is the page's language, as in HTML."""
    tongue, letters = wanted()
    kept = f"{tongue}.{'keys' if letters else 'silent'}"
    _part("preferences")(key=key, data={"cookie": _COOKIE, "kept": kept, "lang": lang})


def newcomer(key: str, toured: bool) -> bool:
    """Whether this browser has no mark of the tour; it gets one once somebody has ``toured``."""
    answer = _part("tour")(key=key, data={"toured": toured}, on_newcomer_change=lambda: None)
    return bool(answer.get("newcomer"))


def style() -> None:
    """The console's looks."""
    st.html(_STATIC / "console.css")


@cache
def _part(name: str) -> ComponentRenderer:
    css = _STATIC / f"{name}.css"
    return component(
        f"secondchair_{name}",
        css=css.read_text(encoding="utf-8") if css.exists() else None,
        js=(_STATIC / f"{name}.js").read_text(encoding="utf-8"),
    )
