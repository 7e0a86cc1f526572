"""What a process is allowed by who it is: user, capabilities, namespaces. Each function takes something away from itself.

Numbers: include/uapi/linux/{prctl,sched,mount,capability}.h.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_KEEPCAPS, _SET_NO_NEW_PRIVS = 1, 4, 8, 38
_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_NET = 0x00020000, 0x08000000, 0x10000000, 0x40000000
_NOSUID, _NODEV, _NOEXEC, _RECURSIVE, _PRIVATE = 2, 4, 8, 1 << 14, 1 << 18
_DAC_OVERRIDE, _DAC_READ_SEARCH, _SETPCAP = 1 << 1, 1 << 2, 1 << 8
_SET_SECUREBITS, _NO_SETUID_FIXUP = 28, 1 << 2
_CAPABILITY_VERSION = 0x20080522
_MAX_FILES = 20_000

# Nobody's uids in https://systemd.io/UIDS-GIDS/: one for each process id; inside a container with few uids, one of 600.
_UIDS, _FEW_UIDS = 1_900_000_000, (60_578, 600)


def _check(result: int) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(v) for v in (value, 0, 0, 0))))


def no_new_privileges() -> None:
    """No program that this process starts can have more rights than it. Landlock and seccomp ask for it."""
    _prctl(_SET_NO_NEW_PRIVS, 1)


def unseen() -> None:
    """No core dump (a limit of zero does not stop one that is piped), and no other process of this user looks in."""
    _prctl(_SET_DUMPABLE, 0)


def end_with_parent(signal: int) -> None:
    """Get this signal when the thread that forked this process ends. To be asked for after the user was changed."""
    _prctl(_SET_PDEATHSIG, signal)


def user_of_its_own() -> None:
    """A user namespace: what it allows ends with this process, and the limit of threads counts this process' only.

    Raises:
        OSError: this kernel, or what runs this container, does not allow it.
    """
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(ctypes.c_int(_NEW_USER)))
    _prctl(_SET_DUMPABLE, 1)  # what was root before may not write its own maps
    Path("/proc/self/setgroups").write_bytes(b"deny")
    Path("/proc/self/uid_map").write_bytes(f"{uid} {uid} 1".encode())
    Path("/proc/self/gid_map").write_bytes(f"{gid} {gid} 1".encode())


def separate() -> None:
    """Namespaces of its own for network, IPC and mounts: the network has no route, not even to itself.

    As an ordinary user after `user_of_its_own`. A namespace of host names or of process ids would hide no more than
    Landlock and seccomp do.

    Raises:
        OSError: as above.
    """
    _check(_libc.unshare(ctypes.c_int(_NEW_MOUNTS | _NEW_IPC | _NEW_NET)))


def own_disk(folder: Path, size: int) -> None:
    """Put a file system of this size over a folder, seen by this process only and gone with it.

    Raises:
        OSError: it is not allowed; `separate` must have been.
    """
    flags = _NOSUID | _NODEV | _NOEXEC
    _check(_libc.mount(None, b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None))
    options = f"size={size},nr_inodes={_MAX_FILES},mode=700".encode()
    _check(_libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(flags), options))


def become_nobody(scratch: Path) -> None:
    """As root: take a user id that no one has, with the scratch folder, and leave all groups. Capabilities stay permitted.

    Raises:
        OSError: root may not do so here.
    """
    _prctl(_SET_KEEPCAPS, 1)
    few, count = _FEW_UIDS
    for uid in (_UIDS + os.getpid(), few + os.getpid() % count):
        try:
            os.chown(scratch, uid, uid)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        except OSError as error:
            refused = error
        else:
            return
    raise refused


def drop_capabilities(needed: Iterable[Path]) -> Path | None:
    """Give up every capability.

    One is kept where the new user may not reach what is `needed` without it (a file of root's that no one else may read, a
    Python below root's home): to look into folders and read. Landlock, in force next, says what it can be used on.

    Args:
        needed: files and folders that are there and that must stay readable; none where nothing watches over them.

    Returns:
        For which of them a capability was kept, or None.

    Raises:
        OSError: the kernel refused.
    """
    closed = next((path for path in needed if not os.access(path, os.R_OK)), None)
    for kept in (_DAC_READ_SEARCH, _DAC_OVERRIDE) if closed else ():
        if _set_capabilities(kept | _SETPCAP) == 0:
            _prctl(
                _SET_SECUREBITS, _NO_SETUID_FIXUP
            )  # or access(2), by which TensorFlow looks for files, knows nothing of it
        if _set_capabilities(kept) == 0:
            return closed
    _check(_set_capabilities(0))
    return None


def _set_capabilities(kept: int) -> int:
    """capset(2): effective and permitted ones, none to inherit, in the two halves of its version 3."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    result: int = _libc.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)))
    return result
