/* Squared differences of neighbours in a picture, added up, and the sum's derivative. */
#include "common.h"
#include <omp.h>

/* Of planes (count, height, width): weights[0] times the sum of squared differences across plus
   weights[1] times that of those down. Its derivative times `slope` is added to `gradient`, unless
   that is null. */
double impasto_variation(const float *image, int count, int height, int width,
                         const float weights[2], float slope, float *gradient, int threads) {
  const int rows = count * height;
  double *found = aligned((size_t)rows * sizeof(double));
  const float across = 2 * slope * weights[0], down = 2 * slope * weights[1];
#pragma omp parallel for num_threads(threads)
  for (int row = 0; row < rows; row++) {
    const float *here = image + (size_t)row * width;
    /* At the edge a row is its own neighbour: no difference. */
    const float *above = row % height ? here - width : here;
    const float *below = (row + 1) % height ? here + width : here;
    float *to = gradient ? gradient + (size_t)row * width : NULL;
    float sum_across = 0, sum_down = 0;
#pragma omp simd reduction(+ : sum_across, sum_down)
    for (int x = 1; x < width - 1; x++) {
      const float right = here[x + 1] - here[x], left = here[x] - here[x - 1];
      const float next = below[x] - here[x], last = here[x] - above[x];
      if (to) to[x] += across * (left - right) + down * (last - next);
      sum_across += right * right;
      sum_down += next * next;
    }
    for (int x = 0; x < width; x += larger(1, width - 1)) {
      const float right = x < width - 1 ? here[x + 1] - here[x] : 0,
                  left = x ? here[x] - here[x - 1] : 0;
      const float next = below[x] - here[x], last = here[x] - above[x];
      if (to) to[x] += across * (left - right) + down * (last - next);
      sum_across += right * right;
      sum_down += next * next;
    }
    found[row] = (double)weights[0] * sum_across + (double)weights[1] * sum_down;
  }
  double sum = 0;
  for (int row = 0; row < rows; row++) sum += found[row];
  free(found);
  return sum;
}
