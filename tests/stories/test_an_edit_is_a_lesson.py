"""What a therapist made of a draft, and what was drafted, can be learnt from as it is exported."""

import json
from pathlib import Path

from models.train.data_card import preferences
from models.train.pairs import read_sessions
from planner import machine
from tests.driving import Json, Town
from tests.planning import decide_plan, to_a_plan

BETTER = "What was heavy about it?"


async def edit(here: Town, session: str, **more: Json) -> None:
    """Write the draft anew, and let the client answer."""
    done = await here.decide("ada", session, "edit", text=BETTER, reasons=["clarity"], **more)
    assert done.status_code == 201
    await here.say(session, "It was work.")
    await here.work()


async def exported(here: Town, session: str) -> dict[str, Json]:
    """Give the session in the corpus's form, with its preference rows."""
    whole = (await here.call("sue", "GET", f"/v1/sessions/{session}/export")).json()
    rows = (await here.call("sue", "GET", "/v1/preferences/export")).text.splitlines()
    return {**whole, "preferences": [json.loads(row) for row in rows]}


async def test_a_sessions_export_with_its_preference_rows_is_a_session_to_train_on(
    here: Town, tmp_path: Path
) -> None:
    stays, goes_on = machine.start().plan.actions[:2]
    session = await here.drafted(profile={"research_consent": True})
    await edit(here, session)
    await edit(here, session, action=stays)
    await to_a_plan(here, session)
    assert (await decide_plan(here, session, "approve")).status_code == 201
    kept, moved = (told := await exported(here, session))["preferences"]
    assert (moved["chosen"]["action"], moved["rejected"]["action"]) == (stays, goes_on)
    assert not moved["chosen"]["action_reasoning"], "the draft's reason was for its own step"
    path = tmp_path / "sessions.jsonl"
    path.write_text(json.dumps(told), "utf-8")
    (pair,) = preferences(*read_sessions(path))
    assert (json.loads(pair.chosen), json.loads(pair.rejected)) == (
        kept["chosen"], kept["rejected"],
    )  # fmt: skip
    assert kept["chosen"]["utterance"] == BETTER != kept["rejected"]["utterance"]
