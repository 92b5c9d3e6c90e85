/*
 * Many sessions that one process keeps, for OverloadIT: each is a client of MQTT 5 with a session that lasts an hour, one
 * subscription and a will, and counts what it gets. One thread and epoll, so that the broker and not this is what is measured.
 *
 *   crowd port=1883 count=2000 addresses=64 filter=fan/all qos=1 keep=15000
 *
 * Client n is crowd-n; its will goes to will/n. Source addresses are 127.2.0.1 and those that follow, in turn. At most keep are
 * connected: the one that came first is reset then. Payloads begin with a number of eight digits, 1 for the first message.
 *
 * It reads commands, a line each, and answers each with a line of key=value when it is done:
 *   join A B S    clients A to B-1 connect, all at once, and subscribe if they have no session; in S seconds
 *   cut           all are reset
 *   leave A B     those send DISCONNECT and go
 *   await N S     until every client that is connected has got message N, or S seconds are over
 * Times are from connect() to CONNACK, in microseconds. It ends with its input. Linux.
 */
#define PROGRAM "crowd"
#include "manyclients.h"
#include <fcntl.h>

#define BUSY 0x89
#define QUOTA 0x97

enum state { AWAY, CONNECTING, GREETING, SUBSCRIBING, UP };

struct client {
    int fd;
    enum state state;
    uint32_t expected; /* message */
    uint32_t turn;     /* of those that joined */
    uint64_t began;
    uint64_t again; /* when to try again, 0 for not */
    unsigned char *in, *out;
    uint32_t in_bytes, out_bytes;
};

static int port, count, keep, addresses = 1, qos = 1;
static const char *filter = "crowd";
static struct client *clients;
static int poller;
static unsigned char chunk[1 << 18], acks[1 << 17];
static uint32_t *times;
static int *order; /* of joining, a ring */
static uint64_t order_from, order_to;
static int up, joining;
static uint64_t answers, present, fresh, busy, failed, lost;
static uint64_t received, again_with_dup, doubled, missing;

static const struct argument known[] = {{"port", &port, NULL},           {"count", &count, NULL}, {"keep", &keep, NULL},
                                        {"addresses", &addresses, NULL}, {"qos", &qos, NULL},     {"filter", NULL, &filter},
                                        {NULL, NULL, NULL}};

/* ---- packets */

static size_t connect_packet(unsigned char *packet_to, int number) {
    unsigned char body[512], *to = text(body, "MQTT");
    char id[32], will[32];
    snprintf(id, sizeof id, "crowd-%d", number);
    snprintf(will, sizeof will, "will/%d", number);
    static const unsigned char rest[] = {5, 0x0c, 0, 60, 5, 0x11, 0, 0, 14, 16}; /* a will; 60 s; expires in 3600 s */
    memcpy(to, rest, sizeof rest);
    to = text(to + sizeof rest, id);
    *to++ = 0; /* properties of the will */
    to = text(text(to, will), "cut");
    return packet(packet_to, 0x10, body, (size_t) (to - body));
}

static size_t subscribe_packet(unsigned char *packet_to) {
    unsigned char body[512] = {0, 1, 0}, *to = text(body + 3, filter);
    *to++ = (unsigned char) qos;
    return packet(packet_to, 0x82, body, (size_t) (to - body));
}

/* ---- one client */

static void watch(struct client *client, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t) (client - clients)};
    if (epoll_ctl(poller, operation, client->fd, &event)) fail("epoll");
}

static void let_go(struct client *client, int hard) {
    if (client->state == AWAY) return;
    if (hard)
        reset(client->fd);
    else
        close(client->fd);
    if (client->state == UP)
        up--;
    else
        joining--;
    free(client->in);
    free(client->out);
    client->in = client->out = NULL;
    client->in_bytes = client->out_bytes = 0;
    client->state = AWAY;
}

static void come_again(struct client *client) {
    int was_up = client->state == UP;
    let_go(client, 1);
    if (was_up)
        lost++;
    else
        client->again = now() + RETRY;
}

static void say(struct client *client, const unsigned char *bytes, size_t length) {
    ssize_t written = client->out_bytes ? 0 : send(client->fd, bytes, length, MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) return; /* its end is read, too */
    if (written < 0) written = 0;
    size_t rest = length - (size_t) written;
    if (rest == 0) return;
    client->out = realloc(client->out, client->out_bytes + rest);
    if (!client->out) fail("no memory");
    memcpy(client->out + client->out_bytes, bytes + written, rest);
    client->out_bytes += (uint32_t) rest;
    watch(client, EPOLLOUT, EPOLL_CTL_MOD); /* it reads on when that is gone */
}

static void say_rest(struct client *client) {
    ssize_t written = send(client->fd, client->out, client->out_bytes, MSG_NOSIGNAL);
    if (written <= 0) return;
    client->out_bytes -= (uint32_t) written;
    memmove(client->out, client->out + written, client->out_bytes);
    if (client->out_bytes == 0) watch(client, EPOLLIN, EPOLL_CTL_MOD);
}

static void begin(int number) {
    struct client *client = &clients[number];
    if (client->state != AWAY) return;
    client->again = 0;
    client->fd = new_socket();
    if (client->began == 0) client->began = now();
    client->state = CONNECTING;
    joining++;
    if (set_out(client->fd, 2, (uint32_t) (number % addresses), port)) {
        failed++;
        come_again(client);
        return;
    }
    watch(client, EPOLLOUT, EPOLL_CTL_ADD);
}

static void greet(struct client *client) {
    unsigned char bytes[600];
    client->state = GREETING;
    watch(client, EPOLLIN, EPOLL_CTL_MOD);
    say(client, bytes, connect_packet(bytes, (int) (client - clients)));
}

static void is_up(struct client *client) {
    int number = (int) (client - clients);
    times[answers++ % (uint64_t) count] = (uint32_t) ((now() - client->began) / 1000);
    client->state = UP;
    joining--;
    up++;
    order[order_to++ % (uint64_t) count] = number;
    while (keep > 0 && up > keep) let_go(&clients[order[order_from++ % (uint64_t) count]], 1);
}

/* ---- what comes */

static void got_message(struct client *client, const unsigned char *body, size_t length, int flags, size_t *ack_bytes) {
    size_t at = 2 + ((size_t) body[0] << 8 | body[1]);
    int level = flags >> 1 & 3;
    if (level > 1) fail("a message at QoS 2");
    if (level) {
        unsigned char *ack = acks + *ack_bytes;
        ack[0] = 0x40;
        ack[1] = 2;
        ack[2] = body[at];
        ack[3] = body[at + 1];
        *ack_bytes += 4;
        at += 2;
    }
    at += 1 + (size_t) body[at]; /* properties, few */
    if (at + 8 > length) fail("a message without a number");
    uint32_t number = 0;
    for (int i = 0; i < 8; i++) number = number * 10 + (uint32_t) (body[at + (size_t) i] - '0');
    received++;
    if (number < client->expected) {
        if (flags & 8)
            again_with_dup++;
        else
            doubled++;
        return;
    }
    missing += number - client->expected;
    client->expected = number + 1;
}

/* @return whether the client is still there */
static int got(struct client *client, unsigned char first, const unsigned char *body, size_t length, size_t *ack_bytes) {
    unsigned char bytes[600];
    switch (first >> 4) {
    case 2:
        if (body[1] == BUSY || body[1] == QUOTA) {
            busy++;
            come_again(client);
            return 0;
        }
        if (body[1]) fail("a CONNACK that refuses");
        if (body[0] & 1) {
            present++;
            is_up(client);
        } else {
            fresh++;
            client->state = SUBSCRIBING;
            say(client, bytes, subscribe_packet(bytes));
        }
        return client->state != AWAY;
    case 3: got_message(client, body, length, first & 15, ack_bytes); return 1;
    case 9:
        if (body[length - 1] > 2) fail("a SUBACK that refuses");
        is_up(client);
        return client->state != AWAY;
    case 14: come_again(client); return 0;
    default: return 1;
    }
}

static void hear(struct client *client) {
    uint32_t kept = client->in_bytes;
    if (kept) memcpy(chunk, client->in, kept);
    ssize_t bytes = recv(client->fd, chunk + kept, sizeof chunk / 2, 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes <= 0) {
        come_again(client);
        return;
    }
    size_t all = kept + (size_t) bytes, at = 0, ack_bytes = 0;
    while (all - at >= 2) {
        size_t length = 0, head = 1;
        int shift = 0;
        while (at + head < all && chunk[at + head] > 127) {
            length |= (size_t) (chunk[at + head++] & 127) << shift;
            shift += 7;
        }
        if (at + head >= all) break;
        length |= (size_t) chunk[at + head++] << shift;
        if (length > sizeof chunk / 4) fail("a packet that is too large");
        if (all - at < head + length) break;
        if (!got(client, chunk[at], chunk + at + head, length, &ack_bytes)) return;
        at += head + length;
    }
    client->in_bytes = (uint32_t) (all - at);
    free(client->in);
    client->in = NULL;
    if (client->in_bytes) {
        client->in = zeros(client->in_bytes, 1);
        memcpy(client->in, chunk + at, client->in_bytes);
    }
    if (ack_bytes) say(client, acks, ack_bytes);
}

static void turn(int wait) {
    struct epoll_event events[256];
    int ready = epoll_wait(poller, events, 256, wait);
    for (int i = 0; i < ready; i++) {
        if (events[i].data.u32 == UINT32_MAX) continue; /* a command, which is read when the last is done */
        struct client *client = &clients[events[i].data.u32];
        if (client->state == AWAY) continue;
        if (client->state == CONNECTING && events[i].events & (EPOLLERR | EPOLLHUP)) {
            failed++;
            come_again(client);
        } else if (client->state == CONNECTING)
            greet(client);
        else if (client->out_bytes && !(events[i].events & (EPOLLERR | EPOLLHUP)))
            say_rest(client);
        else
            hear(client);
    }
}

/* ---- commands */

static void join(int from, int to, int seconds) {
    uint64_t began = now(), end = began + (uint64_t) seconds * SECOND;
    uint64_t wanted = (uint64_t) (to - from), looked = began;
    int next = from, room = keep > 0 ? keep : count;
    answers = present = fresh = busy = failed = 0;
    for (int i = from; i < to; i++) clients[i].began = 0;
    while (answers < wanted && now() < end) {
        for (int burst = 0; next < to && burst < 200 && joining < room; burst++) begin(next++);
        turn(next < to ? 0 : 1);
        if (now() - looked > SECOND / 10) {
            looked = now();
            for (int i = from; i < next; i++)
                if (clients[i].again && clients[i].again <= looked) begin(i);
        }
    }
    printf("joined=%lu present=%lu fresh=%lu busy=%lu failed=%lu up=%d seconds=%.3f", (unsigned long) answers,
           (unsigned long) present, (unsigned long) fresh, (unsigned long) busy, (unsigned long) failed, up,
           (double) (now() - began) / (double) SECOND);
    print_times(times, answers < (uint64_t) count ? answers : (uint64_t) count);
    printf("\n");
}

static void leave(int from, int to) {
    static const unsigned char bye[] = {0xe0, 0};
    int gone = 0;
    for (int i = from; i < to; i++)
        if (clients[i].state == UP) {
            say(&clients[i], bye, sizeof bye);
            let_go(&clients[i], 0);
            gone++;
        }
    printf("left=%d up=%d\n", gone, up);
}

static void cut(void) {
    int gone = 0;
    for (int i = 0; i < count; i++)
        if (clients[i].state != AWAY) {
            let_go(&clients[i], 1);
            gone++;
        }
    order_from = order_to;
    printf("cut=%d up=%d\n", gone, up);
}

static int behind(uint32_t number) {
    int behind = 0;
    for (int i = 0; i < count; i++) behind += clients[i].state == UP && clients[i].expected <= number;
    return behind;
}

static void await(uint32_t number, int seconds) {
    uint64_t began = now(), end = began + (uint64_t) seconds * SECOND, looked = 0;
    int left = 1;
    while (left > 0 && now() < end) {
        turn(1);
        if (now() - looked > SECOND / 50) {
            looked = now();
            left = behind(number);
        }
    }
    printf("behind=%d up=%d received=%lu again=%lu doubled=%lu missing=%lu lost=%lu seconds=%.3f\n", left, up, (unsigned long) received,
           (unsigned long) again_with_dup, (unsigned long) doubled, (unsigned long) missing, (unsigned long) lost,
           (double) (now() - began) / (double) SECOND);
}

static void obey(const char *line) {
    int a = 0, b = 0, seconds = 0;
    if (sscanf(line, "join %d %d %d", &a, &b, &seconds) == 3 && a >= 0 && b <= count)
        join(a, b, seconds);
    else if (sscanf(line, "leave %d %d", &a, &b) == 2 && a >= 0 && b <= count)
        leave(a, b);
    else if (sscanf(line, "await %d %d", &a, &seconds) == 2)
        await((uint32_t) a, seconds);
    else if (!strcmp(line, "cut"))
        cut();
    else
        fail("a command that is not known");
    fflush(stdout);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) take(known, argv[i]);
    if (port <= 0 || count <= 0 || addresses <= 0) fail("port, count and addresses are positive");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < (rlim_t) ((keep > 0 && keep < count ? keep : count) + 16)) fail("ulimit -n is too low");
    poller = epoll_create1(EPOLL_CLOEXEC);
    clients = zeros((size_t) count, sizeof *clients);
    times = zeros((size_t) count, sizeof *times);
    order = zeros((size_t) count, sizeof *order);
    for (int i = 0; i < count; i++) clients[i].expected = 1;
    struct epoll_event input = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input);
    fcntl(0, F_SETFL, O_NONBLOCK);
    char line[100];
    size_t length = 0;
    while (1) {
        char byte;
        ssize_t got_bytes = read(0, &byte, 1);
        if (got_bytes == 0) return 0;
        if (got_bytes < 0)
            turn(100);
        else if (byte == '\n') {
            line[length] = 0;
            length = 0;
            obey(line);
        } else if (length < sizeof line - 1)
            line[length++] = byte;
    }
}
