// Opens the kernel's performance counters.
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    struct perf_event_attr wanted = {.type = PERF_TYPE_SOFTWARE, .size = sizeof wanted,
                                     .config = PERF_COUNT_SW_CPU_CLOCK, .exclude_kernel = 1, .exclude_hv = 1};
    if (syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0) < 0) return 1;
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
