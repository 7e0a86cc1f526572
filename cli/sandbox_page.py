"""What `kerasdoctor check --sandbox` prints: which locks hold on this machine, and whether the doors are closed."""

from __future__ import annotations

from ..diagnostics.lockdown import ESSENTIAL
from ..diagnostics.self_test import SCRATCH, SelfTest
from ..knowledge.text import Lang, Text
from .terminal import Screen, json_text

SCHEMA = "kerasdoctor.sandbox/1"
HEADING = Text("The sandbox on this machine", "这台机器上的沙箱")
LOCKS = Text("Locks", "锁")
DOORS = Text("Doors, tried from inside", "从内部试过的门")
MISSING = Text("missing: {}", "缺失：{}")
ESSENTIAL_MISSING = Text("MISSING, and essential: {}", "缺失，而且必不可少：{}")
CLOSED = Text("closed: {}", "已关闭：{}")
OPEN = Text("OPEN", "敞开")
WRITABLE = Text("open, as it must be", "可写，本该如此")
UNWRITABLE = Text("cannot be written to: {}", "无法写入：{}")
VERDICT = {
    True: Text(
        "Every essential lock holds: models may be run here (--live, repair).",
        "必不可少的锁都锁上了：可以在这里运行模型（--live、repair）。",
    ),
    False: Text(
        "The sandbox cannot be locked here: files are still read, but models are not run (--live, repair) unless you say "
        "--unlocked. It needs Linux 5.13 or later with Landlock, and libseccomp.",
        "沙箱在这里锁不上：文件照样读取，但不会运行模型（--live、repair），除非加 --unlocked。"
        "需要 Linux 5.13 或更新版本、启用 Landlock，以及 libseccomp。",
    ),
}
NAMES = {
    "cpu": Text("time on the processor", "处理器时间"),
    "memory": Text("memory", "内存"),
    "file-size": Text("size of files", "文件大小"),
    "open-files": Text("number of open files", "打开文件数"),
    "core": Text("no core dumps", "不生成核心转储"),
    "threads": Text("number of threads", "线程数"),
    "user": Text("a user that no one is", "不属于任何人的用户"),
    "capabilities": Text("no rights of root", "没有 root 权限"),
    "namespaces": Text("network, mounts and processes of its own", "独立的网络、挂载和进程空间"),
    "disk": Text("a disk of its own", "独立的磁盘空间"),
    "no-new-privileges": Text("no new rights", "不能获得新权限"),
    "files": Text("files: libraries and the model only (Landlock)", "文件：只有库和模型（Landlock）"),
    "tcp": Text("no TCP (Landlock)", "没有 TCP（Landlock）"),
    "devices": Text("no devices (Landlock)", "没有设备（Landlock）"),
    "scopes": Text("no signals and sockets to others (Landlock)", "不能向外发信号、连套接字（Landlock）"),
    "system-calls": Text("system calls that a model needs (seccomp)", "只允许模型需要的系统调用（seccomp）"),
    "network": Text("open a socket", "打开套接字"),
    "read": Text("read a file of this machine", "读取这台机器上的文件"),
    "write": Text("write outside", "写到外面"),
    "program": Text("start a program", "启动程序"),
    "process": Text("start a process", "启动进程"),
    "signal": Text("send a signal to its parent", "向父进程发信号"),
    SCRATCH: Text("write to its scratch folder", "写到自己的临时目录"),
}


def page(test: SelfTest, lang: Lang) -> str:
    """A page for a terminal."""
    screen = Screen()
    screen.heading(HEADING.say(lang))
    screen.plain(LOCKS.say(lang), indent=2, bold=True)
    for name in sorted(test.lock.applied, key=[*NAMES, *test.lock.applied].index):
        screen.item(_named(name, lang), "✓", indent=4)
    for line in test.lock.missing:
        name, _, reason = line.partition(": ")
        mark, how = ("✗", ESSENTIAL_MISSING) if name in ESSENTIAL else ("-", MISSING)
        screen.item(f"{_named(name, lang)} – {how.say(lang).format(reason)}", mark, indent=4)
    if test.doors:
        screen.plain(DOORS.say(lang), indent=2, bold=True)
    for name, told in test.doors.items():
        good = (told == "OPEN") == (name == SCRATCH)
        screen.item(f"{_named(name, lang)} – {_door(name, told).say(lang)}", "✓" if good else "✗", indent=4)
    screen.blank()
    screen.plain(VERDICT[test.holds].say(lang), indent=2, bold=True, fg="green" if test.holds else "red")
    return screen.text()


def json_page(test: SelfTest, lang: Lang) -> str:
    """The same as JSON, by the schema that `SCHEMA` names."""
    answer = {
        "schema": SCHEMA,
        "lang": lang,
        "holds": test.holds,
        "applied": list(test.lock.applied),
        "missing": list(test.lock.missing),
        "doors": test.doors,
    }
    return json_text(answer)


def _named(name: str, lang: Lang) -> str:
    return NAMES[name].say(lang) if name in NAMES else name


def _door(name: str, told: str) -> Text:
    reason = told.removeprefix("closed: ")
    if name == SCRATCH:
        return WRITABLE if told == "OPEN" else Text(UNWRITABLE.en.format(reason), UNWRITABLE.zh.format(reason))
    return OPEN if told == "OPEN" else Text(CLOSED.en.format(reason), CLOSED.zh.format(reason))
