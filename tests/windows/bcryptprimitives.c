/* What Rust's standard library wants of a library that Wine before 8.11 lacks: random bytes. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(void *to, ULONG size);

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *to, SIZE_T size) {
    return SystemFunction036(to, (ULONG)size);
}
