"""Words for a refusal of the sandbox, before the kernel refuses with a number.

This protects nothing: the sandbox does. It says what an author has to know.
"""

import errno
import sys

NO_PROGRAMS = (
    "the sandbox does not let converters start other programs; ask an administrator to trust the plug-in with `processes`"
)
#: os.popen and asyncio come here as subprocess.Popen.
_STARTING = frozenset(("subprocess.Popen", "os.system", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"))


def _refuse(event, _arguments):
    if event in _STARTING:
        raise PermissionError(errno.EPERM, NO_PROGRAMS)


def watch(lifted):
    """Refuses in words what a person has not lifted, for the rest of the process's life."""
    if "processes" not in lifted:
        sys.addaudithook(_refuse)
