/* A 3 x 3 convolution of bfloat16, with what comes before and after it in the same pass.

   Before it: a picture is centred, rounded and its channels brought together; a pooling's gradient
   is spread over the positions that it came from. After it: a bias, a style loss's derivative
   (features times a matrix), another gradient, the ReLU there or back, the next pooling.

   Maps are (height, width, channels). A row of the map, with its padding, is contiguous, so the
   three positions under a row of the kernel are one contiguous run of 3 C values, and the
   convolution at 16 neighbouring positions is a product of matrices whose rows overlap in memory:
   nothing is rearranged. Products are exact, their sums float32, rounded once at the end. */
#include "common.h"
#include <omp.h>

enum { MAP, PICTURE, POOLED };     /* what is read and written */
enum { NOTHING, RELU, RELU_BACK }; /* what is done to a sum before it is rounded */
enum { MAXIMUM, MEAN };
enum { PICTURE_PITCH = 4 };  /* values a pixel: three channels and a zero */
enum { END = 4 * TILE + 2 }; /* positions at a row's end for which its padding matters */

typedef struct {
  const void *in;           /* map, picture (three float32 planes), pooled gradient, or null */
  const uint8_t *in_places; /* of a pooled gradient: a bit for each of the four that take it */
  void *out;
  uint8_t *out_places;
  const bf16 *weights;  /* (outputs / 16, 3, steps, 16, 16, 2): tiles of the matrix unit */
  const float *bias;    /* (outputs), or null */
  const bf16 *features; /* of the shape of out: for RELU_BACK, and for the derivative */
  const float *outer;   /* (outputs, outputs): derivative of the sum of f f^T, or null */
  const bf16 *added;    /* of the shape of out, or null */
  float mean[3];        /* of a picture */
  int32_t source, target, then, pooling, padding, wraps, threads;
  int32_t height, width, channels;        /* of in, before a pooling */
  int32_t out_height, out_width, outputs; /* before the next pooling */
  Box core;                               /* of out: where bias and derivative count */
  Box given; /* of a pooled gradient: which positions of the pooling it covers */
  Box kept;  /* of the next pooling: which positions are written */
} Convolution;

/* What a thread works with. */
typedef struct {
  bf16 *ring;     /* three rows of the input, padded; of a map's rows their ends only */
  size_t length;  /* of such a row, in values */
  bf16 *zeros;    /* a row outside */
  float *bias;    /* (outputs / 16, 16, 16): a tile for every sixteen outputs */
  bf16 *inside;   /* a row of features, zero outside the core */
  bf16 *unpooled; /* two rows of output */
} Workspace;

/* ---- reading rows -------------------------------------------------------------------------- */

/* The ends alone: what lies between is read where it is. */
static void read_map(const Convolution *c, int y, bf16 *row) {
  const size_t values = (size_t)c->width * c->channels, end = (size_t)END * c->channels;
  const bf16 *from = (const bf16 *)c->in + y * values;
  if (values <= 2 * end) {
    memcpy(row, from, values * sizeof(bf16));
    return;
  }
  memcpy(row, from, end * sizeof(bf16));
  memcpy(row + values - end, from + values - end, end * sizeof(bf16));
}

static void read_picture(const Convolution *c, int y, bf16 *row) {
  const size_t plane = (size_t)c->height * c->width;
  const float *red = (const float *)c->in + (size_t)y * c->width;
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
  for (int x = 0; x < c->width; x += 16) {
    const int count = smaller(16, c->width - x), pairs = 2 * count;
    __m512i v[3];
    for (int k = 0; k < 3; k++) {
      const __m512 value = _mm512_maskz_loadu_ps(first(count), red + k * plane + x);
      v[k] = _mm512_cvtepu16_epi32(narrowed(_mm512_sub_ps(value, _mm512_set1_ps(c->mean[k]))));
    }
    const __m512i two = _mm512_or_si512(v[0], _mm512_slli_epi32(v[1], 16));
    bf16 *to = row + PICTURE_PITCH * x;
    _mm512_mask_storeu_epi32(to, first(smaller(16, pairs)),
                             _mm512_permutex2var_epi32(two, low, v[2]));
    if (pairs > 16)
      _mm512_mask_storeu_epi32(to + 32, first(pairs - 16),
                               _mm512_permutex2var_epi32(two, high, v[2]));
  }
}

static void read_pooled(const Convolution *c, int y, bf16 *row) {
  const int pitch = c->channels, across = c->given.right - c->given.left;
  const int down = y / 2 - c->given.top, values = across * pitch;
  if (down < 0 || y / 2 >= c->given.bottom) {
    memset(row, 0, (size_t)c->width * pitch * sizeof(bf16));
    return;
  }
  const bf16 *gradient = (const bf16 *)c->in + (size_t)down * values;
  const uint8_t *places = c->in_places + (size_t)down * values;
  const int left = 2 * c->given.left, right = 2 * c->given.right;
  memset(row, 0, (size_t)left * pitch * sizeof(bf16));
  memset(row + (size_t)right * pitch, 0, (size_t)(c->width - right) * pitch * sizeof(bf16));
  const __m256i here = _mm256_set1_epi16(y % 2 ? 4 : 1), next = _mm256_set1_epi16(y % 2 ? 8 : 2);
  bf16 *to = row + (size_t)left * pitch;
  for (int x = 0; x < across; x++, to += 2 * pitch)
    for (int k = 0; k < pitch; k += 16) {
      const __m256i v = load16(gradient + (size_t)x * pitch + k);
      const __m256i at =
          _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(places + (size_t)x * pitch + k)));
      store16(to + k, _mm256_maskz_mov_epi16(_mm256_test_epi16_mask(at, here), v));
      store16(to + pitch + k, _mm256_maskz_mov_epi16(_mm256_test_epi16_mask(at, next), v));
    }
}

/* Row y of the input, which may lie outside, between its padding. */
static void read_row(const Convolution *c, int y, bf16 *row) {
  const size_t pad = (size_t)c->padding * c->channels, values = (size_t)c->width * c->channels;
  if (c->wraps) y = (y + c->height) % c->height;
  if (y < 0 || y >= c->height) {
    memset(row + pad, 0, values * sizeof(bf16));
    return;
  }
  if (c->source == MAP)
    read_map(c, y, row + pad);
  else if (c->source == PICTURE)
    read_picture(c, y, row + pad);
  else
    read_pooled(c, y, row + pad);
  if (c->wraps) {
    memcpy(row, row + values, pad * sizeof(bf16));
    memcpy(row + pad + values, row + pad, pad * sizeof(bf16));
  }
}

/* ---- writing sums -------------------------------------------------------------------------- */

/* Sums of a block of positions that wait to be written: while the matrix unit computes the next. */
typedef struct {
  const float *sums; /* (tiles, 1 or 2, 16, 16) */
  size_t at;         /* of the first position in a map of the output's shape */
  bf16 *to;          /* where that goes */
  int count, done;   /* positions */
} Waiting;

/* One position, sixteen channels. */
INLINE __m256i finished(const Convolution *c, __m512 sum, size_t at) {
  if (c->added) sum = _mm512_add_ps(sum, widened(load16(c->added + at)));
  if (c->then == RELU) sum = _mm512_max_ps(_mm512_setzero_ps(), sum);
  const __m256i value = narrowed(sum);
  if (c->then != RELU_BACK) return value;
  const __m256i feature = load16(c->features + at);
  return _mm256_maskz_mov_epi16(_mm256_cmpgt_epi16_mask(feature, _mm256_setzero_si256()), value);
}

/* One position, two times sixteen channels. */
INLINE __m512i finished_wide(const Convolution *c, __m512 low, __m512 high, size_t at) {
  const __m512 zero = _mm512_setzero_ps();
  if (c->added) {
    low = _mm512_add_ps(low, widened(load16(c->added + at)));
    high = _mm512_add_ps(high, widened(load16(c->added + at + TILE)));
  }
  if (c->then == RELU) {
    low = _mm512_max_ps(zero, low);
    high = _mm512_max_ps(zero, high);
  }
  const __m512i value = (__m512i)_mm512_cvtne2ps_pbh(high, low);
  if (c->then != RELU_BACK) return value;
  const __m512i feature = _mm512_loadu_si512(c->features + at);
  return _mm512_maskz_mov_epi16(_mm512_cmpgt_epi16_mask(feature, _mm512_setzero_si512()), value);
}

INLINE void write_some(const Convolution *c, Waiting *w, int count, int wide) {
  const int end = smaller(w->count, w->done + count);
  for (int i = w->done; i < end; i++) {
    const float *sums = w->sums + (i / TILE * (wide + 1) * TILE + i % TILE) * TILE;
    const size_t at = (size_t)i * c->outputs;
    const __m512 low = _mm512_load_ps(sums);
    if (wide)
      _mm512_storeu_si512(w->to + at,
                          finished_wide(c, low, _mm512_load_ps(sums + TILE * TILE), w->at + at));
    else
      store16(w->to + at, finished(c, low, w->at + at));
  }
  w->done = end;
}

INLINE void write_picture(const Convolution *c, const float *sums, int count, int y, int x) {
  const size_t plane = (size_t)c->out_height * c->out_width;
  float *to = (float *)c->out + (size_t)y * c->out_width + x;
  const __m512i rows =
      _mm512_slli_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), 4);
  for (int k = 0; k < 3; k++)
    _mm512_mask_storeu_ps(to + k * plane, first(count), _mm512_i32gather_ps(rows, sums + k, 4));
}

/* ---- pooling ------------------------------------------------------------------------------- */

/* The first of the largest takes the gradient, none where that is zero. All are at least that, and
   the bits of such numbers have their order. */
INLINE __m256i maximum(const __m256i v[4], __m256i *places) {
  __m256i best = v[0], at = _mm256_set1_epi16(1);
  for (int k = 1; k < 4; k++) {
    const __mmask16 more = _mm256_cmpgt_epi16_mask(v[k], best);
    best = _mm256_mask_mov_epi16(best, more, v[k]);
    at = _mm256_mask_mov_epi16(at, more, _mm256_set1_epi16(1 << k));
  }
  *places = _mm256_maskz_mov_epi16(_mm256_cmpgt_epi16_mask(best, _mm256_setzero_si256()), at);
  return best;
}

/* Every positive one takes a share, which the weights in the backward pass hold. */
INLINE __m256i mean(const __m256i v[4], __m256i *places) {
  __m512 sum = _mm512_setzero_ps();
  *places = _mm256_setzero_si256();
  for (int k = 0; k < 4; k++) {
    const __mmask16 some = _mm256_cmpgt_epi16_mask(v[k], _mm256_setzero_si256());
    *places = _mm256_or_si256(*places, _mm256_maskz_set1_epi16(some, 1 << k));
    sum = _mm512_add_ps(sum, widened(v[k]));
  }
  return narrowed(_mm512_mul_ps(sum, _mm512_set1_ps(0.25f)));
}

static void pool_row(const Convolution *c, const bf16 *rows, int y) {
  const int pitch = c->outputs, across = c->kept.right - c->kept.left;
  const size_t below = (size_t)c->out_width * pitch,
               row = (size_t)(y - c->kept.top) * across * pitch;
  bf16 *to = (bf16 *)c->out + row;
  uint8_t *to_places = c->out_places + row;
  for (int x = 0; x < across; x++)
    for (int k = 0; k < pitch; k += 16) {
      const bf16 *at = rows + (size_t)2 * (x + c->kept.left) * pitch + k;
      const __m256i v[4] = {load16(at), load16(at + pitch), load16(at + below),
                            load16(at + below + pitch)};
      __m256i places;
      const __m256i found = c->pooling == MAXIMUM ? maximum(v, &places) : mean(v, &places);
      store16(to + (size_t)x * pitch + k, found);
      _mm_storeu_si128((void *)(to_places + (size_t)x * pitch + k), _mm256_cvtepi16_epi8(places));
    }
}

/* ---- products ------------------------------------------------------------------------------ */

/* Sums of `tall` times sixteen positions and, if `wide`, two times sixteen channels, else one: two
   by two or one by two tiles, or four by one or one by one where there are sixteen channels in all.
   Four sums at a time, since a product takes three times as long as it keeps the matrix unit busy.

   Tiles 0 to 3: sums, of positions first; 4, 5: positions; 6, 7: weights. Where not wide, 5 and 7
   are of half a step. */
static void shape_tiles(int positions, int outputs) {
  TileShapes shapes;
  memset(&shapes, 0, sizeof shapes);
  shapes.palette = 1;
  for (int i = 0; i < 8; i++) {
    shapes.row_bytes[i] = 64;
    shapes.rows[i] = i < 6 ? positions : TILE;
  }
  if (outputs == TILE) {
    shapes.row_bytes[5] = 32;
    shapes.rows[7] = TILE / 2;
  }
  _tile_loadconfig(&shapes);
}

/* Add rows a, `stride` bytes apart, times weights b; `next` bytes to those of the next channels.
   Meanwhile a share of what waits is written at each step. */
INLINE void multiply(const char *a, size_t stride, const char *b, size_t next, int steps, int tall,
                     int wide, const Convolution *c, Waiting *w, int share) {
  for (int j = 0; j < steps; j++, a += 64, b += TILE_BYTES) {
    _tile_loadd(4, a, stride);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    if (wide) {
      _tile_loadd(7, b + next, 64);
      _tile_dpbf16ps(1, 4, 7);
      if (tall == 2) {
        _tile_loadd(5, a + TILE * stride, stride);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
    } else if (tall == 4) {
      _tile_loadd(4, a + TILE * stride, stride);
      _tile_dpbf16ps(1, 4, 6);
      _tile_loadd(4, a + 2 * TILE * stride, stride);
      _tile_dpbf16ps(2, 4, 6);
      _tile_loadd(4, a + 3 * TILE * stride, stride);
      _tile_dpbf16ps(3, 4, 6);
    }
    write_some(c, w, share, wide);
  }
}

/* The same of sixteen values a row. */
INLINE void multiply_half(const char *a, size_t stride, const char *b, int tall) {
  _tile_loadd(7, b, 64);
  _tile_loadd(5, a, stride);
  _tile_dpbf16ps(0, 5, 7);
  if (tall == 1) return;
  _tile_loadd(5, a + TILE * stride, stride);
  _tile_dpbf16ps(1, 5, 7);
  _tile_loadd(5, a + 2 * TILE * stride, stride);
  _tile_dpbf16ps(2, 5, 7);
  _tile_loadd(5, a + 3 * TILE * stride, stride);
  _tile_dpbf16ps(3, 5, 7);
}

/* A symmetric matrix 2 x outer, rounded, in tiles; f occurs twice in f f^T. */
static void pack_derivative(const Convolution *c, int n, bf16 *to) {
  const int width = c->outputs, depth = smaller(DEPTH, width);
  for (int k = 0; k < width; k += depth, to += TILE_BYTES / sizeof(bf16))
    for (int r = 0; r < depth; r++) {
      const float *row = c->outer + (size_t)(k + r) * width + n * TILE;
      const float *column = c->outer + (size_t)n * TILE * width + k + r;
      float sum[TILE];
      for (int i = 0; i < TILE; i++) sum[i] = row[i] + column[(size_t)i * width];
      bf16 rounded[TILE];
      store16(rounded, narrowed(_mm512_loadu_ps(sum)));
      for (int i = 0; i < TILE; i++) to[(r / 2 * TILE + i) * 2 + r % 2] = rounded[i];
    }
}

static const float NO_BIAS[TILE * TILE] __attribute__((aligned(64)));

/* The tile that sums start from: the bias at positions x to x + 15 inside the core. */
INLINE const float *start_of(const Convolution *c, const float *bias, int y, int x, float *own) {
  if (!bias || y < c->core.top || y >= c->core.bottom) return NO_BIAS;
  if (x >= c->core.left && x + TILE <= c->core.right) return bias;
  for (int i = 0; i < TILE; i++) {
    const int is_in = x + i >= c->core.left && x + i < c->core.right;
    _mm512_store_ps(own + i * TILE, is_in ? _mm512_load_ps(bias) : _mm512_setzero_ps());
  }
  return own;
}

/* Row y of the output, from three padded rows of the input and the same in place, or from none;
   `to` is where it begins. */
INLINE void convolve_row(const Convolution *given, const Workspace *w, const bf16 *const rows[6],
                         const bf16 *features, const bf16 *derivative, int y, bf16 *to, int tall,
                         int wide) {
  const Convolution here = *given, *c = &here; /* which nothing that is written can overlap */
  const int count = smaller(TILE, c->out_width), block = count * tall, across = wide + 1;
  const int steps = rounded_up(3 * c->channels, DEPTH) / DEPTH, own_steps = c->outputs / DEPTH;
  const size_t pitch = (size_t)c->channels * sizeof(bf16),
               own_pitch = (size_t)c->outputs * sizeof(bf16);
  const size_t line_of_taps = (size_t)steps * TILE_BYTES, next = 3 * line_of_taps;
  const size_t own_next = (size_t)larger(1, own_steps) * TILE_BYTES;
  const size_t line = (size_t)y * c->out_width * c->outputs;
  const int share = rounded_up(block, larger(1, 3 * steps)) / larger(1, 3 * steps);
  float sums[2][4 * TILE * TILE] __attribute__((aligned(64)));
  float start[4 * TILE * TILE] __attribute__((aligned(64)));
  Waiting waiting = {0};
  int turn = 0;
  for (int n = 0; n < c->outputs / TILE; n += across) {
    const char *weights = (const char *)c->weights + n * next;
    const char *matrix = (const char *)derivative + n * own_next;
    for (int x0 = 0; x0 < c->out_width; x0 += block) {
      const int x = smaller(x0, c->out_width - block); /* the last block overlaps the one before */
      const float *starts[4];
      for (int i = 0; i < tall * across; i++) {
        const float *bias = w->bias ? w->bias + (n + i % across) * TILE * TILE : NULL;
        starts[i] = start_of(c, bias, y, x + i / across * TILE, start + i * TILE * TILE);
      }
      _tile_loadd(0, starts[0], 64);
      if (tall * across > 1) _tile_loadd(1, starts[1], 64);
      if (tall * across > 2) {
        _tile_loadd(2, starts[2], 64);
        _tile_loadd(3, starts[3], 64);
      }
      if (rows) {
        const int is_inside = rows[3] && x > 0 && x + block + 2 <= c->width;
        for (int k = 0; k < 3; k++) {
          const char *row = (const char *)(is_inside ? rows[3 + k] : rows[k]) + x * pitch;
          multiply(row, pitch, weights + k * line_of_taps, next, steps, tall, wide, c, &waiting,
                   share);
        }
      }
      if (features) {
        const char *from = (const char *)features + x * own_pitch;
        if (wide)
          multiply(from, own_pitch, matrix, own_next, own_steps, tall, wide, c, &waiting, share);
        else
          multiply_half(from, own_pitch, matrix, tall);
      }
      write_some(c, &waiting, block, wide);
      float *found = sums[turn ^= 1];
      _tile_stored(0, found, 64);
      if (tall * across > 1) _tile_stored(1, found + 256, 64);
      if (tall * across > 2) {
        _tile_stored(2, found + 512, 64);
        _tile_stored(3, found + 768, 64);
      }
      if (c->target == PICTURE) {
        for (int i = 0; i < tall; i++)
          write_picture(c, found + i * TILE * TILE, count, y, x + i * TILE);
      } else {
        const size_t at = (size_t)x * c->outputs + n * TILE;
        waiting = (Waiting){found, line + at, to + at, block, 0};
      }
    }
  }
  write_some(c, &waiting, block, wide);
}

/* Features of row y inside the core, zero elsewhere; null where the row is outside. */
static const bf16 *features_inside(const Convolution *c, const Workspace *w, int y) {
  if (!c->outer || y < c->core.top || y >= c->core.bottom) return NULL;
  const size_t pitch = c->outputs;
  const bf16 *row = c->features + (size_t)y * c->out_width * pitch;
  if (c->core.left == 0 && c->core.right == c->out_width) return row;
  const size_t left = c->core.left * pitch, right = c->core.right * pitch,
               end = c->out_width * pitch;
  memset(w->inside, 0, left * sizeof(bf16));
  memcpy(w->inside + left, row + left, (right - left) * sizeof(bf16));
  memset(w->inside + right, 0, (end - right) * sizeof(bf16));
  return w->inside;
}

/* Row y of a map where it is, or one of zeros; where its padding would begin. */
static const bf16 *in_place(const Convolution *c, const Workspace *w, int y) {
  if (c->wraps) y = (y + c->height) % c->height;
  if (y < 0 || y >= c->height) return w->zeros;
  return (const bf16 *)c->in + ((size_t)y * c->width - c->padding) * c->channels;
}

/* Rows `from` to `to` of the output, into `out` if given, else where they belong. */
static void convolve_rows(const Convolution *c, const Workspace *w, const bf16 *derivative,
                          int from, int to, bf16 *out) {
  const int wide = c->outputs > TILE, is_long = c->out_width >= (wide ? 2 : 4) * TILE;
  for (int y = from; y < to; y++) {
    const bf16 *rows[6] = {0};
    for (int k = 0; k < 3; k++) {
      rows[k] = w->ring + (size_t)((y + k) % 3) * w->length;
      if (c->source == MAP) rows[3 + k] = in_place(c, w, y - c->padding + k);
    }
    if (c->in) read_row(c, y - c->padding + 2, w->ring + (size_t)((y + 2) % 3) * w->length);
    const bf16 *const *given = c->in ? rows : NULL, *features = features_inside(c, w, y);
    const size_t values = (size_t)c->out_width * c->outputs;
    bf16 *line = out                ? out + (y - from) * values
                 : c->target == MAP ? (bf16 *)c->out + y * values
                                    : NULL;
    if (wide && is_long)
      convolve_row(c, w, given, features, derivative, y, line, 2, 1);
    else if (wide)
      convolve_row(c, w, given, features, derivative, y, line, 1, 1);
    else if (is_long)
      convolve_row(c, w, given, features, derivative, y, line, 4, 0);
    else
      convolve_row(c, w, given, features, derivative, y, line, 1, 0);
  }
}

/* A band of the output: rows of the map, or of its pooling. */
static void convolve_band(const Convolution *c, const Workspace *w, const bf16 *derivative,
                          int from, int to) {
  const int unit = c->target == POOLED ? 2 : 1, top = from * unit;
  if (c->in)
    for (int k = 0; k < 2; k++)
      read_row(c, top - c->padding + k, w->ring + (size_t)((top + k) % 3) * w->length);
  if (c->target != POOLED) {
    convolve_rows(c, w, derivative, from, to, NULL);
    return;
  }
  for (int y = from; y < to; y++) {
    convolve_rows(c, w, derivative, 2 * y, 2 * y + 2, w->unpooled);
    pool_row(c, w->unpooled, y);
  }
}

static Workspace workspace_for(const Convolution *c) {
  const size_t line = (size_t)c->out_width * c->outputs * sizeof(bf16);
  Workspace w = {0};
  /* A product's row reads up to 63 values beyond the last position, times zero: zeros, then. */
  w.length = rounded_up((c->width + 2 * c->padding) * c->channels + 64, 32);
  w.ring = aligned(3 * w.length * sizeof(bf16));
  memset(w.ring, 0, 3 * w.length * sizeof(bf16));
  if (c->source == MAP) {
    w.zeros = aligned(w.length * sizeof(bf16));
    memset(w.zeros, 0, w.length * sizeof(bf16));
  }
  if (c->outer) w.inside = aligned(line);
  if (c->target == POOLED) w.unpooled = aligned(2 * line);
  if (!c->bias) return w;
  w.bias = aligned((size_t)c->outputs * TILE * sizeof(float));
  for (int k = 0; k < c->outputs * TILE; k += TILE)
    memcpy(w.bias + k, c->bias + k / (TILE * TILE) * TILE, TILE * sizeof(float));
  return w;
}

void impasto_convolve(const Convolution *c) {
  const int from = c->target == POOLED ? c->kept.top : 0;
  const int to = c->target == POOLED ? c->kept.bottom : c->out_height;
  const int band = larger(1, smaller(32, (to - from) / (4 * c->threads)));
  const size_t matrix = (size_t)larger(1, c->outputs / DEPTH) * TILE_BYTES;
  bf16 *derivative = c->outer ? aligned(c->outputs / TILE * matrix) : NULL;
#pragma omp parallel num_threads(c->threads)
  {
    Workspace w = workspace_for(c);
    if (derivative) {
#pragma omp for
      for (int n = 0; n < c->outputs / TILE; n++)
        pack_derivative(c, n, derivative + n * matrix / sizeof(bf16));
    }
    shape_tiles(smaller(TILE, c->out_width), c->outputs);
#pragma omp for schedule(dynamic)
    for (int y = from; y < to; y += band)
      convolve_band(c, &w, derivative, y, smaller(to, y + band));
    _tile_release();
    free(w.ring), free(w.zeros), free(w.bias), free(w.inside), free(w.unpooled);
  }
  free(derivative);
}
