/* What the parts of the fake CUDA libraries share. */
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

typedef int CUresult;
enum {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_OUT_OF_RESOURCES = 701,
  MISALIGNED_ADDRESS = 716,
  LAUNCH_FAILED = 719,
  STREAM_CAPTURE_UNSUPPORTED = 900,
  STREAM_CAPTURE_INVALIDATED = 901,
};

/* Counts the call; the code that a test wants it to fail with, or 0. */
int fake_enter(const char *function);
#define ENTER()                        \
  if (int injected = fake_enter(__func__)) return injected

/* One piece of a stream's work. */
typedef std::function<CUresult()> Work;

/* Does the work now, or writes it down if the stream is capturing. */
CUresult fake_submit(void *stream, Work work);

/* Whether all of these bytes are in one piece of device memory. */
bool fake_on_device(uint64_t address, size_t bytes);

struct Size3 {
  unsigned x, y, z;
};

struct Module;

/* Runs a kernel's blocks one after another. */
CUresult fake_run_blocks(Module *module, const void *kernel, Size3 grid, Size3 block, void **arguments);

/* Threads and blocks from the last to the first, or from the first. */
API void fake_backwards(int backwards);

/* Loads a shared library that the fake compiler made; null and a reason if it is none. */
Module *fake_load_module(const void *image, std::string &reason);
void fake_unload_module(Module *module);
const void *fake_kernel(Module *module, const char *name);
std::vector<int> fake_argument_sizes(const void *kernel);
