/* A converter for Windows in a page: one report for each file, with what it saw of its box as a warning.
 *
 * A file that begins with "forever" has it start a process of its own and never answer: a test looks at whether both end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static void answer(const char *line) {
    puts(line);
    fflush(stdout);
}

/* The value of "path" in a request, with its backslashes as they are meant. */
static void path_of(const char *request, char *path, size_t room) {
    const char *at = strstr(request, "\"path\":");
    size_t used = 0;
    if (at && (at = strchr(at + 7, '"'))) {
        for (at++; *at && *at != '"' && used + 1 < room; at++) {
            if (*at == '\\') at++;
            path[used++] = *at;
        }
    }
    path[used] = 0;
}

static void convert(const char *request) {
    static const char *wanted[] = {"WATS_TEST_SECRET", "PYWATS_SANDBOX", "TEMP", "SystemRoot"};
    char path[2048], content[64] = "", said[256] = "";
    path_of(request, path, sizeof path);
    FILE *input = fopen(path, "rb");
    if (!input) {
        answer("{\"answer\":\"failed\",\"error\":\"the input cannot be read\"}");
        return;
    }
    content[fread(content, 1, sizeof content - 1, input)] = 0;
    fclose(input);
    if (!strncmp(content, "forever", 7)) {
        STARTUPINFOA startup = {.cb = sizeof startup};
        PROCESS_INFORMATION made;
        char self[MAX_PATH], line[MAX_PATH + 16];
        GetModuleFileNameA(NULL, self, sizeof self);
        snprintf(line, sizeof line, "\"%s\" child", self);
        CreateProcessA(self, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made);
        Sleep(INFINITE);
    }
    for (size_t at = 0; at < sizeof wanted / sizeof *wanted; at++) {
        strcat(said, wanted[at]);
        strcat(said, getenv(wanted[at]) ? " yes; " : " no; ");
    }
    /* The working directory is the one place to write. */
    FILE *scratch = fopen("written", "wb");
    strcat(said, scratch ? "scratch yes" : "scratch no");
    if (scratch) fclose(scratch);
    printf("{\"answer\":\"warning\",\"text\":\"%s\"}\n", said);
    printf("{\"answer\":\"report\",\"report\":{\"type\":\"T\",\"pn\":\"PCB-1\",\"sn\":\"%.32s\",\"rev\":\"A\",\"result\":\"P\","
           "\"processCode\":10,\"start\":\"2026-01-02T03:04:05Z\",\"root\":{\"stepType\":\"SequenceCall\",\"name\":\"Main\","
           "\"status\":\"P\",\"steps\":[]}}}\n",
           strtok(content, " \r\n") ? content : "none");
    answer("{\"answer\":\"done\"}");
}

int main(int count, char **arguments) {
    static char request[1 << 16];
    if (count > 1 && !strcmp(arguments[1], "child")) Sleep(INFINITE);
    while (fgets(request, sizeof request, stdin)) {
        if (strstr(request, "\"describe\""))
            answer("{\"answer\":\"described\",\"protocol\":1,\"persistent\":true,\"converters\":[{\"name\":\"windows-log\","
                   "\"title\":\"Log files\",\"version\":\"1.0.0\",\"kind\":\"file\",\"patterns\":[\"*.log\"]}]}");
        else if (strstr(request, "\"convert\""))
            convert(request);
        else
            answer("{\"answer\":\"error\",\"text\":\"unknown\"}");
    }
    return 0;
}
