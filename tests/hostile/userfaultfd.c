// Takes the handling of page faults, with which races in the kernel are won.
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

int main(void) {
    if (syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY) < 0) return 1;
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
