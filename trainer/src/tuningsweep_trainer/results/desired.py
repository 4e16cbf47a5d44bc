"""The desired state last put in force, kept with the results so that edits made before a crash still hold after it."""

import logging
from typing import Final

from pydantic import ValidationError

from tuningsweep_api.messages import DesiredState
from tuningsweep_trainer.results.store import Store

PATH: Final = "desired.json"

log = logging.getLogger(__name__)


class DesiredFile:
    """`desired.json` of a sweep's results."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self) -> DesiredState | None:
        """What was last in force, not acknowledged; None for a new sweep."""
        content = self._store.read(PATH)
        if content is None:
            return None
        try:
            return DesiredState.read(content).model_copy(update={"acknowledged": False})
        except ValidationError:
            log.warning("%s is not readable; the sweep's own limits and counts hold until the operator says more", PATH)
            return None

    def write(self, desired: DesiredState) -> None:
        """Put a state in place of the last one."""
        self._store.write(PATH, desired.model_dump_json(by_alias=True).encode())
