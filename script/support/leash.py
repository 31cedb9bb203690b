"""Start a program that ends when the one that started it ends, even by kill -9.

Run as a file: `leash.py PARENT_PID USER COMMAND...`; USER is `-` for the same one, or `UID:GID` when root starts what must not be root.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the other user if asked, ask the kernel for SIGTERM at the parent's death (on Linux), and become the command."""
    parent, user, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)  # a change of user would undo it
        if os.getppid() != parent:  # it died before the request was made
            sys.exit(1)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and a program would inherit that
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
