#pragma once
#include <bzlib.h>
#include <isa-l.h>
#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

// ISA-L's states hold arrays too large for Swift to import as tuples, so only C touches their fields.

#define COMPRESSION_TEXT(number) #number
#define COMPRESSION_VERSION(major, minor, patch) \
    COMPRESSION_TEXT(major) "." COMPRESSION_TEXT(minor) "." COMPRESSION_TEXT(patch)

// The version of ISA-L that this was built with.
static inline const char *compression_deflate_version(void) {
    return COMPRESSION_VERSION(ISAL_MAJOR_VERSION, ISAL_MINOR_VERSION, ISAL_PATCH_VERSION);
}

// A state for compression at a level from 0 to 3, with the largest working memory of that level; NULL without memory.
static inline struct isal_zstream *compression_deflate_new(int level) {
    static const uint32_t sizes[] = {ISAL_DEF_LVL0_EXTRA_LARGE, ISAL_DEF_LVL1_EXTRA_LARGE, ISAL_DEF_LVL2_EXTRA_LARGE,
                                     ISAL_DEF_LVL3_EXTRA_LARGE};
    struct isal_zstream *stream = (struct isal_zstream *)calloc(1, sizeof *stream + sizes[level]);
    if (!stream) return NULL;
    stream->level = (uint32_t)level;
    stream->level_buf_size = sizes[level];
    stream->level_buf = (uint8_t *)(stream + 1);
    return stream;
}

// Compresses a piece to deflate blocks that refer to nothing before it, are not final and end at a byte boundary.
// Returns the number of bytes written to out, or -1 when they do not fit.
static inline int64_t compression_deflate(struct isal_zstream *stream, const uint8_t *in, uint32_t count, uint8_t *out,
                                          uint32_t capacity) {
    uint32_t level = stream->level, level_buf_size = stream->level_buf_size;
    uint8_t *level_buf = stream->level_buf;
    isal_deflate_stateless_init(stream);
    stream->level = level;
    stream->level_buf_size = level_buf_size;
    stream->level_buf = level_buf;
    stream->flush = FULL_FLUSH;
    stream->end_of_stream = 0;
    stream->next_in = (uint8_t *)in;
    stream->avail_in = count;
    stream->next_out = out;
    stream->avail_out = capacity;
    if (isal_deflate_stateless(stream) != COMP_OK || stream->avail_in != 0) return -1;
    return stream->total_out;
}

// A state that reads one gzip member, header and trailer included; NULL without memory.
static inline struct inflate_state *compression_inflate_new(void) {
    struct inflate_state *state = (struct inflate_state *)malloc(sizeof *state);
    if (!state) return NULL;
    isal_inflate_init(state);
    state->crc_flag = ISAL_GZIP;
    return state;
}

// Makes the state ready for the next member.
static inline void compression_inflate_reset(struct inflate_state *state) {
    isal_inflate_reset(state);
    state->crc_flag = ISAL_GZIP;
}

// Decompresses from *in (of *in_count bytes) to *out (of *out_count bytes) and moves all four past what was used.
// Returns ISA-L's code; *finished says whether the member ended, with a right checksum.
static inline int compression_inflate(struct inflate_state *state, const uint8_t **in, uint32_t *in_count,
                                      uint8_t **out, uint32_t *out_count, int *finished) {
    state->next_in = (uint8_t *)*in;
    state->avail_in = *in_count;
    state->next_out = *out;
    state->avail_out = *out_count;
    int code = isal_inflate(state);
    *in = state->next_in;
    *in_count = state->avail_in;
    *out = state->next_out;
    *out_count = state->avail_out;
    *finished = state->block_state == ISAL_BLOCK_FINISH;
    return code;
}

// A decoder of concatenated xz streams that takes at most so many bytes of memory; NULL without memory.
static inline lzma_stream *compression_xz_new(uint64_t memory_limit) {
    lzma_stream *stream = (lzma_stream *)calloc(1, sizeof *stream);
    if (stream && lzma_stream_decoder(stream, memory_limit, LZMA_CONCATENATED) != LZMA_OK) {
        free(stream);
        return NULL;
    }
    return stream;
}

static inline void compression_xz_free(lzma_stream *stream) {
    lzma_end(stream);
    free(stream);
}

// A decoder of one bzip2 member; NULL without memory.
static inline bz_stream *compression_bzip2_new(void) {
    bz_stream *stream = (bz_stream *)calloc(1, sizeof *stream);
    if (stream && BZ2_bzDecompressInit(stream, 0, 0) != BZ_OK) {
        free(stream);
        return NULL;
    }
    return stream;
}

// Makes the decoder ready for the next member; returns the library's code.
static inline int compression_bzip2_reset(bz_stream *stream) {
    BZ2_bzDecompressEnd(stream);
    return BZ2_bzDecompressInit(stream, 0, 0);
}

static inline void compression_bzip2_free(bz_stream *stream) {
    BZ2_bzDecompressEnd(stream);
    free(stream);
}

// Decompresses a whole stream, of zlib or of deflate alone, to at most `capacity` bytes. Returns their number, or -1 for a
// stream that is damaged, does not end, or is larger.
static inline int64_t compression_inflate_whole(int is_zlib, const uint8_t *in, uint32_t count, uint8_t *out,
                                                uint32_t capacity) {
    struct inflate_state *state = (struct inflate_state *)malloc(sizeof *state);
    if (!state) return -1;
    isal_inflate_init(state);
    state->crc_flag = is_zlib ? ISAL_ZLIB : ISAL_DEFLATE;
    state->next_in = (uint8_t *)in;
    state->avail_in = count;
    state->next_out = out;
    state->avail_out = capacity;
    int code = isal_inflate(state);
    int64_t size = code == ISAL_DECOMP_OK && state->block_state == ISAL_BLOCK_FINISH ? (int64_t)state->total_out : -1;
    free(state);
    return size;
}
