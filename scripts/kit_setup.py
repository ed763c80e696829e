"""Set-up of the project's own Python environment: made once, resumed when broken off.

Four steps: look at the machine, make the environment, install the packages, try them out. Whatever
an interrupted try had finished, and is still intact file by file, is kept; all else is made again.

Standard library only and Python 3.6 syntax: see kit_words.py.
"""

import errno
import importlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import time

import kit_env
import kit_pip
from kit_env import LOG, NEED_MB, STATE, Trouble, child_env, venv_python

LONGEST = 160  # characters of the longest path inside the environment (a file of jupyterlab)
STEPS = 4

# Imported at the end of a set-up, because an installed package need not start (on Windows a
# missing C++ runtime shows only here).
TRYOUT = {
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow.parquet",
    "scipy": "scipy.sparse",
    "matplotlib": "matplotlib.ft2font",
    "pyzmq": "zmq",
    "pydantic": "pydantic",
    "python-calamine": "python_calamine",
    "pyyaml": "yaml",
}


# ---------------------------------------------------------------- step 1: this machine


def check_python(root):
    """Trouble 4 unless this interpreter can run the pinned packages and make an environment."""
    low, high = kit_env.python_window(root)
    names = {"low": "{}.{}".format(*low), "high": "{}.{}".format(high[0], high[1] - 1)}
    found = platform.python_version()
    if sys.version_info[:2] < low:
        raise Trouble(4, "python.old", found=found, **names)
    if sys.version_info[:2] >= high:
        raise Trouble(4, "python.new", found=found, **names)
    if sys.maxsize < 2**32:
        raise Trouble(4, "python.bits", **names)
    for module in ("venv", "ensurepip"):
        try:
            importlib.import_module(module)
        except ImportError:
            raise Trouble(4, "python.novenv", module=module) from None
    return names


def check_machine(venv, share_left):
    """Trouble when the environment can't be made here: no disk, no right, path too long.

    venv: its folder, which exists. share_left: part of the packages still to be installed, 0 to 1.
    """
    need = int(NEED_MB * share_left)
    free = kit_env.free_mb(venv)
    if free < need:
        raise Trouble(6, "disk", folder=venv, free=free, need=need)
    probe = os.path.join(venv, "k" * (LONGEST // 2))
    try:
        os.makedirs(os.path.join(probe, "k" * (LONGEST - LONGEST // 2 - 1)), exist_ok=True)
        shutil.rmtree(probe)
    except OSError as error:
        # Windows answers a path over its limit with "not found", of a folder just made.
        if error.errno == errno.ENOENT:
            raise Trouble(4, "path", path=venv) from None
        raise


# ---------------------------------------------------------------- step 2: the environment


def base_python():
    """The interpreter to make the environment with: never the one inside an environment."""
    inside = sys.prefix != getattr(sys, "base_prefix", sys.prefix)
    return getattr(sys, "_base_executable", None) or sys.executable if inside else sys.executable


def make_venv(venv, names):
    """Make the empty environment with its pip; Trouble with the log's name when that fails."""
    log = os.path.join(venv, LOG)
    command = [base_python(), "-I", "-m", "venv", venv]
    with open(log, "ab") as file:
        code = subprocess.call(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=child_env(),
        )
    facts = kit_env.ask_interpreter(venv) if code == 0 else None
    if facts is None or not facts["pip"]:
        with open(log, encoding="utf-8", errors="replace") as file:
            found = kit_pip.diagnose(file.read(), venv, "venv")
        raise found or Trouble(4, "venv", log=log, **names)
    return facts


# ---------------------------------------------------------------- step 4: does it work


def try_out(venv, names, voice):
    """Import what is most likely not to start, in the environment; Trouble names what failed."""
    log = os.path.join(venv, LOG)
    began = time.time()
    probes = [(name, TRYOUT[name]) for name in names if name in TRYOUT]
    for i, (name, module) in enumerate(probes):
        voice.bar(i, len(probes), name, time.time() - began)
        with open(log, "ab") as file:
            code = subprocess.call(
                [venv_python(venv), "-I", "-c", "import " + module],
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=child_env(),
            )
        if code:
            voice.end_bar()
            raise Trouble(4, "runtime", name=name, log=log)
    voice.bar(len(probes), len(probes), "", time.time() - began, landmark=True)
    voice.end_bar()


def link_project(root, venv, site):
    """Make `import playbook` and the command `playbook` work from the environment.

    A .pth file that Python reads as one ASCII import line, because the encoding of a plain path in
    it depends on machine and Python version: a project under a Chinese folder name must work.
    """
    with open(os.path.join(site, "four_step_playbook.pth"), "w", encoding="ascii") as file:
        file.write("import sys; sys.path.append({})\n".format(ascii(root)))
    if os.name == "nt":
        path = os.path.join(venv, "Scripts", "playbook.cmd")
        text = '@"%~dp0python.exe" -P -m playbook %*\n'
    else:
        path = os.path.join(venv, "bin", "playbook")
        text = '#!/bin/sh\nexec "$(dirname "$0")/python" -P -m playbook "$@"\n'
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


# ---------------------------------------------------------------- all of it


def ensure(root, voice, fresh=False, thorough=False):
    """Have a ready environment; returns its interpreter. Trouble when that can't be.

    root: the project's folder. fresh: set up again from nothing. thorough: look at every installed
    file too (a second), which a mere start does not.
    """
    names = check_python(root)
    venv = kit_env.venv_dir(root)
    if not fresh and kit_env.is_ready(root, venv) and not (thorough and _is_damaged(venv)):
        return venv_python(venv)
    try:
        with kit_env.exclusive(venv + ".lock"):
            # Another window may have finished while this one came here.
            if fresh or thorough or not kit_env.is_ready(root, venv):
                _set_up(root, venv, voice, fresh, names)
    except OSError as error:
        raise kit_env.trouble_of(error, venv) from error
    return venv_python(venv)


def _is_damaged(venv):
    state, site = kit_env.load_state(venv), kit_env.ask_interpreter(venv)["site"]
    pins = [pin for pins in state["parts"].values() for pin in pins]
    return kit_pip.altered(site, state) or bool(kit_pip.damaged(site, pins))


def _set_up(root, venv, voice, fresh, names):
    began = time.time()
    entries = kit_pip.read_lock(root)
    parts = kit_pip.parts_of(entries)
    state, facts = _what_is_left(root, venv, voice, fresh)
    total = len(entries)

    voice.step(1, STEPS, "step.machine")
    os.makedirs(venv, exist_ok=True)
    done = sum(len(group) for mark, group in parts if mark in state["parts"])
    check_machine(venv, 1 - done / float(total))
    kit_env.save_state(venv, state)
    with open(os.path.join(venv, LOG), "w", encoding="utf-8") as file:
        file.write("{} {}\n".format(platform.platform(), sys.version.replace("\n", " ")))

    voice.step(2, STEPS, "step.venv")
    if facts is None:
        facts = make_venv(venv, names)

    voice.step(3, STEPS, "step.packages")
    if 0 < done < total:
        voice.say("note.resume", done=done, total=total)
    kit_pip.install(venv, facts["site"], state, parts, voice)

    voice.step(4, STEPS, "step.tryout")
    lost = kit_pip.drop_damaged(facts["site"], state)
    if lost:
        kit_env.save_state(venv, state)
        raise Trouble(4, "damaged", name=", ".join(lost[:3]))
    pins = [pin for pins in state["parts"].values() for pin in pins]
    try_out(venv, [pin.split("==")[0] for pin in pins], voice)
    link_project(root, venv, facts["site"])
    state.update(kit_env.wanted_state(root), complete=True)
    kit_env.save_state(venv, state)
    voice.say("note.ready", seconds=int(time.time() - began))


def _what_is_left(root, venv, voice, fresh):
    """(record, interpreter's answer or None) of what a new set-up can keep; clears the rest away.

    Kept: an environment for the same lock, Python and folder whose interpreter answers, less the
    packages whose files are not all there. Where a package has another version than the lock's,
    put in by hand, nothing is kept: files of two versions may be mixed.
    """
    wanted = kit_env.wanted_state(root)
    if os.path.isdir(venv) and os.listdir(venv):
        ours = {STATE, STATE + ".new", LOG, "pyvenv.cfg"}
        if not ours.intersection(os.listdir(venv)):
            raise Trouble(2, "foreign", path=venv)
        old = kit_env.load_state(venv)
        keys = ("lock", "python", "machine", "root")
        same = all(old.get(key) == wanted[key] for key in keys) and isinstance(
            old.get("parts"), dict
        )
        facts = kit_env.ask_interpreter(venv) if same and not fresh else None
        sound = facts and facts["pip"] and facts["python"] == wanted["python"]
        if sound and not kit_pip.altered(facts["site"], old):
            state = dict(wanted, complete=False, parts=old["parts"])
            kit_pip.drop_damaged(facts["site"], state)
            return state, facts
        if old:
            voice.say("note.again" if old.get("complete") and not same else "note.broken")
        kit_env.clear_away(venv)
    else:
        voice.say("note.first", need=NEED_MB)
        kit_env.clear_away(venv)
    return dict(wanted, complete=False, parts={}), None
