"""One command for everything: sets the project up on this machine, then runs what you asked for.

    python3 scripts/kit.py report      the reports of the sample data
    python3 scripts/kit.py learn       the learner's workspace
    python3 scripts/kit.py test        the whole test suite
    python3 scripts/kit.py setup       the set-up alone

Needs Python and nothing else (standard library only; the syntax is Python 3.6's, so that a Python
that is too old gets a sentence and not a SyntaxError). The first run makes `.venv` in the project's
folder from requirements.lock; later runs see that it is there and start at once.

Exit codes: 0 done, 2 wrong use, 4 cannot be set up, 5 another set-up is running, 6 no disk or
memory, 130 interrupted; else the code of the command that was run.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from xml.etree import ElementTree

import kit_env
import kit_setup
from kit_env import Trouble
from kit_words import Voice, pick_language

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOTEBOOK_SECONDS = 600  # a cell that takes longer hangs


def main(arguments, root=ROOT):
    """Run one command; returns its exit code. No error gets past this: each is one sentence."""
    # The set-up speaks on the error stream: the output is the command's own.
    voice = Voice(pick_language(arguments), sys.stderr)
    try:
        _mind_sigterm()
        return run(list(arguments), root, voice)
    except Trouble as trouble:
        voice.say(trouble.key, **trouble.facts)
        return trouble.code
    except KeyboardInterrupt:
        voice.say("interrupted")
        return 130
    except OSError as error:
        trouble = kit_env.trouble_of(error, root)
        voice.say(trouble.key, **trouble.facts)
        return trouble.code
    except Exception as error:  # the last resort: nobody who runs this reads tracebacks
        voice.say("unexpected", what="{}: {}".format(type(error).__name__, error))
        return 4


def run(arguments, root, voice):
    """Split off the language, set up, and do what the first word says."""
    language, arguments = take_language(arguments)
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command in ("-h", "--help", "help"):
        Voice(voice.language).say("usage")
        return 0
    if not command or command.startswith("-"):
        voice.say("usage")
        return 2
    fresh = command == "setup" and rest == ["--fresh"]
    if command == "setup" and rest and not fresh:
        raise Trouble(2, "setup.option", value=" ".join(rest))
    python = kit_setup.ensure(root, voice, fresh=fresh, thorough=command == "setup")
    if command == "setup":
        return 0
    if command == "test":
        return run_tests(python, rest, root, voice)
    words = ["--lang", language] if language else []
    # -P: a folder "playbook", or a file like random.py, where this is called from is not ours.
    whole = [python, "-P", "-m", "playbook", command, *rest, *words]
    return run_child(whole, kit_env.child_env())


def take_language(arguments):
    """`(language or None, arguments without --lang)`; Trouble 2 when it is not zh or en."""
    language, kept, i = None, [], 0
    while i < len(arguments):
        argument = arguments[i]
        if argument == "--lang" or argument.startswith("--lang="):
            if argument == "--lang":
                i += 1
                language = arguments[i] if i < len(arguments) else ""
            else:
                language = argument[len("--lang=") :]
            if language not in ("zh", "en"):
                raise Trouble(2, "lang", value=language)
        else:
            kept.append(argument)
        i += 1
    return language, kept


def run_child(command, env, cwd=None):
    """Run a command on this console and return its exit code; Ctrl-C is the command's to answer."""
    child = subprocess.Popen(command, env=env, cwd=cwd)
    try:
        while True:
            try:
                code = child.wait()
                break
            except KeyboardInterrupt:
                if _terminated:
                    child.terminate()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
    if code < 0:  # ended by a signal: as a shell counts it
        return 128 - code
    return code


# ---------------------------------------------------------------- the tests


def run_tests(python, arguments, root, voice):
    """The suite, then the notebooks against their stored results; or only what `arguments` choose.

    Ends with one line of counts over both and returns the first code that is not 0.
    """
    spread = ["-n", str(cores()), "--dist", "loadfile"]
    base = [python, "-m", "pytest", *spread]
    runs = [("test.tests", base + arguments)]
    if not arguments:
        nbval = ["--nbval-lax", "--nbval-current-env"]
        limit = ["--nbval-cell-timeout", str(NOTEBOOK_SECONDS)]
        runs.append(("test.notebooks", base + nbval + limit + ["notebooks"]))
    folder = tempfile.mkdtemp(prefix="kit-")
    results = []
    try:
        for i, (name, command) in enumerate(runs):
            report = os.path.join(folder, "{}.xml".format(i))
            began = time.time()
            code = run_child([*command, "--junitxml", report], kit_env.child_env(), cwd=root)
            results.append((name, code, counts(report), int(time.time() - began)))
            if code in (2, 130):  # pytest was interrupted
                break
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    voice = Voice(voice.language)
    for name, _, found, seconds in results:
        part = voice.words(name, joiner=" ")
        voice.say("test.part", part=part, seconds=seconds, **found)
    bad = [code for _, code, _, _ in results if code]
    voice.say("test.fail", code=bad[0]) if bad else voice.say("test.ok")
    total = {key: sum(found[key] for _, _, found, _ in results) for key in counts("")}
    voice.write_line("kit: {passed} passed, {failed} failed, {skipped} skipped".format(**total))
    return bad[0] if bad else 0


def cores():
    """Processors this process may use, at most 8: more workers than that only cost memory."""
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)


def counts(report):
    """`{passed, failed, skipped}` of a JUnit file; an unreadable one counts as one failure."""
    if not report:
        return {"passed": 0, "failed": 0, "skipped": 0}
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return {"passed": 0, "failed": 1, "skipped": 0}
    total = {
        key: sum(int(suite.get(key, 0)) for suite in suites)
        for key in ("tests", "failures", "errors", "skipped")
    }
    failed, skipped = total["failures"] + total["errors"], total["skipped"]
    return {"passed": total["tests"] - failed - skipped, "failed": failed, "skipped": skipped}


# ---------------------------------------------------------------- signals

_terminated = []


def _mind_sigterm():
    """Answer a request to end (SIGTERM) like Ctrl-C, so that what was started ends too."""

    def end(signum, frame):
        _terminated.append(signum)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
