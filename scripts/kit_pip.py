"""The packages: requirements.lock installed part by part with pip, and what pip's failures mean.

Each part (a dozen packages) is one pip call and is recorded when it is done, so that a broken-off
set-up goes on where it was even where pip's own cache is off, as behind many mirrors.

Standard library only and Python 3.6 syntax: see kit_words.py.
"""

import csv
import glob
import os
import platform
import queue
import re
import subprocess
import threading
import time

import kit_env
from kit_env import LOG, NEED_MB, Trouble, child_env, digest, free_mb, venv_python

PART = 12  # packages a pip call: what a broken-off call loses, against half a second a call
TRIES = 3  # of one part, when the network drops after it has worked

# What pip runs under. Should this script be killed, the pipe to its child closes and the child
# ends too: no orphan goes on writing into the environment while a second set-up starts.
GUARD = """
import os, runpy, sys, threading
for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(encoding="utf-8", errors="replace")
def watch():
    while os.read(0, 1):
        pass
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.argv = ["pip"] + sys.argv[1:]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def read_lock(root):
    """requirements.lock as a list of `(name, text)`; text is the entry with its hashes."""
    text = kit_env.read_text(os.path.join(root, "requirements.lock"), root)
    entries = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace():
            entries[-1][1].append(line)
        else:
            entries.append((plain(re.split(r"[=<>!~;\[ ]", line)[0]), [line]))
    if not entries:
        raise Trouble(4, "incomplete", path="requirements.lock")
    return [(name, "\n".join(lines) + "\n") for name, lines in entries]


def plain(name):
    """A package's name as the registries compare it: lower case, one dash."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parts_of(entries):
    """The lock's entries in groups for one pip call each: `[(digest, [(name, text), ...])]`."""
    groups = [entries[i : i + PART] for i in range(0, len(entries), PART)]
    return [(digest("".join(text for _, text in group)), group) for group in groups]


SIGNS = (
    (6, "disk", r"No space left on device|Errno 28\b|WinError 112\b|Disk quota exceeded"),
    (6, "memory", r"\bMemoryError\b|Errno 12\b|Cannot allocate memory|WinError 1455\b"),
    (4, "hash", r"DO NOT MATCH THE HASHES|HashMismatch|THESE PACKAGES DO NOT MATCH"),
    (4, "path", r"WinError 206\b|Errno 36\b|File name too long|Windows Long Path support"),
    (4, "certificate", r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError"),
    (
        4,
        "network",
        r"Failed to establish a new connection|NewConnectionError|NameResolutionError|getaddrinfo"
        r"|ConnectTimeoutError|ReadTimeout|Read timed out|ProxyError|IncompleteRead"
        r"|RemoteDisconnected|ConnectionResetError|Connection refused|Connection broken"
        r"|Max retries exceeded|SSLError|Network is unreachable|Name or service not known",
    ),
    (4, "refused", r"(?:HTTP error|Client Error|Server Error|status code:?) ?(4\d\d|5\d\d)|"
                   r"\b(401|403|407|5\d\d) (?:Client|Server) Error"),
    (4, "wheel", r"No matching distribution found for|Could not find a version that satisfies"),
    (4, "permission", r"Permission denied|Errno (?:13|30)\b|WinError (?:5|32)\b|Access is denied"),
)  # fmt: skip


def diagnose(text, venv, name):
    """The Trouble that pip's output means, or None when it names nothing we know.

    text: pip's output of one call. name: the package at work when it ended.
    """
    # A network that dropped and came back while earlier packages were fetched is no cause.
    text = text[max(0, text.rfind("\nCollecting ")) :]
    for code, key, sign in SIGNS:
        found = re.search(sign, text)
        if not found:
            continue
        facts = {"log": os.path.join(venv, LOG), "path": venv, "name": name, "folder": venv}
        if key == "disk":
            facts.update(free=free_mb(venv), need=NEED_MB)
        if key == "hash":
            facts["name"] = _first(r"^ {4}([^\s:]*==[^\s:]+)", text) or name
        if key == "wheel":
            facts["name"] = _first(r"No matching distribution found for (\S+)", text) or name
            facts["machine"] = "{} {}".format(platform.system(), platform.machine())
            facts["python"] = platform.python_version()
        if key == "refused":
            facts["status"] = found.group(1) or found.group(2)
        if key == "permission":
            facts["path"] = _first(r"(?:denied|Access is denied)[^'\n]*'([^']+)'", text) or venv
        return Trouble(code, key, **facts)
    return None


def _first(pattern, text):
    found = re.search(pattern, text, re.M)
    return found.group(1) if found else None


def pip_command(venv, part_file):
    """The command that installs one part: hashes required, nothing built, nothing resolved.

    --no-deps, because the lock is complete; --ignore-installed, because a broken-off call may have
    left a package half there, which pip would take for installed.
    """
    return [
        venv_python(venv), "-I", "-u", "-c", GUARD, "install", "--require-hashes", "--no-deps",
        "--only-binary", ":all:", "--ignore-installed", "--no-input", "--progress-bar", "off",
        "--disable-pip-version-check", "--no-warn-script-location", "-r", part_file,
    ]  # fmt: skip


def run_pip(command, log, on_line):
    """Run pip, its output to `log` and line by line to `on_line` (None twice a second meanwhile).

    Returns (exit code, output). Ends pip when this is interrupted.
    """
    env = child_env()
    env["PIP_USER"] = "0"
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env
    )
    lines = queue.Queue()

    def pump():
        for raw in child.stdout:
            lines.put(raw.decode("utf-8", "replace"))
        lines.put(None)

    pumping = threading.Thread(target=pump, daemon=True)
    pumping.start()
    heard = []
    try:
        with open(log, "a", encoding="utf-8") as file:
            while True:
                try:
                    line = lines.get(timeout=0.5)
                except queue.Empty:
                    on_line(None)
                    continue
                if line is None:
                    break
                file.write(line)
                file.flush()
                heard.append(line)
                on_line(line)
        return child.wait(), "".join(heard)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        child.stdin.close()
        pumping.join(5)
        child.stdout.close()


class Progress:
    """Turns pip's lines into a bar: packages done of all, and the one at work."""

    def __init__(self, voice, total):
        self.voice = voice
        self.total = total
        self.before = 0  # packages of the parts that are done
        self.seen = 0  # packages of this part that pip has begun or passed over
        self.name = ""
        self.began = time.time()

    def hear(self, line):
        """One line of pip, or None for a sign of life."""
        begun = re.match(r"(?:Collecting|Ignoring) ([^\s=;:]+)", line or "")
        if begun:
            self.seen += 1
            self.name = begun.group(1)
        self.draw()

    def part_done(self, size):
        """A part of `size` packages is installed."""
        self.before += size
        self.seen = 0
        self.draw(landmark=True)

    def draw(self, landmark=False):
        done = self.before + max(0, self.seen - 1)
        seconds = time.time() - self.began
        self.voice.bar(min(done, self.total), self.total, self.name, seconds, landmark)


def install(venv, site, state, parts, voice):
    """Install the parts that the record does not have yet, recording each when it is done.

    site: the environment's folder of packages. state: its record, changed and saved here.
    """
    log = os.path.join(venv, LOG)
    progress = Progress(voice, sum(len(group) for _, group in parts))
    worked = False
    for mark, group in parts:
        if mark in state["parts"]:
            progress.before += len(group)
            continue
        part_file = os.path.join(venv, "part.txt")
        with open(part_file, "w", encoding="utf-8") as file:
            file.write("".join(text for _, text in group))
        for attempt in range(1, TRIES + 1):
            progress.seen = 0
            code, heard = run_pip(pip_command(venv, part_file), log, progress.hear)
            if code == 0:
                break
            trouble = diagnose(heard, venv, progress.name or group[0][0])
            dropped = trouble is not None and trouble.key == "network"
            if not (dropped and (worked or "Downloading" in heard) and attempt < TRIES):
                voice.end_bar()
                raise trouble or Trouble(4, "pip", status=code, name=progress.name, log=log)
            voice.say("note.retry", n=attempt + 1)
        worked = True
        # The lock serves every system and Python; what this one needs is what pip put there.
        found = installed(site)
        pins = [_pin(text).split("==") for _, text in group]
        state["parts"][mark] = [
            name + "==" + version
            for name, version in pins
            if any(version == there for there, _ in found.get(name, []))
        ]
        kit_env.save_state(venv, state)
        progress.part_done(len(group))
    voice.end_bar()


def _pin(text):
    """`"numpy==2.4.6"` of a lock entry."""
    name, version = re.match(r"([^=\s]+)==([^\s;\\]+)", text).groups()
    return plain(name) + "==" + version


def installed(site):
    """What the environment's records tell: `{name: [(version, folder of the record), ...]}`."""
    found = {}
    for folder in glob.glob(os.path.join(glob.escape(site), "*.dist-info")):
        name, _, version = os.path.basename(folder)[: -len(".dist-info")].partition("-")
        found.setdefault(plain(name), []).append((version, folder))
    return found


def altered(site, state):
    """Whether some package was put in by hand in another version than the lock's."""
    found = installed(site)
    pins = (pin.split("==") for pins in state["parts"].values() for pin in pins)
    return any([v for v, _ in found.get(name, [])] not in ([], [version]) for name, version in pins)


def damaged(site, pins):
    """Those of `pins` whose files in `site` are not all there in the size their record tells."""
    found = installed(site)
    names = {pin: found.get(pin.split("==")[0], []) for pin in pins}
    return [pin for pin, at in names.items() if not any(_intact(site, folder) for _, folder in at)]


def _intact(site, folder):
    try:
        with open(os.path.join(folder, "RECORD"), encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
        for name, _, size in rows:
            # Compiled files may be cleared away at any time; Python makes them again.
            if not name.endswith(".pyc"):
                found = os.stat(os.path.join(site, name)).st_size
                if size and found != int(size):
                    return False
    except (OSError, ValueError):
        return False
    return bool(rows)


def drop_damaged(site, state):
    """Strike the parts with damaged packages off the record; returns those packages."""
    lost = []
    for mark, pins in list(state["parts"].items()):
        bad = damaged(site, pins)
        if bad:
            lost += bad
            del state["parts"][mark]
    return lost
