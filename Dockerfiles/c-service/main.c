// Answers one HTTP request on port 8080 with its version, or, with --check, says that it could.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8)) {
        perror("listen");
        return 1;
    }
    int client = accept(listener, NULL, NULL);
    dprintf(client, "HTTP/1.0 200 OK\r\n\r\nc-service %s\n", VERSION);
    close(client);
    return 0;
}

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "--serve") == 0) return serve();
    if (count > 1 && strcmp(arguments[1], "--check") == 0) {
        printf("c-service %s runs as %d:%d\n", VERSION, getuid(), getgid());
        return 0;
    }
    printf("usage: service --serve | --check\n");
    return 0;
}
