"""A submission that tries, in the learner's process, everything it should not be able to do.

It prints one line an attempt: its name and how it was refused, or "allowed".
"""

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import socket
import subprocess
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
ATTEMPTS = {}
PARENT = os.getppid()
OUTSIDE = "/tmp/quizprep-outside"
READABLE = os.__file__
GIVES_OUT_AND_ERR = 1


def attempt(function):
    ATTEMPTS[function.__name__] = function
    return function


def call(name, *args):
    """A function of the C library by name; raises what errno says."""
    ctypes.set_errno(0)
    result = getattr(LIBC, name)(*args)
    if result in (-1, 0xFFFFFFFF):
        raise OSError(ctypes.get_errno(), name)
    return result


def system_call(number, *args):
    return call("syscall", ctypes.c_long(number), *(ctypes.c_long(arg) for arg in args))


# --- network ---


@attempt
def inet_socket():
    socket.socket(socket.AF_INET, socket.SOCK_STREAM)


@attempt
def unix_socket():
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


@attempt
def abstract_socket():
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect("\0quizprep")


@attempt
def socket_pair():
    socket.socketpair()


# --- processes and threads ---


@attempt
def fork():
    if os.fork() == 0:
        os._exit(0)


@attempt
def system():
    if os.system("true") != 0:
        raise PermissionError(errno.EPERM, "system")


@attempt
def run_program():
    subprocess.run(["/bin/true"], check=True)


@attempt
def execute():
    os.execv("/bin/true", ["true"])


@attempt
def thread():
    threading.Thread(target=int).start()


@attempt
def vfork():
    system_call(58)


@attempt
def clone3():
    system_call(435, 0, 0)


# --- other processes ---


@attempt
def kill_all():
    os.kill(-1, 0)


@attempt
def kill_parent():
    os.kill(PARENT, signal.SIGTERM)


@attempt
def signal_owner():
    fcntl.fcntl(GIVES_OUT_AND_ERR, fcntl.F_SETOWN, PARENT)


@attempt
def choose_signal():
    fcntl.fcntl(GIVES_OUT_AND_ERR, fcntl.F_SETSIG, signal.SIGKILL)


@attempt
def open_process():
    os.pidfd_open(PARENT)


@attempt
def trace():
    call("ptrace", 16, PARENT, 0, 0)


@attempt
def read_process():
    call("process_vm_readv", PARENT, None, 0, None, 0, 0)


@attempt
def read_parent_memory():
    open(f"/proc/{PARENT}/mem", "rb")


@attempt
def read_environment():
    open("/proc/self/environ", "rb")


@attempt
def reset_own_peak():
    open("/proc/self/clear_refs", "w")


@attempt
def new_session():
    os.setsid()


@attempt
def undo_death_with_parent():
    call("prctl", 1, 0, 0, 0, 0)


@attempt
def undumpable():
    call("prctl", 4, 0, 0, 0, 0)


@attempt
def nice():
    os.setpriority(os.PRIO_PROCESS, 0, 5)


# --- files ---


@attempt
def read_outside():
    open("/etc/passwd")


@attempt
def list_outside():
    os.listdir("/tmp")


@attempt
def write_outside():
    open(OUTSIDE, "w")


@attempt
def write_beside():
    open("../code/more.py", "w")


@attempt
def make_folder_outside():
    os.mkdir(OUTSIDE)


@attempt
def change_mode():
    os.chmod(READABLE, 0o777)


@attempt
def change_own_mode():
    os.chmod(__file__, 0o777)


@attempt
def change_owner():
    os.chown(READABLE, 0, 0)


@attempt
def change_time():
    os.utime(READABLE)


@attempt
def change_attribute():
    os.setxattr(READABLE, "user.quizprep", b"1")


@attempt
def change_flags():
    with open(READABLE) as file:
        fcntl.ioctl(file, 0x40086602, bytes(8))


@attempt
def lock_file():
    with open(READABLE) as file:
        fcntl.flock(file, fcntl.LOCK_EX)


@attempt
def lease_file():
    with open(READABLE) as file:
        fcntl.fcntl(file, 1024, fcntl.F_RDLCK)


@attempt
def truncate_file():
    os.truncate(READABLE, 0)


@attempt
def delete_file():
    os.unlink(READABLE)


@attempt
def rename_file():
    os.rename(READABLE, READABLE + "x")


@attempt
def symbolic_link():
    os.symlink("/etc/passwd", "link")


@attempt
def hard_link():
    os.link(READABLE, "link")


@attempt
def named_pipe():
    os.mkfifo("pipe")


@attempt
def delete_own_file():
    open("mine", "w").close()
    os.unlink("mine")


@attempt
def large_file():
    with open("large", "wb", buffering=0) as file:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        while file.write(bytes(1 << 16)):
            continue


# --- memory that nobody sees ---


@attempt
def memory_file():
    os.memfd_create("more")


@attempt
def pipes():
    os.pipe()


@attempt
def shared_segment():
    call("shmget", 0, 4096, 0o1600)


@attempt
def page_out():
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    call("madvise", ctypes.c_void_p(address), ctypes.c_size_t(4096), 21)


@attempt
def shrink_arena():
    for fd in range(3, 64):
        try:
            if os.fstat(fd).st_size >= 1 << 28:
                return os.ftruncate(fd, 0)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
    raise FileNotFoundError(errno.ENOENT, "no arena")


@attempt
def reseal_arena():
    for fd in range(3, 64):
        try:
            if os.fstat(fd).st_size >= 1 << 28:
                return fcntl.fcntl(fd, 1033, 8)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
    raise FileNotFoundError(errno.ENOENT, "no arena")


# --- rights ---


@attempt
def raise_limit():
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@attempt
def lift_limit_of_parent():
    resource.prlimit(PARENT, resource.RLIMIT_AS)


@attempt
def become_nobody():
    os.setuid(65534)


@attempt
def own_namespace():
    call("unshare", 0x10000000)


@attempt
def ring():
    system_call(425, 1, 0)


@attempt
def user_faults():
    system_call(323, 0)


@attempt
def counters():
    system_call(298, 0, 0, -1, -1, 0)


@attempt
def bpf():
    system_call(321, 0, 0, 0)


@attempt
def keyring():
    system_call(250, 0, -3, 1)


@attempt
def set_clock():
    time.clock_settime(time.CLOCK_REALTIME, time.time())


@attempt
def change_root():
    os.chroot("/")


@attempt
def type_into_terminal():
    fcntl.ioctl(0, 0x5412, b"x")


for name, function in ATTEMPTS.items():
    try:
        function()
        print(name, "allowed")
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, "?"))
    except RuntimeError:
        print(name, "EPERM")


def causal_attention(q, k, v):
    return q
