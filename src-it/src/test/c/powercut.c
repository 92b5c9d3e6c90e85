/*
 * What a power cut would leave of a directory, for PowerCut.java. To be preloaded (LD_PRELOAD) into the broker.
 *
 * SIGKILL ends a process and leaves the page cache, so no test that kills can notice a missing fsync. This notes, in the
 * order in which they happen, all changes to files below one directory and all syncs, in a journal outside of it. The test
 * reads the journal after the kill, works out what was surely on disk and what only perhaps, and builds the directory anew.
 * All judgement is there; here is only what has to be inside of the process.
 *
 * Why it is right:
 *  - One lock is held over a change and its note, so the journal has the order of the files. A kill between the two loses the
 *    last change from the journal, which is a cut one instant earlier: nobody was told that the change was done.
 *  - A sync is two notes. What was noted before the first one is on disk when the second is there; the second is written
 *    before the caller learns that the sync is done. The journal itself need not be synced: no power is really cut.
 *  - What is not modelled (a writable shared mapping, a truncate by name, a rename out of the directory) is noted as such and
 *    fails the test, so that nothing is passed over in silence. PowerCutIT also compares the journal with the files
 *    after an orderly end: that finds a way to write which this does not see.
 *
 * Why the real fsync is not called: it would change nothing that the test sees and make the machine wait. Instead a sync takes
 * POWERCUT_SYNC_MICROS, so that most cuts fall into one: that is when an acknowledgement that is sent too early shows.
 *
 * Environment:
 *   POWERCUT_DIR          the directory, absolute, without symbolic links
 *   POWERCUT_JOURNAL      the file that the notes are appended to
 *   POWERCUT_SYNC_MICROS  how long a sync takes
 *   POWERCUT_LIES         end of a name: syncs of such files report success and are not noted, as a disk that lies
 *
 * Linux, 64 bit, glibc. System calls are made directly where that is possible: looking up the next function of a name by dlsym
 * may itself allocate, open and close.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define WATCHED 1
#define LIES 2
#define SYNCS_EACH 4
#define MAX_FDS 65536

/* A note is this, two texts or a text and bytes behind it; native byte order, as the test runs on the same machine. */
struct note {
    int32_t kind;
    int32_t fd;
    int64_t number;
    int32_t first;
    int32_t second;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned char state[MAX_FDS];
static char directory[PATH_MAX];
static size_t directory_length;
static const char *lies;
static int journal = -1;
static long sync_micros;
static int64_t tickets;

static void configure(void) {
    const char *dir = getenv("POWERCUT_DIR");
    const char *file = getenv("POWERCUT_JOURNAL");
    const char *micros = getenv("POWERCUT_SYNC_MICROS");
    if (dir == NULL || file == NULL || strlen(dir) >= sizeof directory) {
        return;
    }
    lies = getenv("POWERCUT_LIES");
    sync_micros = micros == NULL ? 0 : atol(micros);
    journal = (int) syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (journal >= 0) {
        strcpy(directory, dir);
        directory_length = strlen(dir);
    }
}

static int active(void) {
    pthread_once(&once, configure);
    return directory_length > 0;
}

static int is(int fd) {
    return fd >= 0 && fd < MAX_FDS ? state[fd] : 0;
}

/* A journal with a gap would accuse the broker: rather no broker. */
static void give_up(const char *why) {
    (void) !write(2, why, strlen(why));
    abort();
}

static void note(int kind, int fd, int64_t number, const void *first, size_t first_length, const void *second,
        size_t second_length) {
    struct note head = {kind, fd, number, (int32_t) first_length, (int32_t) second_length};
    struct iovec parts[3] = {
        {&head, sizeof head}, {(void *) first, first_length}, {(void *) second, second_length}};
    int at = 0;
    while (at < 3) {
        ssize_t n = syscall(SYS_writev, journal, parts + at, 3 - at);
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            give_up("powercut: the journal cannot be written\n");
        }
        while (at < 3 && (size_t) n >= parts[at].iov_len) {
            n -= (ssize_t) parts[at].iov_len;
            at++;
        }
        if (at < 3) {
            parts[at].iov_base = (char *) parts[at].iov_base + n;
            parts[at].iov_len -= (size_t) n;
        }
    }
}

static void note_text(int kind, int fd, const char *text) {
    int before = errno;
    note(kind, fd, 0, text, strlen(text), NULL, 0);
    errno = before;
}

static void unmodelled(const char *what) {
    note_text('X', -1, what);
}

/* The absolute path without empty and "." parts. Returns whether it is in the directory, or the directory itself. */
static int resolve(int at, const char *path, char full[PATH_MAX]) {
    char raw[2 * PATH_MAX];
    if (path == NULL || !active()) {
        return 0;
    }
    if (path[0] == '/') {
        snprintf(raw, sizeof raw, "%s", path);
    } else if (at == AT_FDCWD) {
        char here[PATH_MAX];
        if (getcwd(here, sizeof here) == NULL) {
            return 0;
        }
        snprintf(raw, sizeof raw, "%s/%s", here, path);
    } else {
        char link[64];
        char here[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t n = readlink(link, here, sizeof here - 1);
        if (n < 0) {
            return 0;
        }
        here[n] = 0;
        snprintf(raw, sizeof raw, "%s/%s", here, path);
    }
    size_t length = 0;
    for (const char *part = raw; *part != 0;) {
        const char *end = strchrnul(part, '/');
        size_t n = (size_t) (end - part);
        if (n > 0 && !(n == 1 && part[0] == '.')) {
            if (length + n + 2 > PATH_MAX) {
                return 0;
            }
            full[length++] = '/';
            memcpy(full + length, part, n);
            length += n;
        }
        part = *end == 0 ? end : end + 1;
    }
    full[length] = 0;
    return strncmp(full, directory, directory_length) == 0
            && (full[directory_length] == '/' || full[directory_length] == 0);
}

static int ends_with(const char *text, const char *end) {
    size_t a = strlen(text);
    size_t b = strlen(end);
    return b > 0 && a >= b && strcmp(text + a - b, end) == 0;
}

/* ---- opening and closing */

static int open_at(int at, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    if (!resolve(at, path, full)) {
        return (int) syscall(SYS_openat, at, path, flags, mode);
    }
    pthread_mutex_lock(&lock);
    int existed = syscall(SYS_faccessat, AT_FDCWD, full, F_OK) == 0;
    int fd = (int) syscall(SYS_openat, at, path, flags, mode);
    if (fd >= MAX_FDS) {
        give_up("powercut: too many open files\n");
    }
    if (fd >= 0) {
        if ((flags & O_TMPFILE) == O_TMPFILE) {
            unmodelled("O_TMPFILE");
        } else if ((flags & O_CREAT) && !existed) {
            note_text('C', fd, full);
        }
        note_text('O', fd, full);
        if ((flags & O_TRUNC) && existed) {
            note('T', fd, 0, NULL, 0, NULL, 0);
        }
        state[fd] = WATCHED | (flags & O_DSYNC ? SYNCS_EACH : 0)
                | (lies != NULL && ends_with(full, lies) ? LIES : 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE_OF(flags, last) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, last); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags, flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags, flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...) {
    MODE_OF(flags, flags)
    return open_at(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
    MODE_OF(flags, flags)
    return open_at(at, path, flags, mode);
}

int __open_2(const char *path, int flags) {
    return open_at(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags) {
    return open_at(AT_FDCWD, path, flags, 0);
}

int creat(const char *path, mode_t mode) {
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

static void forget(int fd) {
    if (is(fd)) {
        pthread_mutex_lock(&lock);
        state[fd] = 0;
        pthread_mutex_unlock(&lock);
    }
}

int close(int fd) {
    if (fd == journal && fd >= 0) {
        return 0; /* somebody who closes all there is */
    }
    forget(fd);
    return (int) syscall(SYS_close, fd);
}

/* These two close within the C library, past close() above; what gets the number next must not be taken for the file. */
int closedir(DIR *names) {
    static int (*next)(DIR *);
    if (next == NULL) {
        next = (int (*)(DIR *)) dlsym(RTLD_NEXT, "closedir");
    }
    forget(dirfd(names));
    return next(names);
}

int fclose(FILE *file) {
    static int (*next)(FILE *);
    if (next == NULL) {
        next = (int (*)(FILE *)) dlsym(RTLD_NEXT, "fclose");
    }
    forget(fileno(file));
    return next(file);
}

static void same(int from, int to) {
    int before = errno;
    pthread_mutex_lock(&lock);
    if (to >= 0 && to < MAX_FDS) {
        state[to] = (unsigned char) is(from);
        if (is(from)) {
            note('D', from, to, NULL, 0, NULL, 0);
        }
    }
    pthread_mutex_unlock(&lock);
    errno = before;
}

int dup(int from) {
    int to = (int) syscall(SYS_dup, from);
    same(from, to);
    return to;
}

int dup2(int from, int to) {
    if (from == to) {
        return to;
    }
    int done = (int) syscall(SYS_dup3, from, to, 0);
    same(from, done);
    return done;
}

int dup3(int from, int to, int flags) {
    int done = (int) syscall(SYS_dup3, from, to, flags);
    same(from, done);
    return done;
}

/* ---- syncing */

static int sync_of(int fd) {
    if (is(fd) & LIES) {
        return 0;
    }
    pthread_mutex_lock(&lock);
    int64_t ticket = ++tickets;
    note('S', fd, ticket, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    struct timespec time = {sync_micros / 1000000, sync_micros % 1000000 * 1000};
    nanosleep(&time, NULL);
    pthread_mutex_lock(&lock);
    note('E', fd, ticket, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) {
    return is(fd) ? sync_of(fd) : (int) syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    return is(fd) ? sync_of(fd) : (int) syscall(SYS_fdatasync, fd);
}

/*
 * sync_file_range is left alone: it starts writing, and promises nothing, not even where the file ends. sync and syncfs get no
 * credit, since nobody here uses them.
 */

/* ---- writing */

static ssize_t wrote(int fd, const struct iovec *parts, int count, int64_t at, ssize_t n) {
    int before = errno;
    int64_t offset = at >= 0 ? at : (int64_t) lseek(fd, 0, SEEK_CUR) - n;
    ssize_t left = n;
    for (int i = 0; i < count && left > 0; i++) {
        size_t length = parts[i].iov_len < (size_t) left ? parts[i].iov_len : (size_t) left;
        note('W', fd, offset, NULL, 0, parts[i].iov_base, length);
        offset += (int64_t) length;
        left -= (ssize_t) length;
    }
    errno = before;
    return n;
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, int64_t at) {
    pthread_mutex_lock(&lock);
    ssize_t n = at >= 0 ? syscall(SYS_pwritev, fd, parts, count, (unsigned long) at, 0UL)
                        : syscall(SYS_writev, fd, parts, count);
    if (n > 0) {
        wrote(fd, parts, count, at, n);
    }
    pthread_mutex_unlock(&lock);
    if (n > 0 && (is(fd) & SYNCS_EACH)) {
        sync_of(fd);
    }
    return n;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!is(fd)) {
        return syscall(SYS_write, fd, bytes, length);
    }
    struct iovec part = {(void *) bytes, length};
    return write_parts(fd, &part, 1, -1);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    return is(fd) ? write_parts(fd, parts, count, -1) : syscall(SYS_writev, fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    if (!is(fd)) {
        return syscall(SYS_pwrite64, fd, bytes, length, at);
    }
    struct iovec part = {(void *) bytes, length};
    return write_parts(fd, &part, 1, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    return pwrite(fd, bytes, length, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    return is(fd) ? write_parts(fd, parts, count, at) : syscall(SYS_pwritev, fd, parts, count, at, 0UL);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    return pwritev(fd, parts, count, at);
}

int ftruncate(int fd, off_t size) {
    if (!is(fd)) {
        return (int) syscall(SYS_ftruncate, fd, size);
    }
    pthread_mutex_lock(&lock);
    int done = (int) syscall(SYS_ftruncate, fd, size);
    if (done == 0) {
        note('T', fd, size, NULL, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate64(int fd, off64_t size) {
    return ftruncate(fd, size);
}

int truncate(const char *path, off_t size) {
    char full[PATH_MAX];
    if (resolve(AT_FDCWD, path, full)) {
        pthread_mutex_lock(&lock);
        unmodelled("truncate by name");
        pthread_mutex_unlock(&lock);
    }
    return (int) syscall(SYS_truncate, path, size);
}

int truncate64(const char *path, off64_t size) {
    return truncate(path, size);
}

/* Room that is only reserved changes nothing that can be read; a new size is noted as such. */
int fallocate(int fd, int mode, off_t at, off_t length) {
    if (!is(fd)) {
        return (int) syscall(SYS_fallocate, fd, mode, at, length);
    }
    pthread_mutex_lock(&lock);
    int done = (int) syscall(SYS_fallocate, fd, mode, at, length);
    if (done == 0 && mode == 0) {
        note('G', fd, at + length, NULL, 0, NULL, 0);
    } else if (done == 0 && mode != FALLOC_FL_KEEP_SIZE) {
        unmodelled("fallocate that changes bytes");
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
    return fallocate(fd, mode, at, length);
}

int posix_fallocate(int fd, off_t at, off_t length) {
    return fallocate(fd, 0, at, length) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off64_t at, off64_t length) {
    return posix_fallocate(fd, at, length);
}

/* Copies within the kernel are refused, so that the caller falls back to writing, which is seen. */
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    if (is(out)) {
        errno = ENOSYS;
        return -1;
    }
    return syscall(SYS_copy_file_range, in, from, out, to, length, flags);
}

ssize_t sendfile(int out, int in, off_t *from, size_t length) {
    if (is(out)) {
        errno = ENOSYS;
        return -1;
    }
    return syscall(SYS_sendfile, out, in, from, length);
}

ssize_t sendfile64(int out, int in, off64_t *from, size_t length) {
    return sendfile(out, in, from, length);
}

void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t at) {
    if ((flags & MAP_SHARED) && (protection & PROT_WRITE) && !(flags & MAP_ANONYMOUS) && is(fd)) {
        pthread_mutex_lock(&lock);
        unmodelled("a shared mapping that can be written to");
        pthread_mutex_unlock(&lock);
    }
    return (void *) syscall(SYS_mmap, where, length, protection, flags, fd, at);
}

void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t at) {
    return mmap(where, length, protection, flags, fd, at);
}

/* ---- names */

static int name_change(int kind, const char *path, int done) {
    if (done == 0) {
        note_text(kind, -1, path);
    }
    return done;
}

int mkdirat(int at, const char *path, mode_t mode) {
    char full[PATH_MAX];
    if (!resolve(at, path, full)) {
        return (int) syscall(SYS_mkdirat, at, path, mode);
    }
    pthread_mutex_lock(&lock);
    int done = name_change('M', full, (int) syscall(SYS_mkdirat, at, path, mode));
    pthread_mutex_unlock(&lock);
    return done;
}

int mkdir(const char *path, mode_t mode) {
    return mkdirat(AT_FDCWD, path, mode);
}

int unlinkat(int at, const char *path, int flags) {
    char full[PATH_MAX];
    if (!resolve(at, path, full)) {
        return (int) syscall(SYS_unlinkat, at, path, flags);
    }
    pthread_mutex_lock(&lock);
    int done = name_change('U', full, (int) syscall(SYS_unlinkat, at, path, flags));
    pthread_mutex_unlock(&lock);
    return done;
}

int unlink(const char *path) {
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path) {
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path) {
    int done = unlinkat(AT_FDCWD, path, 0);
    return done != 0 && errno == EISDIR ? unlinkat(AT_FDCWD, path, AT_REMOVEDIR) : done;
}

static int two_names(int kind, int at, const char *from, int to_at, const char *to, unsigned flags) {
    char full_from[PATH_MAX];
    char full_to[PATH_MAX];
    int call = kind == 'R' ? SYS_renameat2 : SYS_linkat;
    int from_inside = resolve(at, from, full_from);
    int to_inside = resolve(to_at, to, full_to);
    if (!from_inside && !to_inside) {
        return (int) syscall(call, at, from, to_at, to, flags);
    }
    pthread_mutex_lock(&lock);
    int done = (int) syscall(call, at, from, to_at, to, flags);
    if (done == 0 && (!from_inside || !to_inside || (kind == 'R' && flags != 0))) {
        unmodelled("a rename or link across the border, or an exchange of names");
    } else if (done == 0) {
        note(kind, -1, 0, full_from, strlen(full_from), full_to, strlen(full_to));
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int rename(const char *from, const char *to) {
    return two_names('R', AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int at, const char *from, int to_at, const char *to) {
    return two_names('R', at, from, to_at, to, 0);
}

int renameat2(int at, const char *from, int to_at, const char *to, unsigned flags) {
    return two_names('R', at, from, to_at, to, flags);
}

int linkat(int at, const char *from, int to_at, const char *to, int flags) {
    return two_names('L', at, from, to_at, to, (unsigned) flags);
}

int link(const char *from, const char *to) {
    return two_names('L', AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlinkat(const char *target, int at, const char *path) {
    char full[PATH_MAX];
    if (resolve(at, path, full)) {
        pthread_mutex_lock(&lock);
        unmodelled("a symbolic link");
        pthread_mutex_unlock(&lock);
    }
    return (int) syscall(SYS_symlinkat, target, at, path);
}

int symlink(const char *target, const char *path) {
    return symlinkat(target, AT_FDCWD, path);
}
