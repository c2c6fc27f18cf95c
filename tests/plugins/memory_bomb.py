"""Takes more memory than the sandbox allows, but less address space: files in memory, and a heap beside them.

Only a control group counts both together.
"""
from pywats_client.converters import ConverterResult, FileConverter


class MemoryBomb(FileConverter):
    name = "Memory bomb"

    def convert(self, source, context):
        with open("held", "wb") as file:
            for _ in range(240):
                file.write(b"x" * (1 << 20))
        heap = [b"x" * (16 << 20) for _ in range(25)]
        return ConverterResult.failed_result(f"it holds {240 + 16 * len(heap)} MB")
