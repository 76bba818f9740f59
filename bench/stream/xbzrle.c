/*
 * The algorithm of xbzrle.md section 2 in C, eight bytes at a time where the section permits it, and the records of
 * stream-format.md section 5.2 that carry its deltas: the yardstick of xbzrle.ts. Both encode page after page, and decode
 * the records of a stream. Usage: xbzrle FILE ENCODE-ROUNDS DECODE-ROUNDS, where FILE holds a number of old
 * pages and then as many new ones. Prints the fastest round of each direction in nanoseconds, and the bytes of all deltas.
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

static int decode(const uint8_t *delta, int length, uint8_t *page)
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

enum { CONTINUE = 0x20, XBZRLE = 0x40, HEADER = 11 };

static uint64_t get_be64(const uint8_t *in)
{
    uint64_t value;
    memcpy(&value, in, 8);
    return __builtin_bswap64(value);
}

static uint8_t *put_record(uint8_t *out, uint64_t address, const uint8_t *delta, int length)
{
    uint64_t header = __builtin_bswap64(address | XBZRLE | CONTINUE);
    memcpy(out, &header, 8);
    out[8] = 1;
    out[9] = length >> 8;
    out[10] = length;
    memcpy(out + HEADER, delta, length);
    return out + HEADER + length;
}

/* Applies records to RAM; returns -1 for the first that breaks a rule. */
__attribute__((noinline)) static int load(const uint8_t *in, const uint8_t *end, uint8_t *ram, uint64_t size)
{
    while (in < end) {
        if (end - in < HEADER)
            return -1;
        uint64_t header = get_be64(in), address = header & ~(uint64_t)(PAGE - 1);
        int length = in[9] << 8 | in[10];
        if ((header & (PAGE - 1)) != (XBZRLE | CONTINUE) || address >= size || in[8] != 1 || length > PAGE)
            return -1;
        in += HEADER;
        if (end - in < length || decode(in, length, ram + address) < 0)
            return -1;
        in += length;
    }
    return 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 4)
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
    uint8_t *stream = malloc((size_t)pages * (PAGE + HEADER)), *end = stream;
    long at = 0;
    for (int p = 0; p < pages; p++) {
        if (lengths[p] <= 0)
            continue;
        end = put_record(end, (uint64_t)p * PAGE, deltas + at, lengths[p]);
        at += lengths[p];
    }
    for (int round = atoi(argv[3]); round > 0; round--) {
        double began = now();
        if (load(stream, end, old, (uint64_t)pages * PAGE) < 0)
            return 3;
        double taken = now() - began;
        if (taken < best_decode)
            best_decode = taken;
    }
    printf("%.0f %.0f %ld\n", best_encode, best_decode, total);
    return 0;
}
