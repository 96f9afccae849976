/* Modules and blocks: what a card's multiprocessors do, on one thread of the processor. */
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "fake.h"

/* As in on_cpu.h, which belongs to the other side and defines CUDA's names. */
struct Host {
  void (*barrier)(int line);
  void (*warp_barrier)(unsigned mask, int line);
  unsigned long long *(*warp_slots)();
  int (*lane)();
  unsigned (*warp_threads)();
  void (*misaligned)();
  int backwards;
};
struct Described {
  Size3 *thread, *block, *block_size, *grid_size;
  unsigned char *shared, *shared_end, *dynamic_shared;
  int synchronises;
};
struct Kernel {
  void (*one)(void **);
  void (*all)(void **);
  int count;
  int sizes[128];
};
struct Module {
  void *library;
  const Described *described;
};

static const size_t DYNAMIC_SHARED = 232448;
static const size_t STACK = 256 * 1024;
static const int WARP = 32;

/* ---- threads of a block as coroutines ---- */

enum State { READY, AT_BARRIER, AT_WARP_BARRIER, DONE };
struct Coroutine {
  ucontext_t start;
  jmp_buf here;
  char *stack = nullptr;
  bool started;
  State state;
  int line;
  unsigned mask;
};
static Coroutine threads[1024];
static unsigned long long slots[1024 / WARP][WARP];
static int current, total;
static jmp_buf scheduler;
static Module *running;
static const Kernel *running_kernel;
static void **running_arguments;

/* Changing stacks by longjmp costs no system call; only the first entry needs a context. */
static void leave(State state) {
  threads[current].state = state;
  if (_setjmp(threads[current].here) == 0) _longjmp(scheduler, 1);
}
static void body() {
  running_kernel->one(running_arguments);
  threads[current].state = DONE;
  _longjmp(scheduler, 1);
}
static void barrier(int line) {
  threads[current].line = line;
  leave(AT_BARRIER);
}
static unsigned there(int warp) {
  unsigned mask = 0;
  for (int i = 0; i < WARP && warp * WARP + i < total; i++)
    if (threads[warp * WARP + i].state != DONE) mask |= 1u << i;
  return mask;
}
static void warp_barrier(unsigned mask, int line) {
  threads[current].line = line;
  threads[current].mask = mask;
  leave(AT_WARP_BARRIER);
}
static unsigned long long *warp_slots() { return slots[current / WARP]; }
static int lane() { return current % WARP; }
static unsigned warp_threads() { return there(current / WARP); }
static jmp_buf refused; /* in fake_run_blocks, whatever stack the thread has */
static void misaligned() { _longjmp(refused, 1); }
static Host host = {barrier, warp_barrier, warp_slots, lane, warp_threads, misaligned, 0};
API void fake_backwards(int backwards) { host.backwards = backwards; }

static void enter(int thread, Size3 size) {
  current = thread;
  Coroutine &c = threads[thread];
  c.state = READY;
  *running->described->thread = {thread % size.x, thread / size.x % size.y, thread / (size.x * size.y)};
  if (_setjmp(scheduler) != 0) return;
  if (c.started) _longjmp(c.here, 1);
  c.started = true;
  getcontext(&c.start);
  c.start.uc_stack.ss_sp = c.stack;
  c.start.uc_stack.ss_size = STACK;
  c.start.uc_link = nullptr;
  makecontext(&c.start, body, 0);
  setcontext(&c.start);
}

/* The threads of the warp that wait are all that their masks name and that still run. */
static bool open_warp(int warp) {
  unsigned waiting = 0, mask = 0;
  for (int i = 0; i < WARP && warp * WARP + i < total; i++)
    if (threads[warp * WARP + i].state == AT_WARP_BARRIER) {
      waiting |= 1u << i;
      mask |= threads[warp * WARP + i].mask;
    }
  if (waiting == 0 || (mask & there(warp)) != waiting) return false;
  for (int i = 0; i < WARP && warp * WARP + i < total; i++)
    if (waiting >> i & 1) threads[warp * WARP + i].state = READY;
  return true;
}

static CUresult run_block(Size3 size) {
  total = size.x * size.y * size.z;
  for (int i = 0; i < total; i++) {
    Coroutine &c = threads[i];
    if (c.stack == nullptr)
      c.stack = (char *)mmap(nullptr, STACK, PROT_READ | PROT_WRITE,
          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    c.started = false;
    c.state = READY;
  }
  for (;;) {
    bool moved = false;
    for (int n = 0; n < total; n++) {
      int i = host.backwards ? total - 1 - n : n;
      if (threads[i].state == READY) {
        enter(i, size);
        moved = true;
      }
    }
    for (int w = 0; w * WARP < total; w++) moved |= open_warp(w);
    int running_threads = 0, waiting = 0, line = 0, different = 0;
    for (int i = 0; i < total; i++) {
      running_threads += threads[i].state != DONE;
      if (threads[i].state == AT_BARRIER) {
        if (waiting++ == 0) line = threads[i].line;
        different += threads[i].line != line;
      }
    }
    if (running_threads == 0) return SUCCESS;
    if (waiting == running_threads) {
      if (different != 0) {
        fprintf(stderr, "fake card: threads of a block wait at different __syncthreads (line %d and others)\n", line);
        return LAUNCH_FAILED;
      }
      for (int i = 0; i < total; i++)
        if (threads[i].state == AT_BARRIER) threads[i].state = READY;
      moved = true;
    }
    if (!moved) {
      fprintf(stderr, "fake card: threads of a block wait for each other for ever (one in line %d)\n", line);
      return LAUNCH_FAILED;
    }
  }
}

CUresult fake_run_blocks(Module *module, const void *kernel, Size3 grid, Size3 block, void **arguments) {
  static std::mutex one_at_a_time; /* a module's variables are one block's */
  std::lock_guard<std::mutex> lock(one_at_a_time);
  const Described *d = module->described;
  running = module;
  running_kernel = (const Kernel *)kernel;
  running_arguments = arguments;
  *d->grid_size = grid;
  *d->block_size = block;
  if (_setjmp(refused) != 0) return MISALIGNED_ADDRESS;
  uint64_t blocks = (uint64_t)grid.x * grid.y * grid.z;
  for (uint64_t n = 0; n < blocks; n++) {
    uint64_t i = host.backwards ? blocks - 1 - n : n;
    *d->block = {(unsigned)(i % grid.x), (unsigned)(i / grid.x % grid.y), (unsigned)(i / grid.x / grid.y)};
    if (d->shared != nullptr) memset(d->shared, 0xff, d->shared_end - d->shared);
    if (!d->synchronises) {
      running_kernel->all(arguments);
      continue;
    }
    memset(d->dynamic_shared, 0xff, DYNAMIC_SHARED);
    if (CUresult code = run_block(block)) return code;
  }
  return SUCCESS;
}

/* ---- modules ---- */

Module *fake_load_module(const void *image, std::string &reason) {
  uint64_t size;
  if (memcmp(image, "FAKECODE", 8) != 0) {
    reason = "the image is not of the fake compiler";
    return nullptr;
  }
  memcpy(&size, (const char *)image + 8, sizeof size);
  char path[] = "/tmp/vauban-fake-module-XXXXXX";
  int file = mkstemp(path);
  bool written = file >= 0 && write(file, (const char *)image + 16, size) == (ssize_t)size;
  if (file >= 0) close(file);
  void *library = written ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (library == nullptr) reason = written ? dlerror() : "the image cannot be written to /tmp";
  unlink(path);
  if (library == nullptr) return nullptr;
  *(const Host **)dlsym(library, "vauban_host_of_module") = &host;
  auto describe = (const Described *(*)())dlsym(library, "vauban_describe");
  return new Module{library, describe()};
}

void fake_unload_module(Module *module) {
  dlclose(module->library);
  delete module;
}

const void *fake_kernel(Module *module, const char *name) {
  return dlsym(module->library, (std::string("vauban_kernel_") + name).c_str());
}

std::vector<int> fake_argument_sizes(const void *kernel) {
  const Kernel *k = (const Kernel *)kernel;
  return std::vector<int>(k->sizes, k->sizes + k->count);
}
