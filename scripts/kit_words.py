"""What scripts/kit.py says, in Chinese and English side by side, and how it reaches a console.

Standard library only and Python 3.6 syntax: this must speak before anything is installed, even on
a Python that is too old. (All other words of the project are in playbook/text.)
"""

import os
import shutil
import sys
import time

WORDS = {
    "usage": (
        "用法：\n"
        "  python3 scripts/kit.py report [选项]   准备环境并生成报告（默认：样例数据的全部网点）\n"
        "  python3 scripts/kit.py learn           准备环境并打开学习区\n"
        "  python3 scripts/kit.py test [选项]     准备环境并运行全部测试；带选项时只运行所选测试\n"
        "  python3 scripts/kit.py setup [--fresh] 只准备环境；--fresh 表示推倒重装\n"
        "  python3 scripts/kit.py 其他命令 …      原样交给 playbook（如 check、doctor、policy）\n"
        "界面语言：加 --lang zh 或 --lang en。",
        "Usage:\n"
        "  python3 scripts/kit.py report [options]  set up and make the reports (sample data, all"
        " branches)\n"
        "  python3 scripts/kit.py learn             set up and open the learner's workspace\n"
        "  python3 scripts/kit.py test [options]    set up and run all tests; with options, only"
        " those chosen\n"
        "  python3 scripts/kit.py setup [--fresh]   set up only; --fresh starts from nothing\n"
        "  python3 scripts/kit.py COMMAND ...       handed to playbook (check, doctor, ...)\n"
        "Language: add --lang zh or --lang en.",
    ),
    "lang": (
        "--lang 只能是 zh 或 en，而不是“{value}”。",
        "--lang takes zh or en, not '{value}'.",
    ),
    "setup.option": (
        "setup 只认识选项 --fresh，不认识“{value}”。",
        "setup knows the option --fresh only, not '{value}'.",
    ),
    "step.machine": ("检查本机", "checking this machine"),
    "step.venv": ("建立独立的 Python 环境", "making a separate Python environment"),
    "step.packages": ("安装软件包", "installing packages"),
    "step.tryout": ("试运行", "trying it out"),
    "note.first": (
        "首次使用，正在准备环境。约需磁盘 {need} MB，通常几分钟；中途断开，下次接着装。",
        "First use: setting up. It takes about {need} MB of disk and usually a few minutes; if it "
        "is broken off, the next try goes on from there.",
    ),
    "note.again": (
        "软件清单或 Python 版本有变，重新准备环境。",
        "The list of packages or the Python version has changed: setting up again.",
    ),
    "note.broken": (
        "现有环境不完整或已损坏，重新准备。",
        "The environment is incomplete or damaged: setting up again.",
    ),
    "note.resume": (
        "上次中断，从第 {done}/{total} 个软件包接着装。",
        "The last set-up was broken off: going on from package {done} of {total}.",
    ),
    "note.retry": (
        "网络中断，第 {n} 次重试。",
        "The network was interrupted: try {n}.",
    ),
    "note.ready": ("环境已就绪（{seconds} 秒）。", "Ready ({seconds} s)."),
    "python.old": (
        "本机的 Python 是 {found}，太旧；请安装 Python {low} 至 {high} 后，用它再运行本命令。",
        "This Python is {found}, which is too old; install Python {low} to {high} and run this "
        "command with it.",
    ),
    "python.new": (
        "本机的 Python 是 {found}，软件包尚未支持；请安装 Python {low} 至 {high} 后，"
        "用它再运行本命令。",
        "This Python is {found}, which the packages do not support yet; install Python {low} to "
        "{high} and run this command with it.",
    ),
    "python.bits": (
        "本机的 Python 是 32 位版；请安装 64 位的 Python {low} 至 {high}。",
        "This Python is a 32-bit one; install a 64-bit Python {low} to {high}.",
    ),
    "python.novenv": (
        "本机的 Python 缺少 {module} 组件，无法建立独立环境；请补装"
        "（Debian/Ubuntu：apt install python3-venv；其他系统请安装官网完整版 Python）后再试。",
        "This Python lacks the module {module} and cannot make an environment; add it (Debian, "
        "Ubuntu: apt install python3-venv; elsewhere install the full Python) and try again.",
    ),
    "disk": (
        "磁盘空间不足：{folder} 所在磁盘剩 {free} MB，约需 {need} MB；腾出空间后再运行，会接着装。",
        "Not enough disk: {free} MB free where {folder} is, about {need} MB needed; free some and "
        "run this again, it goes on from there.",
    ),
    "memory": (
        "内存不足，安装中止；请关闭其他程序后再试。详见 {log}",
        "Not enough memory, the set-up stopped; close other programs and try again. See {log}",
    ),
    "network": (
        "连不上软件源，{name} 没有下载成功；请检查网络或代理，内网请按本行要求配置 pip 镜像后再试，"
        "会接着装。详见 {log}",
        "The package index cannot be reached and {name} was not downloaded; check the network or "
        "proxy, or set your bank's pip mirror, and try again: it goes on from there. See {log}",
    ),
    "certificate": (
        "软件源的安全证书不被本机信任，{name} 没有下载；"
        "内网请向科技部门要根证书并配置 pip 的 cert 后再试。详见 {log}",
        "This machine does not trust the certificate of the package index and {name} was not "
        "downloaded; ask your IT department for the root certificate, set pip's `cert`, try again. "
        "See {log}",
    ),
    "refused": (
        "软件源拒绝了请求（{status}），{name} 没有下载；"
        "请检查 pip 镜像的地址和账号后再试。详见 {log}",
        "The package index refused the request ({status}) and {name} was not downloaded; check the "
        "address and account of your pip mirror and try again. See {log}",
    ),
    "hash": (
        "{name} 的下载文件与清单里的校验值不符，已拒绝安装；"
        "文件可能损坏或被改动，请重试，仍不行请找科技部门核对镜像。详见 {log}",
        "The downloaded file of {name} does not match the checksum in the lock and was refused; it "
        "may be damaged or altered. Try again; if it stays so, have the mirror checked. See {log}",
    ),
    "wheel": (
        "软件源没有适合本机（{machine}，Python {python}）的 {name}；"
        "请换用 64 位的 Windows、macOS 或 Linux，或请科技部门在镜像中补上。详见 {log}",
        "The package index has no {name} ready for this machine ({machine}, Python {python}); use "
        "64-bit Windows, macOS or Linux, or have the mirror completed. See {log}",
    ),
    "permission": (
        "没有权限写入 {path}，或文件正被占用；请关闭 JupyterLab 等正在使用它的程序，"
        "或把项目放到自己有权写入的文件夹后再试。",
        "{path} cannot be written, or is in use; close JupyterLab and whatever else uses it, or "
        "put the project into a folder of your own, and try again.",
    ),
    "path": (
        "文件夹路径太长（{path}）；请把项目移到更短的路径（如 C:\\playbook）后再试。",
        "The folder's path is too long ({path}); move the project to a shorter one (such as "
        "C:\\playbook) and try again.",
    ),
    "foreign": (
        "{path} 里有别的文件，不像是本项目的环境，没有动它；请换一个空文件夹（KIT_VENV）。",
        "{path} holds other files and does not look like this project's environment; it was left "
        "alone. Name an empty folder (KIT_VENV).",
    ),
    "venv": (
        "无法建立独立的 Python 环境；请重装 Python {low} 至 {high} 后再试。详见 {log}",
        "The Python environment could not be made; reinstall Python {low} to {high} and try again. "
        "See {log}",
    ),
    "damaged": (
        "安装后发现 {name} 的文件缺失或被改动，可能被安全软件隔离；"
        "请放行本项目文件夹后再运行，会自动补装。",
        "After the set-up, files of {name} are missing or altered, perhaps taken by security "
        "software; allow the project's folder and run this again, it will be repaired.",
    ),
    "runtime": (
        "软件包 {name} 装好了却无法启动；"
        "Windows 请安装 Microsoft Visual C++ 运行库（x64）后再试。详见 {log}",
        "The package {name} is installed but does not start; on Windows install the Microsoft "
        "Visual C++ runtime (x64) and try again. See {log}",
    ),
    "pip": (
        "安装没有成功（pip 返回 {status}）：{name}。请再试一次；仍不行，请把 {log} 交给技术支持。",
        "The set-up failed (pip returned {status}) at {name}. Try once more; if it stays so, give "
        "{log} to your support.",
    ),
    "incomplete": (
        "项目文件不完整：缺少 {path}；请重新取得整个项目文件夹。",
        "The project is incomplete: {path} is missing; get the whole project folder again.",
    ),
    "running": (
        "另一个窗口正在准备环境；请等它完成后再运行。",
        "Another window is setting up; wait for it to end, then run this again.",
    ),
    "interrupted": ("已中断。", "Interrupted."),
    "unexpected": (
        "出现意外问题：{what}。请再试一次；仍不行，请把这句话交给技术支持。",
        "Something unexpected: {what}. Try once more; if it stays so, give this sentence to your "
        "support.",
    ),
    "test.tests": ("测试", "tests"),
    "test.notebooks": ("教学笔记本", "notebooks"),
    "test.part": (
        "{part}：通过 {passed}，失败 {failed}，跳过 {skipped}（{seconds} 秒）",
        "{part}: {passed} passed, {failed} failed, {skipped} skipped ({seconds} s)",
    ),
    "test.ok": ("全部通过。", "All passed."),
    "test.fail": ("有测试未通过（退出码 {code}）。", "Not all passed (exit code {code})."),
}


def pick_language(arguments, environ=None):
    """`"zh"`, `"en"`, or None for both: from `--lang`, else PLAYBOOK_LANG, else the locale."""
    environ = os.environ if environ is None else environ
    for i, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return _code(argument[len("--lang=") :])
        if argument == "--lang" and i + 1 < len(arguments):
            return _code(arguments[i + 1])
    if environ.get("PLAYBOOK_LANG"):
        return _code(environ["PLAYBOOK_LANG"])
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return _code(environ[name])
    if os.name == "nt":
        return _windows_language()
    return None


def _code(text):
    start = text.strip().lower()[:2]
    return start if start in ("zh", "en") else None


def _windows_language():
    import ctypes

    primary = ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF
    return {0x04: "zh", 0x09: "en"}.get(primary)


def width(text):
    """Columns that `text` takes on a console: a Chinese character takes two."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def fit(text, columns):
    """`text` cut to at most `columns` columns."""
    kept, used = [], 0
    for c in text:
        used += width(c)
        if used > columns:
            break
        kept.append(c)
    return "".join(kept)


class Voice:
    """Speaks to one console, in one language or in both.

    language: "zh", "en" or None (both, Chinese first).
    stream: where to; anything with `write`. Characters that the console's encoding lacks (a GBK
    console, an ASCII one) are replaced, never an error.
    """

    heartbeat = 15.0  # seconds between signs of life where there is no terminal

    def __init__(self, language, stream=None):
        self.language = language
        self.stream = sys.stdout if stream is None else stream
        self.live = bool(getattr(self.stream, "isatty", lambda: False)())
        self._drawn = 0
        self._last_beat = time.time()

    def words(self, key, joiner="\n", **facts):
        """The sentence for `key`, filled in, in this voice's language or both joined."""
        zh, en = (text.format(**facts) for text in WORDS[key])
        if self.language is None:
            return zh + joiner + en
        return zh if self.language == "zh" else en

    def say(self, key, **facts):
        """One sentence on its own line (two lines when the language is not known)."""
        self.write_line(self.words(key, **facts))

    def write_line(self, text):
        self._clear()
        self._write(text + "\n")

    def step(self, n, total, key):
        """`[2/4] what happens now`."""
        self.write_line("[{}/{}] {}".format(n, total, self.words(key, joiner=" ")))
        self._last_beat = time.time()

    def bar(self, done, total, name, seconds, landmark=False):
        """Show progress: redrawn in place on a terminal, else a line at landmarks and heartbeats.

        done, total: packages. name: the one at work. seconds: since the step began.
        """
        now = time.time()
        if not self.live and not landmark and now - self._last_beat < self.heartbeat:
            return
        self._last_beat = now
        filled = int(24 * done / total) if total else 24
        text = "      [{}{}] {}/{}  {} s  {}".format(
            "#" * filled, "." * (24 - filled), done, total, int(seconds), name
        )
        if not self.live:
            self._write(text.rstrip() + "\n")
            return
        text = fit(text, shutil.get_terminal_size().columns - 1)
        self._write("\r" + text + " " * max(0, self._drawn - width(text)))
        self._drawn = width(text)

    def end_bar(self):
        """Leave the last bar standing and go to the next line."""
        if self._drawn:
            self._write("\n")
            self._drawn = 0

    def _clear(self):
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _write(self, text):
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        self.stream.write(text.encode(encoding, "replace").decode(encoding, "replace"))
        self.stream.flush()
