"""Where the recorded data lies; every test that wants it is skipped, with the reason, where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"recorded data are not present at {folder}")
    return folder
