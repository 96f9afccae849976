/*
 * Counts what each thread asks the system's allocator and mmap for. NativeAllocationTest builds it
 * and preloads it (LD_PRELOAD) into a process of its own, where it sees the calls of oneDNN, of the
 * foreign-memory API and of the JVM. C++ objects up to LARGE bytes are counted apart: oneDNN makes
 * a few for each call of a primitive, whoever calls it, and deletes them before it returns. (The
 * JVM's own C++ does not go through libstdc++.so, so these are oneDNN's.)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 1024
#define LARGE 2048

typedef struct { int tid; long calls; long made; long kept; } Slot;

static Slot slots[THREADS];
static int used;

/* The static model: a dynamic thread-local would itself be allocated on first use. */
static __thread Slot *mine __attribute__((tls_model("initial-exec")));

int vauban_thread(void) { return (int) syscall(SYS_gettid); }

static Slot *slot(int tid) {
  int n = __atomic_load_n(&used, __ATOMIC_ACQUIRE);
  for (int i = n < THREADS ? n - 1 : THREADS - 1; i >= 0; i--) {
    if (slots[i].tid == tid) return &slots[i];
  }
  return NULL;
}

/* Of a thread so far: requests for memory other than C++ objects; -1 if it was never seen. */
long vauban_allocations(int tid) { return slot(tid) ? slot(tid)->calls : -1; }

/* C++ objects that it has made. */
long vauban_objects(int tid) { return slot(tid) ? slot(tid)->made : -1; }

/* C++ objects that it has made, less what its C++ code has freed. */
long vauban_objects_kept(int tid) { return slot(tid) ? slot(tid)->kept : -1; }

static Slot *here(void) {
  if (!mine) {
    int i = __atomic_fetch_add(&used, 1, __ATOMIC_ACQ_REL);
    if (i >= THREADS) i = THREADS - 1;
    slots[i].tid = vauban_thread();
    mine = &slots[i];
  }
  return mine;
}

static void count(void) { here()->calls++; }

#define SITES 4096

/* Callers seen, those in a C++ library and the others, by hash: dladdr is slow. */
static void *cxx[SITES], *plain[SITES];

/*
 * Whether a call comes from operator new or delete or, where delete jumps on to free, from oneDNN.
 */
static int from_cxx(void *caller) {
  size_t h = ((size_t) caller ^ (size_t) caller >> 12) % SITES;
  Dl_info info;
  if (cxx[h] == caller) return 1;
  if (plain[h] == caller) return 0;
  if (dladdr(caller, &info) && info.dli_fname
      && (strstr(info.dli_fname, "libstdc++") || strstr(info.dli_fname, "libdnnl"))) {
    cxx[h] = caller;
    return 1;
  }
  plain[h] = caller;
  return 0;
}

extern void *__libc_malloc(size_t);
extern void __libc_free(void *);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t n) {
  if (n <= LARGE && from_cxx(__builtin_return_address(0))) {
    here()->made++;
    here()->kept++;
  } else {
    count();
  }
  return __libc_malloc(n);
}

void free(void *p) {
  if (p && from_cxx(__builtin_return_address(0))) here()->kept--;
  __libc_free(p);
}

void *calloc(size_t n, size_t m) { count(); return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { count(); return __libc_realloc(p, n); }
void *memalign(size_t a, size_t n) { count(); return __libc_memalign(a, n); }
void *aligned_alloc(size_t a, size_t n) { count(); return __libc_memalign(a, n); }

int posix_memalign(void **p, size_t a, size_t n) {
  void *made;
  count();
  made = __libc_memalign(a, n);
  if (!made) return ENOMEM;
  *p = made;
  return 0;
}

void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t at) {
  count();
  return (void *) syscall(SYS_mmap, p, n, prot, flags, fd, at);
}
