/* What the kernels share: the matrix unit's tiles, and boxes of positions. */
#pragma once
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef uint16_t bf16;

/* Rows and columns of a map, the later bounds excluded. */
typedef struct {
  int32_t top, bottom, left, right;
} Box;

enum { TILE = 16 };  /* rows of a tile of the matrix unit; channels of its sums */
enum { DEPTH = 32 }; /* values of bfloat16 in a tile's row: products of one instruction */
enum { TILE_BYTES = 1024 };

typedef struct {
  uint8_t palette, start, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} __attribute__((packed)) TileShapes;

INLINE int smaller(int a, int b) { return a < b ? a : b; }
INLINE int larger(int a, int b) { return a > b ? a : b; }
INLINE int rounded_up(int a, int unit) { return (a + unit - 1) / unit * unit; }

INLINE void *aligned(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

/* Sixteen numbers of bfloat16 are the upper halves of as many of float32. */
INLINE __m512 widened(__m256i v) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16));
}
INLINE __m256i narrowed(__m512 v) { return (__m256i)_mm512_cvtneps_pbh(v); }
INLINE __m256i load16(const void *at) { return _mm256_loadu_si256(at); }
INLINE void store16(void *at, __m256i v) { _mm256_storeu_si256(at, v); }
INLINE __mmask16 first(int count) { return (__mmask16)((1u << count) - 1); }
