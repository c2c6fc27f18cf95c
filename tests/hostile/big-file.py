"""Makes one file that is larger than all it may have."""
import os
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open("big", "wb") as file:
    try:
        for _ in range(100):
            file.write(bytes(1 << 20))
            file.flush()
    except OSError:
        pass
    print("holding", flush=True)
    input()
