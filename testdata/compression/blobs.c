// Compresses a file as layers are compressed, and prints a checksum of each result: the processor must not matter.
#include "shim.h"
#include <stdio.h>

static unsigned char input[1 << 20], output[(1 << 20) + (1 << 17)];

static void print(const char *name, int level, const unsigned char *bytes, size_t count) {
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < count; i++) hash = (hash ^ bytes[i]) * 1099511628211u;
    printf("%s %d %zu %016llx\n", name, level, count, (unsigned long long)hash);
}

int main(int count, char **arguments) {
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (!file) return 2;
    size_t size = fread(input, 1, sizeof input, file);
    for (int level = 0; level <= 2; level++) {
        struct isal_zstream *stream = compression_deflate_new(level);
        if (!stream) return 1;
        int64_t made = compression_deflate(stream, input, (uint32_t)size, output, sizeof output);
        if (made < 0) return 1;
        print("gzip", level, output, (size_t)made);
        free(stream);
    }
    static const int levels[] = {1, 3, 9};
    for (int i = 0; i < 3; i++) {
        size_t made = ZSTD_compress(output, sizeof output, input, size, levels[i]);
        if (ZSTD_isError(made)) return 1;
        print("zstd", levels[i], output, made);
    }
    return 0;
}
