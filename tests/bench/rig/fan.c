/* A crowd of graphql-transport-ws clients in one thread: what it costs a server to have them.
 *
 * Opens n sockets from several loopback addresses, subscribes each to s of k symbols (client i to
 * the symbols i, i+1, ...), waits until every subscription has had its first value, warms up,
 * measures, and may then cut a share of the clients and have them all come back at once.
 *
 * Latency is the client's clock at the read minus the payload's "asOf" (RFC 3339, milliseconds;
 * one machine, one clock). First values are not counted: they may be as old as the last price.
 * One JSON object per line on stdout tells of each phase when it ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { ADDRESS_CLIENTS = 250, READ_BYTES = 1 << 18, FRAME_BYTES_MAX = 1 << 17, EVENTS = 512 };
enum { BUCKETS = 1000000 }; /* of 10 us: ten seconds, and all that is slower in the last one */
static const double RETRY_AFTER_MS = 200;

typedef enum { WAITING, CONNECTING, UPGRADING, GREETING, LIVE, GONE } State;
typedef enum { RAMP, WARM, MEASURE, STORM } Phase;

typedef struct {
    int fd, slow, hungry; /* hungry: subscriptions without a value so far */
    State state;
    double retry_at;
    char *rest; /* the beginning of a frame whose end has not come yet */
    size_t rest_length;
    double *last; /* per subscription: the newest asOf seen, 0 before the first */
} Client;

static struct {
    int port, clients, subscriptions, symbols, slow, in_flight_max, deflate;
    double ramp_ms, warm_ms, measure_ms, period_ms, cut_share;
    const char *subscribe; /* the payload's JSON, @SYMBOL@ in it */
} asked = {0, 100, 1, 1, 0, 64, 0, 25000, 2000, 5000, 0, 0, NULL};

static struct {
    uint64_t deliveries, bytes, reads, gaps, backwards, repeated, foreign, other;
    double slowest_ms;
    uint32_t latency[BUCKETS];
} seen;

static Client *crowd;
static int *queue, queue_head, queue_length; /* who is to be opened; the same pause keeps order */
static int epoll, in_flight, live, fed, retries, closed, last_close_code, unexpected;
static Phase phase = RAMP;
static char inbox[READ_BYTES + FRAME_BYTES_MAX];

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void fail(const char *what) {
    fprintf(stderr, "fan: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int digits(const char *text, int count) {
    int number = 0;
    while (count-- > 0) number = number * 10 + (*text++ - '0');
    return number;
}

/* "2026-11-22T18:12:03.123Z" to milliseconds since 1970; the day is worked out once. */
static double milliseconds_of(const char *text) {
    static char known[10];
    static double midnight_ms;
    if (memcmp(text, known, sizeof known)) {
        struct tm day = {.tm_year = digits(text, 4) - 1900, .tm_mon = digits(text + 5, 2) - 1,
                         .tm_mday = digits(text + 8, 2)};
        midnight_ms = timegm(&day) * 1e3;
        memcpy(known, text, sizeof known);
    }
    int seconds = (digits(text + 11, 2) * 60 + digits(text + 14, 2)) * 60 + digits(text + 17, 2);
    return midnight_ms + seconds * 1e3 + digits(text + 20, 3);
}

static void enqueue(Client *client, double at) {
    client->state = WAITING;
    client->retry_at = at;
    queue[(queue_head + queue_length++) % asked.clients] = client - crowd;
}

static void lose(Client *client) {
    if (client->state == LIVE) {
        live--;
        if (!client->hungry) fed--;
    } else if (client->state < LIVE) in_flight--;
    close(client->fd);
    if (phase == RAMP || phase == STORM) {
        retries++;
        enqueue(client, now_ms() + RETRY_AFTER_MS);
    } else {
        closed++;
        client->state = GONE;
    }
}

static void send_frame(Client *client, int opcode, const char *text, size_t length) {
    static uint32_t seed = 2463534242u;
    unsigned char frame[8192], *at = frame, mask[4];
    if (length > sizeof frame - 14) { errno = EMSGSIZE; fail("own frame"); }
    *at++ = 0x80 | opcode;
    if (length < 126) *at++ = 0x80 | length;
    else { *at++ = 0x80 | 126; *at++ = length >> 8; *at++ = length & 255; }
    seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
    memcpy(mask, &seed, 4);
    memcpy(at, mask, 4), at += 4;
    for (size_t i = 0; i < length; i++) *at++ = text[i] ^ mask[i & 3];
    if (send(client->fd, frame, at - frame, MSG_NOSIGNAL) != at - frame) lose(client);
}

static void subscribe(Client *client) {
    int index = client - crowd;
    client->state = LIVE, live++, in_flight--;
    client->hungry = asked.subscriptions;
    const char *cut = strstr(asked.subscribe, "@SYMBOL@");
    for (int k = 0; k < asked.subscriptions && client->state == LIVE; k++) {
        char text[4096];
        int length = snprintf(text, sizeof text,
            "{\"id\":\"%08x-0000-4000-8000-%012x\",\"type\":\"subscribe\",\"payload\":%.*sS%02dUSDT%s}",
            index, k, (int)(cut - asked.subscribe), asked.subscribe, (index + k) % asked.symbols, cut + 8);
        client->last[k] = 0;
        send_frame(client, 1, text, length);
    }
    if (client->slow && client->state == LIVE) { /* from now on it never reads */
        client->hungry = 0, fed++;
        epoll_ctl(epoll, EPOLL_CTL_DEL, client->fd, NULL);
    }
}

static void note(Client *client, const char *text, size_t length, const char *stamp, double at) {
    const char *symbol = memmem(text, length, "\"symbol\":\"S", 11);
    int first = (client - crowd) % asked.symbols;
    int slot = symbol ? (digits(symbol + 11, 2) - first + asked.symbols) % asked.symbols : -1;
    if (slot < 0 || slot >= asked.subscriptions) { seen.foreign++; return; }
    double as_of = milliseconds_of(stamp), before = client->last[slot];
    client->last[slot] = as_of > before ? as_of : before;
    if (before == 0) {
        if (--client->hungry == 0) fed++;
        return;
    }
    if (phase < MEASURE) return;
    seen.deliveries++, seen.bytes += length;
    if (as_of < before) seen.backwards++;
    if (as_of == before) seen.repeated++;
    if (asked.period_ms && as_of - before > 1.5 * asked.period_ms) seen.gaps++;
    double late = at > as_of ? at - as_of : 0;
    if (late > seen.slowest_ms) seen.slowest_ms = late;
    uint32_t bucket = late * 100;
    seen.latency[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static void on_text(Client *client, const char *text, size_t length, double at) {
    const char *stamp = memmem(text, length, "\"asOf\":\"", 8);
    if (stamp && client->state == LIVE) note(client, text, length, stamp + 8, at);
    else if (client->state == GREETING && memmem(text, length, "connection_ack", 14)) subscribe(client);
    else if (memmem(text, length, "\"type\":\"ping\"", 13)) send_frame(client, 1, "{\"type\":\"pong\"}", 15);
    else if (!memmem(text, length, "\"type\":\"pong\"", 13)) {
        if (unexpected++ < 3) fprintf(stderr, "fan: unexpected: %.*s\n", (int)(length < 300 ? length : 300), text);
        seen.other++;
        /* A subscription was refused: come back in a moment, as a patient client does. */
        if (memmem(text, length, "\"type\":\"error\"", 14)) lose(client);
    }
}

/* A compressed message is counted, not read: to inflate it would be the load's cost, not the
 * server's. What it is follows from whom it comes to, and when; of one symbol per client. */
static void on_compressed(Client *client, size_t length) {
    if (client->state == GREETING) subscribe(client);
    else if (client->hungry) client->hungry = 0, fed++;
    else if (phase >= MEASURE) seen.deliveries++, seen.bytes += length;
}

/* Takes whole frames off the inbox; returns how many bytes they were. */
static size_t read_frames(Client *client, size_t length, size_t offset, double at) {
    while (length - offset >= 2 && client->state >= GREETING && client->state != GONE) {
        unsigned char *head = (unsigned char *)inbox + offset;
        size_t body = head[1] & 127, header = 2;
        if (body == 126) {
            if (length - offset < 4) break;
            body = head[2] << 8 | head[3], header = 4;
        } else if (body == 127) {
            if (length - offset < 10) break;
            body = (size_t)head[6] << 24 | head[7] << 16 | head[8] << 8 | head[9], header = 10;
        }
        if (header + body > FRAME_BYTES_MAX) { errno = EMSGSIZE; fail("frame"); }
        if (length - offset < header + body) break;
        char *text = inbox + offset + header;
        offset += header + body;
        int opcode = head[0] & 15;
        if (opcode == 1 && head[0] & 0x40) on_compressed(client, body);
        else if (opcode == 1) on_text(client, text, body, at);
        else if (opcode == 9) send_frame(client, 10, text, body);
        else if (opcode == 8) {
            last_close_code = body >= 2 ? (unsigned char)text[0] << 8 | (unsigned char)text[1] : 1005;
            lose(client);
        }
    }
    return offset;
}

static void greet(Client *client) {
    client->state = GREETING;
    send_frame(client, 1, "{\"type\":\"connection_init\"}", 26);
}

static void on_readable(Client *client) {
    size_t length = client->rest_length, offset = 0;
    memcpy(inbox, client->rest, length);
    ssize_t got = recv(client->fd, inbox + length, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) { lose(client); return; }
    double at = now_ms();
    uint64_t before = seen.deliveries;
    length += got;
    if (client->state == UPGRADING) {
        char *end = memmem(inbox, length, "\r\n\r\n", 4);
        if (end && memcmp(inbox, "HTTP/1.1 101", 12)) {
            if (retries < 3) fprintf(stderr, "fan: refused: %.60s\n", inbox);
            lose(client);
            return;
        }
        if (end) offset = end + 4 - inbox, greet(client);
    }
    offset = read_frames(client, length, offset, at);
    seen.reads += seen.deliveries > before;
    if (client->state == GONE || client->state == WAITING) return;
    client->rest_length = length - offset;
    if (client->rest_length) {
        client->rest = realloc(client->rest, client->rest_length);
        memcpy(client->rest, inbox + offset, client->rest_length);
    }
}

static void on_connected(Client *client) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) { lose(client); return; }
    char text[512];
    int length = snprintf(text, sizeof text,
        "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n%s\r\n", asked.port,
        asked.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "");
    if (send(client->fd, text, length, MSG_NOSIGNAL) != length) { lose(client); return; }
    client->state = UPGRADING;
    struct epoll_event wish = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &wish);
}

static void open_client(Client *client) {
    int yes = 1, small = 4096, index = client - crowd;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) fail("socket");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (client->slow) setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct sockaddr_in own = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index / ADDRESS_CLIENTS)};
    /* Where only 127.0.0.1 exists the kernel chooses, and one address has to do. */
    (void)!bind(client->fd, (struct sockaddr *)&own, sizeof own);
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(asked.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    client->state = CONNECTING, client->rest_length = 0, in_flight++;
    struct epoll_event wish = {.events = EPOLLOUT, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &wish);
    if (connect(client->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
        lose(client);
}

static void open_due(double at) {
    while (queue_length && in_flight < asked.in_flight_max && crowd[queue[queue_head]].retry_at <= at) {
        int index = queue[queue_head];
        queue_head = (queue_head + 1) % asked.clients, queue_length--;
        open_client(&crowd[index]);
    }
}

static double percentile(double share) {
    uint64_t passed = 0, wanted = ceil(seen.deliveries * share);
    for (int i = 0; i < BUCKETS && wanted; i++)
        if ((passed += seen.latency[i]) >= wanted) return (i + 1) / 100.0;
    return 0;
}

static void tell(const char *event, double seconds) {
    double deliveries = seen.deliveries ? seen.deliveries : 1;
    printf("{\"event\":\"%s\",\"seconds\":%.3f,\"asked\":%d,\"connected\":%d,\"fed\":%d,\"retries\":%d,"
           "\"closed\":%d,\"close_code\":%d,\"deliveries\":%lu,\"bytes_each\":%.1f,\"per_read\":%.2f,"
           "\"gaps\":%lu,\"backwards\":%lu,\"repeated\":%lu,\"foreign\":%lu,\"other\":%lu,"
           "\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"slowest_ms\":%.2f}\n",
        event, seconds, asked.clients, live, fed, retries, closed, last_close_code, seen.deliveries,
        seen.bytes / deliveries, seen.reads ? seen.deliveries / (double)seen.reads : 0, seen.gaps,
        seen.backwards, seen.repeated, seen.foreign, seen.other,
        percentile(.5), percentile(.9), percentile(.99), seen.slowest_ms);
    fflush(stdout);
}

static void cut(double at) {
    int many = asked.clients * asked.cut_share;
    for (int i = 0; i < asked.clients; i++) {
        Client *client = &crowd[i];
        int away = client->state == GONE || client->state == WAITING;
        if (i >= many) {
            closed += away; /* nobody waits for those */
            continue;
        }
        if (client->state == LIVE) {
            live--;
            if (!client->hungry) fed--;
            close(client->fd);
        }
        if (client->state == LIVE || away) enqueue(client, at);
    }
}

/* Moves on when a phase is over; returns whether all are. */
static int move_on(double at, double *since) {
    double passed = at - *since;
    int everybody = fed >= asked.clients - closed;
    if (phase == RAMP && (everybody || passed >= asked.ramp_ms)) {
        queue_length = 0; /* who is not in by now stays out */
        tell("ramped", passed / 1e3);
        phase = WARM;
    } else if (phase == WARM && passed >= asked.warm_ms) {
        memset(&seen, 0, sizeof seen);
        phase = MEASURE;
        tell("measuring", passed / 1e3);
    } else if (phase == MEASURE && passed >= asked.measure_ms) {
        tell("measured", passed / 1e3);
        if (asked.cut_share <= 0) return 1;
        memset(&seen, 0, sizeof seen);
        retries = closed = 0, phase = STORM;
        cut(at);
    } else if (phase == STORM && ((everybody && !queue_length) || passed >= asked.ramp_ms)) {
        tell("back", passed / 1e3);
        return 1;
    } else return 0;
    *since = at;
    return 0;
}

static void read_arguments(int count, char **words) {
    for (int option; (option = getopt(count, words, "p:n:s:k:L:b:r:w:d:P:c:m:z:")) > 0;) {
        double number = atof(optarg);
        switch (option) {
            case 'p': asked.port = number; break;
            case 'n': asked.clients = number; break;
            case 's': asked.subscriptions = number; break;
            case 'k': asked.symbols = number; break;
            case 'L': asked.slow = number; break;
            case 'b': asked.in_flight_max = number; break;
            case 'r': asked.ramp_ms = number * 1e3; break;
            case 'w': asked.warm_ms = number * 1e3; break;
            case 'd': asked.measure_ms = number * 1e3; break;
            case 'P': asked.period_ms = number * 1e3; break;
            case 'c': asked.cut_share = number; break;
            case 'm': asked.subscribe = optarg; break;
            case 'z': asked.deflate = number; break;
            default: exit(2);
        }
    }
    int many = asked.symbols >= asked.subscriptions && asked.symbols <= 100 && asked.clients > 0;
    if (!asked.port || !asked.subscribe || !strstr(asked.subscribe, "@SYMBOL@") || !many) {
        fprintf(stderr, "fan: -p PORT and -m PAYLOAD with @SYMBOL@; 1 <= -s <= -k <= 100\n");
        exit(2);
    }
}

int main(int count, char **words) {
    read_arguments(count, words);
    crowd = calloc(asked.clients, sizeof *crowd);
    queue = calloc(asked.clients, sizeof *queue);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < asked.clients; i++) {
        crowd[i].slow = i < asked.slow;
        crowd[i].last = calloc(asked.subscriptions, sizeof(double));
        enqueue(&crowd[i], 0);
    }
    struct epoll_event happened[EVENTS];
    double since = now_ms();
    do {
        open_due(now_ms());
        int many = epoll_wait(epoll, happened, EVENTS, 10);
        for (int i = 0; i < many; i++) {
            Client *client = happened[i].data.ptr;
            if (client->state == CONNECTING) on_connected(client);
            else if (client->state != GONE && client->state != WAITING) on_readable(client);
        }
    } while (!move_on(now_ms(), &since));
    return 0;
}
