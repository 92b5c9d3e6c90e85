/*
 * What the programs that are many clients at once have in common: arguments, time, memory, packets, sockets and what they say of times.
 * Each includes it once, with its name as PROGRAM. Linux.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define RETRY (SECOND / 2)

/* An argument of the form name=value, which is a number or a text. */
struct argument {
    const char *name;
    int *number;
    const char **text;
};

static inline void fail(const char *what) {
    fprintf(stderr, PROGRAM ": %s\n", what);
    exit(2);
}

static inline uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t) time.tv_sec * SECOND + (uint64_t) time.tv_nsec;
}

static inline void *zeros(size_t number, size_t size) {
    void *made = calloc(number ? number : 1, size);
    if (!made) fail("no memory");
    return made;
}

/* @param known ends with a name that is NULL */
static inline void take(const struct argument *known, const char *given) {
    const char *value = strchr(given, '=');
    if (!value) fail("arguments are key=value");
    size_t length = (size_t) (value++ - given);
    for (; known->name; known++)
        if (strlen(known->name) == length && !strncmp(given, known->name, length)) {
            if (known->number)
                *known->number = atoi(value);
            else
                *known->text = value;
            return;
        }
    fail(given);
}

/* ---- packets */

static inline unsigned char *text(unsigned char *to, const char *from) {
    size_t length = strlen(from);
    *to++ = (unsigned char) (length >> 8);
    *to++ = (unsigned char) length;
    memcpy(to, from, length);
    return to + length;
}

/* All that are sent have less than 16,384 bytes. */
static inline size_t packet(unsigned char *to, unsigned char first, const unsigned char *body, size_t length) {
    size_t at = 0;
    to[at++] = first;
    if (length > 127) to[at++] = (unsigned char) ((length & 127) | 128);
    to[at++] = (unsigned char) (length > 127 ? length >> 7 : length);
    memcpy(to + at, body, length);
    return at + length;
}

/* ---- sockets */

static inline int new_socket(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("no socket; is ulimit -n too low?");
    int yes = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

/*
 * Begins to connect to a port of this machine.
 *
 * @param network that it comes from: 1 for 127.1.0.1 and those that follow
 * @param turn which of those
 * @return 0, or -1 if that failed at once
 */
static inline int set_out(int fd, uint32_t network, uint32_t turn, int port) {
    uint32_t source = 0x7f000000u + (network << 16) + turn / 250 * 256 + turn % 250 + 1;
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *) &from, sizeof from)) return -1;
    return connect(fd, (struct sockaddr *) &to, sizeof to) && errno != EINPROGRESS ? -1 : 0;
}

/* Leaves no port behind that has to wait. */
static inline void reset(int fd) {
    struct linger now_and_hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now_and_hard, sizeof now_and_hard);
    close(fd);
}

/* ---- times */

static inline int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return x < y ? -1 : x > y;
}

/* Sorts them and prints " p50=... p99=... max=...", of none 0. */
static inline void print_times(uint32_t *times, uint64_t known) {
    qsort(times, (size_t) known, sizeof *times, by_size);
    printf(" p50=%u p99=%u max=%u", known ? times[known / 2] : 0, known ? times[known * 99 / 100] : 0, known ? times[known - 1] : 0);
}
