"""Landlock through ctypes: a process takes from itself every file, connection and signal that no rule gives back.

No library of it is kept on PyPI beyond a development release. Numbers: include/uapi/linux/landlock.h of Linux 6.15,
https://docs.kernel.org/userspace-api/landlock.html; the three system calls have one number on all architectures.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
READ = READ_FILE | READ_DIR
# Not among them: to execute, to make devices and sockets, to talk to devices.
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG, _MAKE_SYM, _REFER = (1 << n for n in (4, 5, 7, 8, 12, 13))
WRITE = READ | WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SYM | _REFER | _TRUNCATE
# Rights of a rule on a file that is no folder; others make the kernel refuse the rule.
_OF_A_FILE = WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV

# How many file rights each ABI knows: all bits below.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_FILE_BITS = 16
_TCP_ABI, _IOCTL_ABI, _SCOPES_ABI = 4, 5, 6
_TCP, _SCOPES = 0b11, 0b11  # bind and connect; abstract Unix sockets and signals


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


_libc = ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    result: int = _libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def abi() -> int:
    """The version of Landlock that this kernel speaks.

    Raises:
        OSError: it has none, or it is switched off at boot.
    """
    return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))


class Ruleset:
    """What a process will still be allowed; it holds from `enforce` on, for good."""

    def __init__(self) -> None:
        """An empty ruleset that handles all that this kernel knows.

        Raises:
            OSError: this kernel has no Landlock.
        """
        self.abi = abi()
        self._files = (1 << _FILE_BITS.get(self.abi, _NEWEST_FILE_BITS)) - 1
        wanted = _Ruleset(self._files, _TCP if self.abi >= _TCP_ABI else 0, _SCOPES if self.abi >= _SCOPES_ABI else 0)
        size = ctypes.c_size_t(ctypes.sizeof(wanted))
        self._ruleset = _call(_CREATE_RULESET, ctypes.byref(wanted), size, ctypes.c_uint32(0))

    def allow(self, paths: Iterable[Path | str], rights: int) -> None:
        """Give `rights` back for files and for folders with all in them; a path that is not there is passed over."""
        for path in paths:
            with suppress(FileNotFoundError, PermissionError, NotADirectoryError):
                self._allow(path, rights)

    def _allow(self, path: Path | str, rights: int) -> None:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            folder = stat.S_ISDIR(os.fstat(place).st_mode)
            allowed = rights & self._files & (-1 if folder else _OF_A_FILE)
            rule = _PathBeneath(allowed, place)
            number = ctypes.c_int(_PATH_BENEATH)
            _call(_ADD_RULE, ctypes.c_int(self._ruleset), number, ctypes.byref(rule), ctypes.c_uint32(0))
        finally:
            os.close(place)

    def enforce(self) -> None:
        """From now on this thread, and all that it starts, has no more than was allowed. Needs no_new_privs.

        Raises:
            OSError: the kernel refused.
        """
        _call(_RESTRICT_SELF, ctypes.c_int(self._ruleset), ctypes.c_uint32(0))
        os.close(self._ruleset)

    def lacks(self) -> dict[str, str]:
        """What this kernel's Landlock is too old for, by name of the lock."""
        known = (("tcp", _TCP_ABI, "6.7"), ("devices", _IOCTL_ABI, "6.10"), ("scopes", _SCOPES_ABI, "6.12"))
        return {
            name: f"Landlock of this kernel is version {self.abi}; version {needed} came with Linux {kernel}"
            for name, needed, kernel in known
            if self.abi < needed
        }
