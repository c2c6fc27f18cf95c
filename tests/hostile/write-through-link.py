"""Writes through a symbolic link that it makes in its scratch folder."""
import os

os.symlink(os.environ["OUTSIDE"], "way-out")
with open("way-out/planted", "w") as file:
    file.write("planted")
