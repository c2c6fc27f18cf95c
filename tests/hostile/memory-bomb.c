// Takes memory, private and shared, and uses it.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
    for (int round = 0; round < 40; round++) {
        int kind = round % 2 ? MAP_SHARED : MAP_PRIVATE;
        char *more = mmap(0, 8 << 20, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
        if (more != MAP_FAILED) memset(more, 1, 8 << 20);
    }
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
