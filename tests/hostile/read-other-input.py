"""Reads what another station has sent: beside the own input, and wherever a walk leads."""
import os

for folder in (os.path.dirname(os.environ["OTHER"]), "/input/..", "."):
    for above, _, names in os.walk(folder):
        for name in names:
            if name == os.path.basename(os.environ["OTHER"]):
                try:
                    with open(os.path.join(above, name)) as file:
                        print(file.read())
                except OSError:
                    pass
