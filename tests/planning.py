"""A session's way to its plan in tests, and what a reviewer does with the plan there."""

from tests.driving import Answer, Json, Town


async def to_a_plan(here: Town, session: str, who: str = "ada") -> None:
    """Approve what is drafted, and let the client answer, until a plan is proposed."""
    for _ in range(10):
        if (await here.desk(who, session))["plan"]["proposed"]:
            return
        assert (await here.decide(who, session, "approve")).status_code == 201
        await here.say(session, "It is mostly at work.")
        await here.work()
    raise AssertionError("no plan was proposed")


async def through_diagnosis(here: Town) -> str:
    """Walk a session to the last diagnostic action."""
    session = await here.drafted()
    await to_a_plan(here, session)
    return session


async def decide_plan(here: Town, session: str, verdict: str, **more: Json) -> Answer:
    """Decide on the proposed plan and give the answer."""
    desk = await here.desk("ada", session)
    body = {"verdict": verdict, "basis": desk["seq"], **more}
    path = f"/v1/plans/{desk['plan']['proposed']['plan_id']}/decisions"
    return await here.write("ada", session, "POST", path, body)


async def ask_plan(here: Town, session: str) -> Json:
    """Ask the planner for a new plan and give the plan desk."""
    body = {"basis": await here.length(session)}
    answer = await here.write("ada", session, "POST", f"/v1/sessions/{session}/plans", body)
    assert answer.status_code == 201
    return answer.json()


async def correct(
    here: Town, session: str, basis: int | None = None, who: str = "ada", **parts: Json
) -> Answer:
    """Correct parts of the formulation, as read at a place in the log: its end unless told."""
    body = {"basis": await here.length(session) if basis is None else basis, **parts}
    return await here.write(who, session, "PATCH", f"/v1/sessions/{session}/formulation", body)
