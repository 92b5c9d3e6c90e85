/* The end of sd_notify that systemd holds: prints each datagram on a line, with the process it is from. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int one = 1;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (argc != 2 || fd < 0 || strlen(argv[1]) >= sizeof address.sun_path) {
        return 2;
    }
    size_t length = strlen(argv[1]);
    memcpy(address.sun_path, argv[1], length);
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = 0; /* a name of its own, without a file */
    }
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one)
        || bind(fd, (struct sockaddr *) &address, offsetof(struct sockaddr_un, sun_path) + length)) {
        perror("notify");
        return 1;
    }
    printf("listening\n");
    fflush(stdout);
    for (;;) {
        char text[4096];
        char control[CMSG_SPACE(sizeof(struct ucred))];
        struct iovec part = {text, sizeof text};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t count = recvmsg(fd, &message, 0);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (count < 0 || !header || header->cmsg_type != SCM_CREDENTIALS) {
            return 1;
        }
        struct ucred from;
        memcpy(&from, CMSG_DATA(header), sizeof from);
        for (ssize_t i = 0; i < count; i++) {
            if (text[i] == '\n') {
                text[i] = ' ';
            }
        }
        printf("%d %.*s\n", (int) from.pid, (int) count, text);
        fflush(stdout);
    }
}
