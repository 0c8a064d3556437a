"""LMDB behind the ledger: `exchange.state` as of an offset, so that a restart reads only what came after.

Written in one LMDB transaction after each Kafka commit, state and offset together; it can be deleted at any
time and comes again from the topic. No fsync: a killed process loses nothing, and a machine that lost power,
which may leave an older or a torn file, is told by the mark that lies beside it: that file is never opened.
"""

import shutil
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import lmdb

from exchange.ledger import Place
from process.errors import SettingsError
from process.messages import say

_MAP_BYTES = 64 << 30  # address space, not memory
_MARK = "mark"
_FORMAT = 3


class Store:
    """One worker's state, all its partitions in one file."""

    def __init__(self, folder: Path, installation: str, boot_id: str) -> None:
        """`installation` names prefix and generation; a file of another one, or of before a reboot, is not used."""
        self._folder = folder
        mark = f"{_FORMAT}\n{installation}\n{boot_id}\n"
        try:
            self._require(mark)
            self._open()
        except (OSError, lmdb.Error) as exc:
            raise SettingsError(say("exchange.state_unusable", path=folder)) from exc

    def get(self, place: Place) -> bytes | None:
        """The bytes at a place."""
        with self._env.begin(db=self._state, buffers=False) as transaction:
            found: bytes | None = transaction.get(_key(place))
            return found

    def scan(self, partition: int, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Every key that begins with `prefix`, in order."""
        start = _key(Place(partition, prefix))
        with self._env.begin(db=self._state) as transaction, transaction.cursor() as cursor:
            if not cursor.set_range(start):
                return
            for key, value in cursor:
                if not key.startswith(start):
                    return
                yield bytes(key[2:]), bytes(value)

    def offset(self, partition: int) -> int | None:
        """The next offset of `exchange.state` to be read; none: nothing of this partition is here."""
        with self._env.begin(db=self._offsets) as transaction:
            found = transaction.get(_number(partition))
            return struct.unpack(">q", found)[0] if found else None

    def write(self, changed: Mapping[Place, bytes | None], offsets: Mapping[int, int]) -> None:
        """State and the offsets it stands for, together."""
        with self._env.begin(write=True) as transaction:
            for place, value in changed.items():
                if value is None:
                    transaction.delete(_key(place), db=self._state)
                else:
                    transaction.put(_key(place), value, db=self._state)
            for partition, offset in offsets.items():
                transaction.put(_number(partition), struct.pack(">q", offset), db=self._offsets)

    def looked_over(self, partition: int) -> bool:
        """Whether every subject of it has been derived once since its state was read from the topic."""
        with self._env.begin(db=self._looked_over) as transaction:
            return transaction.get(_number(partition)) is not None

    def note_looked_over(self, partition: int) -> None:
        """Every subject of it has been."""
        with self._env.begin(write=True, db=self._looked_over) as transaction:
            transaction.put(_number(partition), b"")

    def forget(self, partition: int) -> None:
        """Drop all of a partition: another owner may have written since, from before what this file knows."""
        with self._env.begin(write=True) as transaction:
            cursor = transaction.cursor(db=self._state)
            found = cursor.set_range(_number(partition))
            while found and cursor.key()[:2] == _number(partition):
                found = cursor.delete()
            transaction.delete(_number(partition), db=self._offsets)
            transaction.delete(_number(partition), db=self._looked_over)

    def close(self) -> None:
        """Let the file go."""
        self._env.close()

    def _require(self, mark: str) -> None:
        """Begin anew unless the mark says that the file may be used; it is written before there is a file."""
        told = self._folder / _MARK
        if told.is_file() and told.read_text() == mark:
            return
        if self._folder.is_dir():
            shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True)
        told.write_text(mark)

    def _open(self) -> None:
        self._env = lmdb.open(str(self._folder), map_size=_MAP_BYTES, max_dbs=3, sync=False, metasync=False)
        self._state = self._env.open_db(b"state")
        self._offsets = self._env.open_db(b"offsets")
        self._looked_over = self._env.open_db(b"looked over")


def boot_id() -> str:
    """Which run of this machine it is: pages that were never synced are only sure within one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _number(partition: int) -> bytes:
    return struct.pack(">H", partition)


def _key(place: Place) -> bytes:
    return _number(place.partition) + place.key
