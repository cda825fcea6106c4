"""What one reader's browser session remembers between reruns; everything else is the service's."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeVar

import streamlit as st
from pydantic import ValidationError

from service.schemas.admin import Me
from service.schemas.alerts import Alert
from service.schemas.problem import CheckResult, Problem
from service.schemas.review import Draft
from service.schemas.wire import LONGEST
from service.schemas.workspace import UnsentText, Workspace
from ui import parts, texts
from ui.client import Api, Offline, Refused, Unanswered

T = TypeVar("T")
Trouble = Literal["engine_down", "paused"]
REVIEWERS: Final = frozenset({"therapist", "supervisor"})
"""The roles that read sessions and decide."""
GLANCE: Final = timedelta(seconds=10)
"""A page that is looked at draws itself far more often than this; a longer gap was time away."""


@dataclass(slots=True)
class Editor:
    """The words in the editor of one session and what they started from."""

    text: str = ""
    revision: int = 0
    """Raised whenever we, not the therapist, change the text; tells the browser to take ours."""
    start: str = ""
    """The candidate's words the text started from; empty when writing freely."""
    draft_id: str | None = None
    candidate: int = 0
    last: Draft | None = None
    """The draft shown last; greyed when the session moves on under the reader's hands."""
    action: str | None = None
    """The step chosen for these words; None while it is left to what they came from."""
    own: bool = False
    """The therapist chose to write own words."""
    saved: UnsentText = field(default_factory=lambda: UnsentText(text=""))
    """What the server is known to keep of it."""
    warnings: tuple[CheckResult, ...] = ()
    """Checks the service wants confirmed before these words leave."""
    panel: str | None = None
    """Which question is open below: reject, redraft, escalate, hand over, note, take over."""
    answered: dict[str, int] = field(default_factory=dict[str, int])
    """How often each of its questions was acted on; the next one begins empty."""
    returned: "Editor | None" = None
    """Words that were decided on and came back without this reader's doing; until others leave."""
    settled: bool = False
    """What the service says has come into it once."""
    read_s: float = 0.0
    """For how long what it started from has stood before the reader, in seconds."""
    seen_at: datetime | None = None
    """When it stood there last; None while another page or session does."""
    resumed: bool = False
    """It was looked at before this desk was opened, nobody knows for how long."""

    def looked_at(self, at: datetime | None) -> None:
        """Count the time since the last look, if that was a moment ago; None ends it."""
        since = now() - self.seen_at if self.seen_at else None
        if since is not None and since <= GLANCE:
            self.read_s += since.total_seconds()
        self.seen_at = at

    @property
    def dwell_ms(self) -> int | None:
        """For how long it was read before deciding; None where nobody knows."""
        return None if self.resumed else min(int(self.read_s * 1000), 86_400_000)

    def put(self, text: str) -> None:
        """Replace the text from our side."""
        self.text = text
        self.revision += 1

    def take_back(self, words: "Editor") -> None:
        """Stand again as when these words were sent."""
        self.start, self.draft_id, self.candidate = words.start, words.draft_id, words.candidate
        self.last, self.own, self.action = words.last, words.own, words.action
        self.warnings = words.warnings
        self.read_s, self.resumed = words.read_s, words.resumed
        self.put(words.text)


@dataclass(slots=True)
class SafetyPlan:
    """What is filled in with one client; the desk has it until it is kept as notes."""

    words: dict[str, str] = field(default_factory=dict[str, str])
    """Under each heading of the card."""
    answers: dict[str, bool] = field(default_factory=dict[str, bool])
    """What the client answered to the card's questions, yes or no."""
    kept: set[str] = field(default_factory=set[str])
    """The notes of it that colleagues have."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is filled in, as notes for colleagues: a heading and its words stay in one."""
        yes_or_no = {True: "crisis.yes", False: "crisis.no"}
        lines = [f"{asked} {t(yes_or_no[yes])}" for asked, yes in self.answers.items()]
        lines += [f"{heading}: {words.strip()}" for heading, words in self.words.items()
                  if words.strip()]  # fmt: skip
        notes: list[str] = []
        for filled in lines:
            if notes and len(notes[-1]) + 1 + len(filled) <= LONGEST:
                notes[-1] += f"\n{filled}"
            else:
                notes.append(filled)
        return tuple(notes)

    @property
    def unkept(self) -> tuple[str, ...]:
        """The notes that colleagues do not have yet."""
        return tuple(note for note in self.notes if note not in self.kept)


@dataclass(frozen=True, slots=True)
class Held:
    """A decision of this reader whose words have not left yet."""

    session_id: str
    decision_id: str
    release_at: datetime
    words: Editor
    """The editor as it was, for undo."""
    seq: int
    """Where the log stood with it; an older look at the session knows nothing of it."""

    @property
    def live(self) -> bool:
        """Whether it can still be taken back."""
        return self.release_at > now()


@dataclass(frozen=True, slots=True)
class Press:
    """What stood before the reader when they pressed: only that is decided on."""

    workspace: Workspace
    words: Editor
    """The editor as it was; what a newer draft may since have put there was not read."""


@dataclass(slots=True)
class Desk:
    """One signed-in reader."""

    api: Api
    me: Me
    claims: dict[str, str] = field(default_factory=dict[str, str])
    lost: set[str] = field(default_factory=set[str])
    """Sessions a colleague took over while they were open here."""
    editors: dict[str, Editor] = field(default_factory=dict[str, Editor])
    safety_plans: dict[str, SafetyPlan] = field(default_factory=dict[str, SafetyPlan])
    """By session; an alert that ends must not take what was written about it along."""
    colleagues: set[str] = field(default_factory=set[str])
    """Reviewers whose names were seen here; nobody else is known to be of the team."""
    doubted: tuple[str, str] | None = None
    """Session and the unknown name it was to be handed to; the next press for it counts."""
    seen: dict[str, Workspace] = field(default_factory=dict[str, Workspace])
    """The last workspace of each session, shown while the service is away."""
    alerts: tuple[Alert, ...] | None = None
    """The team's open alerts as last read; None until they were."""
    held: dict[str, Held] = field(default_factory=dict[str, Held])
    """By session, oldest first; one that should have left stays until it is seen to have."""
    pressed: Press | None = None
    """What the press of this run was made on."""
    notice: tuple[str, str] | None = None
    """Kind (``error``, ``success``, ``info``) and text to show once on top."""
    telling: tuple[str, str] | None = None
    """The notice being shown; it counts as told when the page below it is drawn to its end."""
    offline: bool = False
    trouble: Trouble | None = None
    """Why drafts do not come as usual, for everybody."""

    @property
    def reviews(self) -> bool:
        """Whether this reader reads sessions and decides."""
        return self.me.role in REVIEWERS

    def editor(self, session: str) -> Editor:
        """The editor of a session."""
        return self.editors.setdefault(session, Editor())

    def hold(self, held: Held) -> None:
        """Remember the newest decision on a session."""
        self.held.pop(held.session_id, None)
        self.held[held.session_id] = held

    def safety_plan(self, session: str) -> SafetyPlan:
        """The safety plan of a session."""
        return self.safety_plans.setdefault(session, SafetyPlan())

    def forget(self, session: str) -> None:
        """Let go of all words of a session that was erased."""
        for kept in (self.editors, self.safety_plans, self.seen, self.held, self.claims):
            kept.pop(session, None)
        # Notes, plans and formulations being filled in are kept under names that hold its id.
        for key in [str(key) for key in st.session_state if session in str(key)]:
            del st.session_state[key]

    def may_write(self, session: str) -> bool:
        """Whether a write has a chance now: held here, not over, and the service answers."""
        seen = self.seen.get(session)
        over = seen is not None and seen.status in {"closed", "erased"}
        return session in self.claims and not self.offline and not over

    def shows_forms(self, session: str) -> bool:
        """Whether forms belong on the page: where a claim was lost, words still stand in them."""
        return session in self.claims or session in self.lost

    def claim(self, session: str) -> str:
        """The claim on a session. Raises: Refused claim_required, as the service would."""
        if session not in self.claims:
            title = "Take the session first."
            raise Refused(
                Problem(
                    type="about:blank", title=title, status=400, detail=title, code="claim_required"
                )
            )
        return self.claims[session]

    def on_screen(self, workspace: Workspace) -> None:
        """Remember what a press is made on; called by buttons, for the page is read anew before."""
        self.pressed = Press(workspace, replace(self.editor(workspace.session_id)))

    def pressed_on(self, session: str) -> Press | None:
        """What the press of this run was made on, once."""
        press, self.pressed = self.pressed, None
        return press if press and press.workspace.session_id == session else None


def desk() -> Desk:
    """The signed-in reader's desk; pages are only reached with one."""
    return st.session_state["desk"]


def t(key: str, **values: object) -> str:
    """A text in the reader's language."""
    return texts.say(parts.wanted().tongue, key, **values)


def word(section: str, name: str) -> str:
    """The text for a word or short phrase of the wire; itself where the catalogue has none."""
    return texts.retell(parts.wanted().tongue, section, name)


def attempt(action: Callable[[], T]) -> T | None:
    """Ask the service; a refusal or silence becomes a notice, and None.

    Requests are made inside ``action``: what does not fit one is refused here like there.
    """
    try:
        return action()
    except Refused as refusal:
        desk().notice = ("error", why(refusal))
    except ValidationError:
        desk().notice = ("error", t("refused.invalid_request"))
    except Unanswered:
        desk().notice = ("error", t("state.unanswered"))
    except Offline:
        desk().notice = ("error", t("state.offline_write"))
    return None


def done(action: Callable[[], None], said: str | None = None) -> bool:
    """Like ``attempt`` for writes that answer nothing; true when it happened."""
    happened = attempt(lambda: action() is None) is True
    if happened and said:
        desk().notice = ("success", said)
    return happened


def why(refusal: Refused) -> str:
    """A refusal in the reader's words; the service's own where the catalogue has none."""
    key = f"refused.{refusal.code}"
    return t(key) if texts.knows(key) else refusal.problem.detail


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
