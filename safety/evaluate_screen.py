"""Judge an organisation's own cases, or measure the screen on labelled ones; JSONL in and out."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from typing import Literal, NamedTuple, TextIO, TypeAlias, TypedDict, cast

from safety.risk import Language, Line, RiskLevel, RiskReport, combine
from safety.screen import Screen, load_screen


class _TurnRow(TypedDict):
    role: Literal["client", "counselor"]
    text: str


class _CaseRow(TypedDict, total=False):
    id: str
    text: str
    lang: str
    history: list[_TurnRow]
    route: bool
    level: str
    kind: str


@dataclass(frozen=True, slots=True)
class Case:
    """One message with what a clinician would answer, where that is known."""

    id: str
    text: str
    history: tuple[Line, ...]
    language: Language
    route: bool | None
    level: RiskLevel | None
    kind: str


class Judged(NamedTuple):
    """A case and the screen's report on it."""

    case: Case
    report: RiskReport


class Share(NamedTuple):
    """``hits`` of ``total``, with the bounds of its 95 % Wilson interval, all in 0-1."""

    hits: int
    total: int
    share: float
    low: float
    high: float


Opinions: TypeAlias = Callable[[Sequence[Case]], Sequence[RiskReport | None]]
"""Somebody who judges cases as well; None where no answer came."""


def run(stdin: TextIO, stdout: TextIO, evaluate: bool, opinions: Opinions | None = None) -> None:
    """Answer every case on ``stdin``; with ``evaluate`` print the table instead of the answers.

    With ``opinions`` each case is as urgent as the more worried of the two has it.
    """
    screen = load_screen()
    judged = [judge(screen, case) for case in read_cases(stdin)]
    if opinions is not None:
        told = opinions([one.case for one in judged])
        judged = [
            Judged(case, _with(own, other)) for (case, own), other in zip(judged, told, strict=True)
        ]
        if evaluate:
            answered = sum(other is not None for other in told)
            stdout.write(f"{answered} of {len(told)} cases judged by the engine too\n")
    lines = table(judged) if evaluate else (_answer(one) for one in judged)
    for line in lines:
        stdout.write(line + "\n")


def read_cases(lines: Iterable[str]) -> Iterator[Case]:
    """The cases of a JSONL file; a line that is not one is a ``ValueError`` with its number."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = cast(_CaseRow, json.loads(line))
            yield _case(row, f"line-{number}")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f"line {number} is not a case") from None


def judge(screen: Screen, case: Case) -> Judged:
    """The screen's report on one case."""
    return Judged(case, screen.judge(case.text, case.history, case.language))


def _with(own: RiskReport, other: RiskReport | None) -> RiskReport:
    return own if other is None else combine((own, other))


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """Recall, false alarms and ranking per language and kind, then the level confusion."""
    labelled = [one for one in judged if one.case.route is not None]
    yield "language  kind                     recall                    false alarms"
    for language in ("en", "zh"):
        here = [one for one in labelled if one.case.language == language]
        kinds = sorted({one.case.kind for one in here})
        for kind in kinds:
            yield _row(language, kind, [one for one in here if one.case.kind == kind])
        if here:
            yield _row(language, "all", here)
            low, high = _resampled(here)
            yield f"{language:<9} ranking (AUC)            {auc(here):.3f} ({low:.2f}-{high:.2f})"
    yield ""
    yield from confusion(labelled)


def recall(judged: Iterable[Judged]) -> Share:
    """The share of cases to be routed that are."""
    return _share([one.report.routes for one in judged if one.case.route])


def false_alarms(judged: Iterable[Judged]) -> Share:
    """The share of cases not to be routed that are all the same."""
    return _share([one.report.routes for one in judged if one.case.route is False])


def auc(judged: Sequence[Judged]) -> float:
    """How often a case to be routed outscores one that is not; ties count half."""
    yes = [one.report.score for one in judged if one.case.route]
    no = [one.report.score for one in judged if one.case.route is False]
    if not yes or not no:
        return float("nan")
    calm = sorted(no)
    above = sum(bisect_left(calm, one) + bisect_right(calm, one) for one in yes)
    return above / (2 * len(yes) * len(no))


def _resampled(judged: Sequence[Judged], times: int = 300) -> tuple[float, float]:
    """The middle 95 in 100 of the ranking over as many random draws of these cases."""
    rng = Random(times)
    drawn = sorted(auc(rng.choices(judged, k=len(judged))) for _ in range(times))
    return drawn[int(0.025 * times)], drawn[int(0.975 * times)]


def confusion(judged: Sequence[Judged]) -> Iterator[str]:
    """Rows: the clinician's level; columns: the screen's."""
    yield "level     " + "".join(f"{level.value:>10}" for level in RiskLevel)
    for true in RiskLevel:
        given = [one.report.level for one in judged if one.case.level is true]
        yield f"{true.value:<10}" + "".join(f"{given.count(level):>10}" for level in RiskLevel)


def _case(row: _CaseRow, fallback: str) -> Case:
    language = row.get("lang", "en")
    if language not in {"en", "zh"}:
        raise ValueError("an unknown language")
    return Case(
        id=str(row.get("id", fallback)),
        text=row["text"],  # pyright: ignore[reportTypedDictNotRequiredAccess] - KeyError is caught
        history=tuple(Line(turn["role"], turn["text"]) for turn in row.get("history", ())),
        language="zh" if language == "zh" else "en",
        route=row.get("route"),
        level=RiskLevel(row["level"]) if "level" in row else None,
        kind=row.get("kind", "unnamed"),
    )


def _answer(one: Judged) -> str:
    report = one.report
    evidence = [
        {"start": span.start, "end": span.end, "category": span.category, "reason": span.reason}
        for span in report.evidence
    ]
    answer = {
        "id": one.case.id,
        "level": report.level,
        "category": report.category,
        "score": round(report.score, 4),
        "source": report.source,
        "evidence": evidence,
    }
    return json.dumps(answer, ensure_ascii=False)


def _row(language: str, kind: str, judged: Sequence[Judged]) -> str:
    return f"{language:<9} {kind:<24} {_shown(recall(judged)):<25} {_shown(false_alarms(judged))}"


def _shown(share: Share) -> str:
    if share.total == 0:
        return "-"
    interval = f"{100 * share.low:.0f}-{100 * share.high:.0f}"
    return f"{100 * share.share:5.1f} % ({interval}) of {share.total}"


def _share(answers: Sequence[bool]) -> Share:
    total = len(answers)
    if total == 0:
        return Share(0, 0, float("nan"), float("nan"), float("nan"))
    hits = sum(answers)
    share, z = hits / total, 1.96
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    spread /= 1 + z * z / total
    return Share(hits, total, share, max(0.0, middle - spread), min(1.0, middle + spread))
