/* Whether this processor and this system can run the kernels. Compiled for any x86-64. */
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; /* of arch_prctl, from Linux 5.16 */

/* AVX-512 (F, DQ, BW, VL, BF16) and AMX (tiles, BF16), and the system's leave to use the tiles. */
int impasto_supported(void) {
  unsigned a, b, c, d, more;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const unsigned wide = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31, tiles = 1u << 22 | 1u << 24;
  if ((b & wide) != wide || (d & tiles) != tiles) return 0;
  if (!__get_cpuid_count(7, 1, &more, &b, &c, &d) || !(more & 1u << 5)) return 0;
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

/* Of the sources that this library was compiled from. */
const char *impasto_sources(void) { return IMPASTO_SOURCES; }
