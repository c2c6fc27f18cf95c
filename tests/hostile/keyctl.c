// Leaves something in the user's keyring, where another process finds it.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    long user_keyring = -4;
    if (syscall(SYS_add_key, "user", getenv("CANARY"), "stolen", 6, user_keyring) < 0) return 1;
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
