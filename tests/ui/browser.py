"""A headless Chromium, driven by its DevTools protocol: goes to pages, fills fields, clicks, waits for text, takes screenshots."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_OPTIONS = ("--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--no-sandbox", "--window-size=1400,1100")

#: Types a value as a user does: React reads it from the event.
_FILL = """(() => {
    const field = document.querySelector(%s);
    const kind = field.tagName === 'TEXTAREA' ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, 'value').set.call(field, %s);
    field.dispatchEvent(new Event('input', {bubbles: true}));
    field.dispatchEvent(new Event('change', {bubbles: true}));
})()"""
_CLICK = """(() => {
    const named = [...document.querySelectorAll('button, a, [role=tab], [role=button]')].filter(one => one.innerText.trim() === %s);
    if (named.length) named[0].click();
    return named.length;
})()"""


class Browser:
    """One page of a running Chromium."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the protocol; return its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                result: dict[str, Any] = message["result"]
                return result

    def evaluate(self, script: str) -> Any:
        """Return the value of a script in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def go(self, url: str, *texts: str) -> str:
        """Open a page and wait until it shows all texts; return what it shows."""
        self.call("Page.navigate", url=url)
        return self.wait_for(*texts)

    def text(self) -> str:
        """Return what the page shows as text."""
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def wait_for(self, *texts: str, seconds: float = 60) -> str:
        """Wait until the page shows all texts; return what it shows."""
        deadline = time.monotonic() + seconds
        while not all(text in (shown := self.text()) for text in texts):
            assert time.monotonic() < deadline, f"the page does not show {[text for text in texts if text not in shown]}:\n{shown[:3000]}"
            time.sleep(0.3)
        return shown

    def fill(self, selector: str, value: str) -> None:
        """Type a value into a field."""
        self.evaluate(_FILL % (json.dumps(selector), json.dumps(value)))

    def click(self, name: str) -> None:
        """Click the button, link or tab of a name, as soon as there is one."""
        deadline = time.monotonic() + 30
        while not self.evaluate(_CLICK % json.dumps(name)):
            assert time.monotonic() < deadline, f"the page has no button {name!r}:\n{self.text()[:3000]}"
            time.sleep(0.3)

    def take_screenshot(self, path: Path) -> None:
        """Keep what the page looks like."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def running_browser(program: str) -> Iterator[Browser]:
    """Start a Chromium with a profile of its own; it is ended and the profile removed at the end."""
    with tempfile.TemporaryDirectory(prefix="aisleflow-ui-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with connect(_address(Path(profile)), max_size=None) as socket:
                yield Browser(socket)
        finally:
            process.terminate()
            process.wait(30)


def _address(profile: Path) -> str:
    """Return the address of the first page, once Chromium has written its port."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            port = (profile / "DevToolsActivePort").read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as response:
                return str(next(page["webSocketDebuggerUrl"] for page in json.load(response) if page["type"] == "page"))
        except (OSError, StopIteration, IndexError):
            time.sleep(0.2)
    raise AssertionError("Chromium did not start within 60 s")
