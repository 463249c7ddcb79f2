"""The program of one loading helper: file ids come in by lines, an answer goes out for each. See ``include/ingestion/workers.py``."""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
from typing import TextIO

from include.config import Settings
from include.ingestion.load import ensure_loaded
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)


def main(commands: TextIO, responses: TextIO) -> None:
    """Load what is asked for until told to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the process that started this one decides
    setup = json.loads(commands.readline())
    warehouse, storage = Warehouse(setup["url"], Settings(**setup["settings"])), Storage(setup["storage"])
    inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(commands, inbox), daemon=True).start()
    while (command := inbox.get()) != "end":
        try:
            ensure_loaded(warehouse, storage, int(command))
            response = f"done {command}"
        except Exception as error:  # whatever it is: the process that asked tries the file itself and raises it
            log.exception("file %s was not loaded here", command)
            response = f"failed {command}: {type(error).__name__}"
        print(response, file=responses, flush=True)
    warehouse.close()


def _listen(commands: TextIO, inbox: queue.SimpleQueue[str]) -> None:
    for line in commands:
        inbox.put(line.strip())
        if line.strip() == "end":
            return
    # the input broke off without an end: whoever started this process is gone, and nobody may work on unseen
    os._exit(1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    main(sys.stdin, sys.stdout)
