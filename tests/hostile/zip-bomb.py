"""Unpacks a small archive that holds much more than there is room for, to memory."""
import io
import zipfile

packed = io.BytesIO()
with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
    for number in range(30):
        archive.writestr(str(number), bytes(8 << 20))
kept = []
with zipfile.ZipFile(packed) as archive:
    try:
        for name in archive.namelist():
            kept.append(archive.read(name))
    except MemoryError:
        kept.pop()
print("holding", flush=True)
input()
