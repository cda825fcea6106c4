"""An organisation's identity provider, as small as OpenID Connect allows: one person, always there.

``python -m tests.console.identity PORT AUDIENCE``; whom it signs in is in the file named by the
environment variable ``IDENTITY_CLAIMS``, read anew each time.
"""

import json
import os
import secrets
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

KEY = rsa.generate_private_key(65537, 2048)


def provider(address: str, audience: str, claims: Path) -> Starlette:
    """The four endpoints that a sign-in with an authorisation code needs."""
    nonces: dict[str, str | None] = {}

    async def configuration(_: Request) -> Response:
        return JSONResponse(
            {
                "issuer": address,
                "authorization_endpoint": f"{address}/authorize",
                "token_endpoint": f"{address}/token",
                "jwks_uri": f"{address}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def authorize(request: Request) -> Response:
        code, asked = secrets.token_hex(8), request.query_params
        nonces[code] = asked.get("nonce")
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}")

    async def token(request: Request) -> Response:
        code = str((await request.form())["code"])
        now = int(time.time())
        body = {"iss": address, "aud": audience, "iat": now, "exp": now + 300, **person(claims)}
        body["nonce"] = nonces.pop(code)
        signed = jwt.encode(body, KEY, "RS256", headers={"kid": "one"})
        answer = {"access_token": "unused", "token_type": "Bearer", "id_token": signed}
        return JSONResponse({**answer, "expires_in": 300})

    async def keys(_: Request) -> Response:
        found = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return JSONResponse({"keys": [found | {"kid": "one", "alg": "RS256", "use": "sig"}]})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", configuration),
            Route("/authorize", authorize),
            Route("/token", token, methods=["POST"]),
            Route("/keys", keys),
        ]
    )


def person(claims: Path) -> dict[str, str]:
    """Who signs in now."""
    return dict(json.loads(claims.read_text("utf-8")))


if __name__ == "__main__":
    number, audience = int(sys.argv[1]), sys.argv[2]
    made = provider(f"http://127.0.0.1:{number}", audience, Path(os.environ["IDENTITY_CLAIMS"]))
    uvicorn.run(made, port=number, log_level="warning")
