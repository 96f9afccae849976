/*
 * The CUDA driver's interface, as much of it as Vauban calls, without a card: memory is the host's,
 * streams do their work at once or, where a test says so, as late as they may, captures write it down
 * and graphs replay it, modules are shared libraries. Strict where a card is: what is not allowed in a capture fails, as do addresses that were
 * not allocated, launches beyond a card's limits, and calls without a current context.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "fake.h"

/* ---- what tests say and ask ---- */

static std::recursive_mutex guard;
typedef std::lock_guard<std::recursive_mutex> Lock;

static struct {
  int version = 13000, cards = 1, major = 9, minor = 0;
  uint64_t memory = 8ull << 30;
} machine;
static std::map<std::string, long> calls;
struct Failure {
  int code;
  long after;
};
static std::map<std::string, Failure> failures;
static int sticky; /* after a kernel failed, so does everything */

int fake_enter(const char *function) {
  Lock lock(guard);
  calls[function]++;
  auto failure = failures.find(function);
  if (failure == failures.end() || failure->second.after-- > 0) return 0;
  int code = failure->second.code;
  failures.erase(failure);
  return code;
}
API void fake_machine(int version, int cards, int major, int minor, uint64_t memory) {
  machine = {version, cards, major, minor, memory};
}
API void fake_fail(const char *function, int code, long after) { failures[function] = {code, after}; }
API long fake_calls(const char *function) { return calls[function]; }
static unsigned lazy_streams, streams_made; /* bits: the first, second, ... stream made from now on */
static uint64_t copied_to_card, copied_to_host;
API void fake_lazy(unsigned bits) {
  lazy_streams = bits;
  streams_made = 0;
}
API long fake_copied_to_card() { return copied_to_card; }
API long fake_copied_to_host() { return copied_to_host; }
API void fake_forget() {
  Lock lock(guard);
  fake_lazy(0);
  fake_backwards(0);
  copied_to_card = copied_to_host = 0;
  machine = {};
  calls.clear();
  failures.clear();
  sticky = 0;
}

/* ---- objects ---- */

struct Stream {
  bool capturing = false, invalid = false;
  bool lazy = false;        /* works when somebody waits for it, and no earlier */
  std::deque<Work> pending;
  std::vector<Work> written;
};
struct Event {
  bool recorded = false;
  Stream *stream = nullptr;             /* that recorded it last */
  long wanted = 0, happened = 0;        /* how often it was recorded, and how often that was reached */
  std::chrono::steady_clock::time_point time;
};
struct Graph {
  std::vector<Work> work;
};
struct Function {
  Module *module;
  const void *kernel;
  std::vector<int> sizes;
  std::string name;
  int shared = 48 * 1024;
};
static const size_t FENCE = 256; /* beside every allocation, looked at when it is freed */
static const int FENCE_BYTE = 0xA5;
static std::map<uint64_t, size_t> device_memory;
static std::map<uint64_t, size_t> pinned_memory;
static uint64_t used;
static std::set<Stream *> streams;
static std::map<Module *, std::vector<std::unique_ptr<Function>>> modules;
static thread_local void *context;
static thread_local Stream *capture_of_thread;
static char the_contexts[16];
static int retained[16];

/* Inside a capture this thread may not do what a card cannot replay. */
#define NOT_IN_CAPTURE()                  \
  if (capture_of_thread != nullptr) {     \
    capture_of_thread->invalid = true;    \
    return STREAM_CAPTURE_UNSUPPORTED;    \
  }
#define CONTEXT()                                \
  if (context == nullptr) return INVALID_CONTEXT; \
  if (sticky != 0) return sticky

static bool inside(const std::map<uint64_t, size_t> &memory, uint64_t address, size_t bytes) {
  auto after = memory.upper_bound(address);
  if (after == memory.begin()) return false;
  --after;
  return address + bytes <= after->first + after->second;
}
bool fake_on_device(uint64_t address, size_t bytes) {
  Lock lock(guard);
  return inside(device_memory, address, bytes);
}

CUresult fake_submit(void *handle, Work work) {
  Stream *stream = (Stream *)handle;
  if (stream != nullptr && stream->capturing) {
    stream->written.push_back(std::move(work));
    return SUCCESS;
  }
  if (stream != nullptr && stream->lazy) {
    stream->pending.push_back(std::move(work));
    return SUCCESS;
  }
  if (CUresult code = work()) sticky = code;
  return SUCCESS; /* what fails on a card is told by a later call */
}
static void work_once(Stream *stream) {
  Work work = std::move(stream->pending.front());
  stream->pending.pop_front();
  if (CUresult code = work()) sticky = code;
}
static void drain(Stream *stream) {
  while (!stream->pending.empty()) work_once(stream);
}
static void drain_all() {
  Lock lock(guard);
  for (Stream *stream : streams) drain(stream);
}
/* Until the event was reached as often as that. */
static void reach(Event *event, long times) {
  while (event->happened < times && !event->stream->pending.empty()) work_once(event->stream);
}

/* ---- library and errors ---- */

static const struct {
  int code;
  const char *name, *text;
} ERRORS[] = {
    {SUCCESS, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {600, "CUDA_ERROR_NOT_READY", "device not ready"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"},
    {STREAM_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {STREAM_CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};
API CUresult cuGetErrorName(int code, const char **out) {
  for (auto &e : ERRORS)
    if (e.code == code) return *out = e.name, SUCCESS;
  return *out = nullptr, INVALID_VALUE;
}
API CUresult cuGetErrorString(int code, const char **out) {
  for (auto &e : ERRORS)
    if (e.code == code) return *out = e.text, SUCCESS;
  return *out = nullptr, INVALID_VALUE;
}
API CUresult cuInit(unsigned) {
  ENTER();
  return machine.cards == 0 ? NO_DEVICE : SUCCESS;
}
API CUresult cuDriverGetVersion(int *out) {
  ENTER();
  return *out = machine.version, SUCCESS;
}

/* ---- cards and contexts ---- */

API CUresult cuDeviceGetCount(int *out) {
  ENTER();
  return *out = machine.cards, SUCCESS;
}
API CUresult cuDeviceGet(int *out, int ordinal) {
  ENTER();
  if (ordinal < 0 || ordinal >= machine.cards) return INVALID_DEVICE;
  return *out = ordinal, SUCCESS;
}
API CUresult cuDeviceGetName(char *out, int length, int device) {
  ENTER();
  snprintf(out, length, "Fake card %d", device);
  return SUCCESS;
}
API CUresult cuDeviceGetAttribute(int *out, int attribute, int) {
  ENTER();
  switch (attribute) {
    case 16: *out = 4; return SUCCESS;
    case 75: *out = machine.major; return SUCCESS;
    case 76: *out = machine.minor; return SUCCESS;
    default: return INVALID_VALUE;
  }
}
API CUresult cuDeviceTotalMem_v2(size_t *out, int) {
  ENTER();
  return *out = machine.memory, SUCCESS;
}
API CUresult cuDevicePrimaryCtxRetain(void **out, int device) {
  ENTER();
  retained[device]++;
  return *out = &the_contexts[device], SUCCESS;
}
API CUresult cuDevicePrimaryCtxRelease_v2(int device) {
  ENTER();
  return retained[device]-- > 0 ? SUCCESS : INVALID_CONTEXT;
}
API CUresult cuCtxSetCurrent(void *to) {
  ENTER();
  return context = to, SUCCESS;
}
API CUresult cuCtxSynchronize() {
  ENTER();
  CONTEXT();
  NOT_IN_CAPTURE();
  drain_all();
  return SUCCESS;
}

/* ---- memory ---- */

API CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
  ENTER();
  CONTEXT();
  Lock lock(guard);
  *total = machine.memory;
  *free_bytes = machine.memory > used ? machine.memory - used : 0;
  return SUCCESS;
}
API CUresult cuMemAlloc_v2(uint64_t *out, size_t bytes) {
  ENTER();
  CONTEXT();
  NOT_IN_CAPTURE();
  Lock lock(guard);
  if (bytes == 0) return INVALID_VALUE;
  if (used + bytes > machine.memory) return OUT_OF_MEMORY;
  char *memory = (char *)aligned_alloc(256, (bytes + 2 * FENCE + 255) / 256 * 256);
  if (memory == nullptr) return OUT_OF_MEMORY;
  memset(memory, FENCE_BYTE, FENCE);
  memset(memory + FENCE, 0xff, bytes); /* NaNs: what was not written shows */
  memset(memory + FENCE + bytes, FENCE_BYTE, FENCE);
  *out = (uint64_t)(memory + FENCE);
  device_memory[*out] = bytes;
  used += bytes;
  return SUCCESS;
}
static bool fence_is_whole(uint64_t address, size_t bytes) {
  const unsigned char *memory = (const unsigned char *)address;
  for (size_t i = 0; i < FENCE; i++)
    if (memory[-1 - (long)i] != FENCE_BYTE || memory[bytes + i] != FENCE_BYTE) return false;
  return true;
}
API CUresult cuMemFree_v2(uint64_t address) {
  ENTER();
  if (context == nullptr) return INVALID_CONTEXT;
  NOT_IN_CAPTURE();
  drain_all();
  Lock lock(guard);
  auto at = device_memory.find(address);
  if (at == device_memory.end()) return INVALID_VALUE;
  bool whole = fence_is_whole(address, at->second);
  if (!whole) fprintf(stderr, "fake card: something wrote beside an allocation of %zu bytes\n", at->second);
  used -= at->second;
  device_memory.erase(at);
  free((char *)address - FENCE);
  return whole ? SUCCESS : ILLEGAL_ADDRESS;
}
/* Whether nothing was written beside any allocation. */
API int fake_fences_are_whole() {
  Lock lock(guard);
  for (auto &piece : device_memory)
    if (!fence_is_whole(piece.first, piece.second)) return 0;
  return 1;
}
API uint64_t fake_used() { return used; }
API CUresult cuMemHostAlloc(void **out, size_t bytes, unsigned) {
  ENTER();
  CONTEXT();
  NOT_IN_CAPTURE();
  Lock lock(guard);
  *out = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*out == nullptr) return OUT_OF_MEMORY;
  pinned_memory[(uint64_t)*out] = bytes;
  return SUCCESS;
}
API CUresult cuMemFreeHost(void *memory) {
  ENTER();
  if (context == nullptr) return INVALID_CONTEXT;
  drain_all();
  Lock lock(guard);
  if (pinned_memory.erase((uint64_t)memory) == 0) return INVALID_VALUE;
  free(memory);
  return SUCCESS;
}

/*
 * A capture replays a copy later: the host's memory must be the driver's own. Other memory of the host's
 * is read before the call returns, or written.
 */
static CUresult copy(void *handle, uint64_t to, uint64_t from, size_t bytes, uint64_t host) {
  Stream *stream = (Stream *)handle;
  bool pinned = host == 0 || inside(pinned_memory, host, bytes);
  if (!pinned && stream->capturing) {
    stream->invalid = true;
    return STREAM_CAPTURE_UNSUPPORTED;
  }
  std::shared_ptr<std::vector<char>> kept;
  if (!pinned && stream->lazy) {
    if (host == to) {
      drain(stream);
    } else {
      kept = std::make_shared<std::vector<char>>((const char *)from, (const char *)from + bytes);
    }
  }
  bool up = host != 0 && host == from, down = host != 0 && host == to;
  Work work = [=] {
    if (up) copied_to_card += bytes;
    if (down) copied_to_host += bytes;
    return memmove((void *)to, kept ? kept->data() : (const void *)from, bytes), SUCCESS;
  };
  if (!pinned && down && stream->lazy) return work();
  return fake_submit(handle, work);
}
API CUresult cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
  ENTER();
  CONTEXT();
  if (!fake_on_device(to, bytes)) return INVALID_VALUE;
  return copy(stream, to, (uint64_t)from, bytes, (uint64_t)from);
}
API CUresult cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  ENTER();
  CONTEXT();
  if (!fake_on_device(from, bytes)) return INVALID_VALUE;
  return copy(stream, (uint64_t)to, from, bytes, (uint64_t)to);
}
API CUresult cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
  ENTER();
  CONTEXT();
  if (!fake_on_device(from, bytes) || !fake_on_device(to, bytes)) return INVALID_VALUE;
  return copy(stream, to, from, bytes, 0);
}
API CUresult cuMemsetD32Async(uint64_t to, unsigned word, size_t words, void *stream) {
  ENTER();
  CONTEXT();
  if (to % 4 != 0 || !fake_on_device(to, words * 4)) return INVALID_VALUE;
  return fake_submit(stream, [=] {
    for (size_t i = 0; i < words; i++) ((unsigned *)to)[i] = word;
    return SUCCESS;
  });
}

/* ---- code ---- */

API CUresult cuModuleLoadData(Module **out, const void *image) {
  ENTER();
  CONTEXT();
  std::string reason;
  Module *module = fake_load_module(image, reason);
  if (module == nullptr) {
    fprintf(stderr, "fake card: %s\n", reason.c_str());
    return INVALID_IMAGE;
  }
  Lock lock(guard);
  modules[module];
  return *out = module, SUCCESS;
}
API CUresult cuModuleUnload(Module *module) {
  ENTER();
  Lock lock(guard);
  if (modules.erase(module) == 0) return INVALID_HANDLE;
  fake_unload_module(module);
  return SUCCESS;
}
API CUresult cuModuleGetFunction(Function **out, Module *module, const char *name) {
  ENTER();
  CONTEXT();
  const void *kernel = fake_kernel(module, name);
  if (kernel == nullptr) return NOT_FOUND;
  Lock lock(guard);
  auto &functions = modules[module];
  functions.emplace_back(new Function{module, kernel, fake_argument_sizes(kernel), name});
  return *out = functions.back().get(), SUCCESS;
}
API CUresult cuFuncGetAttribute(int *out, int attribute, Function *function) {
  ENTER();
  CONTEXT();
  *out = attribute == 8 ? function->shared : 0; /* gcc's code has no registers of a card */
  return SUCCESS;
}
API CUresult cuFuncSetAttribute(Function *function, int attribute, int value) {
  ENTER();
  CONTEXT();
  if (attribute != 8 || value < 0 || value > 232448) return INVALID_VALUE;
  return function->shared = value, SUCCESS;
}
API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *out, Function *, int threads, size_t) {
  ENTER();
  CONTEXT();
  if (threads < 1 || threads > 1024) return INVALID_VALUE;
  return *out = 2048 / threads, SUCCESS;
}
API CUresult cuLaunchKernel(Function *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
    unsigned by, unsigned bz, unsigned shared, void *stream, void **parameters, void **) {
  ENTER();
  CONTEXT();
  if (gx == 0 || gy == 0 || gz == 0 || bx == 0 || by == 0 || bz == 0) return INVALID_VALUE;
  if (gx > 0x7fffffffu || gy > 65535 || gz > 65535 || bx > 1024 || by > 1024 || bz > 64) return INVALID_VALUE;
  if ((uint64_t)bx * by * bz > 1024) return INVALID_VALUE;
  if ((int)shared > function->shared) return INVALID_VALUE;
  /* Arguments are copied at the launch. */
  auto values = std::make_shared<std::vector<std::vector<char>>>();
  for (size_t i = 0; i < function->sizes.size(); i++) {
    const char *from = (const char *)parameters[i];
    values->emplace_back(from, from + function->sizes[i]);
  }
  return fake_submit(stream, [=] {
    std::vector<void *> pointers;
    for (auto &v : *values) pointers.push_back(v.data());
    return fake_run_blocks(function->module, function->kernel, {gx, gy, gz}, {bx, by, bz}, pointers.data());
  });
}

/* ---- streams, events, graphs ---- */

API CUresult cuStreamCreate(Stream **out, unsigned) {
  ENTER();
  CONTEXT();
  Lock lock(guard);
  streams.insert(*out = new Stream());
  (*out)->lazy = lazy_streams >> streams_made++ & 1;
  return SUCCESS;
}
API CUresult cuStreamDestroy_v2(Stream *stream) {
  ENTER();
  Lock lock(guard);
  if (streams.count(stream) != 0) drain(stream);
  if (streams.erase(stream) == 0) return INVALID_HANDLE;
  if (capture_of_thread == stream) capture_of_thread = nullptr;
  delete stream;
  return SUCCESS;
}
API CUresult cuStreamSynchronize(Stream *stream) {
  ENTER();
  CONTEXT();
  if (stream->capturing) {
    stream->invalid = true;
    return STREAM_CAPTURE_UNSUPPORTED;
  }
  drain(stream);
  return sticky;
}
API CUresult cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
  ENTER();
  CONTEXT();
  if (stream->capturing) { /* captures over several streams are not emulated */
    stream->invalid = true;
    return STREAM_CAPTURE_UNSUPPORTED;
  }
  long times = event->wanted; /* not what is recorded later */
  return fake_submit(stream, [=] { return reach(event, times), SUCCESS; });
}
API CUresult cuEventCreate(Event **out, unsigned) {
  ENTER();
  CONTEXT();
  return *out = new Event(), SUCCESS;
}
API CUresult cuEventDestroy_v2(Event *event) {
  ENTER();
  reach(event, event->wanted);
  delete event;
  return SUCCESS;
}
API CUresult cuEventRecord(Event *event, Stream *stream) {
  ENTER();
  CONTEXT();
  if (stream->capturing) {
    stream->invalid = true;
    return STREAM_CAPTURE_UNSUPPORTED;
  }
  event->recorded = true;
  event->stream = stream;
  event->wanted++;
  return fake_submit(stream, [=] {
    event->happened++;
    event->time = std::chrono::steady_clock::now();
    return SUCCESS;
  });
}
API CUresult cuEventQuery(Event *event) {
  ENTER();
  CONTEXT();
  reach(event, event->wanted);
  return sticky;
}
API CUresult cuEventSynchronize(Event *event) {
  ENTER();
  CONTEXT();
  reach(event, event->wanted);
  return sticky;
}
API CUresult cuEventElapsedTime(float *out, Event *from, Event *to) {
  ENTER();
  CONTEXT();
  if (!from->recorded || !to->recorded) return INVALID_HANDLE;
  *out = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return SUCCESS;
}
API CUresult cuStreamBeginCapture_v2(Stream *stream, int) {
  ENTER();
  CONTEXT();
  if (stream->capturing || capture_of_thread != nullptr) return STREAM_CAPTURE_UNSUPPORTED;
  stream->capturing = true;
  stream->invalid = false;
  stream->written.clear();
  capture_of_thread = stream;
  return SUCCESS;
}
API CUresult cuStreamEndCapture(Stream *stream, Graph **out) {
  CONTEXT();
  if (!stream->capturing || capture_of_thread != stream) return INVALID_VALUE;
  stream->capturing = false; /* whatever comes of it */
  capture_of_thread = nullptr;
  *out = nullptr;
  ENTER();
  if (stream->invalid) return STREAM_CAPTURE_INVALIDATED;
  *out = new Graph{std::move(stream->written)};
  return SUCCESS;
}
API CUresult cuGraphGetNodes(Graph *graph, void **, size_t *count) {
  ENTER();
  return *count = graph->work.size(), SUCCESS;
}
API CUresult cuGraphInstantiateWithFlags(Graph **out, Graph *graph, unsigned long long) {
  ENTER();
  CONTEXT();
  return *out = new Graph(*graph), SUCCESS;
}
API CUresult cuGraphLaunch(Graph *graph, void *stream) {
  ENTER();
  CONTEXT();
  return fake_submit(stream, [graph] {
    for (auto &work : graph->work)
      if (CUresult code = work()) return code;
    return (CUresult)SUCCESS;
  });
}
API CUresult cuGraphExecDestroy(Graph *graph) {
  ENTER();
  drain_all();
  delete graph;
  return SUCCESS;
}
API CUresult cuGraphDestroy(Graph *graph) {
  ENTER();
  delete graph;
  return SUCCESS;
}

/* ---- the runtime ---- */

API int cudaRuntimeGetVersion(int *out) { return *out = machine.version, 0; }
API int cudaDriverGetVersion(int *out) { return *out = machine.version, 0; }
API const char *cudaGetErrorName(int) { return "cudaSuccess"; }
API const char *cudaGetErrorString(int) { return "no error"; }
