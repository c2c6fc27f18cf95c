"""Leaves a process behind that belongs to nobody: another session, another parent, no descriptor."""
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(3):
            os.close(number)
        time.sleep(20)
    os._exit(0)
time.sleep(0.1)
print("holding", flush=True)
time.sleep(20)
