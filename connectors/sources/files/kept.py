"""The files that were accepted, kept as they came: what cannot be read twice at its source is read twice here.

They lie in a folder of the same form as the one they came from, `.ok` last, so that the table can be made anew by
taking them in once more.
"""

import os
from pathlib import Path
from typing import Final

from connectors.sources.files.control import Control
from connectors.sources.files.drop import CTL, OK, Delivery, Drop

_DRAFT: Final = ".part"


class Kept:
    """The folder of one source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True, mode=0o700)

    def bring(self, drop: Drop, delivery: Delivery, control: Control) -> Path:
        """A copy of the data, which are what the control file says; raises `Reject`."""
        if drop.folder == self.folder:
            drop.copy(delivery, control, None)
            return delivery.data
        data = self.folder / delivery.name
        self.discard(delivery.name)
        draft = data.with_name(data.name + _DRAFT)
        try:
            with draft.open("wb") as target:
                os.fchmod(target.fileno(), 0o600)
                drop.copy(delivery, control, target)
                target.flush()
                os.fsync(target.fileno())
            draft.replace(data)
        finally:
            draft.unlink(missing_ok=True)
        data.with_suffix(CTL).write_bytes(delivery.written)
        data.with_suffix(OK).touch()
        return data

    def discard(self, name: str) -> None:
        """Forget a file; without its `.ok` it is none, so that one goes first."""
        data = self.folder / name
        for file in (data.with_suffix(OK), data.with_suffix(CTL), data):
            file.unlink(missing_ok=True)

    def keep_only(self, names: set[str]) -> None:
        """Forget every other file."""
        stems = {Path(name).stem for name in names}
        for file in self.folder.iterdir():
            if file.stem not in stems:
                file.unlink()
