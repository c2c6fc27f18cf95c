// Computes for ever, and asks the kernel for nothing.
#include <signal.h>

int main(void) {
    signal(SIGXCPU, SIG_IGN);
    for (volatile long count = 0;; count++) {
    }
}
