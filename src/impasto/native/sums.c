/* Sum and outer sum of a map of bfloat16 over its positions: what a Gram matrix is made of.

   Products of bfloat16 are exact and added up in float32 over RUN positions at most, then in
   float64; threads take fixed shares, so the same number of threads gives the same bits. */
#include "common.h"
#include <omp.h>

enum { BLOCK = 256 }; /* positions brought into tiles at a time */
enum { RUN = 4096 };  /* positions whose sums are float32; a multiple of BLOCK */
enum { STEPS = BLOCK / DEPTH };

typedef struct {
  const bf16 *features; /* (height, width, channels), its rows `pitch` positions apart */
  double *total;        /* (threads, channels), zero */
  double *outer;        /* (threads, channels, channels), zero; whole after all threads */
  int32_t height, width, pitch, channels, threads;
} Sums;

/* Where positions `from` to `to` lie, counted row by row; null beyond. */
static void find(const Sums *s, int64_t from, int64_t to, const bf16 *at[BLOCK]) {
  int64_t x = from % s->width;
  const bf16 *next = s->features + (from / s->width * s->pitch + x) * s->channels;
  for (int k = 0; k < BLOCK; k++) {
    at[k] = from + k < to ? next : NULL;
    next += s->channels;
    if (++x < s->width) continue;
    x = 0;
    next += (size_t)(s->pitch - s->width) * s->channels;
  }
}

/* Sixteen rows of sixteen 32-bit values, columns for rows. */
INLINE void transpose(__m512i v[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int k = 0; k < 2; k++) {
      v[i + 2 * k] = _mm512_unpacklo_epi64(t[i + k], t[i + 2 + k]);
      v[i + 2 * k + 1] = _mm512_unpackhi_epi64(t[i + k], t[i + 2 + k]);
    }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(v[i], v[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(v[i], v[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0xdd);
  }
  for (int i = 0; i < 8; i++) {
    v[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    v[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
  }
}

/* Sixteen channels of DEPTH positions as a right and as a left factor; their sum is added up. */
static void bring(const bf16 *const at[DEPTH], int channel, char *right, char *left,
                  __m512 *total) {
  __m512i v[16];
  const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3f80);
  for (int i = 0; i < 16; i++) {
    __m256i pair[2];
    for (int k = 0; k < 2; k++) {
      const bf16 *from = at[2 * i + k];
      pair[k] = from ? load16(from + channel) : _mm256_setzero_si256();
    }
    const __m512i odd = _mm512_slli_epi32(_mm512_cvtepu16_epi32(pair[1]), 16);
    v[i] = _mm512_or_si512(_mm512_cvtepu16_epi32(pair[0]), odd);
    *total = _mm512_dpbf16_ps(*total, (__m512bh)v[i], ones);
    _mm512_store_si512(right + 64 * i, v[i]);
  }
  transpose(v);
  for (int i = 0; i < 16; i++) _mm512_store_si512(left + 64 * i, v[i]);
}

/* Two times two tiles of the outer sum, or fewer at its edge. */
INLINE void multiply(const char *left, const char *right, float *sums, int width, int two_down,
                     int two_across) {
  const size_t pitch = width * sizeof(float), next = (size_t)STEPS * TILE_BYTES;
  float *below = sums + TILE * width;
  _tile_loadd(0, sums, pitch);
  if (two_across) _tile_loadd(1, sums + TILE, pitch);
  if (two_down) _tile_loadd(2, below, pitch);
  if (two_down && two_across) _tile_loadd(3, below + TILE, pitch);
  for (int j = 0; j < STEPS; j++, left += TILE_BYTES, right += TILE_BYTES) {
    _tile_loadd(4, left, 64);
    _tile_loadd(6, right, 64);
    _tile_dpbf16ps(0, 4, 6);
    if (two_across) {
      _tile_loadd(7, right + next, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (two_down) {
      _tile_loadd(5, left + next, 64);
      _tile_dpbf16ps(2, 5, 6);
      if (two_across) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, pitch);
  if (two_across) _tile_stored(1, sums + TILE, pitch);
  if (two_down) _tile_stored(2, below, pitch);
  if (two_down && two_across) _tile_stored(3, below + TILE, pitch);
}

/* Positions `from` to `to`, at most BLOCK, added to float32 sums; of the outer ones the upper
   half. */
static void add_block(const Sums *s, int64_t from, int64_t to, char *right, char *left,
                      float *total, float *outer) {
  const int tiles = s->channels / TILE;
  const bf16 *at[BLOCK];
  find(s, from, to, at);
  for (int j = 0; j < STEPS; j++) {
    for (int n = 0; n < tiles; n++) {
      const size_t tile = ((size_t)n * STEPS + j) * TILE_BYTES;
      __m512 sum = _mm512_load_ps(total + n * TILE);
      bring(at + j * DEPTH, n * TILE, right + tile, left + tile, &sum);
      _mm512_store_ps(total + n * TILE, sum);
    }
  }
  const size_t next = (size_t)STEPS * TILE_BYTES;
  for (int i = 0; i < tiles; i += 2)
    for (int k = i; k < tiles; k += 2)
      multiply(left + i * next, right + k * next, outer + (size_t)i * TILE * s->channels + k * TILE,
               s->channels, tiles - i > 1, tiles - k > 1);
}

static void flush(const float *from, double *to, size_t count) {
  for (size_t k = 0; k < count; k++) to[k] += from[k];
}

static void add_share(const Sums *s, int64_t from, int64_t to, double *total, double *outer) {
  const size_t panel = (size_t)s->channels / TILE * STEPS * TILE_BYTES, width = s->channels;
  char *right = aligned(panel), *left = aligned(panel);
  float *sums = aligned((width + width * width) * sizeof(float));
  for (int64_t run = from; run < to; run += RUN) {
    memset(sums, 0, (width + width * width) * sizeof(float));
    const int64_t end = to < run + RUN ? to : run + RUN;
    for (int64_t k = run; k < end; k += BLOCK)
      add_block(s, k, k + BLOCK < end ? k + BLOCK : end, right, left, sums, sums + width);
    flush(sums, total, width);
    flush(sums + width, outer, width * width);
  }
  free(right), free(left), free(sums);
}

void impasto_sums(const Sums *s) {
  const int64_t count = (int64_t)s->height * s->width;
  const int64_t share = ((count + s->threads - 1) / s->threads + BLOCK - 1) / BLOCK * BLOCK;
  const size_t width = s->channels;
#pragma omp parallel num_threads(s->threads)
  {
    TileShapes shapes;
    memset(&shapes, 0, sizeof shapes);
    shapes.palette = 1;
    for (int i = 0; i < 8; i++) shapes.row_bytes[i] = 64, shapes.rows[i] = TILE;
    _tile_loadconfig(&shapes);
#pragma omp for schedule(static, 1)
    for (int k = 0; k < s->threads; k++) {
      const int64_t from = k * share, to = count < from + share ? count : from + share;
      if (from < to) add_share(s, from, to, s->total + k * width, s->outer + k * width * width);
    }
    _tile_release();
  }
  for (int k = 1; k < s->threads; k++) {
    for (size_t i = 0; i < width; i++) s->total[i] += s->total[k * width + i];
    for (size_t i = 0; i < width * width; i++) s->outer[i] += s->outer[k * width * width + i];
  }
  for (size_t i = 0; i < width; i++)
    for (size_t k = 0; k < i; k++) s->outer[i * width + k] = s->outer[k * width + i];
}
