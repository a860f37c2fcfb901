/* A few HTTP clients in one thread that ask the same question again and again: each waits for its
 * answer before it asks anew (keep-alive, no pipelining). An answer counts when its status is 200
 * and it holds no "errors". One JSON object per line on stdout when a phase ends.
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

enum { CLIENTS_MAX = 256, ANSWER_BYTES_MAX = 1 << 20, BUCKETS = 1000000 };

typedef struct {
    int fd;
    double asked_at;
    size_t length;
    char *answer;
} Client;

static uint32_t latency[BUCKETS]; /* of 10 us */
static uint64_t answers, bytes, wrong;
static char *question;
static size_t question_length;

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void fail(const char *what) {
    fprintf(stderr, "ask: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void prepare(int port, const char *body) {
    question_length = asprintf(&question,
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
        "Accept: application/json\r\nContent-Length: %zu\r\n\r\n%s", port, strlen(body), body);
}

static void ask(Client *client) {
    client->asked_at = now_ms();
    client->length = 0;
    if (send(client->fd, question, question_length, MSG_NOSIGNAL) != (ssize_t)question_length) fail("send");
}

/* The length of the whole answer, 0 as long as its head is not complete. */
static size_t whole(Client *client) {
    char *end = memmem(client->answer, client->length, "\r\n\r\n", 4);
    if (!end) return 0;
    *end = 0;
    char *header = strcasestr(client->answer, "\r\ncontent-length:");
    *end = '\r';
    if (!header) { errno = EPROTO; fail("an answer without Content-Length"); }
    return end + 4 - client->answer + strtoul(header + 17, NULL, 10);
}

static void on_readable(Client *client, int measuring) {
    ssize_t got = recv(client->fd, client->answer + client->length, ANSWER_BYTES_MAX - client->length, 0);
    if (got <= 0) { errno = got ? errno : ECONNRESET; fail("the server hung up"); }
    client->length += got;
    size_t length = whole(client);
    if (!length || client->length < length) return;
    int good = !memcmp(client->answer + 8, " 200", 4) && !memmem(client->answer, length, "\"errors\"", 8);
    if (!good && wrong++ < 1) fprintf(stderr, "ask: wrong answer: %.400s\n", client->answer);
    if (measuring) {
        uint32_t bucket = (now_ms() - client->asked_at) * 100;
        latency[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
        answers++, bytes += length;
    }
    ask(client);
}

static double percentile(double share) {
    uint64_t passed = 0, wanted = ceil(answers * share);
    for (int i = 0; i < BUCKETS && wanted; i++)
        if ((passed += latency[i]) >= wanted) return (i + 1) / 100.0;
    return 0;
}

int main(int count, char **words) {
    int port = 0, clients = 16;
    double warm_ms = 2000, measure_ms = 5000;
    const char *body = NULL;
    for (int option; (option = getopt(count, words, "p:n:w:d:q:")) > 0;) switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'n': clients = atoi(optarg); break;
        case 'w': warm_ms = atof(optarg) * 1e3; break;
        case 'd': measure_ms = atof(optarg) * 1e3; break;
        case 'q': body = optarg; break;
        default: return 2;
    }
    if (!port || !body || clients < 1 || clients > CLIENTS_MAX) {
        fprintf(stderr, "ask: -p PORT -q BODY, 1 <= -n <= %d\n", CLIENTS_MAX);
        return 2;
    }
    prepare(port, body);
    int epoll = epoll_create1(EPOLL_CLOEXEC), yes = 1;
    static Client all[CLIENTS_MAX];
    for (int i = 0; i < clients; i++) {
        Client *client = &all[i];
        struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port),
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        client->answer = malloc(ANSWER_BYTES_MAX);
        client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (connect(client->fd, (struct sockaddr *)&server, sizeof server)) fail("connect");
        struct epoll_event wish = {.events = EPOLLIN, .data.ptr = client};
        epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &wish);
        ask(client);
    }
    struct epoll_event happened[CLIENTS_MAX];
    double since = now_ms();
    for (int measuring = 0;;) {
        int many = epoll_wait(epoll, happened, CLIENTS_MAX, 10);
        for (int i = 0; i < many; i++) on_readable(happened[i].data.ptr, measuring);
        double passed = now_ms() - since;
        if (!measuring && passed >= warm_ms) {
            measuring = 1, since = now_ms();
            puts("{\"event\":\"measuring\"}");
            fflush(stdout);
        } else if (measuring && passed >= measure_ms) {
            printf("{\"event\":\"measured\",\"seconds\":%.3f,\"answers\":%lu,\"wrong\":%lu,\"bytes_each\":%.0f,"
                   "\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n", passed / 1e3, answers, wrong,
                answers ? bytes / (double)answers : 0, percentile(.5), percentile(.99));
            return 0;
        }
    }
}
