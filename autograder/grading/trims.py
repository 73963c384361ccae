"""One gradebook connection for a whole run, in the place of the dozen that nbgrader opens.

    with trimmed(db_url, course_id) as gradebook:
        with gradebook.whole():          # all that nbgrader writes here is one transaction
            ...

nbgrader opens a gradebook (an engine, a session, a look at every table) for each small step and
commits each cell's grade. Inside `trimmed` its modules are handed one gradebook that stays open,
and the JSON schemas of cell labels, the same for every student, are checked once for each label.

This relies on how nbgrader is built inside, so it is done only for the versions in `KNOWN`; with
another one `trimmed` gives a plain gradebook: slower, and each of nbgrader's own steps commits.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy
from nbgrader.api import Gradebook
from nbgrader.nbgraderformat import common
from sqlalchemy import event
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from autograder.errors import Problem

KNOWN = ("0.9.6",)
OPENERS = (
    "nbgrader.converters.autograde",
    "nbgrader.converters.generate_assignment",
    "nbgrader.preprocessors.latesubmissions",
    "nbgrader.preprocessors.overwritecells",
    "nbgrader.preprocessors.overwritekernelspec",
    "nbgrader.preprocessors.saveautogrades",
    "nbgrader.preprocessors.savecells",
)
"""Modules of nbgrader that open a gradebook by its name there, `Gradebook`."""
BUSY_SECONDS = 30
"""How long a write waits for another program's, such as formgrader's."""


class Held(Session):
    """A session that commits when a submission is whole, not before."""

    holding = False
    broken = False

    def commit(self) -> None:
        """Send what was changed; while holding, leave it in the open transaction."""
        if not self.holding:
            super().commit()
            return
        self.flush()
        self.expire_all()  # sums over rows are read again, as after a commit

    def rollback(self) -> None:
        """Undo everything since the last real commit, and remember that it was undone."""
        self.broken = self.holding
        super().rollback()


class SharedGradebook(Gradebook):
    """A gradebook that stays open when a step of nbgrader is done with it."""

    def __init__(self, db_url: str, course_id: str) -> None:
        """Open the database. Raises `Problem` when it cannot be opened."""
        super().__init__(db_url, course_id)
        super().close()
        self.tune()
        self.db: Any = scoped_session(sessionmaker(bind=self.engine, class_=Held))

    @property
    def is_file(self) -> bool:
        """Whether the gradebook is an SQLite file."""
        return bool(self.engine.dialect.name == "sqlite")

    def tune(self) -> None:
        """Let others read an SQLite file while this run writes, and wait for their writes."""
        if not self.is_file:
            return

        @event.listens_for(self.engine, "connect")
        def _(connection: Any, record: Any) -> None:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            # Not on every file system (a network's, say); SQLite then keeps its usual journal.
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Make everything that is written inside one transaction, or nothing of it."""
        session: Held = self.db()
        session.holding, session.broken = True, False
        try:
            yield
            if session.broken:
                raise sqlalchemy.exc.InvalidRequestError("a step undid the transaction it was in")
            session.holding = False
            session.commit()
        except BaseException:
            session.holding = False
            session.rollback()
            raise
        finally:
            session.holding = False
            session.expunge_all()

    def rest(self) -> None:
        """End a look at the data, outside a transaction, so that the next one sees what is new."""
        session: Held = self.db()
        if not session.holding:
            session.rollback()

    def close(self) -> None:
        """Do nothing: this gradebook is closed by `shut`."""

    def shut(self) -> None:
        """Close the database; an SQLite file is one file again, which can be copied."""
        self.db.remove()
        if self.is_file:
            with contextlib.suppress(sqlalchemy.exc.SQLAlchemyError), self.engine.connect() as one:
                one.exec_driver_sql("PRAGMA busy_timeout = 0")
                one.exec_driver_sql("PRAGMA journal_mode = DELETE")
        self.engine.dispose()


def applies() -> bool:
    """Tell whether this nbgrader is one that the trims were made for."""
    return metadata.version("nbgrader") in KNOWN


@contextlib.contextmanager
def trimmed(db_url: str, course_id: str) -> Iterator[SharedGradebook | None]:
    """Open one gradebook for all of nbgrader's steps; None where this nbgrader is not known."""
    if not applies():
        yield None
        return
    shared = open_gradebook(lambda: SharedGradebook(db_url, course_id), db_url)

    def opened(url: str, *rest: Any, **more: Any) -> Gradebook:
        return shared if url == db_url else Gradebook(url, *rest, **more)

    with contextlib.ExitStack() as stack:
        stack.callback(shared.shut)
        for name in OPENERS:
            module = importlib.import_module(name)
            stack.enter_context(replaced(module, "Gradebook", opened))
        checks = SimpleNamespace(validate=remembering(common.jsonschema.validate))
        stack.enter_context(replaced(common, "jsonschema", checks))
        yield shared


@contextlib.contextmanager
def replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """Give a module's name another value for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def remembering(validate: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return a validator that checks each different label against a schema once."""
    fine: set[str] = set()

    def check(instance: Any, schema: Any) -> None:
        key = json.dumps(instance, sort_keys=True)  # its version is in it, and names the schema
        if key not in fine:
            validate(instance, schema)
            fine.add(key)

    return check


# -- opening -----------------------------------------------------------------------------------


def open_gradebook(opener: Callable[[], Any], db_url: str) -> Any:
    """Return what `opener` opens. `Problem` where the database or its driver is missing."""
    try:
        return opener()
    except ModuleNotFoundError as missing:
        raise Problem(
            f"the gradebook's driver '{missing.name}' is not installed; add it with "
            "`pip install -e '.[postgres]'`."
        ) from None
    except sqlalchemy.exc.ArgumentError:
        raise Problem(f"'{db_url}' is no address of a database.") from None
    except sqlalchemy.exc.DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        raise Problem(f"the gradebook {shown(db_url)} cannot be opened: {reason[:300]}.") from None


def shown(db_url: str) -> str:
    """Return a database's address without its password."""
    try:
        return sqlalchemy.make_url(db_url).render_as_string(hide_password=True)
    except sqlalchemy.exc.ArgumentError:
        return db_url


def at_home(db_url: str, root: Path) -> str:
    """Return an SQLite address whose file, if it is a relative one, lies below `root`."""
    kind, _, name = db_url.partition(":///")
    relative = kind == "sqlite" and name and name != ":memory:" and not Path(name).is_absolute()
    return f"{kind}:///{(root / name).resolve()}" if relative else db_url


def own_driver(db_url: str) -> str:
    """Return a database's address that names the driver which the `postgres` extra installs."""
    plain = "://" not in db_url
    if plain or not db_url.startswith(("postgresql://", "postgres://")):
        return db_url
    return "postgresql+psycopg://" + db_url.split("://", 1)[1]
