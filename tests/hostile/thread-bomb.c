// Starts threads without end.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *rest(void *nothing) {
    pause();
    return nothing;
}

int main(void) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (int count = 0; count < 300; count++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, rest, 0) != 0) break;
    }
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
