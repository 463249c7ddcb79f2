"""Every setting, once: read from the environment, checked, frozen.

A setting is named ``AISLEFLOW_<FIELD>``. An ``AISLEFLOW_`` name that is not listed here is refused,
so that a typing error cannot pass for a default. Secrets are no settings: they are Airflow connections.
``.env.example`` lists each of these with who uses it; a test keeps both equal.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from include import clock
from include.errors import ConfigurationError
from include.retailer_names import RETAILERS

PREFIX = "AISLEFLOW_"

#: Where an installation remembers its sandbox (``include/embedded/sandbox.py`` writes it).
SANDBOX_FILE = "sandbox.json"


class FixedSettings(BaseSettings):
    """The settings that are the same whatever retailers there are."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: Path = Field(default_factory=clock.home, description="Folder of all state of the embedded installation.")
    now: str | None = Field(None, description="Stops the clock at this ISO 8601 instant (include/clock.py).")
    warehouse_url: str | None = Field(None, description="libpq URL of the warehouse; without it the embedded PostgreSQL is used.")
    storage_root: str | None = Field(None, description="fsspec URL under which staged files live; without it <home>/storage.")
    api_port: int = Field(
        8080, ge=1024, le=65_000, description="First port tried for Airflow's UI and API; when taken, the next free one is used."
    )

    current_hours: int = Field(72, gt=0, description="A price observed less than this many hours ago is current.")
    statement_timeout_seconds: int = Field(600, gt=0, description="PostgreSQL statement timeout; shorter than every task timeout.")
    slow_statement_seconds: float = Field(
        60,
        ge=0,
        description="A statement that runs longer is reported in the log while it runs: what it waits for, or its plan; 0 = never.",
    )
    line_bytes_max: int = Field(1_000_000, gt=0, description="A longer line of a staged file is refused, not read into memory.")
    sweep_after_minutes: int = Field(10, ge=0, description="A file that waits in the outbox longer than this is swept up.")
    alert_repeat_hours: float = Field(
        12, ge=0, description="A task that fails again with the same message is told about once in so many hours."
    )
    error_search_seconds: int = Field(
        60,
        gt=0,
        description="After a database error, the lines at fault are looked for so long per step; then the search stops and says so.",
    )
    archive_days: int = Field(14, gt=0, description="Published staged files are kept in the archive for so many days.")
    quarantine_days: int = Field(
        90, gt=0, description="Refused lines somebody has decided about are kept for so many days; undecided ones are kept."
    )
    decision_hours: float = Field(
        72, gt=0, description="The Airflow UI waits so long for a person's answer about held data; unanswered, it stays held."
    )
    ingest_workers: int = Field(
        0, ge=0, le=6, description="Store-days loaded or published at once; 0 = the cores this process may use, at most 4."
    )
    change_log: bool = Field(False, description="Append every changed price to core.price_change; off = the newest price only.")

    allow_live: bool = Field(
        False, description="Allow requests to hosts other than this machine; without it only the sandbox can be crawled."
    )
    user_agent: str = Field(
        "Aisleflow/0.1 (shelf price research; set AISLEFLOW_USER_AGENT to say who you are)",
        min_length=5,
        description="Names the project, and who runs it, to the sites.",
    )
    crawl_delay_seconds: float = Field(1.0, ge=0, description="Least pause between two requests to a live site.")
    crawl_jitter_seconds: float = Field(0.5, ge=0, description="Up to so much is added to the pause, at random.")
    connect_timeout_seconds: float = Field(
        10, gt=0, description="A site that does not take the connection in this time counts as not answering."
    )
    read_timeout_seconds: float = Field(30, gt=0, description="A site that sends nothing for so long counts as not answering.")
    response_seconds_max: float = Field(120, gt=0, description="An answer that trickles in for longer than this is given up.")
    response_bytes_max: int = Field(20_000_000, gt=0, description="A larger answer is given up, not read into memory.")
    request_attempts: int = Field(5, ge=1, description="A request that meets a timeout, 429 or 5xx is made at most so many times.")
    backoff_seconds_max: float = Field(60, ge=0, description="Longest random pause before a request is made again; the pauses double.")
    retry_after_seconds_max: float = Field(
        300, ge=0, description="A site that asks to wait longer than this (Retry-After) is left alone for this attempt."
    )
    max_failed_requests_in_a_row: int = Field(
        3, ge=1, description="After so many requests in a row that failed for good, the store is left alone."
    )
    missing_total_share: float = Field(
        0.005,
        ge=0,
        lt=1,
        description="A category read twice may still lack this share of the goods it announces: lists move while they are read.",
    )
    nightly_requests: int = Field(
        20_000, gt=0, description="Requests a retailer's night may take; what does not fit is deferred to the next night."
    )
    requests_per_store: int = Field(120, gt=0, description="Requests a store is expected to take before its retailer was first crawled.")
    crawl_until: str = Field(
        "06:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Melbourne time of the night after which no further store is begun."
    )
    new_store_share: float = Field(
        0.10, ge=0, le=1, description="Share of a night's stores kept for stores never crawled, even when due ones would fill the night."
    )
    discovery_share: float = Field(
        0.90,
        ge=0,
        le=1,
        description="A store finder that returns less than this share of the open supermarkets known is not believed about absences.",
    )
    store_absences_max: int = Field(3, ge=1, description="A store that so many discoveries in a row did not find is taken for closed.")
    landing_resume_hours: float = Field(
        6, gt=0, description="A retry goes on from landed pages while the store-day began less than so many hours ago."
    )
    landing_days: int = Field(30, gt=0, description="Landed pages are kept for so many days, to be read again after a parser was mended.")
    local_delay_seconds: float = Field(
        0, ge=0, description="Least pause between two requests to a site on this machine: the sandbox is ours."
    )
    robots: Literal["live", "always", "never"] = Field(
        "live", description="Whose robots.txt is obeyed: that of live sites, of every site (the sandbox's too), or none."
    )
    requests_in_flight: int = Field(
        4, ge=1, le=64, description="Requests a retailer may have under way at once, over all workers of the installation."
    )
    connections_per_store: int = Field(1, ge=1, le=16, description="Requests one store's crawl may have under way at once.")
    retry_budget: int = Field(
        40, ge=0, description="Requests a store's crawl may make a second time in all, before the store is left alone."
    )
    breaker_stores: int = Field(
        3,
        ge=1,
        description="After so many stores in a row at which the site gave out or refused, no further store of the run is asked for.",
    )
    breaker_open_seconds: float = Field(
        60, ge=0, description="A site that gave out is left alone for so long; then one store tries whether it is back."
    )
    bot_wall_response_hours: float = Field(
        2, gt=0, description="A run that met a bot wall waits so long for a person; unanswered, its blocked stores wait for another day."
    )

    complete_rows_share: float = Field(
        0.90, gt=0, le=1, description="A file without a manifest is complete from this share of the baseline rows."
    )
    baseline_days: int = Field(14, gt=0, description="Window of the retailer's median when a store has no complete store-day yet.")
    hold_row_count_share: float = Field(
        0.70, gt=0, le=1, description="A complete store-day with fewer rows than this share of its last ones is held."
    )
    hold_quarantined_share: float = Field(0.05, gt=0, le=1, description="A store-day with a larger share of refused lines is held.")
    hold_category_share: float = Field(
        0.05, gt=0, le=1, description="A category of at least this share of the last store-day that vanishes holds the store-day."
    )
    hold_category_left_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="A category has vanished when less than this share of its last lines is left; goods stand in several categories.",
    )
    hold_scale_share: float = Field(
        0.30, gt=0, le=1, description="A store-day in which this share of known prices moved by 100 or 1/100 is held."
    )

    hold_fill_drop_share: float = Field(
        0.10, gt=0, le=1, description="A complete store-day in which a field is filled by this share of lines less than usual is held."
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
        0.05,
        gt=0,
        le=1,
        description="A batch in which a larger share of prices changed inside one price week is held; real days have under 0.01.",
    )
    hold_changed_across_weeks_share: float = Field(
        0.60,
        gt=0,
        le=1,
        description="A batch in which a larger share of prices changed across a Wednesday is held; real ones have about a third.",
    )
    hold_changed_prices_min: int = Field(
        300, gt=0, description="Of fewer compared prices the share that changed says too little about a retailer to hold a batch."
    )
    hold_line_share: float = Field(
        0.30, gt=0, le=1, description="A batch with a smaller share of the lines these stores usually have is held, complete or not."
    )
    hold_stores_held_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="A batch of which a larger share of store-days, at least two, is held for reasons of their own is held whole.",
    )

    @property
    def storage(self) -> str:
        """The fsspec URL under which all stages live, without a trailing slash."""
        return (self.storage_root or f"file://{self.home / 'storage'}").rstrip("/")

    def site_url(self, retailer: str) -> str | None:
        """The base URL set for a retailer's site; ``None`` means the live one."""
        url: str | None = getattr(self, f"{retailer}_url", None)
        return url


#: One more setting per retailer, so that a new adapter needs no line here.
_SITES: dict[str, Any] = {
    f"{slug}_url": (
        str | None,
        Field(None, description=f"Base URL of {known.title}; without it the live site's (include/retailers/{slug}.py)."),
    )
    for slug, known in RETAILERS.items()
}

if TYPE_CHECKING:
    Settings = FixedSettings
else:
    Settings = create_model("Settings", __base__=FixedSettings, __doc__="All settings of one process; see :func:`settings`.", **_SITES)


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
