"""A small client of Airflow's REST API (v2), for the embedded installation or any address and user.

Responses are Airflow's JSON objects. A call that got no valid response is repeated for ``patience_seconds``: on a busy machine an
answer may take longer than its time limit. Errors: :class:`TransientError` when the API could not be reached or is
overloaded, :class:`TerminalError` when it refuses; both name the call and the next step.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from tenacity import Retrying, retry_if_exception_type, wait_exponential

from include.embedded import airflow_env, ports
from include.embedded.deadline import Deadline
from include.embedded.layout import Layout
from include.embedded.processes import read_record
from include.errors import TerminalError, TransientError

Json = dict[str, Any]

#: Receives a run's state and the number of its task instances by state, e.g. ``("running", {"success": 3, "running": 1})``; what it
#: returns is one more sign of progress when it changes.
RunProgress = Callable[[str, dict[str, int]], object]

FINISHED = frozenset({"success", "failed"})
_PAGE = 100


class AirflowApi:
    """The API at ``base_url`` as one user. Not thread-safe."""

    def __init__(
        self,
        base_url: str,
        user: str,
        password: str,
        *,
        timeout_seconds: float = 30,
        patience_seconds: float = 0,
        is_running: Callable[[], bool] = lambda: True,
    ) -> None:
        """Prepare the client; it logs in at its first call. While ``is_running`` says no, nothing is repeated."""
        self._retrying = Retrying(
            retry=retry_if_exception_type(TransientError), wait=wait_exponential(max=10), reraise=True,
            stop=lambda call: call.seconds_since_start is None or call.seconds_since_start >= patience_seconds or not is_running(),
        )  # fmt: skip
        self.base_url = base_url.rstrip("/")
        self._login = {"username": user, "password": password}
        self._timeout_seconds = timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # requests to localhost bypass proxies

    # -- the installation

    def health(self) -> Json:
        """Return ``{"metadatabase": …, "scheduler": {"status": "healthy", …}, …}``."""
        return self._call("GET", "/monitor/health", log_in=False)

    def list_dags(self) -> list[Json]:
        """Return all existing DAGs: ``dag_id``, ``is_paused``, ``relative_fileloc``, ``last_parsed_time``, …."""
        return list(self._pages("/dags", "dags", {"exclude_stale": "true", "order_by": "dag_id"}))

    def import_errors(self) -> list[Json]:
        """Return the DAG files that cannot be imported: ``filename``, ``stack_trace``, ``timestamp``."""
        return list(self._pages("/importErrors", "import_errors"))

    def plugin_import_errors(self) -> list[Json]:
        """Return the plugins that cannot be imported: ``source``, ``error``."""
        return list(self._pages("/plugins/importErrors", "import_errors"))

    def plugins(self) -> set[str]:
        """Return the names of the loaded plugins."""
        return {plugin["name"] for plugin in self._pages("/plugins", "plugins")}

    def unpause(self, dag_id: str) -> Json:
        """Unpause a DAG."""
        return self._call("PATCH", f"/dags/{_part(dag_id)}", body={"is_paused": False})

    def pools(self) -> dict[str, int]:
        """Return pool name → slots."""
        return {pool["name"]: pool["slots"] for pool in self._pages("/pools", "pools")}

    def put_pool(self, name: str, slots: int, description: str = "") -> None:
        """Create a pool, or give it this number of slots."""
        present = self.pools().get(name)
        if present is None:
            body = {"name": name, "slots": slots, "description": description, "include_deferred": False}
            self._call("POST", "/pools", body=body)
        elif present != slots:
            self._call(
                "PATCH",
                f"/pools/{_part(name)}",
                params={"update_mask": "slots"},
                body={"name": name, "slots": slots, "include_deferred": False},
            )

    def put_connection(self, connection_id: str, kind: str, password: str, description: str = "") -> None:
        """Create or replace a connection with a secret; Airflow encrypts it and never returns it over this API."""
        self.delete_connection(connection_id)
        body = {"connection_id": connection_id, "conn_type": kind, "password": password, "description": description}
        try:
            self._call("POST", "/connections", body=body)
        except TerminalError:  # the error message may contain the secret
            raise TerminalError(
                f"{self.base_url} refuses the connection {connection_id}. Does the user's role allow connections?"
            ) from None

    def delete_connection(self, connection_id: str) -> bool:
        """Remove a connection; return whether it existed."""
        known = any(found["connection_id"] == connection_id for found in self._pages("/connections", "connections"))
        if known:
            self._call("DELETE", f"/connections/{_part(connection_id)}")
        return known

    # -- runs

    def trigger(
        self,
        dag_id: str,
        *,
        partition_key: str | None = None,
        conf: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        note: str | None = None,
    ) -> Json:
        """Start a run now; ``partition_key`` only for partitioned DAGs (400 for others). Returns the run.

        With a ``run_id`` that exists that run is returned: the first answer may have been lost.
        """
        body: Json = {"logical_date": None, "conf": dict(conf or {})}
        body |= {
            name: value for name, value in {"partition_key": partition_key, "dag_run_id": run_id, "note": note}.items() if value is not None
        }
        try:
            return self._call("POST", f"/dags/{_part(dag_id)}/dagRuns", body=body)
        except Conflict:
            if run_id is None:
                raise
            return self.run(dag_id, run_id)

    def run(self, dag_id: str, run_id: str) -> Json:
        """Return one run: ``dag_run_id``, ``state``, ``partition_key``, ``run_after``, …."""
        return self._call("GET", _run_path(dag_id, run_id))

    def list_runs(self, dag_id: str = "~", *, limit: int | None = None, **filters: Any) -> list[Json]:
        """Return runs, the newest first; ``~`` = of all DAGs. ``filters`` as in the API, e.g. ``state="failed"``."""
        return list(self._pages(f"/dags/{_part(dag_id)}/dagRuns", "dag_runs", {"order_by": "-run_after", **filters}, limit))

    def wait_for_run(
        self, dag_id: str, run_id: str, *, quiet_seconds: float, progress: RunProgress | None = None, every_seconds: float = 2
    ) -> Json:
        """Wait until a run has succeeded or failed, and return it; the caller checks its ``state``.

        Raises:
            TransientError: for ``quiet_seconds`` neither the run's tasks nor what ``progress`` returns have changed.
        """
        deadline = Deadline(quiet_seconds)
        while True:
            run = self.run(dag_id, run_id)
            tasks = dict(Counter(str(task["state"] or "not started") for task in self.task_instances(dag_id, run_id)))
            seen = progress(run["state"], tasks) if progress else None
            if run["state"] in FINISHED:
                return run
            if deadline.is_over((run["state"], tasks, seen)):
                raise TransientError(
                    f"run {run_id} of {dag_id} is {run['state']}, and nothing has moved for {quiet_seconds:.0f} seconds. Look at {self.run_url(dag_id, run_id)}"
                )
            time.sleep(every_seconds)

    def run_url(self, dag_id: str, run_id: str) -> str:
        """Return the address of a run's page in the UI."""
        return f"{self.base_url}/dags/{_part(dag_id)}/runs/{_part(run_id)}"

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """Return all task instances of a run: ``task_id``, ``map_index`` (-1 = not mapped), ``state``, ``try_number``, …."""
        return list(self._pages(f"{_run_path(dag_id, run_id)}/taskInstances", "task_instances"))

    def clear(
        self, dag_id: str, run_id: str, tasks: Sequence[str | tuple[str, int]], *, downstream: bool = True, only_failed: bool = False
    ) -> list[Json]:
        """Clear task instances, by task or by (task, map index), so that they run again; return the cleared ones."""
        body = {
            "dry_run": False, "dag_run_id": run_id, "task_ids": [list(task) if isinstance(task, tuple) else task for task in tasks],
            "only_failed": only_failed, "include_downstream": downstream, "reset_dag_runs": True,
        }  # fmt: skip
        found: list[Json] = self._call("POST", f"/dags/{_part(dag_id)}/clearTaskInstances", body=body)["task_instances"]
        return found

    # -- assets

    def assets(self) -> list[Json]:
        """Return the assets: ``id``, ``name``, ``uri``, …."""
        return list(self._pages("/assets", "assets"))

    def post_asset_event(self, asset: str, *, partition_key: str | None = None, extra: Mapping[str, Any] | None = None) -> Json:
        """Emit an event of the asset with this name or URI, as a producer would.

        Raises:
            TerminalError: there is no such asset.
        """
        found = [known for known in self.assets() if asset in (known["name"], known["uri"])]
        if not found:
            raise TerminalError(
                f"no asset {asset!r} at {self.base_url}. Assets appear once a DAG that uses them was parsed: aisleflow doctor"
            )
        body = {"asset_id": found[0]["id"], "partition_key": partition_key, "extra": dict(extra or {})}
        return self._call("POST", "/assets/events", body=body)

    # -- HTTP

    def _pages(self, path: str, key: str, params: Mapping[str, Any] | None = None, limit: int | None = None) -> Iterator[Json]:
        """Yield the entries of a paged list, at most ``limit``."""
        given = 0
        while limit is None or given < limit:
            size = _PAGE if limit is None else min(_PAGE, limit - given)
            page = self._call("GET", path, params={**(params or {}), "limit": size, "offset": given})[key]
            yield from page
            given += len(page)
            if len(page) < size:
                return

    def _call(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Json | None = None, log_in: bool = True
    ) -> Json:
        if log_in and "Authorization" not in self._session.headers:
            self._authorise()
        response = self._send(method, f"/api/v2{path}", params, body)
        if response.status_code == 401 and log_in:  # the token has expired
            self._authorise()
            response = self._send(method, f"/api/v2{path}", params, body)
        found: Json = _checked(response, method).json() if response.content else {}
        return found

    def _authorise(self) -> None:
        self._session.headers.pop("Authorization", None)
        response = self._send("POST", "/auth/token", None, dict(self._login))
        if response.status_code == 401:
            raise TerminalError(
                f"{self.base_url} refuses the password of {self._login['username']!r}. It is stored in passwords.json of the home."
            )
        self._session.headers["Authorization"] = f"Bearer {_checked(response, 'POST').json()['access_token']}"

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None, body: Json | None) -> requests.Response:
        """Send a request, again and again while there is no valid response; return a response that may still refuse."""
        response: requests.Response = self._retrying(self._send_once, method, path, params, body)
        return response

    def _send_once(self, method: str, path: str, params: Mapping[str, Any] | None, body: Json | None) -> requests.Response:
        try:
            response = self._session.request(
                method,
                f"{self.base_url}{path}",
                params=params,
                json=body,
                headers={"Accept": "application/json"},
                timeout=self._timeout_seconds,
            )
        except requests.RequestException as error:
            raise TransientError(f"{method} {self.base_url}{path}: {error}. Is Airflow running? aisleflow status") from error
        if response.status_code >= 500 or response.status_code == 429:
            raise TransientError(f"{_what(response, method)}. Try again; if it persists, read the api-server's log.")
        return response


def client(home: Path, user: str = "admin", *, patience_seconds: float = 0) -> AirflowApi:
    """Return a client of the installation in ``home``; it repeats calls for ``patience_seconds``, as long as the api-server's process runs.

    Raises:
        TerminalError: this home was never started.
    """
    record = Layout(home).run / "api-server.process"

    def is_running() -> bool:
        process = read_record(record)
        return process is not None and process.is_alive()

    password = airflow_env.passwords(home)[user]
    return AirflowApi(ports.ui_url(home), user, password, patience_seconds=patience_seconds, is_running=is_running)


class Conflict(TerminalError):
    """Something with this name or id exists already (409)."""


def _checked(response: requests.Response, method: str) -> requests.Response:
    """Return a successful response, or raise its error."""
    if response.ok:
        return response
    kind = Conflict if response.status_code == 409 else TerminalError
    raise kind(f"{_what(response, method)}. The request is refused: check the name, the key and the user's role.")


def _what(response: requests.Response, method: str) -> str:
    return f"{method} {response.url}: {response.status_code} {_detail(response)}"


def _detail(response: requests.Response) -> str:
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.text
    return (detail if isinstance(detail, str) else json.dumps(detail)).rstrip(". ")[:500]


def _part(text: str) -> str:
    return quote(text, safe="~")


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}"
