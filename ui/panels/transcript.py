"""The conversation as one block: words, who decided them, and what happened in between."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from service.schemas.alerts import EvidenceView
from service.schemas.workspace import Line, Workspace
from ui.desk import now, t, word
from ui.diff import word_diff

Evidence = Mapping[str, Sequence[EvidenceView]]


def draw(workspace: Workspace) -> None:
    """Show all lines; the newest stays in sight unless the reader scrolled away."""
    evidence = {alert.message_id: alert.evidence for alert in workspace.alerts}
    lines = "".join(_blocks(workspace.transcript, evidence, zone()))
    blank = f'<p class="blank">{escape(t("transcript.empty"))}</p>'
    st.html(
        f'<div class="transcript" tabindex="0" role="log" lang="{workspace.language}" '
        f'aria-label="{escape(t("transcript.title"))}"><div>{lines or blank}'
        f'<div id="newest"></div></div></div>'
    )


def zone() -> tzinfo:
    """The reader's time zone, as the browser says."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def told_at(at: datetime) -> str:
    """A moment on the reader's clock, with its day where that is not today."""
    here = at.astimezone(zone())
    same = here.date() == now().astimezone(zone()).date()
    return f"{here:%H:%M}" if same else f"{here:%Y-%m-%d %H:%M}"


def diff_html(old: str, new: str) -> str:
    """Both texts in one, words gone struck through, new ones underlined."""
    tags = {"same": "span", "gone": "del", "new": "ins"}
    return "".join(
        f"<{tags[piece.change]}>{escape(piece.text)}</{tags[piece.change]}>"
        for piece in word_diff(old, new)
    )


def highlighted(text: str, evidence: Sequence[EvidenceView]) -> str:
    """The client's words with what raised the alert marked; spans that overlap are cut.

    A span that holds another gives way to it: marking the whole message would show nothing.
    """
    done: list[str] = []
    here = 0
    for span in sorted(_narrowest(evidence), key=lambda e: e.start):
        start, end = max(span.start, here), min(span.end, len(text))
        if start >= end:
            continue
        label = escape(
            f"{word('category', span.category)}: {word('told', span.reason)}", quote=True
        )
        done += [
            escape(text[here:start]),
            f'<mark title="{label}">{escape(text[start:end])}</mark>',
        ]
        here = end
    return "".join((*done, escape(text[here:])))


def _narrowest(evidence: Sequence[EvidenceView]) -> Sequence[EvidenceView]:
    spans = {(one.start, one.end) for one in evidence}
    return [
        one
        for one in evidence
        if not any(
            one.start <= start and end <= one.end and (start, end) != (one.start, one.end)
            for start, end in spans
        )
    ]


def _blocks(lines: Sequence[Line], evidence: Evidence, where: tzinfo) -> Iterator[str]:
    day = None
    for line in lines:
        at = line.at.astimezone(where)
        if at.date() != day:
            day = at.date()
            yield f'<div class="day"><span>{_day(at)}</span></div>'
        yield _block(line, at, evidence)


def _block(line: Line, at: datetime, evidence: Evidence) -> str:
    match line.kind:
        case "client":
            return _said("client", highlighted(line.text, evidence.get(line.id, ())), f"{at:%H:%M}")
        case "reply":
            return _said("reply", _words(line.text), _origin(line, at) + _changed(line))
        case "crisis_notice":
            notice = f"{t('transcript.crisis_notice')} · {at:%H:%M}"
            return _said("reply notice", _words(line.text), escape(notice))
        case _:
            return _mark(line, at)


def _said(kind: str, words: str, foot: str) -> str:
    # Colour and side say who speaks to those who see them; this says it to all others.
    who = escape(t("workspace.client" if kind == "client" else "transcript.team"))
    speaker = f'<b class="unseen">{who}: </b>'
    return f'<article class="line {kind}">{speaker}<p>{words}</p><footer>{foot}</footer></article>'


def _mark(line: Line, at: datetime) -> str:
    """A thin line across: the cursor was moved, an alert raised, a note left."""
    text = line.text
    if line.kind == "stage" and line.action:
        text = f"{word('told', line.action)}: {text}"
    elif line.kind == "alert":
        level, _, category = text.partition(" ")
        text = f"{word('level', level)} · {word('category', category)}"
    who = f" · {line.by}" if line.by else ""
    label = f"{t(f'transcript.{line.kind}')}{who} · {at:%H:%M}"
    body = f"<span>{_words(text)}</span>" if text else ""
    return f'<div class="mark {line.kind}"><b>{escape(label)}</b>{body}</div>'


def _origin(line: Line, at: datetime) -> str:
    parts = [line.by, word("verdict", line.verdict) if line.verdict else None]
    parts.append(word("told", line.action) if line.action else None)
    return escape(" · ".join([*(part for part in parts if part), f"{at:%H:%M}"]))


def _changed(line: Line) -> str:
    if line.drafted is None or line.drafted == line.text:
        return ""
    return (
        f"<details><summary>{escape(t('transcript.changed'))}</summary>"
        f'<p class="diff">{diff_html(line.drafted, line.text)}</p></details>'
    )


def _words(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _day(at: datetime) -> str:
    return t("transcript.day", year=at.year, month=at.month, day=at.day)
