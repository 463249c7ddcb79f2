"""All settings: read from the environment, checked, frozen.

A setting is named ``AISLEFLOW_<FIELD>``. An ``AISLEFLOW_`` name that is not listed here is refused,
so that a typing error is not silently ignored. Secrets are not settings: they are Airflow connections.
``.env.example`` lists each setting with its users; a test compares both.
"""

from __future__ import annotations

import json
import os
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from include import clock
from include.errors import ConfigurationError
from include.model.timetable import Timetable
from include.retailer_names import RETAILERS

PREFIX = "AISLEFLOW_"

#: File with the address of an installation's sandbox (``include/embedded/sandbox.py`` writes it).
SANDBOX_FILE = "sandbox.json"


class FixedSettings(BaseSettings):
    """The settings that do not depend on the retailers."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: Path = Field(default_factory=clock.home, description="Folder of all state of the embedded installation.")
    now: str | None = Field(None, description="Stops the clock at this ISO 8601 instant (include/clock.py).")
    warehouse_url: str | None = Field(None, description="libpq URL of the warehouse; without it the embedded PostgreSQL is used.")
    storage_root: str | None = Field(None, description="fsspec URL under which staged files live; without it <home>/storage.")
    api_port: int = Field(
        8080, ge=1024, le=65_000, description="First port tried for Airflow's UI and API; if it is in use, the next free one is used."
    )

    current_hours: int = Field(72, gt=0, description="A price observed less than this many hours ago is current.")
    statement_timeout_seconds: int = Field(600, gt=0, description="PostgreSQL statement timeout; shorter than every task timeout.")
    slow_statement_seconds: float = Field(
        60,
        ge=0,
        description="A statement that runs longer is reported in the log while it runs: the lock it waits for, or its plan; 0 = never.",
    )
    line_bytes_max: int = Field(1_000_000, gt=0, description="A longer line of a staged file is refused, not read into memory.")
    sweep_after_minutes: int = Field(10, ge=0, description="A file that waits in the outbox longer than this is swept up.")
    alert_repeat_hours: float = Field(
        12, ge=0, description="A task that fails again for the same cause is alerted once in this many hours."
    )
    alert_end_minutes: float = Field(
        60,
        ge=0,
        description="The end of a failure is reported when it has lasted this long; a cause that comes back earlier raises nothing.",
    )
    error_search_seconds: int = Field(
        60,
        gt=0,
        description="After a database error, limit of the search for the rejected lines, per step; the report states if the search was stopped.",
    )
    archive_days: int = Field(14, gt=0, description="Published staged files are kept in the archive for this many days.")
    quarantine_days: int = Field(90, gt=0, description="Decided refused lines are kept for this many days; undecided ones are always kept.")
    decision_hours: float = Field(
        72, gt=0, description="The Airflow UI waits this long for a decision about held data; without one, it stays held."
    )
    ingest_workers: int = Field(
        0, ge=0, le=6, description="Store-days loaded or published in parallel; 0 = the cores this process may use, at most 4."
    )
    change_log: bool = Field(False, description="Append every changed price to core.price_change; off = the newest price only.")

    allow_live: bool = Field(
        False, description="Allow requests to hosts other than this machine; without it only the sandbox can be crawled."
    )
    user_agent: str = Field(
        "Aisleflow/0.1 (shelf price research; set AISLEFLOW_USER_AGENT to identify yourself)",
        min_length=5,
        description="Identifies the project and its operator to the sites.",
    )
    crawl_delay_seconds: float = Field(1.0, ge=0, description="Minimum pause between two requests to a live site.")
    crawl_jitter_seconds: float = Field(0.5, ge=0, description="Maximum random addition to the pause.")
    connect_timeout_seconds: float = Field(10, gt=0, description="Timeout of connecting to a site.")
    read_timeout_seconds: float = Field(30, gt=0, description="Timeout while a site sends nothing.")
    response_seconds_max: float = Field(120, gt=0, description="Timeout of a complete response.")
    response_bytes_max: int = Field(20_000_000, gt=0, description="A larger response is aborted, not read into memory.")
    request_attempts: int = Field(5, ge=1, description="Attempts of a request that gets a timeout, 429 or 5xx.")
    backoff_seconds_max: float = Field(60, ge=0, description="Maximum random pause before a request is retried; the pauses double.")
    retry_after_seconds_max: float = Field(
        300, ge=0, description="If a site requests a longer pause (Retry-After), this attempt of the store ends."
    )
    max_failed_requests_in_a_row: int = Field(
        3, ge=1, description="The crawl of a store stops after this many consecutive requests that failed after all retries."
    )
    missing_total_share: float = Field(
        0.005,
        ge=0,
        lt=1,
        description="A category read twice may still lack this share of its announced products, because lists change while they are read.",
    )
    nightly_requests: int = Field(
        20_000, gt=0, description="Request budget of a retailer's night; stores beyond it are deferred to the next night."
    )
    look_up_requests: int = Field(
        500,
        ge=0,
        description="Request budget of a retailer's nightly barcode look-ups; Coles answers 20 SKUs a request. 0 = look-ups are off.",
    )
    look_up_claim_minutes: float = Field(
        30, gt=0, description="SKUs claimed by a look-up worker for longer than this return to the queue: the worker was killed."
    )
    requests_per_store: int = Field(120, gt=0, description="Expected requests per store before the first crawl of its retailer.")
    crawl_until: str = Field(
        "06:30",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="Melbourne time of the night after which no further store is started; bargains and the watch follow it (docs/operating.md).",
    )
    new_store_share: float = Field(
        0.10, ge=0, le=1, description="Share of a night's stores reserved for stores never crawled, even if due ones would fill the night."
    )
    discovery_share: float = Field(
        0.90,
        ge=0,
        le=1,
        description="A store finder that returns less than this share of the known open supermarkets is not used to detect closed stores.",
    )
    store_absences_max: int = Field(3, ge=1, description="A store missing in this many consecutive discoveries is treated as closed.")
    landing_resume_hours: float = Field(
        6, gt=0, description="A retry resumes from landed pages if the store-day began less than this many hours ago."
    )
    landing_days: int = Field(30, gt=0, description="Landed pages are kept for this many days, to be read again after a parser fix.")
    local_delay_seconds: float = Field(
        0, ge=0, description="Minimum pause between two requests to a site on this machine, such as the sandbox."
    )
    robots: Literal["live", "always", "never"] = Field(
        "live", description="Sites whose robots.txt is obeyed: live ones, all (the sandbox included), or none."
    )
    requests_in_flight: int = Field(
        4, ge=1, le=64, description="Maximum requests in flight per retailer, over all workers of the installation."
    )
    connections_per_store: int = Field(1, ge=1, le=16, description="Maximum requests in flight of one store's crawl.")
    store_requests_max: int = Field(
        5_000, gt=0, description="Maximum requests of one store's crawl, retries and redirects included; then it ends and keeps its pages."
    )
    retry_budget: int = Field(40, ge=0, description="Maximum retries of a store's crawl in total, after which it stops.")
    breaker_stores: int = Field(
        3,
        ge=1,
        description="After this many consecutive stores whose site was unavailable or refused, no further store of the run is requested.",
    )
    breaker_open_seconds: float = Field(60, ge=0, description="Pause after a site was unavailable, before one store probes it.")
    bot_wall_response_hours: float = Field(
        2,
        gt=0,
        description="A run that met a bot wall waits this long for a decision; without one, its blocked stores wait for another night.",
    )

    complete_rows_share: float = Field(
        0.90, gt=0, le=1, description="A file without a manifest is complete if it has at least this share of the baseline's SKUs."
    )
    baseline_days: int = Field(14, gt=0, description="Window of the retailer's median when a store has no complete store-day yet.")
    hold_row_count_share: float = Field(
        0.70, gt=0, le=1, description="A complete store-day with fewer SKUs than this share of its last ones is held."
    )
    hold_quarantined_share: float = Field(0.05, gt=0, le=1, description="A store-day with a larger share of refused lines is held.")
    hold_category_share: float = Field(
        0.05, gt=0, le=1, description="A category of at least this share of the last store-day that vanishes holds the store-day."
    )
    hold_category_left_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="A category has vanished when less than this share of its last lines is left; products are listed in several categories.",
    )
    hold_scale_share: float = Field(
        0.10,
        gt=0,
        le=1,
        description="A store-day in which a larger share of prices is too far from the known ones is held; real days have none.",
    )
    refuse_price_factor: float = Field(
        4.0,
        gt=1,
        description="A line whose price is more than this many times the known one, or less than that part of it, is refused.",
    )
    hold_store_changed_within_week_share: float = Field(
        0.01,
        gt=0,
        le=1,
        description="A store-day in which a larger share of prices changed inside one price week is held; real days have 0.002.",
    )
    hold_store_changed_across_weeks_share: float = Field(
        0.60,
        gt=0,
        le=1,
        description="A store-day in which a larger share of prices changed across a Wednesday is held; real ones have about a third.",
    )
    hold_store_changed_in_week_share: float = Field(
        0.03,
        gt=0,
        description="A store-day after which a clearly larger share of prices has changed since the price week's first night is held.",
    )
    hold_price_level: float = Field(
        0.03, gt=0, description="A store-day dearer or cheaper than the known prices by more than this, and three standard errors, is held."
    )
    hold_sister_price_level: float = Field(
        0.25,
        gt=0,
        description="A store-day whose new SKUs are dearer or cheaper than in the retailer's other stores by more than this is held.",
    )
    hold_store_drift: float = Field(
        0.10, gt=0, description="A store-day that completes a larger shift of the store's prices within 28 days is held."
    )
    hold_category_drift: float = Field(
        0.35, gt=0, description="A store-day that completes a larger shift of a category's prices within 28 days is held."
    )
    hold_renumbered_share: float = Field(
        0.10,
        gt=0,
        le=1,
        description="A complete store-day with a larger share of SKUs new in the store and of SKUs gone is held; ordinary nights have 0.02.",
    )
    hold_fill_drop_share: float = Field(
        0.10,
        gt=0,
        le=1,
        description="A complete store-day is held if the share of lines with a field is lower than usual by more than this.",
    )
    hold_unavailable_share: float = Field(
        0.50, gt=0, le=1, description="A store's first store-day with a larger share of offers without a price is held."
    )
    hold_unavailable_rise_share: float = Field(
        0.20, gt=0, le=1, description="A store-day whose share of offers without a price exceeds its store's usual one by more is held."
    )
    hold_damaged_share: float = Field(
        0.005, gt=0, le=1, description="A store-day with this share of damaged names and brands beyond its store's usual one is held."
    )
    hold_span_hours: float = Field(48, gt=0, description="A store-day whose lines were observed further apart is held.")
    hold_changed_within_week_share: float = Field(
        0.01,
        gt=0,
        le=1,
        description="A batch in which a larger share of prices changed inside one price week is held; real days have 0.002.",
    )
    hold_changed_across_weeks_share: float = Field(
        0.50,
        gt=0,
        le=1,
        description="A batch in which a larger share of prices changed across a Wednesday is held; real ones have about a third.",
    )
    hold_changed_prices_min: int = Field(300, gt=0, description="Minimum number of compared prices for the rules about changed prices.")
    hold_line_share: float = Field(
        0.30, gt=0, le=1, description="A batch with a smaller share of the SKUs these stores usually have is held, complete or not."
    )
    hold_stores_held_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="A batch of which a larger share of store-days, at least two, is held by store-level rules is held completely.",
    )

    group_equal_share: float = Field(
        0.995,
        gt=0.9,
        le=1,
        description="Two stores match if at least this share of their common products costs exactly the same (docs/grouping.md).",
    )
    group_common_min: int = Field(200, gt=0, description="Minimum number of common products of two stores that match.")
    group_list_share: float = Field(
        0.5, gt=0, le=1, description="Two stores match if their common products are at least this share of the larger list."
    )
    group_cooldown_days: float = Field(7, gt=0, description="Two stores that did not match are compared again after so many days.")
    verification_nights: int = Field(
        14, ge=1, description="Each member of a store group is crawled at least once in so many nights, to verify its inferred prices."
    )
    bargain_saving_min: float = Field(
        0.2, gt=0, lt=1, description="Minimum saving of a bargain, as a share of the highest price (docs/bargains.md)."
    )
    bargain_saving_max: float = Field(
        0.75, gt=0, lt=1, description="A saving above this share of the highest price is rather a wrong price: no bargain, but counted."
    )

    @property
    def storage(self) -> str:
        """The fsspec URL under which all stages live, without a trailing slash."""
        return (self.storage_root or f"file://{self.home / 'storage'}").rstrip("/")

    @property
    def timetable(self) -> Timetable:
        """The times of a night."""
        return Timetable(time.fromisoformat(self.crawl_until))

    @field_validator("crawl_until")
    @classmethod
    def _check_timetable(cls, until: str) -> str:
        Timetable(time.fromisoformat(until))
        return until

    def site_url(self, retailer: str) -> str | None:
        """The base URL set for a retailer's site; ``None`` means the live one."""
        url: str | None = getattr(self, f"{retailer}_url", None)
        return url

    def group_rule(self, name: Literal["equal_share", "common_min", "list_share"], retailer: str) -> float:
        """A limit of matching stores: the retailer's own, else the common one."""
        own: float | None = getattr(self, f"{retailer}_group_{name}", None)
        common: float = getattr(self, f"group_{name}")
        return common if own is None else own


#: Settings of each retailer, so that a new adapter needs no line here.
_OF_RETAILERS: dict[str, Any] = {
    f"{slug}_url": (
        str | None,
        Field(None, description=f"Base URL of {known.title}; without it the live site's (include/retailers/{slug}.py)."),
    )
    for slug, known in RETAILERS.items()
} | {
    f"{slug}_group_{name}": (
        kind | None,
        Field(
            None,
            gt=0,
            le=limit,
            description=f"AISLEFLOW_GROUP_{name.upper()} for the stores of {known.title}; without it the common value.",
        ),
    )
    for slug, known in RETAILERS.items()
    for name, kind, limit in (("equal_share", float, 1), ("common_min", int, None), ("list_share", float, 1))
}

if TYPE_CHECKING:
    Settings = FixedSettings
else:
    Settings = create_model(
        "Settings", __base__=FixedSettings, __doc__="All settings of one process; see :func:`settings`.", **_OF_RETAILERS
    )


def settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigurationError: an unknown ``AISLEFLOW_`` name, or a value of the wrong type or range.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise ConfigurationError(f"unknown setting {', '.join(unknown)}. Known: {', '.join(sorted(known))}. See .env.example.")
    try:
        return Settings(**(_empty_means_default() | _sandbox_sites()))
    except ValidationError as error:
        faults = "; ".join(f"{PREFIX}{str(e['loc'][0]).upper()}={e.get('input')!r}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{faults}. See .env.example.") from error


def _sandbox_sites() -> dict[str, str]:
    """While an installation has a sandbox, its retailers are the sandbox's; a site set in the environment stays."""
    try:
        url = json.loads((clock.home() / SANDBOX_FILE).read_text())["url"]
    except FileNotFoundError:
        return {}
    return {f"{site}_url": f"{url}/{site}" for site in RETAILERS if not os.environ.get(f"{PREFIX}{site.upper()}_URL")}


def _empty_means_default() -> dict[str, Any]:
    """An empty variable (usual in compose files) means the default; pydantic would read it as a value."""
    fields = Settings.model_fields.items()
    return {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in fields
        if os.environ.get(PREFIX + name.upper()) == ""
    }
