"""The system calls that a locked process may not make, refused by the kernel through libseccomp (pyseccomp).

They are refused with an error, not with death: a library that asks for more than it needs carries on. What is compared
is cut to the 32 bits that the kernel looks at, so that set upper bits pass no filter.
"""

from __future__ import annotations

import ctypes.util
import errno
import os
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any

_NETWORK = "socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg"
_PROGRAMS = "execve execveat fork vfork uselib"
_OTHERS = (
    "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_open pidfd_getfd "
    "pidfd_send_signal tkill setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr move_pages migrate_pages"
)
_KERNEL = (
    "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register init_module finit_module "
    "delete_module kexec_load kexec_file_load reboot personality add_key request_key keyctl syslog acct swapon swapoff "
    "settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname iopl ioperm modify_ldt quotactl "
    "quotactl_fd nfsservctl lookup_dcookie fanotify_init vhangup"
)
_MOUNTS = (
    "mount umount umount2 setns unshare chroot pivot_root open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr "
    "name_to_handle_at open_by_handle_at landlock_create_ruleset"
)
# Memory that neither the address space nor the scratch folder bounds.
_HIDDEN_MEMORY = "memfd_create memfd_secret shmget shmat shmctl msgget semget mq_open"
# Landlock does not watch these; truncate it does from Linux 6.2 on only.
_FILES = (
    "truncate mknod mknodat chown lchown fchown fchownat setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr "
    "fremovexattr removexattrat"
)
_REFUSED = f"{_NETWORK} {_PROGRAMS} {_OTHERS} {_KERNEL} {_MOUNTS} {_HIDDEN_MEMORY} {_FILES}".split()
# glibc falls back to clone and openat, whose arguments a filter can read.
_UNKNOWN = ("clone3", "openat2")
_TO_ITSELF_ONLY = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")

_CLONE_THREAD = 0x00010000
_INT = 0xFFFFFFFF
# Ways to have the kernel send a signal to someone: F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP. TIOCSTI and
# TIOCLINUX type into a terminal. PR_SET_PDEATHSIG would undo that the process ends with its parent.
_FORBIDDEN_COMMANDS = (
    ("fcntl", 1, (8, 10, 15)),
    ("ioctl", 1, (0x8901, 0x8902, 0x5412, 0x541C)),
    ("prctl", 0, (1,)),
)


@cache
def library() -> ModuleType:
    """pyseccomp, loaded once.

    It asks `ctypes.util.find_library`, which starts two processes, for names that are known: the answer is given to it.

    Raises:
        ImportError, RuntimeError, OSError: it is not installed, or libseccomp is not.
    """
    names = {"c": None, "seccomp": "libseccomp.so.2"}
    ask, ctypes.util.find_library = ctypes.util.find_library, names.get  # type: ignore[assignment]
    try:
        import pyseccomp  # noqa: PLC0415 - Linux only, and while the question has its answer
    finally:
        ctypes.util.find_library = ask
    return pyseccomp  # type: ignore[no-any-return]


@cache
def rules() -> Any:  # noqa: ANN401 - pyseccomp has no types
    """The filter, but for what depends on the process; built once, a fork inherits it. A name unknown here is passed over.

    Raises:
        ImportError, RuntimeError, OSError: see `library`.
    """
    seccomp = library()
    built = seccomp.SyscallFilter(seccomp.ALLOW)
    denied = seccomp.ERRNO(errno.EPERM)
    for name in _REFUSED:
        _add(built, denied, name)
    for name in _UNKNOWN:
        _add(built, seccomp.ERRNO(errno.ENOSYS), name)
    for name in ("prlimit64", "sched_setaffinity"):
        _add(built, denied, name, seccomp.Arg(0, seccomp.NE, 0))
    _add(built, denied, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, _CLONE_THREAD, 0))
    for name, argument, commands in _FORBIDDEN_COMMANDS:
        for command in commands:
            _add(built, denied, name, seccomp.Arg(argument, seccomp.MASKED_EQ, _INT, command))
    # Opened for reading and emptied all the same: Landlock sees only the reading before Linux 6.2.
    for name, argument in (("open", 1), ("openat", 2)):
        mask = os.O_ACCMODE | os.O_TRUNC
        _add(built, denied, name, seccomp.Arg(argument, seccomp.MASKED_EQ, mask, os.O_RDONLY | os.O_TRUNC))
    return built


def refuse() -> None:
    """Refuse this process, from now on and for good, every system call named here. Needs no_new_privs.

    Raises:
        ImportError, RuntimeError, OSError: the filter could not be loaded.
    """
    seccomp, built = library(), rules()
    for name in _TO_ITSELF_ONLY:
        _add(built, seccomp.ERRNO(errno.EPERM), name, seccomp.Arg(0, seccomp.NE, os.getpid()))
    built.load()


def _add(built: Any, action: int, name: str, *arguments: Any) -> None:  # noqa: ANN401
    """A name is resolved by libseccomp; it raises OSError (EFAULT or EINVAL) for those it is too old for."""
    with suppress(OSError):
        built.add_rule(action, name, *arguments)
