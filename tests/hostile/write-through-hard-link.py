"""Gives the agent's file a second name in its scratch folder and writes to that."""
import os

os.link(os.path.join(os.environ["OUTSIDE"], "kept"), "second-name")
with open("second-name", "w") as file:
    file.write("planted")
