"""Collect archives from a learning platform without trusting what is in them.

`nbgrader zip_collect LESSON` takes these two plugins from `nbgrader_config.py`:

    c.ZipCollectApp.extractor_plugin = "autograder.grading.collect.SafeExtractor"
    c.ZipCollectApp.collector_plugin = "autograder.grading.collect.SafeCollector"

nbgrader's own unpack with what Python offers: they follow links, write where an archive says, fill
the disk, and end the whole collection at the first archive that is damaged. Here whatever is odd is
refused by itself, in one sentence of the log, and all other students are collected.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Integer

from autograder.grading.intake import Refused, check_student, check_time

Member = tuple[str, IO[bytes] | None]
"""Name and contents; a folder has none."""

MAX_DEPTH = 3
"""Archives within archives: a class's download, a student's upload, and one more."""
GENEROUS = 20_000_000
"""Bytes that any archive may unpack to; beyond, it is compared with the archive's own size."""
CHUNK = 2**16
LONGEST_HEADER = 2**14
"""Bytes of a tar's further header, such as one for a long name, which is read at once."""
FURTHER = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip


@dataclass
class Budget:
    """What an archive, and the archives in it, may still write."""

    size: int
    """Bytes."""
    files: int
    """Entries, folders included."""

    def share(self, size: int) -> Budget:
        """Return what an archive within may take: half, so that it leaves some to the others."""
        return Budget(min(size, self.size // 2), self.files // 2)

    def charge(self, before: Budget, after: Budget) -> None:
        """Take off what an archive within has used of its share."""
        self.size -= before.size - after.size
        self.files -= before.files - after.files


class SafeExtractor(ExtractorPlugin):
    """nbgrader's extractor, which refuses an archive instead of believing it."""

    max_total = Integer(
        4_000_000_000, help="Bytes that one archive and those in it may unpack to."
    ).tag(config=True)
    max_file = Integer(200_000_000, help="Bytes of one file in an archive.").tag(config=True)
    max_files = Integer(20_000, help="Files and folders in one archive and those in it.").tag(
        config=True
    )
    max_ratio = Integer(100, help="How many times its own size a large archive may unpack to.").tag(
        config=True
    )

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack or copy everything below `archive_path` to the same place in `extracted_path`."""
        source, target = Path(archive_path), Path(extracted_path)
        for path in _below(source):
            place = target / path.relative_to(source)
            try:
                _check_plain(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                if path.suffix.lower() in self.zip_ext:
                    self.unpack(path, place.parent / _stem(path.name))
                else:
                    shutil.copyfile(path, place)
            except (Refused, OSError) as error:
                self.refuse(path.relative_to(source), error)

    def refuse(self, path: Path, error: Exception) -> None:
        """Say in the log which file was left out, and why."""
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self.log.warning("Refused %s: %s", ascii(str(path)), why)

    def unpack(
        self, archive: Path, folder: Path, depth: int = 1, budget: Budget | None = None
    ) -> None:
        """Unpack one archive into a folder of its own, or leave nothing and raise `Refused`.

        Archives within share the `budget` of the outermost. One that is refused uses none of it.
        """
        if depth > MAX_DEPTH:
            raise Refused(f"archives are nested more than {MAX_DEPTH} deep.")
        if os.path.lexists(folder):
            raise Refused("another file or archive of this name was there before.")
        whole = budget or Budget(self.max_total, self.max_files)
        allowed = max(GENEROUS, self.max_ratio * archive.stat().st_size)
        share = whole.share(allowed) if budget else replace(whole, size=min(whole.size, allowed))
        left = replace(share)
        folder.mkdir(parents=True)
        try:
            self._write_members(archive, folder, left)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        for path in _below(folder):
            if path.suffix.lower() in self.zip_ext:
                try:
                    self.unpack(path, path.parent / _stem(path.name), depth + 1, left)
                except (Refused, OSError) as error:
                    self.refuse(path, error)
                path.unlink(missing_ok=True)
        whole.charge(share, left)

    def _write_members(self, archive: Path, folder: Path, left: Budget) -> None:
        count, most = 0, left.files
        try:
            for name, data in _members(archive, left.size):
                if not left.files:
                    raise Refused(f"the archive holds more than {most} files.")
                left.files -= 1
                if data is None:
                    continue
                count += 1
                place = folder / _safe_name(name)
                place.parent.mkdir(parents=True, exist_ok=True)
                left.size -= _copy(data, place, min(left.size, self.max_file))
        except OSError as error:  # gzip's own errors are of this kind, too
            where = f"a file of the archive cannot be written ({error.strerror})."
            raise Refused(where if error.strerror else "the archive is damaged.") from None
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError):
            raise Refused("the archive is damaged.") from None
        except (NotImplementedError, RuntimeError, ValueError) as error:
            raise Refused(f"the archive cannot be read ({error}).") from None
        if not count:
            raise Refused("the archive holds no file.")


class SafeCollector(FileNameCollectorPlugin):
    """nbgrader's collector, where one odd name or time ends nothing but itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.times: dict[tuple[str, str], str | None] = {}
        """Student and file -> the time of submission that its name gave."""

    def collect(self, submitted_file: str) -> dict[str, Any] | None:
        """Return what the name of a file says, or None to leave the file out."""
        found: dict[str, Any] | None = super().collect(submitted_file)
        if not found:
            return None
        student, name = str(found.get("student_id") or ""), str(found.get("file_id") or "")
        try:
            _check_ids(student, name)
        except Refused as refusal:
            self.log.warning("Refused %s: %s", ascii(submitted_file), refusal)
            return None
        found["timestamp"] = self._time(submitted_file, found.get("timestamp"))
        if (student, name) not in self.times:
            self.times[student, name] = found["timestamp"]
        elif None in (self.times[student, name], found["timestamp"]):
            # nbgrader would stop here: it takes the later of two, and one of these has no time.
            self.log.warning(
                "Refused %s: %s handed this in twice and no time says which is later; "
                "the first was taken.", ascii(submitted_file), student,
            )  # fmt: skip
            return None
        return found

    def _time(self, submitted_file: str, text: object) -> str | None:
        if not text:
            return None
        try:
            check_time(str(text))
        except ValueError:
            self.log.warning("The time in %s cannot be read; it has none.", ascii(submitted_file))
            return None
        return str(text)


def _check_ids(student: str, name: str) -> None:
    check_student(student)
    if not student or student.startswith(".") or "/" in student or "\\" in student:
        raise Refused(f"{student!a} cannot be a student id.")
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or not name:
        raise Refused(f"{name!a} cannot be the name of a notebook.")


# -- files and members ---------------------------------------------------------------------------


def _below(folder: Path) -> list[Path]:
    """Return all files below a folder, links included but not followed, in a fixed order."""
    return sorted(
        Path(root) / name
        for root, folders, names in os.walk(folder)
        for name in [*names, *(one for one in folders if (Path(root) / one).is_symlink())]
    )


def _check_plain(path: Path) -> None:
    facts = path.lstat()
    if stat.S_ISLNK(facts.st_mode):
        raise Refused("it is a symbolic link.")
    if not stat.S_ISREG(facts.st_mode):
        raise Refused("it is not a plain file.")
    if facts.st_nlink > 1:
        raise Refused("it is a hard link to a file that also lies elsewhere.")


def _stem(name: str) -> str:
    """Return an archive's name without its endings."""
    stem = name.rpartition(".")[0]
    return stem[:-4] if stem.lower().endswith(".tar") else stem


def _safe_name(name: str) -> Path:
    """Return where a member goes, below the archive's folder; Refused if it would go elsewhere."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or ":" in name[:2] or "\\" in name
    if outside or not path.parts:
        raise Refused(f"a file of the archive would be written elsewhere ({name[:80]!a}).")
    if not name.isprintable():
        raise Refused(f"a file of the archive has control characters in its name ({name[:80]!a}).")
    return Path(*path.parts)


def _copy(data: IO[bytes], place: Path, most: int) -> int:
    """Write a member to a new file and return its size; Refused if it is larger than `most`."""
    size = 0
    with place.open("xb") as file:
        while chunk := data.read(CHUNK):
            size += len(chunk)
            if size > most:
                raise Refused(f"the archive unpacks to more than it may ({most / 1e6:.0f} MB).")
            file.write(chunk)
    return size


def _members(archive: Path, most: int) -> Iterator[Member]:
    """Yield name and contents of each plain file of an archive; Refused at anything else."""
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    elif archive.suffix.lower() in (".gz", ".tgz", ".tar"):
        yield from _tar_members(archive, most)
    else:
        raise Refused("the archive is damaged.")


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir():
                yield member.filename, None
                continue
            if kind not in (0, stat.S_IFREG):
                raise Refused(f"the archive holds a link or a device ({member.filename[:80]!a}).")
            if member.flag_bits & 1:
                raise Refused("the archive asks for a password.")
            with opened.open(member) as data:
                yield member.filename, data


def _tar_members(archive: Path, most: int) -> Iterator[Member]:
    with _Measured(archive, most) as stream, _open(stream) as opened:
        for member in opened:
            if member.isdir():
                yield member.name, None
                continue
            if not member.isreg():
                raise Refused(f"the archive holds a link or a device ({member.name[:80]!a}).")
            data = opened.extractfile(member)
            if data is not None:
                yield member.name, data


def _open(stream: _Measured) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="r|", tarinfo=_ShortHeader)


class _ShortHeader(tarfile.TarInfo):
    """A tar's header; the further headers that it may announce are read only where they are short.

    `_proc_member` is the place that `tarfile` leaves to subclasses.
    """

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise Refused("the archive holds a file with holes.")
        if self.type in FURTHER and not 0 <= self.size <= LONGEST_HEADER:
            raise Refused("the archive is damaged: the name of a file is too long.")
        return super()._proc_member(archive)  # type: ignore[misc]


class _Measured(gzip.GzipFile):
    """An unpacked stream that ends in `Refused` when it grows too large."""

    def __init__(self, archive: Path, most: int) -> None:
        super().__init__(archive, "rb")
        self.most = most

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(CHUNK if size is None or size < 0 else size)
        if self.tell() > self.most + GENEROUS:
            raise Refused(f"the archive unpacks to more than it may ({self.most / 1e6:.0f} MB).")
        return data
