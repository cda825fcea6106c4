"""The formulation: what is understood so far, where the client said it, and its correction."""

import re
from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from service.schemas.plans import FormulationPatch
from service.schemas.workspace import Line, Workspace
from ui.desk import desk, done, t, word
from ui.panels import steps
from ui.panels.transcript import zone

UNKNOWN = "unknown"

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\d_]{4,}")
_ENOUGH = 0.5
"""Share of the phrase's words a line must hold to count as its source."""


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
    said = (
        f"<q>{escape(source.text)}</q> {source.at.astimezone(zone()):%H:%M}"
        if source
        else escape(t("formulation.no_source"))
    )
    return (
        f'<p class="part"><b>{title}</b><span>{escape(text)}</span>'
        f"<small>{escape(t('formulation.said'))} {said}</small></p>"
    )


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


def _form(workspace: Workspace) -> None:
    formulation = workspace.plan.formulation
    with st.form("formulation_form", border=False):
        surface = st.text_input(
            t("formulation.surface_level_problem"), value=_known(formulation.surface_level_problem)
        )
        trigger = st.text_input(
            t("formulation.triggering_situation"), value=_known(formulation.triggering_situation)
        )
        thoughts = st.text_area(
            t("formulation.automatic_thoughts"),
            value="\n".join(formulation.automatic_thoughts),
            help=t("formulation.one_per_line"),
            height=90,
        )
        sent = st.form_submit_button(t("formulation.save"),
                                     disabled=not desk().may_write(workspace.session_id),
                                     on_click=desk().on_screen, args=(workspace,))  # fmt: skip
    session = workspace.session_id
    press = desk().pressed_on(session) if sent else None
    if press is None:
        return
    seen = press.workspace
    changed = _changed(seen, _written(surface or "", trigger or "", thoughts or ""))
    if not changed:
        st.rerun()

    def correct() -> None:
        patch = FormulationPatch.model_validate({**changed, "basis": seen.seq})
        desk().api.formulate(session, patch, desk().claim(session))

    done(correct, t("formulation.saved"))
    st.rerun()


def _written(surface: str, trigger: str, thoughts: str) -> Mapping[str, str | tuple[str, ...]]:
    lines = (" ".join(line.split()) for line in thoughts.splitlines())
    return {
        "surface_level_problem": " ".join(surface.split()) or UNKNOWN,
        "triggering_situation": " ".join(trigger.split()) or UNKNOWN,
        "automatic_thoughts": tuple(line for line in lines if line)[:6],
    }


def _changed(
    seen: Workspace, written: Mapping[str, str | tuple[str, ...]]
) -> Mapping[str, str | tuple[str, ...]]:
    """What differs from what the reader saw: a part that is sent is theirs from then on."""
    old = seen.plan.formulation
    before = _written(
        old.surface_level_problem, old.triggering_situation, "\n".join(old.automatic_thoughts)
    )
    return {name: text for name, text in written.items() if text != before[name]}


def _known(text: str) -> str:
    return "" if text == UNKNOWN else text


def source_of(phrase: str, lines: Sequence[Line]) -> Line | None:
    """The client's line that holds most of the phrase's words; None where none holds half."""
    wanted = _told(phrase)
    if not wanted:
        return None
    told = [line for line in lines if line.kind == "client"]
    best = max(told, key=lambda line: len(wanted & _told(line.text)), default=None)
    if best is None or len(wanted & _told(best.text)) < _ENOUGH * len(wanted):
        return None
    return best


def _told(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))
