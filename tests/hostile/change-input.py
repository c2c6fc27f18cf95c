"""Changes the file that it was given to read."""
import os

for way in ("/input/input.txt", os.environ["INPUT"]):
    try:
        os.chmod(way, 0o666)
    except OSError:
        pass
    try:
        with open(way, "w") as file:
            file.write("planted")
    except OSError:
        pass
