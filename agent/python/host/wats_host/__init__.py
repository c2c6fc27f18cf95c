"""Runs a Python converter file for the agent. `wats_plugin_host.py` beside this folder is the program."""
