"""Fills its scratch folder with files."""
block = bytes(1 << 20)
for number in range(100):
    try:
        with open(f"part-{number}", "wb") as file:
            file.write(block)
    except OSError:
        break
print("holding", flush=True)
input()
