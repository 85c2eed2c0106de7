"""How the learner's process gives up its rights before it loads the submission.

Three layers; the report names any that is missing:

- rlimits: address space, file size, open files, no core dump;
- Landlock: read the interpreter and the libraries, add files to one empty folder, nothing else;
- seccomp: an allowlist of system calls. No sockets, processes, threads or exec; no signals to other
  processes, no ptrace; no changes of metadata (which Landlock does not cover); and no memory that
  the witnesses could not see: no pipes, no memory files, and files can be neither shortened nor
  deleted once written.

The one thread that torch's profiler needs is started before the filter is loaded.
"""

from __future__ import annotations

import errno
import os
import resource
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType

FILE_BYTES = 256 << 10
OPEN_FILES = 64

_SYSTEM_ROOTS = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")

# Refused with "operation not permitted", so that the learner reads a clear PermissionError.
_REFUSED = frozenset(
    """
    socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg recvfrom fork
    vfork execve execveat kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open
    pidfd_send_signal pidfd_getfd ptrace process_vm_readv process_vm_writev process_madvise kcmp
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat
    futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr setuid setgid
    setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset sched_setaffinity
    sched_setscheduler sched_setparam sched_setattr setpriority ioprio_set setsid setpgid prctl
    mount umount2 pivot_root chroot unshare setns bpf perf_event_open userfaultfd io_uring_setup
    io_uring_enter io_uring_register keyctl add_key request_key memfd_create memfd_secret shmget
    shmat msgget semget mq_open personality reboot swapon swapoff init_module finit_module
    delete_module kexec_load settimeofday clock_settime clock_adjtime adjtimex sethostname
    setdomainname quotactl acct name_to_handle_at open_by_handle_at fanotify_init inotify_init
    inotify_init1 syslog vmsplice splice tee mknod mknodat link linkat symlink symlinkat
    timer_create setitimer pipe pipe2 truncate ftruncate fallocate unlink unlinkat rmdir rename
    renameat renameat2 flock setrlimit mlock mlock2 mlockall
    """.split()
)
# Everything else that is not listed here answers "not implemented", which libc falls back from.
_ALLOWED = frozenset(
    """
    read readv pread64 preadv write writev pwrite64 pwritev open openat openat2 close
    close_range fstat stat lstat newfstatat fstatat64 statx statfs fstatfs lseek access
    faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd chdir fchdir mmap munmap
    mprotect mremap msync mincore munlock brk membarrier rt_sigaction
    rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack futex
    futex_waitv set_robust_list get_robust_list rseq set_tid_address gettid getpid getppid
    getuid geteuid getgid getegid getgroups getpgid getpgrp getsid getresuid getresgid capget
    uname sysinfo getrusage times time gettimeofday clock_gettime clock_getres clock_nanosleep
    nanosleep sched_yield sched_getaffinity sched_getparam sched_getscheduler
    sched_get_priority_max sched_get_priority_min getpriority getcpu getrandom poll ppoll select
    pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 dup dup2 dup3
    fsync fdatasync mkdir mkdirat umask getrlimit arch_prctl exit exit_group restart_syscall pause
    alarm map_shadow_stack set_mempolicy get_mempolicy mbind riscv_flush_icache getxattr
    fgetxattr lgetxattr
    """.split()
)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_GET_SEALS. Not
# F_SETOWN and F_SETSIG, which send signals, nor F_SETPIPE_SZ, nor leases and locks.
_FCNTL = (0, 1, 2, 3, 4, 1030, 1032, 1034)
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. Not FS_IOC_SETFLAGS, which changes a
# file that is open for reading.
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
_LAST_ADVICE = 18
"""MADV_WIPEONFORK; later values evict pages from resident memory."""


def limit(memory: int) -> None:
    """Set the rlimits; the address space may grow by ``memory`` bytes from its present size."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    ceiling = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def readable(hidden: Iterable[str]) -> list[str]:
    """The files and folders that a learner may read: interpreter and libraries, without ``hidden``.

    Landlock has allow rules only, so a folder that contains something hidden is replaced by its
    other
    children.
    """
    secret = [os.path.realpath(path) for path in (*hidden, *installed_content())]
    # The process's own name: torch's profiler prints a warning if it cannot read it.
    own = (f"/proc/{os.getpid()}/comm", f"/proc/{os.getpid()}/cmdline")
    roots = {sys.prefix, sys.base_prefix, *_SYSTEM_ROOTS, *_DEVICES, *own}
    roots.update(_package_roots(("torch", "numpy", "triton", "safetensors", "msgspec")))
    allowed: dict[str, None] = {}
    for root in sorted(os.path.realpath(root) for root in roots):
        _expand(root, secret, allowed)
    return list(allowed)


def installed_content(prefixes: Sequence[str] = (sys.prefix, sys.base_prefix, "/usr")) -> list[str]:
    """The content folders of every installation of this program under these prefixes.

    A program that runs from its source tree may also be installed as a wheel.
    """
    found: list[Path] = []
    for prefix in {os.path.realpath(prefix) for prefix in prefixes}:
        for packages in ("site-packages", "dist-packages"):
            found += Path(prefix).glob(f"lib*/python3*/{packages}/quizprep/_content")
    return sorted(map(str, found))


def _package_roots(names: Sequence[str]) -> set[str]:
    roots = set()
    for name in names:
        module = sys.modules.get(name)
        if module is not None and module.__file__ is not None:
            roots.add(str(Path(module.__file__).parent))
    return roots


def _expand(path: str, secret: Sequence[str], allowed: dict[str, None]) -> None:
    real = os.path.realpath(path)
    if any(_inside(real, folder) for folder in secret) or not os.path.exists(real):
        return
    if not any(_inside(folder, real) for folder in secret):
        allowed[real] = None
        return
    with os.scandir(real) as children:
        for child in children:
            _expand(child.path, secret, allowed)


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def confine(read: Iterable[str], write: str, memory: int) -> list[str]:
    """Apply all three layers to this process; returns the missing ones, in words."""
    limit(memory)
    # The filter is built first, because its imports fail behind Landlock.
    load_filter, missing = _seccomp()
    return [part for part in (_landlock(read, write), missing or load_filter()) if part]


def _landlock(read: Iterable[str], write: str) -> str:
    """Allow reading ``read`` and writing the folder ``write``; returns what is missing, or ""."""
    try:
        from py_landlock import landlock_sys
        from py_landlock.abi import get_supported_fs, get_supported_net, get_supported_scope
        from py_landlock.errors import LandlockError
        from py_landlock.flags import AccessFs
        from py_landlock.prctl import set_no_new_privs
    except ImportError:
        return "Landlock (the package py-landlock is not installed)"
    try:
        abi = landlock_sys.get_abi_version()
    except (LandlockError, OSError):
        return "Landlock (this kernel has none, or it is switched off)"
    handled = get_supported_fs(abi)
    attributes = landlock_sys.RulesetAttr()
    attributes.handled_access_fs = handled
    attributes.handled_access_net = get_supported_net(abi)
    attributes.scoped = get_supported_scope(abi)
    on_file = AccessFs.READ_FILE
    on_folder = on_file | AccessFs.READ_DIR
    ruleset = landlock_sys.create_ruleset(attributes)
    try:
        for path in read:
            rights = on_folder if os.path.isdir(path) else on_file
            if path == "/dev/null":
                rights |= AccessFs.WRITE_FILE
            _rule(landlock_sys, ruleset, path, rights & handled)
        add = on_folder | AccessFs.WRITE_FILE | AccessFs.MAKE_REG | AccessFs.MAKE_DIR
        _rule(landlock_sys, ruleset, write, add & handled)
        set_no_new_privs()
        landlock_sys.restrict_self(ruleset, None)
    except (LandlockError, OSError) as error:
        return f"Landlock ({error})"
    finally:
        os.close(ruleset)
    return ""


def _rule(landlock_sys: ModuleType, ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        attributes = landlock_sys.PathBeneathAttr()
        attributes.allowed_access = rights
        attributes.parent_fd = fd
        landlock_sys.add_rule(ruleset, attributes)
    finally:
        os.close(fd)


def _seccomp() -> tuple[Callable[[], str], str]:
    """Returns a function that loads the filter and returns what is missing, or ""; and what is
    known to be missing already, or ""."""
    try:
        import pyseccomp
    except (ImportError, RuntimeError):
        return str, "seccomp (pyseccomp or libseccomp is not installed)"
    try:
        rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
        # A call by another architecture's convention would kill the calling thread alone, and the
        # judge would wait for it until the deadline.
        rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
        _add(rules, pyseccomp.ALLOW, _ALLOWED)
        _add(rules, pyseccomp.ERRNO(errno.EPERM), _REFUSED)
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), "clone")
        # Only this process's own limits, and only for reading: root could raise them.
        own = (pyseccomp.Arg(0, pyseccomp.EQ, 0), pyseccomp.Arg(2, pyseccomp.EQ, 0))
        rules.add_rule(pyseccomp.ALLOW, "prlimit64", *own)
        rules.add_rule(pyseccomp.ALLOW, "madvise", pyseccomp.Arg(2, pyseccomp.LE, _LAST_ADVICE))
        for command in _FCNTL:
            rules.add_rule(pyseccomp.ALLOW, "fcntl", pyseccomp.Arg(1, pyseccomp.EQ, command))
        for request in _IOCTL:
            rules.add_rule(pyseccomp.ALLOW, "ioctl", pyseccomp.Arg(1, pyseccomp.EQ, request))
    except OSError as error:
        return str, f"seccomp ({error})"

    def load() -> str:
        try:
            rules.load()
        except OSError as error:
            return f"seccomp ({error})"
        return ""

    return load, ""


def _add(rules: object, action: int, names: Iterable[str]) -> None:
    for name in names:
        try:
            rules.add_rule(action, name)  # type: ignore[attr-defined]
        except (OSError, ValueError):
            continue  # a call that this architecture or this libseccomp does not know
