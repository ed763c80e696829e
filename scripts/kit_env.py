"""The project's own Python environment as a folder: its record, its interpreter, its lock.

What "ready" means: `kit.json` in the folder says `complete` for exactly this requirements.lock,
this pyproject.toml, this Python and this project folder (hashes of contents, never file times), and
the environment's interpreter answers.

Standard library only and Python 3.6 syntax: see kit_words.py.
"""

import contextlib
import errno
import glob
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys

NEED_MB = 1500  # measured: 1,060 MB installed on Linux, and room for what pip unpacks on the way
STATE = "kit.json"
LOG = "setup.log"

# Settings of the caller's shell that would send pip's files, or Python's imports, elsewhere.
# Where packages come from (index, mirror, proxy, certificate) stays the user's own setting.
ASTRAY = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX",
    "PIP_ROOT", "PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_NO_BINARY", "PIP_LOG", "PIP_QUIET",
    "PIP_DRY_RUN", "PIP_REPORT",
)  # fmt: skip


class Trouble(Exception):
    """A set-up can't go on: one sentence of kit_words by `key` with its facts, and an exit code."""

    def __init__(self, code, key, **facts):
        Exception.__init__(self, key)
        self.code = code
        self.key = key
        self.facts = facts


def trouble_of(error, path):
    """The Trouble that an OSError means, `path` being what was worked on."""
    if error.errno == errno.ENOSPC or getattr(error, "winerror", None) == 112:
        return Trouble(6, "disk", folder=path, free=free_mb(path), need=NEED_MB)
    if error.errno == errno.ENOMEM:
        return Trouble(6, "memory", log=error)
    if error.errno == errno.ENAMETOOLONG or getattr(error, "winerror", None) == 206:
        return Trouble(4, "path", path=path)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY):
        return Trouble(4, "permission", path=error.filename or path)
    return Trouble(4, "unexpected", what=error)


def python_window(root):
    """`((3, 11), (3, 15))`: first minor version that works and first that does not."""
    text = read_text(os.path.join(root, "pyproject.toml"), root)
    found = re.search(r'^requires-python\s*=\s*">=3\.(\d+),\s*<3\.(\d+)"', text, re.M)
    if not found:
        raise Trouble(4, "incomplete", path="pyproject.toml (requires-python)")
    return (3, int(found.group(1))), (3, int(found.group(2)))


def wanted_state(root):
    """What the environment's record must say before it counts as ready."""
    return {
        "lock": digest(read_text(os.path.join(root, "requirements.lock"), root)),
        "pyproject": digest(read_text(os.path.join(root, "pyproject.toml"), root)),
        "python": "{}.{}".format(*sys.version_info[:2]),
        "machine": "{} {}".format(sys.platform, platform.machine()),
        "root": root,
    }


def read_text(path, root):
    """A file of the project; Trouble 4 where it is missing."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        raise Trouble(4, "incomplete", path=os.path.relpath(path, root)) from None


def digest(text):
    """sha256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def venv_dir(root):
    """The environment's folder: `.venv` in the project, or what KIT_VENV names."""
    return os.path.abspath(os.environ.get("KIT_VENV") or os.path.join(root, ".venv"))


def venv_python(venv):
    """Path of the environment's interpreter."""
    inside = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(venv, *inside)


def load_state(venv):
    """The environment's record, or {} where there is none that can be read."""
    try:
        with open(os.path.join(venv, STATE), encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def save_state(venv, state):
    """Write the record in one step: whoever reads it sees the old one or the new one."""
    path = os.path.join(venv, STATE)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(state, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def ask_interpreter(venv):
    """`{"python", "site", "pip"}` as the environment's interpreter answers, None if it doesn't."""
    code = (
        "import json,sys,sysconfig,importlib.util as u;"
        "print(json.dumps({'python':'%d.%d'%sys.version_info[:2],"
        "'site':sysconfig.get_paths()['purelib'],'inside':sys.prefix!=sys.base_prefix,"
        "'pip':u.find_spec('pip') is not None}))"
    )
    try:
        answer = subprocess.check_output(
            [venv_python(venv), "-I", "-c", code],
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        facts = json.loads(answer.decode("utf-8", "replace"))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return facts if facts["inside"] else None


def is_ready(root, venv):
    """Whether nothing has to be done: the record matches and the interpreter answers."""
    state, wanted = load_state(venv), wanted_state(root)
    if not state.get("complete") or any(state.get(key) != value for key, value in wanted.items()):
        return False
    facts = ask_interpreter(venv)
    return facts is not None and facts["python"] == wanted["python"]


@contextlib.contextmanager
def exclusive(path):
    """Hold the operating system's lock on `path`; Trouble 5 when another process holds it.

    The system lets go of it when the process ends, however it ends: it is never stale.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file = open(path, "a+b")  # noqa: SIM115 (closed below; closing lets go of the lock)
    try:
        try:
            if os.name == "nt":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                raise Trouble(5, "running") from None
            raise
        yield
    finally:
        file.close()


def clear_away(venv):
    """Take the environment's folder out of the way in one rename, then delete it.

    Where something in it is in use (Windows), the rename fails before anything is lost.
    """
    for old in glob.glob(glob.escape(venv) + ".old-*"):
        shutil.rmtree(old, ignore_errors=True)
    if os.path.lexists(venv):
        old = "{}.old-{}".format(venv, os.getpid())
        os.rename(venv, old)
        shutil.rmtree(old, ignore_errors=True)


def free_mb(path):
    """Free megabytes on the disk of `path`, or of the nearest folder above it that exists."""
    path = os.path.abspath(path)
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free // 10**6


def child_env():
    """The environment variables of everything started from here."""
    env = {key: value for key, value in os.environ.items() if key not in ASTRAY}
    env.setdefault("PYTHONIOENCODING", ":replace")  # a GBK console must not stop a program
    return env
