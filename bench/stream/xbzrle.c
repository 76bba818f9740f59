/*
 * The algorithm of xbzrle.md section 2 in C, eight bytes at a time where the section permits it: the yardstick of
 * xbzrle.ts. Usage: xbzrle FILE ROUNDS, where FILE holds a number of old pages and then as many new ones.
 * Prints the fastest round of each direction in nanoseconds, and the bytes of all deltas together.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE = 4096 };

static int put_length(uint8_t *out, int value)
{
    if (value < 128) {
        out[0] = value;
        return 1;
    }
    out[0] = (value & 127) | 128;
    out[1] = value >> 7;
    return 2;
}

static uint64_t difference(const uint8_t *a, const uint8_t *b)
{
    uint64_t x, y;
    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    return x ^ y;
}

static int equal_run(const uint8_t *a, const uint8_t *b, int length)
{
    int i = 0;
    while (i + 8 <= length && difference(a + i, b + i) == 0)
        i += 8;
    while (i < length && a[i] == b[i])
        i++;
    return i;
}

static int different_run(const uint8_t *a, const uint8_t *b, int length)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    int i = 0;
    while (i + 8 <= length) {
        uint64_t x = difference(a + i, b + i);
        if ((x - ones) & ~x & tops)
            break;
        i += 8;
    }
    while (i < length && a[i] != b[i])
        i++;
    return i;
}

__attribute__((noinline)) static int encode(const uint8_t *old, const uint8_t *fresh, uint8_t *out, int limit)
{
    int i = 0, d = 0;
    while (i < PAGE) {
        if (d + 2 > limit)
            return -1;
        int run = equal_run(old + i, fresh + i, PAGE - i);
        if (run == PAGE)
            return 0;
        i += run;
        if (i == PAGE)
            return d;
        d += put_length(out + d, run);
        if (d + 2 > limit)
            return -1;
        run = different_run(old + i, fresh + i, PAGE - i);
        d += put_length(out + d, run);
        if (d + run > limit)
            return -1;
        memcpy(out + d, fresh + i, run);
        d += run;
        i += run;
    }
    return d;
}

static int get_length(const uint8_t *in, int left, int *value)
{
    if (left < 2)
        return 0;
    if (in[0] < 128) {
        *value = in[0];
        return 1;
    }
    if (in[1] > 127)
        return 0;
    *value = (in[0] & 127) | in[1] << 7;
    return 2;
}

__attribute__((noinline)) static int decode(const uint8_t *delta, int length, uint8_t *page)
{
    int i = 0, d = 0;
    while (i < length) {
        int run, size = get_length(delta + i, length - i, &run);
        if (size == 0 || (run == 0 && i != 0))
            return -1;
        i += size;
        d += run;
        if (d > PAGE)
            return -1;
        size = get_length(delta + i, length - i, &run);
        if (size == 0 || run == 0)
            return -1;
        i += size;
        if (d + run > PAGE || i + run > length)
            return -1;
        memcpy(page + d, delta + i, run);
        d += run;
        i += run;
    }
    return d;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    FILE *file = fopen(argv[1], "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return 2;
    int pages = ftell(file) / (2 * PAGE);
    uint8_t *old = aligned_alloc(PAGE, (size_t)pages * PAGE), *fresh = aligned_alloc(PAGE, (size_t)pages * PAGE);
    uint8_t *deltas = malloc((size_t)pages * PAGE);
    int *lengths = malloc(pages * sizeof *lengths);
    rewind(file);
    if (fread(old, PAGE, pages, file) != (size_t)pages || fread(fresh, PAGE, pages, file) != (size_t)pages)
        return 2;
    double best_encode = 1e18, best_decode = 1e18;
    long total = 0;
    for (int round = atoi(argv[2]); round > 0; round--) {
        double began = now();
        total = 0;
        for (int p = 0; p < pages; p++) {
            int length = encode(old + (size_t)p * PAGE, fresh + (size_t)p * PAGE, deltas + total, PAGE);
            lengths[p] = length;
            total += length > 0 ? length : 0;
        }
        double taken = now() - began;
        if (taken < best_encode)
            best_encode = taken;
    }
    for (int round = atoi(argv[2]); round > 0; round--) {
        double began = now();
        long at = 0;
        for (int p = 0; p < pages; p++) {
            if (lengths[p] <= 0)
                continue;
            if (decode(deltas + at, lengths[p], old + (size_t)p * PAGE) < 0)
                return 3;
            at += lengths[p];
        }
        double taken = now() - began;
        if (taken < best_decode)
            best_decode = taken;
    }
    printf("%.0f %.0f %ld\n", best_encode, best_decode, total);
    return 0;
}
