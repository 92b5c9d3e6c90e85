/*
 * Many clients that log in, for LoginFloodIT and LoginCrowdIT: each attempt is a connection of its own, with one CONNECT, until its
 * CONNACK or its end. One thread and epoll, so that the broker and not this is what is measured. It ends by itself.
 *
 *   loginstorm port=1883 seconds=5 addresses=100 users=1000 password=wrong
 *       as many attempts as it can, as user-0, user-1, ... in turn, each with another password: password-0, password-1, ...
 *   loginstorm port=1883 count=50000 keep=15000 password=secret
 *       each of user-0 to user-49999 once, with password-<the same number>; who is told that the server is busy comes again
 *
 *   in-flight=256    attempts at a time
 *   addresses=1      they come from in turn: 127.1.0.1 and those that follow
 *   user=name        one user for all attempts, instead of users=
 *   keep=0           who got in stays until so many are there, then the one that came first goes
 *   version=5        or 4, MQTT 3.1.1
 *
 * Prints one line of key=value. Times are from connect() to the code in CONNACK, in microseconds, of those that got one.
 * Connections are closed by a reset, so that they leave no port behind that has to wait. Linux.
 */
#define PROGRAM "loginstorm"
#include "manyclients.h"

#define GIVE_UP (20 * SECOND)
#define MOST_SECONDS 30
#define MOST_TIMES 4000000
#define BUSY_5 0x89
#define BUSY_4 3

struct attempt {
    int fd;
    int number;
    int sent;
    int got;
    uint64_t began;
    unsigned char head[8];
};

struct again {
    int number;
    uint64_t when;
};

static int port, seconds, count, keep, users = 1, addresses = 1, in_flight = 256, version = 5;
static const char *password = "wrong", *only_user;

static int poller;
static struct attempt *attempts;
static int *free_slots, free_count;
static int *kept, kept_from, kept_count;
static struct again *retries;
static int retry_from, retry_count;
static int next_number;
static uint32_t *times;
static uint64_t answered, begun, accepted, refused, busy, closed, unanswered, errors;

static const struct argument arguments[] = {{"port", &port, NULL},
                                            {"seconds", &seconds, NULL},
                                            {"count", &count, NULL},
                                            {"keep", &keep, NULL},
                                            {"users", &users, NULL},
                                            {"addresses", &addresses, NULL},
                                            {"in-flight", &in_flight, NULL},
                                            {"version", &version, NULL},
                                            {"user", NULL, &only_user},
                                            {"password", NULL, &password},
                                            {NULL, NULL, NULL}};

/* ---- one attempt */

static size_t connect_packet(unsigned char *packet_to, int number) {
    char id[32], user[300], secret[300];
    snprintf(id, sizeof id, "storm-%d", number);
    if (only_user)
        snprintf(user, sizeof user, "%s", only_user);
    else
        snprintf(user, sizeof user, "user-%d", count ? number : number % users);
    snprintf(secret, sizeof secret, "%s-%d", password, number);
    unsigned char body[1024], *to = text(body, "MQTT");
    *to++ = (unsigned char) version;
    *to++ = 0xc2; /* user name, password, clean */
    *to++ = 0;
    *to++ = 60;
    if (version == 5) *to++ = 0;
    to = text(text(text(to, id), user), secret);
    return packet(packet_to, 0x10, body, (size_t) (to - body));
}

static void leave(struct attempt *attempt, int stays) {
    if (stays) {
        epoll_ctl(poller, EPOLL_CTL_DEL, attempt->fd, NULL);
        if (kept_count == keep) {
            reset(kept[kept_from]);
            kept_from = (kept_from + 1) % keep;
            kept_count--;
        }
        kept[(kept_from + kept_count++) % keep] = attempt->fd;
    } else
        reset(attempt->fd);
    attempt->fd = -1;
    free_slots[free_count++] = (int) (attempt - attempts);
}

static void come_again(int number, uint64_t when) {
    if (!count) return;
    retries[(retry_from + retry_count++) % count] = (struct again) {number, when};
}

static void say_connect(struct attempt *attempt) {
    unsigned char bytes[1100];
    size_t length = connect_packet(bytes, attempt->number);
    ssize_t written = send(attempt->fd, bytes, length, MSG_NOSIGNAL);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = attempt};
    if (written == (ssize_t) length) {
        attempt->sent = 1;
        epoll_ctl(poller, EPOLL_CTL_MOD, attempt->fd, &event);
    } else if (written < 0 && errno != EAGAIN && errno != ENOTCONN) {
        closed++; /* by the broker, before it had read anything */
        come_again(attempt->number, now() + RETRY);
        leave(attempt, 0);
    }
}

static void begin(int number) {
    struct attempt *attempt = &attempts[free_slots[--free_count]];
    *attempt = (struct attempt) {.fd = new_socket(), .number = number, .began = now()};
    begun++;
    if (set_out(attempt->fd, 1, (uint32_t) (number % addresses), port)) {
        errors++;
        come_again(number, now() + RETRY);
        leave(attempt, 0);
        return;
    }
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = attempt};
    epoll_ctl(poller, EPOLL_CTL_ADD, attempt->fd, &event);
    say_connect(attempt);
}

/* The reason code is behind the remaining length, which may be of two bytes, and the flags. */
static void heard(struct attempt *attempt) {
    ssize_t bytes = recv(attempt->fd, attempt->head + attempt->got, sizeof attempt->head - (size_t) attempt->got, 0);
    if (bytes < 0 && errno == EAGAIN) return;
    if (bytes <= 0) {
        closed++;
        come_again(attempt->number, now() + RETRY);
        leave(attempt, 0);
        return;
    }
    attempt->got += (int) bytes;
    int at = attempt->got > 1 && attempt->head[1] > 127 ? 4 : 3;
    if (attempt->got <= at) return;
    if (attempt->head[0] != 0x20) fail("an answer that is no CONNACK");
    int code = attempt->head[at];
    uint64_t taken = (now() - attempt->began) / 1000;
    if (answered < MOST_TIMES) times[answered] = (uint32_t) taken;
    answered++;
    if (code == 0)
        accepted++;
    else if (code == (version == 5 ? BUSY_5 : BUSY_4)) {
        busy++;
        come_again(attempt->number, now() + RETRY);
    } else
        refused++;
    leave(attempt, code == 0 && keep > 0);
}

/* ---- all of them */

static int more(uint64_t began) {
    uint64_t passed = now() - began;
    if (count) return passed < 10 * MOST_SECONDS * SECOND && accepted + refused < (uint64_t) count;
    return passed < (uint64_t) seconds * SECOND;
}

static void begin_some(void) {
    while (free_count > 0) {
        if (!count)
            begin(next_number++);
        else if (retry_count > 0 && retries[retry_from].when <= now()) {
            int number = retries[retry_from].number;
            retry_from = (retry_from + 1) % count;
            retry_count--;
            begin(number);
        } else if (next_number < count)
            begin(next_number++);
        else
            return;
        if (free_count % 32 == 0) return; /* to listen in between */
    }
}

static void give_up_on_old_ones(void) {
    uint64_t before = now() - GIVE_UP;
    for (int i = 0; i < in_flight; i++)
        if (attempts[i].fd >= 0 && attempts[i].began < before) {
            unanswered++;
            come_again(attempts[i].number, now() + RETRY);
            leave(&attempts[i], 0);
        }
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) take(arguments, argv[i]);
    if (port <= 0 || in_flight <= 0 || users <= 0 || addresses <= 0) fail("port, in-flight, users and addresses are positive");
    if ((seconds <= 0) == (count <= 0) || seconds > MOST_SECONDS) fail("either seconds, 30 at most, or count");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < (rlim_t) (in_flight + keep + 16)) fail("ulimit -n is too low");
    poller = epoll_create1(EPOLL_CLOEXEC);
    attempts = zeros((size_t) in_flight, sizeof *attempts);
    free_slots = zeros((size_t) in_flight, sizeof *free_slots);
    kept = zeros((size_t) keep, sizeof *kept);
    retries = zeros((size_t) count, sizeof *retries);
    times = zeros(MOST_TIMES, sizeof *times);
    for (int i = in_flight; i-- > 0;) {
        attempts[i].fd = -1;
        free_slots[free_count++] = i;
    }
    uint64_t began = now(), looked = began;
    struct epoll_event events[256];
    while (more(began)) {
        begin_some();
        int ready = epoll_wait(poller, events, 256, free_count > 0 && !count ? 0 : 1);
        for (int i = 0; i < ready; i++) {
            struct attempt *attempt = events[i].data.ptr;
            if (attempt->fd < 0) continue;
            if (!attempt->sent && !(events[i].events & (EPOLLERR | EPOLLHUP)))
                say_connect(attempt);
            else
                heard(attempt);
        }
        if (now() - looked > SECOND) {
            looked = now();
            give_up_on_old_ones();
        }
    }
    double passed = (double) (now() - began) / (double) SECOND;
    uint64_t known = answered < MOST_TIMES ? answered : MOST_TIMES;
    uint64_t ended = answered + closed;
    printf("attempts=%lu seconds=%.2f ended-a-second=%.0f accepted=%lu refused=%lu busy=%lu closed=%lu unanswered=%lu errors=%lu",
           (unsigned long) begun, passed, (double) ended / passed, (unsigned long) accepted, (unsigned long) refused,
           (unsigned long) busy, (unsigned long) closed, (unsigned long) unanswered, (unsigned long) errors);
    if (known > 0) print_times(times, known);
    printf("\n");
    return count && accepted < (uint64_t) count ? 1 : 0;
}
