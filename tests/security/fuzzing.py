"""Throws what the API's own description allows, and what it does not, at a living service.

``python -m tests.security.fuzzing --seconds 600 --seed 1`` runs for that long and prints a table.
Ids, claims and log positions come from earlier answers, so that calls get past the first door.
"""

import argparse
import itertools
import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.driving import one_app
from tests.security.doors import ENDLESS, MATRIX, PEOPLE
from tests.security.living import Living, living

_CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance,
]  # fmt: skip
_ID = re.compile(r'"((?:ses|drf|pln|alr|dec|rol)_[A-Za-z0-9_.]+)"')
_AT_A_TIME = 12
"""Cases of one operation before the next has its turn."""
_KNOWN = 0.8
"""How often an id, claim or position is one that exists."""
_PLAIN = 0.4
"""How often a body is the plain one that does what the call is for."""
_DANGERS = ("none", "none", "none", "high")
"""What the stand-in screen is told to see in a message."""
_NEAR = 6
_DRAFTED_S = 1.0
_REVIEWERS = {"therapist", "supervisor"}
_HARNESS = "lab_app"
_HARNESS_DOORS = {"GET /v1/models", "POST /v1/chat/completions", "POST /api/chat"}
_SELDOM = {"DELETE /v1/sessions/{session_id}": 0.05, "POST /v1/sessions/{session_id}/close": 0.1}
"""Calls that end a session, and how often they get a living one."""


@dataclass
class Known:
    """What earlier answers told: ids by kind, claims, log positions."""

    ids: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    claims: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """By session: who claimed it last, and the claim."""
    seqs: dict[str, int] = field(default_factory=dict[str, int])

    def learn(self, who: str, session: str, text: str) -> None:
        """Keep what an answer shows."""
        for one in _ID.findall(text):
            held = self.ids[one[:3]]
            if one not in held[-200:]:
                held.append(one)
        body = json.loads(text) if text.startswith("{") and "\n" not in text else None
        if isinstance(body, dict) and session:
            if isinstance(body.get("seq"), int):
                self.seqs[session] = body["seq"]
            if "claim" in body:
                self.claims[session] = who, body["claim"]


@dataclass
class Report:
    """How many calls were made, how they were answered, and what should not have been."""

    calls: Counter[str] = field(default_factory=Counter[str])
    statuses: Counter[int] = field(default_factory=Counter[int])
    good: Counter[str] = field(default_factory=Counter[str])
    wrong: Counter[str] = field(default_factory=Counter[str])

    def table(self) -> str:
        """Give the run as lines to print; no words that were sent."""
        rows = [
            ("calls", sum(self.calls.values())),
            ("operations", f"{len(self.calls)}, {len(self.good)} of them with a good answer"),
            ("answers", ", ".join(f"{one}: {n}" for one, n in sorted(self.statuses.items()))),
            ("never a good answer", ", ".join(sorted(self.calls.keys() - self.good.keys()))),
            ("violations", sum(self.wrong.values())),
            *((f"  {what}", n) for what, n in self.wrong.most_common()),
        ]
        return "\n".join(f"{name:24} {value}" for name, value in rows)


class Fuzz:
    """One run against one service."""

    def __init__(self, here: Living, number: int) -> None:
        self.report = Report()
        self._here = here
        self._dice, self._number = random.Random(number), number
        self._known, self._once = Known(), itertools.count(1)
        self._schema = schemathesis.openapi.from_dict(one_app().openapi())
        self._doors = {one.call: one for one in MATRIX}
        self._bodies = {one.call: one.body for one in MATRIX if one.body}

    def run(self, until: float) -> Report:
        """Go through all operations again and again until a moment."""
        for turn in itertools.count():
            self._furnish()
            for found in self._schema.get_all_operations():
                if time.monotonic() > until:
                    return self.report
                operation = found.ok()
                call = f"{operation.method.upper()} {operation.path}"
                if call not in ENDLESS:
                    self._some(operation, call, turn)
        raise AssertionError

    def _furnish(self) -> None:
        """Bring a few sessions to where there is something to decide, by the ordinary way."""
        with httpx.Client(base_url=self._here.address, trust_env=False, timeout=60) as http:

            def ask(who: str, session: str, method: str, path: str, body: Any = None) -> None:
                headers = {
                    "Authorization": f"Bearer {self._here.keys[who]}",
                    "Idempotency-Key": f"begin-{next(self._once)}",
                }
                answer = http.request(method, f"/v1{path}", json=body, headers=headers)
                if answer.is_success:
                    self._known.learn(who, session, answer.text)

            for danger in _DANGERS:
                ask("app", "", "POST", "/sessions", self._bodies["POST /v1/sessions"])
                session = self._known.ids["ses"][-1]
                say = {"text": f"Work was long again. [{danger}]"}
                ask("app", session, "POST", f"/sessions/{session}/messages", say)
                ask("ada", session, "POST", f"/sessions/{session}/claim", {})
            time.sleep(_DRAFTED_S)
            prepared = tuple(self._here.prepared)
            for session in prepared:
                ask("ada", session, "POST", f"/sessions/{session}/claim", {})
            for session in (*self._known.ids["ses"][-len(_DANGERS) :], *prepared):
                ask("ada", session, "GET", f"/sessions/{session}/workspace")
                self._known.ids["ses"].append(session)
            ask("ada", "", "GET", "/alerts")

    def _some(self, operation: Any, call: str, turn: int) -> None:
        @seed(self._number * 1_000 + turn)
        @settings(
            max_examples=_AT_A_TIME, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def throw(case: Any) -> None:
            self._throw(case, call)

        throw()

    def _throw(self, case: Any, call: str) -> None:
        door = self._doors.get(call)
        roles = sorted(door.roles) if door and door.roles else sorted(PEOPLE)
        role = self._dice.choice(roles if self._dice.random() < 0.95 else sorted(PEOPLE))
        who = _HARNESS if call in _HARNESS_DOORS else PEOPLE[role]
        session = self._place(case, call)
        if role in _REVIEWERS and session in self._known.claims and self._dice.random() < _KNOWN:
            who, claim = self._known.claims[session]
            case.headers = {**(case.headers or {}), "X-Claim": claim}
        headers = {"Authorization": f"Bearer {self._here.keys[who]}"}
        answer = case.call(base_url=self._here.address, headers=headers, timeout=60)
        self.report.calls[call] += 1
        self.report.statuses[answer.status_code] += 1
        if answer.status_code < 300:
            self.report.good[call] += 1
            self._known.learn(who, session, answer.text)
        try:
            case.validate_response(answer, checks=_CHECKS)
        except FailureGroup as group:
            for one in group.exceptions:
                self.report.wrong[f"{call} {answer.status_code} {type(one).__name__}"] += 1
        except Failure as one:
            self.report.wrong[f"{call} {answer.status_code} {type(one).__name__}"] += 1

    def _place(self, case: Any, call: str) -> str:
        """Put what is known into a case; gives the session it is about, if any."""
        session = ""
        for name in list(case.path_parameters or {}):
            held = self._known.ids[_KIND.get(name, "")]
            if held and self._dice.random() < _SELDOM.get(call, _KNOWN):
                # What two calls in a row are about is more often the same than not.
                chosen = self._dice.choice(held[-_NEAR:])
                case.path_parameters[name] = chosen
                session = "ses_" + chosen.rpartition(".")[2].removeprefix("ses_")
        if self._dice.random() < _KNOWN:
            told = {"Idempotency-Key": f"fuzz-{next(self._once)}"}
            case.headers = {**(case.headers or {}), **told}
        if case.query and "session_id" in case.query and self._known.ids["ses"]:
            case.query["session_id"] = self._dice.choice(self._known.ids["ses"])
        if call in self._bodies and self._dice.random() < _PLAIN:
            case.body = dict(self._bodies[call])
        if call == "POST /v1/sessions/{session_id}/messages" and isinstance(case.body, dict):
            case.body["text"] = f"{case.body.get('text', '')} [{self._dice.choice(_DANGERS)}]"
        basis = isinstance(case.body, dict) and "basis" in case.body
        if basis and session in self._known.seqs and self._dice.random() < _KNOWN:
            case.body["basis"] = self._known.seqs[session]
        return session


_KIND = {
    "session_id": "ses", "draft_id": "drf", "plan_id": "pln", "alert_id": "alr",
    "decision_id": "dec", "rollout_id": "rol",
}  # fmt: skip


def fuzz(seconds: float, number: int) -> Report:
    """Throw for so many seconds; the same seed throws the same first calls."""
    with living() as here:
        return Fuzz(here, number).run(time.monotonic() + seconds)


def main() -> int:
    """Run once and print; 1 when anything was answered as it should not have been."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    report = fuzz(asked.seconds, asked.seed)
    print(report.table())
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
