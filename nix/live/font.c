/* GNU Unifont's hex file on standard input, the font that `bterm` maps on standard output; its pixels once or twice as
 * large, as the argument says.
 *
 * "BGF1", a header whose pointers are offsets into the file, and four tables: a hash of code points (offset), their
 * entries (index: code point with the width in its low bits, then the place of the glyph; 0 ends a row), and the glyphs,
 * one word a line, its first pixel the highest bit. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 16, LARGEST = 2, MASK = 0x7ff, GLYPHS = 0x10000 };

#pragma pack(push, 1)
static struct {
    char magic[4];
    uint64_t name;
    int32_t height, mask;
    uint64_t offset, index, content;
    int32_t fallback, padding;
} header;
#pragma pack(pop)

static int32_t offset[MASK + 1], entries[GLYPHS * 2 + MASK + 1];
static uint32_t content[GLYPHS * HEIGHT * LARGEST], point[GLYPHS], width[GLYPHS];

/* The check and the cross: a terminal gives them one column, Unifont draws them in two. */
static int squeezed(unsigned long code)
{
    return code == 0x2713 || code == 0x2717;
}

/* A line of 16 pixels as one of 8. */
static uint32_t squeeze(uint32_t line)
{
    uint32_t half = 0;
    for (int pixel = 0; pixel < 8; pixel++)
        if (line >> (30 - 2 * pixel) & 3)
            half |= 1u << (31 - pixel);
    return half;
}

/* A line of 16 pixels with each pixel twice. */
static uint32_t twice(uint32_t line)
{
    uint32_t doubled = 0;
    for (int pixel = 0; pixel < 16; pixel++)
        if (line >> (31 - pixel) & 1)
            doubled |= 3u << (30 - 2 * pixel);
    return doubled;
}

int main(int count, char **arguments)
{
    const int scale = count == 2 ? atoi(arguments[1]) : 0;
    if (scale < 1 || scale > LARGEST)
        return fprintf(stderr, "one argument: 1, or 2 for pixels twice as large\n"), 1;
    const int height = HEIGHT * scale;
    static const char name[4] = "hex";
    char line[256];
    int glyphs = 0, used = 0;

    while (fgets(line, sizeof line, stdin) && glyphs < GLYPHS) {
        char *rows = strchr(line, ':');
        unsigned long code = strtoul(line, NULL, 16);
        if (!rows || code >= 0x10000)
            continue;
        rows++;
        int digits = strcspn(rows, "\r\n") / HEIGHT; /* hexadecimal digits a line: 2 or 4 */
        if (digits != 2 && digits != 4)
            return fprintf(stderr, "U+%04lX: neither 8 nor 16 pixels wide\n", code), 1;
        for (int row = 0; row < HEIGHT; row++) {
            char one[5] = "";
            memcpy(one, rows + row * digits, digits);
            uint32_t pixels = strtoul(one, NULL, 16) << (32 - digits * 4);
            pixels = squeezed(code) ? squeeze(pixels) : pixels;
            for (int copy = 0; copy < scale; copy++)
                content[glyphs * height + row * scale + copy] = scale == 2 ? twice(pixels) : pixels;
        }
        point[glyphs] = code;
        width[glyphs++] = (squeezed(code) ? 8 : digits * 4) * scale;
    }
    if (!glyphs)
        return fprintf(stderr, "no glyphs\n"), 1;
    for (int row = 0; row <= MASK; row++) {
        offset[row] = used;
        for (int glyph = 0; glyph < glyphs; glyph++)
            if ((point[glyph] & MASK) == (uint32_t)row) {
                entries[used++] = (point[glyph] & ~MASK) | width[glyph];
                entries[used++] = glyph * height;
            }
        entries[used++] = 0;
    }

    memcpy(header.magic, "BGF1", 4);
    header.height = height;
    header.mask = MASK;
    header.name = sizeof header;
    header.offset = header.name + sizeof name;
    header.index = header.offset + sizeof offset;
    header.content = header.index + used * sizeof *entries;
    header.fallback = '?';
    return !(fwrite(&header, sizeof header, 1, stdout) && fwrite(name, sizeof name, 1, stdout)
             && fwrite(offset, sizeof offset, 1, stdout) && fwrite(entries, used * sizeof *entries, 1, stdout)
             && fwrite(content, glyphs * height * sizeof *content, 1, stdout) && fflush(stdout) == 0);
}
