"""Reads the agent's database."""
import os

with open(os.environ["DATABASE"], "rb") as file:
    print(file.read())
