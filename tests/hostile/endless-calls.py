"""Asks the kernel for ever."""
import os
import signal

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while True:
    os.getppid()
