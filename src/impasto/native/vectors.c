/* What L-BFGS does with vectors as long as the picture, each in one pass over them.

   Vectors are float32; the remembered pairs, most of what is read, are bfloat16. A value is held
   where the picture lies on a bound of [0, 1] and the gradient pushes it further out, or where the
   gradient is zero; held values count as zero. Threads take fixed shares and sums are float32 over
   BLOCK values, float64 over those: the same number of threads gives the same bits. */
#include "common.h"
#include <omp.h>

enum { BLOCK = 4096 };

typedef struct {
  const bf16 *rows; /* (count, length): the pairs */
  const float *image, *gradient;
  int64_t length;
  int32_t count, threads;
} Pairs;

/* Which of sixteen values from `at` on there are. */
INLINE __mmask16 rest_of(int64_t at, int64_t end) {
  return end - at >= 16 ? 0xffff : end > at ? first((int)(end - at)) : 0;
}

INLINE __m512 free_part(const float *image, const float *gradient, int64_t at, __mmask16 k) {
  const __m512 x = _mm512_maskz_loadu_ps(k, image + at),
               g = _mm512_maskz_loadu_ps(k, gradient + at);
  const __m512 zero = _mm512_setzero_ps();
  const __mmask16 low =
      _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(g, zero, _CMP_GE_OQ), x, zero, _CMP_LE_OQ);
  const __mmask16 high = _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(g, zero, _CMP_LE_OQ), x,
                                                 _mm512_set1_ps(1), _CMP_GE_OQ);
  return _mm512_maskz_mov_ps((__mmask16) ~(low | high), g);
}

/* Row r + 1, or the first one's next block: what is read next is asked for meanwhile. */
INLINE const bf16 *next_of(const Pairs *p, int r, int64_t block) {
  const int64_t at = r + 1 < p->count ? (r + 1) * p->length + block : block + BLOCK;
  return p->rows + at;
}

INLINE __m512 load_row(const bf16 *row, int64_t at, __mmask16 k) {
  return widened(_mm256_maskz_loadu_epi16(k, row + at));
}

/* Of a block of `count` values; all but a vector's last block are full. */
INLINE __m512 load_of_block(const bf16 *row, int at, int count) {
  return count == BLOCK ? widened(load16(row + at)) : load_row(row, at, rest_of(at, count));
}

/* The share of one thread: blocks from `*from` to `*to`, in values. */
INLINE void share_of(int64_t length, int thread, int threads, int64_t *from, int64_t *to) {
  const int64_t blocks = (length + BLOCK - 1) / BLOCK;
  *from = blocks * thread / threads * BLOCK;
  *to = blocks * (thread + 1) / threads * BLOCK;
  if (*to > length) *to = length;
}

/* Products of a row's block with two vectors. */
INLINE void multiply(const bf16 *row, const bf16 *next, const float *a, const float *b, int count,
                     double *with_a, double *with_b) {
  __m512 sum_a[2], sum_b[2];
  sum_a[0] = sum_a[1] = sum_b[0] = sum_b[1] = _mm512_setzero_ps();
  for (int k = 0; k < count; k += 32) {
    _mm_prefetch(next + k, _MM_HINT_T0);
    for (int i = 0; i < 2; i++) {
      const int at = k + 16 * i;
      const __m512 v = load_of_block(row, at, count);
      sum_a[i] = _mm512_fmadd_ps(v, _mm512_load_ps(a + at), sum_a[i]);
      sum_b[i] = _mm512_fmadd_ps(v, _mm512_load_ps(b + at), sum_b[i]);
    }
  }
  *with_a += _mm512_reduce_add_ps(_mm512_add_ps(sum_a[0], sum_a[1]));
  *with_b += _mm512_reduce_add_ps(_mm512_add_ps(sum_b[0], sum_b[1]));
}

/* Add a row's block times its share to a vector. */
INLINE void add_share(const bf16 *row, const bf16 *next, float share, int count, float *to) {
  for (int k = 0; k < count; k += 32) {
    _mm_prefetch(next + k, _MM_HINT_T0);
    for (int i = 0; i < 2; i++) {
      const int at = k + 16 * i;
      const __m512 v = load_of_block(row, at, count);
      _mm512_store_ps(to + at, _mm512_fmadd_ps(v, _mm512_set1_ps(share), _mm512_load_ps(to + at)));
    }
  }
}

/* Products of all rows with the free part of the gradient, and with one row, or none;
   found: (threads, 2, count), whole in the first. */
void impasto_products(const Pairs *p, const bf16 *row, double *found) {
#pragma omp parallel for num_threads(p->threads) schedule(static, 1)
  for (int t = 0; t < p->threads; t++) {
    double *with_gradient = found + (size_t)t * 2 * p->count, *with_row = with_gradient + p->count;
    float part[BLOCK] __attribute__((aligned(64))), other[BLOCK] __attribute__((aligned(64)));
    int64_t from, to;
    share_of(p->length, t, p->threads, &from, &to);
    for (int64_t block = from; block < to; block += BLOCK) {
      const int64_t end = block + BLOCK < to ? block + BLOCK : to;
      for (int64_t k = block; k < block + BLOCK; k += 16) {
        const __mmask16 rest = rest_of(k, end);
        _mm512_store_ps(part + (k - block), free_part(p->image, p->gradient, k, rest));
        const __m512 v = row ? load_row(row, k, rest) : _mm512_setzero_ps();
        _mm512_store_ps(other + (k - block), v);
      }
      for (int r = 0; r < p->count; r++) {
        const bf16 *values = p->rows + r * p->length + block, *next = next_of(p, r, block);
        if (end - block == BLOCK)
          multiply(values, next, part, other, BLOCK, with_gradient + r, with_row + r);
        else
          multiply(values, next, part, other, (int)(end - block), with_gradient + r, with_row + r);
      }
    }
  }
  for (int t = 1; t < p->threads; t++)
    for (int k = 0; k < 2 * p->count; k++) found[k] += found[(size_t)t * 2 * p->count + k];
}

/* direction = -(scale g + the rows times their shares) where free, else zero; returned is its
   product with g. */
double impasto_turn(const Pairs *p, float scale, const float *shares, float *direction) {
  double slopes[p->threads];
#pragma omp parallel for num_threads(p->threads) schedule(static, 1)
  for (int t = 0; t < p->threads; t++) {
    float sum[BLOCK] __attribute__((aligned(64)));
    int64_t from, to;
    slopes[t] = 0;
    share_of(p->length, t, p->threads, &from, &to);
    for (int64_t block = from; block < to; block += BLOCK) {
      const int64_t end = block + BLOCK < to ? block + BLOCK : to;
      for (int64_t k = block; k < block + BLOCK; k += 16) {
        const __m512 g = _mm512_maskz_loadu_ps(rest_of(k, end), p->gradient + k);
        _mm512_store_ps(sum + (k - block), _mm512_mul_ps(g, _mm512_set1_ps(scale)));
      }
      for (int r = 0; r < p->count; r++) {
        const bf16 *values = p->rows + r * p->length + block, *next = next_of(p, r, block);
        if (end - block == BLOCK)
          add_share(values, next, shares[r], BLOCK, sum);
        else
          add_share(values, next, shares[r], (int)(end - block), sum);
      }
      __m512 slope = _mm512_setzero_ps();
      for (int64_t k = block; k < end; k += 16) {
        const __mmask16 rest = rest_of(k, end);
        const __m512 g = free_part(p->image, p->gradient, k, rest), zero = _mm512_setzero_ps();
        const __mmask16 is_free = _mm512_cmp_ps_mask(g, zero, _CMP_NEQ_UQ);
        const __m512 d = _mm512_maskz_sub_ps(is_free, zero, _mm512_load_ps(sum + (k - block)));
        _mm512_mask_storeu_ps(direction + k, rest, d);
        slope = _mm512_fmadd_ps(g, d, slope);
      }
      slopes[t] += _mm512_reduce_add_ps(slope);
    }
  }
  for (int t = 1; t < p->threads; t++) slopes[0] += slopes[t];
  return slopes[0];
}

/* moved = image + length direction, clipped to [0, 1]; returned is the gradient's product with
   what has moved. */
double impasto_move(const Pairs *p, const float *direction, float length, float *moved) {
  double slopes[p->threads];
#pragma omp parallel for num_threads(p->threads) schedule(static, 1)
  for (int t = 0; t < p->threads; t++) {
    int64_t from, to;
    slopes[t] = 0;
    share_of(p->length, t, p->threads, &from, &to);
    for (int64_t block = from; block < to; block += BLOCK) {
      const int64_t end = block + BLOCK < to ? block + BLOCK : to;
      __m512 slope = _mm512_setzero_ps();
      for (int64_t k = block; k < end; k += 16) {
        const __mmask16 rest = rest_of(k, end);
        const __m512 x = _mm512_maskz_loadu_ps(rest, p->image + k),
                     d = _mm512_maskz_loadu_ps(rest, direction + k);
        /* The bound second: of a maximum and a number that is none, the second is taken. */
        __m512 next = _mm512_fmadd_ps(d, _mm512_set1_ps(length), x);
        next = _mm512_max_ps(_mm512_setzero_ps(), _mm512_min_ps(_mm512_set1_ps(1), next));
        _mm512_mask_storeu_ps(moved + k, rest, next);
        const __m512 g = _mm512_maskz_loadu_ps(rest, p->gradient + k);
        slope = _mm512_fmadd_ps(g, _mm512_sub_ps(next, x), slope);
      }
      slopes[t] += _mm512_reduce_add_ps(slope);
    }
  }
  for (int t = 1; t < p->threads; t++) slopes[0] += slopes[t];
  return slopes[0];
}

/* s and y, the differences of two pictures and of their gradients; found: s . y, y . y. */
void impasto_remember(const Pairs *p, const float *image, const float *gradient, bf16 *s, bf16 *y,
                      double *found) {
  double sums[p->threads][2];
#pragma omp parallel for num_threads(p->threads) schedule(static, 1)
  for (int t = 0; t < p->threads; t++) {
    int64_t from, to;
    sums[t][0] = sums[t][1] = 0;
    share_of(p->length, t, p->threads, &from, &to);
    for (int64_t block = from; block < to; block += BLOCK) {
      const int64_t end = block + BLOCK < to ? block + BLOCK : to;
      __m512 a = _mm512_setzero_ps(), b = a;
      for (int64_t k = block; k < end; k += 16) {
        const __mmask16 rest = rest_of(k, end);
        const __m256i moved = narrowed(_mm512_sub_ps(_mm512_maskz_loadu_ps(rest, image + k),
                                                     _mm512_maskz_loadu_ps(rest, p->image + k)));
        const __m256i changed =
            narrowed(_mm512_sub_ps(_mm512_maskz_loadu_ps(rest, gradient + k),
                                   _mm512_maskz_loadu_ps(rest, p->gradient + k)));
        _mm256_mask_storeu_epi16(s + k, rest, moved);
        _mm256_mask_storeu_epi16(y + k, rest, changed);
        a = _mm512_fmadd_ps(widened(moved), widened(changed), a);
        b = _mm512_fmadd_ps(widened(changed), widened(changed), b);
      }
      sums[t][0] += _mm512_reduce_add_ps(a);
      sums[t][1] += _mm512_reduce_add_ps(b);
    }
  }
  found[0] = found[1] = 0;
  for (int t = 0; t < p->threads; t++) found[0] += sums[t][0], found[1] += sums[t][1];
}
