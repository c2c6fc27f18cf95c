"""Ends the agent."""
import os
import signal

os.kill(int(os.environ["AGENT"]), signal.SIGKILL)
