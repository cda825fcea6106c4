"""Every knob of the service, with its unit and its reason. Read once, by `main`.

Environment variables with the prefix ``SECONDCHAIR_``. Secrets also come by file: the variable
with ``_FILE`` appended names it; an empty one is no secret. Production refuses to start without its
own secrets, without a way to reach a person, and with a store that forgets.
"""

import base64
import ssl
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_OWN = ("engine_key", "pager_secret", "metrics_token")
_SHORTEST = 16
"""Characters of a secret; what `deploy/secrets/make.sh` makes has 64."""


class Settings(BaseSettings):
    """What an operator may choose."""

    model_config = SettingsConfigDict(
        env_prefix="SECONDCHAIR_", frozen=True, extra="ignore", use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )  # fmt: skip

    environment: Literal["development", "production"] = "development"
    """Production refuses missing, short and constant secrets; development makes a master key."""
    store: str = "sqlite:///var/secondchair.db"
    """``sqlite:///path``, ``redis://host:port/0``, or ``memory://`` (development only)."""
    store_file: Path | None = None
    """A file that holds the store's address, for one with a password in it."""
    master_key: SecretStr | None = None
    """Base64 of 32 bytes each, separated by commas; the first wraps sessions' keys, all open."""
    master_key_file: Path | None = None
    engine_url: str = "http://127.0.0.1:8402"
    """Where vLLM answers; one engine."""
    engine_key: SecretStr | None = None
    """Bearer of the engine; nobody but this service should have it."""
    engine_key_file: Path | None = None
    engine_model: str = "smollm2-135m"
    """The base model's served name; answers for a role that no adapter serves yet."""
    engine_timeout_s: float = Field(default=180.0, gt=0)
    """Longest wait for one answer. A CPU needs minutes under load, a GPU seconds."""
    adapters_folder: Path = Path("models/adapters")
    """Adapters that may be rolled out, one folder each."""
    adapters_auto: bool = True
    """Bring a role's newest fitting adapter into service where none serves or was sent back."""
    base_folder: Path = Path("var/base")
    """Where `models.base_model` records the hash of the base it prepared."""
    engine_base_sha256: str | None = None
    """Hash of the base's weights; adapters trained on another base are refused."""
    drafting: bool = True
    """False pauses the model everywhere; screening, paging and human replies go on."""
    candidates: int = Field(default=1, ge=1, le=10)
    """Drafts offered to choose from; each costs engine time. Paper: PSY-STEP §4 uses 10."""
    engine_judges: bool = False
    """Asks the base, too, whether a client is in danger; that can only raise. For one of 8B up."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """How freely a model words its answer; 0 takes the likeliest token, also at a second try."""
    turns: int = Field(default=8, ge=1, le=256)
    """Turns a worker runs at once; the engine's batch size is a good value."""
    hold_ms: int = Field(default=5_000, ge=0, le=120_000)
    """How long a decided reply can be undone before it leaves."""
    claim_s: int = Field(default=90, ge=30, le=3_600)
    """How long a claim lasts without a sign of life; its console gives one every 15 s."""
    safety_timeout_s: float = Field(default=2.0, gt=0)
    """Longest wait for screen or scrub before the worst case is assumed."""
    rate_per_s: float = Field(default=200.0, gt=0)
    """Requests a second each API key, or each person signed in, may make of one process."""
    pager_webhook_url: str | None = None
    """Receives pages as signed JSON without words. Production needs this or e-mail."""
    pager_secret: SecretStr | None = None
    """Signs pages, so that the receiver knows whose they are."""
    pager_secret_file: Path | None = None
    pager_smtp: str | None = None
    """``smtps://name@host?from=...&to=...``; pages also go out by e-mail. See `SmtpPager`."""
    pager_smtp_password: SecretStr | None = None
    """For the name in that address; only ever sent over an encrypted line."""
    pager_smtp_password_file: Path | None = None
    authorities_file: Path | None = None
    """Certificates (PEM) of your own authorities, trusted beside the public ones by what pages and
    by what reads the issuer's keys."""
    proxy: SecretStr | None = None
    """``http://host:port`` through which pages and the issuer's keys go, where theirs is https."""
    proxy_file: Path | None = None
    crisis_notice_en: str | None = None
    """The organisation's own fixed words to a client in crisis; off unless set (P1)."""
    crisis_notice_zh: str | None = None
    """The same for sessions in Chinese."""
    oidc_issuer: str | None = None
    """Accept this issuer's tokens beside API keys; needs audience and JWKS address."""
    oidc_audience: str | None = None
    """What the tokens' `aud` must hold: this service, as the issuer calls it."""
    oidc_jwks_url: str | None = None
    """Where the issuer publishes its signing keys."""
    oidc_name_claim: str = Field(default="sub", min_length=1)
    """Claim by which colleagues, log and audit name a person; unique, and not theirs to choose."""
    metrics_token: SecretStr | None = None
    """Bearer of /metrics; None leaves its protection to the network policy."""
    metrics_token_file: Path | None = None
    metrics_host: str = "127.0.0.1"
    """Where a worker listens for scrapes; the API answers them on its own port."""
    metrics_port: int = Field(default=8403, ge=0, le=65_535)
    """0 takes any free port."""
    traces_url: str | None = None
    """Sends traces, which carry no words, to this OTLP collector, as in ``http://host:4318``."""
    traces_share: float = Field(default=1.0, ge=0, le=1)
    """Share of the traces that is sent."""
    harness: bool = False
    """Opens the harness doors for simulated sessions; never with real clients."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """``info`` has a line for each request but successful reads, which ``debug`` adds."""

    @model_validator(mode="before")
    @classmethod
    def _store_from_file(cls, given: dict[str, object]) -> dict[str, object]:
        """Read the store's address from its file; the file wins over the variable."""
        file = given.get("store_file")
        if not file:
            return given
        return {**given, "store": Path(str(file)).read_text(encoding="utf-8").strip()}

    @field_validator("store")
    @classmethod
    def _known_store(cls, store: str) -> str:
        if store.partition("://")[0] not in {"sqlite", "redis", "rediss", "sentinel", "memory"}:
            raise ValueError("must begin with sqlite:///, redis://, sentinel:// or memory://")
        return store

    @field_validator("authorities_file", mode="before")
    @classmethod
    def _holds_certificates(cls, file: object) -> object:
        if not file:
            return None
        try:
            ssl.create_default_context(cafile=str(file))
        except OSError as error:
            raise ValueError("is no readable file of certificates in PEM") from error
        return file

    @model_validator(mode="after")
    def _signs_in_or_not(self) -> "Settings":
        asked = (self.oidc_issuer, self.oidc_audience, self.oidc_jwks_url)
        if any(asked) and not all(asked):
            raise ValueError("sign-in needs all of oidc_issuer, oidc_audience and oidc_jwks_url")
        return self

    @model_validator(mode="after")
    def _safe_in_production(self) -> "Settings":
        if self.environment == "development":
            return self
        given = {name: self.secret(name) for name in ("master_key", *_OWN)}
        missing = [name for name, value in given.items() if value is None]
        if missing:
            raise ValueError(f"production needs its own {', '.join(missing)}")
        weak = [name for name in _OWN if len(given[name] or "") < _SHORTEST]
        if weak:
            raise ValueError(f"production needs {_SHORTEST} characters or more: {', '.join(weak)}")
        if any(_is_made_up(one) for one in (given["master_key"] or "").split(",")):
            raise ValueError("production needs a random master_key: openssl rand -base64 32")
        if not (self.pager_webhook_url or self.pager_smtp):
            raise ValueError(
                "production needs somebody to page: pager_webhook_url, pager_smtp or both"
            )
        if self.store.startswith("memory"):
            raise ValueError("production needs a store that outlives its process")
        return self

    def secret(self, name: str) -> str | None:
        """Give a secret from its variable, else from its file; None when both are empty."""
        value: SecretStr | None = getattr(self, name)
        file: Path | None = getattr(self, f"{name}_file", None)
        if value is not None and (said := value.get_secret_value().strip()):
            return said
        return (file.read_text(encoding="utf-8").strip() or None) if file is not None else None


def _is_made_up(key: str) -> bool:
    """Whether a master key is one byte again and again, or no key at all."""
    try:
        return len(set(base64.b64decode(key))) <= 1
    except ValueError:
        return True
