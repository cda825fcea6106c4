"""What helps in a crisis: questions, places, a plan for safety. All to be used, none is sent."""

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from safety.crisis_card import level_of, needless, next_question, questions
from service.schemas.alerts import CrisisCard
from service.schemas.wire import LONGEST, heard
from service.schemas.workspace import Workspace
from ui.desk import desk, done, t, word
from ui.panels.states import banner
from ui.sign_in import keep_plans


def draw(workspace: Workspace, card: CrisisCard) -> None:
    """Show the card of a session's open alerts."""
    st.html("".join(f'<p class="guide">{escape(line)}</p>' for line in card.guidance))
    with st.expander(t("crisis.questions"), expanded=True):
        _questions(workspace.session_id, card)
    with st.expander(t("crisis.resources"), expanded=True):
        for resource in card.resources:
            facts = f"{resource.hours} · {', '.join(resource.languages)} · "
            facts += t("crisis.verified", day=resource.last_verified)
            shown = f"<b>{escape(resource.name)}</b> {escape(resource.contact)}"
            text, use = st.columns([6, 2], vertical_alignment="center")
            text.html(f'<p class="ask">{shown}<small>{escape(facts)}</small></p>')
            _insert(use, workspace.session_id, f"{resource.name}: {resource.contact}")
    with st.expander(t("crisis.safety_plan")):
        for heading in card.safety_plan:
            desk().safety_plan(workspace.session_id).words.setdefault(heading, "")
        _safety_plan(workspace.session_id)


def left_over(session: str) -> None:
    """A plan that was filled in and not kept when the alert ended: nobody else has its words."""
    if not desk().safety_plan(session).unkept:
        del desk().safety_plans[session]
        return
    with st.container(key="plan_left", border=True):
        banner("lost", t("crisis.plan_left"))
        for question in list(desk().safety_plan(session).answers):
            text, answer = st.columns([5, 3], vertical_alignment="center")
            text.html(f'<p class="ask">{escape(question)}</p>')
            _answer(answer, session, question)
        _safety_plan(session)


def _questions(session: str, card: CrisisCard) -> None:
    """In the scale's order: what an answer makes needless goes, what comes next is named."""
    plan = desk().safety_plan(session)
    said = {one.key: plan.answers[one.text] for one in card.questions if one.text in plan.answers}
    following, gone = next_question(said), needless(said)
    scale = {one.key for one in questions("en")}
    for asked in card.questions:
        if asked.key in gone:
            continue
        text, answer, use = st.columns([5, 3, 2], vertical_alignment="center")
        told, kind = word("told", asked.if_yes), "ask"
        if asked.key == following:
            told, kind = f"{t('crisis.next')} · {told}", "ask next"
        text.html(f'<p class="{kind}">{escape(asked.text)}<small>{escape(told)}</small></p>')
        if asked.key in scale:
            _answer(answer, session, asked.text)
        _insert(use, session, asked.text)
    if said:
        st.caption(t("crisis.so_far", level=word("level", level_of(said))))


def _answer(place: DeltaGenerator, session: str, question: str) -> None:
    """Ask for the client's answer; it can be taken back."""
    key = f"answer_{session}_{question}"
    st.session_state.setdefault(key, desk().safety_plan(session).answers.get(question))
    place.segmented_control(
        question, (True, False), key=key, label_visibility="collapsed",
        format_func=lambda yes: t("crisis.yes" if yes else "crisis.no"),
        on_change=_note_down, args=(session, question, key),
    )  # fmt: skip


def _note_down(session: str, question: str, key: str) -> None:
    answers, yes = desk().safety_plan(session).answers, st.session_state[key]
    if yes is None:
        answers.pop(question, None)
    else:
        answers[question] = yes
    keep_plans()


def _insert(place: DeltaGenerator, session: str, words: str) -> None:
    """Offer what the therapist may put into the reply; it is never sent by itself."""
    place.button(t("crisis.insert"), key=f"insert_{words}", width="stretch",
                 on_click=_inserted, args=(session, words))  # fmt: skip


def _inserted(session: str, words: str) -> None:
    editor = desk().editor(session)
    editor.own = True
    editor.put(f"{editor.text.strip()} {words}".strip())


def _safety_plan(session: str) -> None:
    """Filled in together with the client; kept as notes for colleagues."""
    # In no form: a form's words reach us with its own button only, and go when it is not drawn.
    # Nor a part: the browser tells of words and of the press that ends the typing at once, and a
    # button elsewhere would not be drawn for it.
    plan = desk().safety_plan(session)
    for place, heading in enumerate(plan.words):
        # Every field is this session's own: what was typed about one client never meets another.
        key = f"plan_{session}_{place}"
        st.session_state.setdefault(key, plan.words[heading])
        st.text_area(heading, height=68, key=key, max_chars=LONGEST - len(heading) - 2,
                     on_change=_fill, args=(session, heading, key))  # fmt: skip
    if not st.button(t("crisis.keep_plan"), key=f"keep_plan_{session}"):
        return
    if not plan.notes:
        st.error(t("question.missing_text"))
        return
    done(lambda: keep(session), t("question.note_done"))
    st.rerun()


def _fill(session: str, heading: str, key: str) -> None:
    # What is pasted may hold what no note does; that must not keep an alert open.
    desk().safety_plan(session).words[heading] = heard(st.session_state[key] or "")
    keep_plans()


def keep(session: str) -> None:
    """Leave what is filled in as notes; where one fails, those before it are not left again."""
    plan = desk().safety_plan(session)
    for note in plan.unkept:
        desk().api.note(session, note)
        plan.kept.add(note)
    # Words that come back after others took their place are news again.
    plan.kept = set(plan.notes)
    keep_plans()
