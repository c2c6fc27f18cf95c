"""Climbs out of its scratch folder."""
import os

up = "../" * 40
with open(up + os.environ["OUTSIDE"].lstrip("/") + "/planted", "w") as file:
    file.write("planted")
