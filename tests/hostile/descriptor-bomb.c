// Opens descriptors without end.
#include <stdio.h>
#include <unistd.h>

int main(void) {
    int more = 0;
    for (int count = 0; count < 400 && more >= 0; count++) more = dup(1);
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
