/* Vector types of VBYTES bytes, by the extension that gcc and clang share; operators + - * & ^ >> come with it. */
typedef int32_t VI __attribute__((vector_size(VBYTES)));
typedef int16_t VS __attribute__((vector_size(VBYTES)));
typedef uint16_t VW __attribute__((vector_size(VBYTES)));
typedef uint8_t VN __attribute__((vector_size(VBYTES / 2)));
typedef uint8_t VX __attribute__((vector_size(VBYTES)));
typedef uint32_t VU __attribute__((vector_size(VBYTES)));
typedef uint64_t VQ __attribute__((vector_size(VBYTES)));
typedef float VF __attribute__((vector_size(VBYTES)));

enum { BLOCK = 2 * VL, WIDTH = ANNA_WIDTH }; /* images of a pair of vectors; neurons of a group */

static inline VI v_fill(int32_t x) { return x - (VI){0}; }
static inline VQ v_fill_q(uint64_t x) { return x - (VQ){0}; }

/* The compiler must believe that x is used and changed here. */
#if defined(__x86_64__)
#define KEEP(x) __asm__ volatile("" : "+v"(x))
#elif defined(__aarch64__)
#define KEEP(x) __asm__ volatile("" : "+w"(x))
#else
#define KEEP(x) __asm__ volatile("" : : "r"(&(x)) : "memory")
#endif
