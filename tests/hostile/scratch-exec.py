"""Executes a program that it has written to its scratch folder."""
import os
import shutil

shutil.copy("/bin/sleep", "planted")
os.chmod("planted", 0o755)
print("holding", flush=True)
os.execv("./planted", ["planted", "30"])
