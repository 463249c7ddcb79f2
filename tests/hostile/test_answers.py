"""Each hostile answer is read or refused with its reason, within bounds of memory and CPU, and with as many requests as are counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from include.config import Settings
from include.crawling.client import PoliteClient
from include.retailers.base import Page
from tests.crawling.fake_site import Hillview
from tests.hostile.answers import SMALL_BYTES, WHOLE_BYTES, Answer, answers
from tests.hostile.measuring import measured
from tests.hostile.server import HostileServer

#: A response may have 20 MB; its bytes, its text and its values are in memory together. Nothing of a bomb comes on top.
GROWN_BYTES_MAX = 260_000_000
CPU_SECONDS_MAX = 15

PAGE = Page(path="/list", headers={"x-api-key": "secret"})
ANSWERS = list(answers())


@pytest.fixture
def settings_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Settings]:
    home = tmp_path_factory.mktemp("home")
    return lambda **more: Settings(home=home, backoff_seconds_max=0.001, request_attempts=1, connect_timeout_seconds=5, **more)


def play(answer: Answer, size: int, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    with HostileServer(answer.send(size)) as server:
        monkeypatch.setattr(Hillview, "base_url", server.url, raising=False)

        def fetch() -> int:
            with PoliteClient(Hillview(), settings) as client:
                client.fetch(PAGE)
                return client.requests

        done = measured(fetch)
        if answer.error is None:
            assert done.error is None, done.error
            assert done.value == answer.requests
        else:
            assert done.error is not None, "it was read"
            kinds, message = done.error
            assert answer.error.__name__ in kinds, done.error
            assert re.search(answer.said, message), message
            assert len(message) < 5_000
        assert len(server.asked) == answer.requests
        assert done.grown_bytes < GROWN_BYTES_MAX, f"{done.grown_bytes:,} bytes"
        assert done.cpu_seconds < CPU_SECONDS_MAX, f"{done.cpu_seconds:.1f} s of CPU"
        return done


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_an_answer(answer: Answer, settings_of: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    play(answer, SMALL_BYTES, settings_of(**answer.settings), monkeypatch)


@pytest.mark.campaign
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_a_whole_answer(
    answer: Answer,
    settings_of: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    done = play(answer, WHOLE_BYTES, settings_of(**answer.settings), monkeypatch)
    record_property("answers", 1)
    record_property("MB", round(done.grown_bytes / 1e6))
