// Loads something of its own into the kernel: a map, the first step of every program there.
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    union bpf_attr wanted = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    if (syscall(SYS_bpf, BPF_MAP_CREATE, &wanted, sizeof wanted) < 0) return 1;
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
