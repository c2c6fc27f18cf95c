// Sets up a ring through which the kernel does calls that no filter sees.
#include <linux/io_uring.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    struct io_uring_params params = {0};
    if (syscall(SYS_io_uring_setup, 4, &params) < 0) return 1;
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
