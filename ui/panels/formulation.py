"""The formulation: what is understood so far, where the client said it, and its correction."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

import streamlit as st

from service.schemas.plans import FormulationPatch
from service.schemas.workspace import Line, Workspace
from ui.desk import desk, done, t, word
from ui.panels import steps
from ui.panels.transcript import told_at
from ui.renewal import part

UNKNOWN = "unknown"
PARTS: Final = ("surface_level_problem", "triggering_situation", "automatic_thoughts")
Written = str | tuple[str, ...]

_RUN = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+")
"""A word, or Chinese characters up to the next mark."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_COMMON = (
    "a am an and are as at be been but did do does for had has have he her him his i in is it its "
    "just m me my no not of on or our re s she so t that the their them they this to too us ve "
    "very was we were with you your"
)
_EMPTY = frozenset(_COMMON.split())
"""Words that say nothing about what a line is about."""
_ENOUGH = 0.5
"""Share of the phrase's words a line must hold to be called its closest."""


class Source(NamedTuple):
    """Where the client may have said it."""

    line: Line
    verbatim: bool


def card(workspace: Workspace, with_form: bool) -> None:
    """Draw the three parts, readiness and drift, and the form that corrects them."""
    formulation = workspace.plan.formulation
    parts = [
        ("surface_level_problem", formulation.surface_level_problem),
        ("triggering_situation", formulation.triggering_situation),
        *(("automatic_thoughts", thought) for thought in formulation.automatic_thoughts),
    ]
    if not formulation.automatic_thoughts:
        parts.append(("automatic_thoughts", UNKNOWN))
    with st.container(key="formulation", border=True):
        st.html(
            f"<h2>{escape(t('formulation.title'))}</h2>"
            + "".join(_part(workspace, name, text) for name, text in parts)
            + _signals(workspace)
        )
        if with_form:
            with st.expander(t("formulation.correct"), key="formulation_open"):
                _form(workspace)


def _part(workspace: Workspace, name: str, text: str) -> str:
    title = escape(t(f"formulation.{name}"))
    if text == UNKNOWN:
        return f'<p class="part"><b>{title}</b><span>{escape(t("formulation.unknown"))}</span></p>'
    source = source_of(text, workspace.transcript)
    shown = escape(t("formulation.no_source"))
    if source is not None:
        how = t("formulation.said" if source.verbatim else "formulation.closest")
        shown = f"{escape(how)} <q>{escape(source.line.text)}</q> {told_at(source.line.at)}"
    return f'<p class="part"><b>{title}</b><span>{escape(text)}</span><small>{shown}</small></p>'


def _signals(workspace: Workspace) -> str:
    seen = workspace.readiness
    missing = ", ".join(word("formulation", name) for name in seen.unknown)
    turns = ", ".join(str(turn) for turn in seen.drift_turns)
    return steps.meter(
        t("formulation.readiness"),
        seen.score,
        t("formulation.missing", what=missing) if missing else t("formulation.complete"),
    ) + steps.meter(
        t("formulation.drift"),
        seen.drift,
        t("formulation.turns", turns=turns) if turns else t("formulation.on_plan"),
    )


@part()
def _form(workspace: Workspace) -> None:
    # In no form: a form's words reach us with its own button only, and go when a part changes.
    session, old = workspace.session_id, workspace.plan.formulation
    _field(session, PARTS[0], _known(old.surface_level_problem))
    _field(session, PARTS[1], _known(old.triggering_situation))
    _field(session, PARTS[2], "\n".join(old.automatic_thoughts))
    sent = st.button(t("formulation.save"), key="save_formulation",
                     disabled=not desk().may_write(session),
                     on_click=desk().on_screen, args=(workspace,))  # fmt: skip
    press = desk().pressed_on(session) if sent else None
    if press is None:
        return
    changed, basis = _changed(session), press.workspace.seq

    def correct() -> None:
        patch = FormulationPatch.model_validate({**changed, "basis": basis})
        desk().api.formulate(session, patch, desk().claim(session))

    if changed and done(correct, t("formulation.saved")):
        for name in PARTS:
            key, began = _keys(session, name)
            st.session_state[began] = st.session_state[key]
    st.rerun()


def _field(session: str, name: str, found: str) -> None:
    """Show what is known; typed words stay, whatever is found out meanwhile."""
    # Words come along with the next press, wherever that is: a run of this part alone, at the end
    # of the typing, would swallow it.
    key, began = _keys(session, name)
    typed = st.session_state.get(key)
    if typed is None or (typed == st.session_state[began] and typed != found):
        st.session_state[key] = st.session_state[began] = found
    if name == PARTS[2]:
        st.text_area(t(f"formulation.{name}"), key=key, persist_state="session",
                     on_change="ignore", help=t("formulation.one_per_line"),
                     height=90)  # fmt: skip
    else:
        st.text_input(
            t(f"formulation.{name}"), key=key, persist_state="session", on_change="ignore"
        )


def _keys(session: str, name: str) -> tuple[str, str]:
    """Where the words of a part are, and those they began from; each session has its own."""
    return f"formulation_{session}_{name}", f"formulation_{session}_{name}_began"


def _changed(session: str) -> Mapping[str, Written]:
    """What was typed over what stood there: a part that is sent is the reader's from then on."""
    changed: dict[str, Written] = {}
    for name in PARTS:
        typed, began = (_written(name, st.session_state[key]) for key in _keys(session, name))
        if typed != began:
            changed[name] = typed
    return changed


def _written(name: str, text: str) -> Written:
    lines = (" ".join(line.split()) for line in text.splitlines())
    said = tuple(line for line in lines if line)
    return said if name == PARTS[2] else " ".join(said) or UNKNOWN


def _known(text: str) -> str:
    return "" if text == UNKNOWN else text


def source_of(phrase: str, lines: Sequence[Line]) -> Source | None:
    """The client's line that says it word for word, else the closest; None where none comes near.

    Near is half of the words that carry meaning, or of the pairs of Chinese characters: single
    characters are in every line.
    """
    told = [line for line in lines if line.kind == "client"]
    exact = _plain(phrase)
    for line in told:
        if exact.strip() and exact in _plain(line.text):
            return Source(line, True)
    wanted = _meaning(phrase)
    best = max(told, key=lambda line: len(wanted & _meaning(line.text)), default=None)
    if not wanted or best is None:
        return None
    near = len(wanted & _meaning(best.text)) >= _ENOUGH * len(wanted)
    return Source(best, False) if near else None


def _plain(text: str) -> str:
    """Words alone, so that marks and capitals make no difference; none begins inside another."""
    return f" {' '.join(_pieces(text))} "


def _meaning(text: str) -> frozenset[str]:
    found: set[str] = set()
    for run in _RUN.findall(text.casefold()):
        if _HAN.match(run):
            found |= {run[at : at + 2] for at in range(max(1, len(run) - 1))}
        elif run not in _EMPTY:
            found.add(run)
    return frozenset(found)


def _pieces(text: str) -> list[str]:
    """Words, and Chinese characters one by one: a phrase may begin anywhere among these."""
    runs = _RUN.findall(text.casefold())
    return [piece for run in runs for piece in (run if _HAN.match(run) else (run,))]
