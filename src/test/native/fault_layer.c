// An OpenCL layer that makes chosen calls fail and counts objects: for the tests of what CellFuse does when a driver
// refuses. The loader puts it between a program and the driver, if OPENCL_LAYERS names it.
//
//      program ──► libOpenCL.so.1 ──► fault_layer.so ──► driver
//                                          ▲
//                                     control file
//
// Program and layer both map the file that FAULT_CONTROL names: an array of `struct entry`, one for each function
// below, in this order. The program reads the counts, and sets which call is to fail:
//
//      fail_at  0: none; n: the n-th call from now on, counted by `calls`, which the program sets to zero
//      status   what the call returns then, without reaching the driver. A release reaches it: the object is gone, and
//               the driver complains
//      delay    microseconds before every call
//      flip_at  0: none; n: a device lies. From the n-th call from now on, counted by `flips`, which the program sets to
//               zero, one bit of what is read or mapped for reading is wrong: on the device of that call, and only
//               there. Blocks of less than 64 bytes don't count: they tell how a run went
//
// FAULT_HABITS lists what a driver always does, separated by commas; some have a value, as in `largest=1048576`:
//
//      group=N          no kernel takes work-groups of more than N work-items; the device promises more
//      largest=BYTES    no buffer is larger
//      memory=BYTES     all buffers together have no more
//      unavailable      the device is held by somebody else
//      nocompiler       the device takes no source code
//      oldinfo          queries that later versions of OpenCL deprecate or brought are refused
//      zerounits        the device has no compute units
//      gpu              the device says that it is a GPU, with local memory on the chip
//      name=TEXT, platform=TEXT, version=TEXT   the name of the device and of its platform, the version of both
//      nokernel         programs from binaries build, but have no kernels
//      timelimit=N      a launch of more than N work-items takes too long: the next call that waits fails, and then
//                       the queue goes on
//      nolaunch         kernels of programs from binaries can't be launched
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl_layer.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUNCTIONS(X)                                                                                                  \
  X(clGetPlatformIDs) X(clGetPlatformInfo) X(clGetDeviceIDs) X(clGetDeviceInfo)                                       \
  X(clCreateContext) X(clRetainContext) X(clReleaseContext)                                                           \
  X(clCreateCommandQueue) X(clRetainCommandQueue) X(clReleaseCommandQueue)                                            \
  X(clCreateBuffer) X(clRetainMemObject) X(clReleaseMemObject)                                                        \
  X(clCreateProgramWithSource) X(clCreateProgramWithBinary) X(clRetainProgram) X(clReleaseProgram)                    \
  X(clBuildProgram) X(clGetProgramInfo) X(clGetProgramBuildInfo)                                                      \
  X(clCreateKernel) X(clRetainKernel) X(clReleaseKernel)                                                              \
  X(clSetKernelArg) X(clGetKernelInfo) X(clGetKernelWorkGroupInfo)                                                    \
  X(clWaitForEvents) X(clRetainEvent) X(clReleaseEvent) X(clGetEventProfilingInfo)                                    \
  X(clFlush) X(clFinish)                                                                                              \
  X(clEnqueueReadBuffer) X(clEnqueueWriteBuffer) X(clEnqueueCopyBuffer) X(clEnqueueFillBuffer)                        \
  X(clEnqueueMapBuffer) X(clEnqueueUnmapMemObject)                                                                    \
  X(clEnqueueNDRangeKernel) X(clEnqueueMarkerWithWaitList)

enum function {
#define X(name) F_##name,
  FUNCTIONS(X)
#undef X
      F_event,  // not a function: the events that commands returned
  COUNT
};

struct entry {
  char name[40];
  cl_int calls;
  cl_int fail_at;
  cl_int status;
  cl_int delay;
  cl_int succeeded;  // calls that the driver answered with success, since the process began
  cl_int flip_at;
  cl_int flips;
  cl_int unused;
};

static const struct _cl_icd_dispatch* driver;
static struct _cl_icd_dispatch layer;
static struct entry* table;
static cl_device_id liar;  // the device that lies, once it does

// Returns the text behind `habit` in FAULT_HABITS, which is empty if it has no value and ends at a comma; NULL if the
// driver doesn't have the habit.
static const char* habit(const char* habit) {
  const char* all = getenv("FAULT_HABITS");
  size_t length = strlen(habit);
  while (all && *all) {
    if (strncmp(all, habit, length) == 0) {
      if (all[length] == '=') return all + length + 1;
      if (all[length] == ',' || all[length] == 0) return all + length;
    }
    all = strchr(all, ',');
    if (all) all++;
  }
  return NULL;
}

static size_t number(const char* text) { return (size_t)strtoull(text, NULL, 10); }

// Answers a query with the value of a habit.
static cl_int answer_text(const char* text, size_t size, void* value, size_t* needed) {
  size_t length = strcspn(text, ",");
  if (needed) *needed = length + 1;
  if (value && size <= length) return CL_INVALID_VALUE;
  if (value) {
    memcpy(value, text, length);
    ((char*)value)[length] = 0;
  }
  return CL_SUCCESS;
}

// Returns the status that this call fails with, or CL_SUCCESS if it is to reach the driver.
static cl_int fault(enum function f) {
  struct entry* e = table + f;
  if (e->delay > 0) usleep((useconds_t)e->delay);
  cl_int call = __atomic_add_fetch(&e->calls, 1, __ATOMIC_SEQ_CST);
  return call == __atomic_load_n(&e->fail_at, __ATOMIC_SEQ_CST) ? e->status : CL_SUCCESS;
}

static void count(enum function f) { __atomic_add_fetch(&table[f].succeeded, 1, __ATOMIC_SEQ_CST); }

// Returns whether what this call reads is to be wrong.
static int lies(enum function f, cl_command_queue queue, size_t bytes) {
  struct entry* e = table + f;
  cl_int first = __atomic_load_n(&e->flip_at, __ATOMIC_SEQ_CST);
  cl_device_id device = NULL;
  if (first == 0 || bytes < 64) return 0;
  cl_int call = __atomic_add_fetch(&e->flips, 1, __ATOMIC_SEQ_CST);
  if (driver->clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL) != CL_SUCCESS) return 0;
  if (call == first) __atomic_store_n(&liar, device, __ATOMIC_SEQ_CST);
  return call >= first && device == __atomic_load_n(&liar, __ATOMIC_SEQ_CST);
}

// The lowest bit of one float in eight. The first float of the states isn't one of them: it tells how the run went.
static void flip(void* values, size_t bytes) {
  for (size_t k = 28; k + 4 <= bytes; k += 32) ((unsigned char*)values)[k] ^= 1;
}

// A function that returns a status.
#define STATUS(name, parameters, arguments)                                                                           \
  static cl_int CL_API_CALL my_##name parameters {                                                                    \
    cl_int status = fault(F_##name);                                                                                  \
    if (status == CL_SUCCESS) {                                                                                       \
      status = driver->name arguments;                                                                                \
      if (status == CL_SUCCESS) count(F_##name);                                                                      \
    }                                                                                                                 \
    return status;                                                                                                    \
  }

// A function that enqueues a command and returns its event, if the caller wants it.
#define ENQUEUE(name, parameters, arguments)                                                                          \
  static cl_int CL_API_CALL my_##name parameters {                                                                    \
    cl_int status = fault(F_##name);                                                                                  \
    if (status == CL_SUCCESS) {                                                                                       \
      status = driver->name arguments;                                                                                \
      if (status == CL_SUCCESS) count(F_##name);                                                                      \
      if (status == CL_SUCCESS && event) count(F_event);                                                              \
    }                                                                                                                 \
    return status;                                                                                                    \
  }

// A function that releases an object: it does so even if it complains.
#define RELEASE(name, parameters, arguments)                                                                          \
  static cl_int CL_API_CALL my_##name parameters {                                                                    \
    cl_int wanted = fault(F_##name), status = driver->name arguments;                                                 \
    if (status == CL_SUCCESS) count(F_##name);                                                                        \
    return wanted == CL_SUCCESS ? status : wanted;                                                                    \
  }

// A function that returns an object, and a status through its last parameter, `error`.
#define CREATE(type, name, parameters, arguments)                                                                     \
  static type CL_API_CALL my_##name parameters {                                                                      \
    cl_int status = fault(F_##name);                                                                                  \
    if (status != CL_SUCCESS) {                                                                                       \
      if (error) *error = status;                                                                                     \
      return NULL;                                                                                                    \
    }                                                                                                                 \
    type object = driver->name arguments;                                                                             \
    if (object) count(F_##name);                                                                                      \
    return object;                                                                                                    \
  }

typedef void(CL_CALLBACK* on_context)(const char*, const void*, size_t, void*);
typedef void(CL_CALLBACK* on_program)(cl_program, void*);
#define WAITS cl_uint waits, const cl_event *wait_list, cl_event *event
#define WAITING waits, wait_list, event
#define QUERY size_t size, void *value, size_t *needed

STATUS(clGetPlatformIDs, (cl_uint n, cl_platform_id* ids, cl_uint* found), (n, ids, found))
static cl_int CL_API_CALL my_clGetPlatformInfo(cl_platform_id p, cl_platform_info i, QUERY) {
  cl_int status = fault(F_clGetPlatformInfo);
  const char* name = i == CL_PLATFORM_NAME ? habit("platform") : i == CL_PLATFORM_VERSION ? habit("version") : NULL;
  if (status == CL_SUCCESS) {
    status = name ? answer_text(name, size, value, needed) : driver->clGetPlatformInfo(p, i, size, value, needed);
    if (status == CL_SUCCESS) count(F_clGetPlatformInfo);
  }
  return status;
}
static cl_int CL_API_CALL my_clGetDeviceIDs(cl_platform_id p, cl_device_type t, cl_uint n, cl_device_id* ids,
                                            cl_uint* found) {
  cl_int status = fault(F_clGetDeviceIDs);
  if (status == CL_SUCCESS && habit("gpu")) {
    if (t == CL_DEVICE_TYPE_CPU) return CL_DEVICE_NOT_FOUND;
    if (t == CL_DEVICE_TYPE_GPU) t = CL_DEVICE_TYPE_CPU;
  }
  if (status == CL_SUCCESS) {
    status = driver->clGetDeviceIDs(p, t, n, ids, found);
    if (status == CL_SUCCESS) count(F_clGetDeviceIDs);
  }
  return status;
}
static cl_int CL_API_CALL my_clGetDeviceInfo(cl_device_id d, cl_device_info i, QUERY) {
  cl_int status = fault(F_clGetDeviceInfo);
  const char* text = i == CL_DEVICE_NAME ? habit("name") : i == CL_DEVICE_VERSION ? habit("version") : NULL;
  if (status != CL_SUCCESS) return status;
  if (text) return answer_text(text, size, value, needed);
  if (habit("oldinfo") && (i == CL_DEVICE_ENDIAN_LITTLE || i == CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT ||
                           i == CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT || i == CL_DEVICE_HOST_UNIFIED_MEMORY ||
                           i == CL_DEVICE_OPENCL_C_VERSION || i == CL_DEVICE_LOCAL_MEM_TYPE ||
                           i == CL_DEVICE_COMPILER_AVAILABLE || i == CL_DEVICE_AVAILABLE)) {
    return CL_INVALID_VALUE;
  }
  status = driver->clGetDeviceInfo(d, i, size, value, needed);
  if (status != CL_SUCCESS) return status;
  count(F_clGetDeviceInfo);
  if (!value) return status;
  if (i == CL_DEVICE_MAX_MEM_ALLOC_SIZE && habit("largest")) *(cl_ulong*)value = number(habit("largest"));
  if (i == CL_DEVICE_GLOBAL_MEM_SIZE && habit("memory")) *(cl_ulong*)value = number(habit("memory"));
  if (i == CL_DEVICE_AVAILABLE && habit("unavailable")) *(cl_bool*)value = CL_FALSE;
  if (i == CL_DEVICE_COMPILER_AVAILABLE && habit("nocompiler")) *(cl_bool*)value = CL_FALSE;
  if (i == CL_DEVICE_MAX_COMPUTE_UNITS && habit("zerounits")) *(cl_uint*)value = 0;
  if (i == CL_DEVICE_TYPE && habit("gpu")) *(cl_device_type*)value = CL_DEVICE_TYPE_GPU;
  if (i == CL_DEVICE_LOCAL_MEM_TYPE && habit("gpu")) *(cl_device_local_mem_type*)value = CL_LOCAL;
  return status;
}

CREATE(cl_context, clCreateContext,
       (const cl_context_properties* p, cl_uint n, const cl_device_id* d, on_context f, void* user, cl_int* error),
       (p, n, d, f, user, error))
STATUS(clRetainContext, (cl_context c), (c))
RELEASE(clReleaseContext, (cl_context c), (c))
CREATE(cl_command_queue, clCreateCommandQueue,
       (cl_context c, cl_device_id d, cl_command_queue_properties p, cl_int* error), (c, d, p, error))
STATUS(clRetainCommandQueue, (cl_command_queue q), (q))
RELEASE(clReleaseCommandQueue, (cl_command_queue q), (q))

// Whether the driver has ended a kernel, and nobody knows yet.
static int ended;

// Returns the status of a call that waits.
static cl_int waited(void) { return __atomic_exchange_n(&ended, 0, __ATOMIC_SEQ_CST) ? CL_OUT_OF_RESOURCES : 0; }

// The bytes of all buffers.
static size_t allocated;

static cl_mem CL_API_CALL my_clCreateBuffer(cl_context c, cl_mem_flags f, size_t n, void* host, cl_int* error) {
  cl_int status = fault(F_clCreateBuffer);
  if (status == CL_SUCCESS && habit("largest") && n > number(habit("largest"))) status = CL_INVALID_BUFFER_SIZE;
  if (status == CL_SUCCESS && habit("memory") &&
      __atomic_load_n(&allocated, __ATOMIC_SEQ_CST) + n > number(habit("memory"))) {
    status = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  }
  if (status != CL_SUCCESS) {
    if (error) *error = status;
    return NULL;
  }
  cl_mem object = driver->clCreateBuffer(c, f, n, host, error);
  if (object) count(F_clCreateBuffer);
  if (object) __atomic_add_fetch(&allocated, n, __ATOMIC_SEQ_CST);
  return object;
}
STATUS(clRetainMemObject, (cl_mem m), (m))
static cl_int CL_API_CALL my_clReleaseMemObject(cl_mem m) {
  cl_int wanted = fault(F_clReleaseMemObject);
  cl_uint references = 0;
  size_t bytes = 0;
  driver->clGetMemObjectInfo(m, CL_MEM_REFERENCE_COUNT, sizeof references, &references, NULL);
  driver->clGetMemObjectInfo(m, CL_MEM_SIZE, sizeof bytes, &bytes, NULL);
  cl_int status = driver->clReleaseMemObject(m);
  if (status == CL_SUCCESS) count(F_clReleaseMemObject);
  if (status == CL_SUCCESS && references == 1) __atomic_sub_fetch(&allocated, bytes, __ATOMIC_SEQ_CST);
  return wanted == CL_SUCCESS ? status : wanted;
}

CREATE(cl_program, clCreateProgramWithSource,
       (cl_context c, cl_uint n, const char** texts, const size_t* lengths, cl_int* error),
       (c, n, texts, lengths, error))
CREATE(cl_program, clCreateProgramWithBinary,
       (cl_context c, cl_uint n, const cl_device_id* d, const size_t* lengths, const unsigned char** binaries,
        cl_int* accepted, cl_int* error),
       (c, n, d, lengths, binaries, accepted, error))

// Returns whether a program was made from a binary: PoCL gives such a program no source.
static int is_binary(cl_program p) {
  size_t length = 0;
  return driver->clGetProgramInfo(p, CL_PROGRAM_SOURCE, 0, NULL, &length) != CL_SUCCESS || length <= 1;
}

STATUS(clRetainProgram, (cl_program p), (p))
RELEASE(clReleaseProgram, (cl_program p), (p))
STATUS(clBuildProgram,
       (cl_program p, cl_uint n, const cl_device_id* d, const char* options, on_program f, void* user),
       (p, n, d, options, f, user))
STATUS(clGetProgramInfo, (cl_program p, cl_program_info i, QUERY), (p, i, size, value, needed))
STATUS(clGetProgramBuildInfo, (cl_program p, cl_device_id d, cl_program_build_info i, QUERY),
       (p, d, i, size, value, needed))
static cl_kernel CL_API_CALL my_clCreateKernel(cl_program p, const char* name, cl_int* error) {
  cl_int status = fault(F_clCreateKernel);
  if (status == CL_SUCCESS && habit("nokernel") && is_binary(p)) status = CL_INVALID_PROGRAM_EXECUTABLE;
  if (status != CL_SUCCESS) {
    if (error) *error = status;
    return NULL;
  }
  cl_kernel object = driver->clCreateKernel(p, name, error);
  if (object) count(F_clCreateKernel);
  return object;
}
STATUS(clRetainKernel, (cl_kernel k), (k))
RELEASE(clReleaseKernel, (cl_kernel k), (k))
STATUS(clSetKernelArg, (cl_kernel k, cl_uint i, size_t n, const void* value), (k, i, n, value))
STATUS(clGetKernelInfo, (cl_kernel k, cl_kernel_info i, QUERY), (k, i, size, value, needed))
static cl_int CL_API_CALL my_clGetKernelWorkGroupInfo(cl_kernel k, cl_device_id d, cl_kernel_work_group_info i,
                                                      QUERY) {
  cl_int status = fault(F_clGetKernelWorkGroupInfo);
  if (status != CL_SUCCESS) return status;
  status = driver->clGetKernelWorkGroupInfo(k, d, i, size, value, needed);
  if (status == CL_SUCCESS) count(F_clGetKernelWorkGroupInfo);
  if (status == CL_SUCCESS && value && i == CL_KERNEL_WORK_GROUP_SIZE && habit("group")) {
    *(size_t*)value = number(habit("group"));
  }
  return status;
}

STATUS(clWaitForEvents, (cl_uint n, const cl_event* events), (n, events))
STATUS(clRetainEvent, (cl_event e), (e))
RELEASE(clReleaseEvent, (cl_event e), (e))
STATUS(clGetEventProfilingInfo, (cl_event e, cl_profiling_info i, QUERY), (e, i, size, value, needed))
STATUS(clFlush, (cl_command_queue q), (q))
static cl_int CL_API_CALL my_clFinish(cl_command_queue q) {
  cl_int status = fault(F_clFinish);
  if (status != CL_SUCCESS) return status;
  status = driver->clFinish(q);
  if (status == CL_SUCCESS) status = waited();
  if (status == CL_SUCCESS) count(F_clFinish);
  return status;
}

static cl_int CL_API_CALL my_clEnqueueReadBuffer(cl_command_queue q, cl_mem m, cl_bool b, size_t at, size_t n,
                                                 void* to, WAITS) {
  cl_int status = fault(F_clEnqueueReadBuffer);
  int wrong = lies(F_clEnqueueReadBuffer, q, n);
  if (status == CL_SUCCESS) status = waited();
  if (status == CL_SUCCESS) {
    status = driver->clEnqueueReadBuffer(q, m, b || wrong, at, n, to, WAITING);
    if (status == CL_SUCCESS) count(F_clEnqueueReadBuffer);
    if (status == CL_SUCCESS && event) count(F_event);
    if (status == CL_SUCCESS && wrong) flip(to, n);
  }
  return status;
}
ENQUEUE(clEnqueueWriteBuffer, (cl_command_queue q, cl_mem m, cl_bool b, size_t at, size_t n, const void* from, WAITS),
       (q, m, b, at, n, from, WAITING))
ENQUEUE(clEnqueueCopyBuffer, (cl_command_queue q, cl_mem from, cl_mem to, size_t at, size_t into, size_t n, WAITS),
       (q, from, to, at, into, n, WAITING))
ENQUEUE(clEnqueueFillBuffer,
       (cl_command_queue q, cl_mem m, const void* pattern, size_t width, size_t at, size_t n, WAITS),
       (q, m, pattern, width, at, n, WAITING))
static void* CL_API_CALL my_clEnqueueMapBuffer(cl_command_queue q, cl_mem m, cl_bool b, cl_map_flags f, size_t at,
                                               size_t n, WAITS, cl_int* error) {
  cl_int status = fault(F_clEnqueueMapBuffer);
  void* mapped = NULL;
  if (status == CL_SUCCESS) status = waited();
  if (status == CL_SUCCESS) mapped = driver->clEnqueueMapBuffer(q, m, b, f, at, n, WAITING, &status);
  if (mapped) count(F_clEnqueueMapBuffer);
  if (mapped && event) count(F_event);
  // All maps of CellFuse block.
  if (mapped && (f & CL_MAP_READ) && !(f & CL_MAP_WRITE) && lies(F_clEnqueueMapBuffer, q, n)) flip(mapped, n);
  if (error) *error = status;
  return mapped;
}
static cl_int CL_API_CALL my_clEnqueueUnmapMemObject(cl_command_queue q, cl_mem m, void* at, WAITS) {
  cl_int wanted = fault(F_clEnqueueUnmapMemObject);
  cl_event* wanted_event = wanted == CL_SUCCESS ? event : NULL;  // with an error, the caller gets no event
  cl_int status = driver->clEnqueueUnmapMemObject(q, m, at, waits, wait_list, wanted_event);
  if (status == CL_SUCCESS) count(F_clEnqueueUnmapMemObject);
  if (status == CL_SUCCESS && wanted_event) count(F_event);
  return wanted == CL_SUCCESS ? status : wanted;
}
static cl_int CL_API_CALL my_clEnqueueNDRangeKernel(cl_command_queue q, cl_kernel k, cl_uint n, const size_t* offset,
                                                    const size_t* global, const size_t* local, WAITS) {
  cl_int status = fault(F_clEnqueueNDRangeKernel);
  cl_program program = NULL;
  size_t items = 1;
  for (cl_uint d = 0; local && d < n; d++) items *= local[d];
  if (status == CL_SUCCESS && habit("group") && items > number(habit("group"))) status = CL_INVALID_WORK_GROUP_SIZE;
  if (status == CL_SUCCESS && habit("nolaunch") &&
      driver->clGetKernelInfo(k, CL_KERNEL_PROGRAM, sizeof program, &program, NULL) == CL_SUCCESS &&
      is_binary(program)) {
    status = CL_INVALID_PROGRAM_EXECUTABLE;
  }
  size_t all = 1;
  for (cl_uint d = 0; d < n; d++) all *= global[d];
  if (habit("timelimit") && all > number(habit("timelimit"))) __atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
  if (status == CL_SUCCESS) {
    status = driver->clEnqueueNDRangeKernel(q, k, n, offset, global, local, WAITING);
    if (status == CL_SUCCESS) count(F_clEnqueueNDRangeKernel);
    if (status == CL_SUCCESS && event) count(F_event);
  }
  return status;
}
ENQUEUE(clEnqueueMarkerWithWaitList, (cl_command_queue q, WAITS), (q, WAITING))

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info name, size_t size, void* value, size_t* needed) {
  if (name != CL_LAYER_API_VERSION) return CL_INVALID_VALUE;
  if (value && size < sizeof(cl_layer_api_version)) return CL_INVALID_VALUE;
  if (value) *(cl_layer_api_version*)value = CL_LAYER_API_VERSION_100;
  if (needed) *needed = sizeof(cl_layer_api_version);
  return CL_SUCCESS;
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint entries, const struct _cl_icd_dispatch* target,
                                            cl_uint* entries_ret, const struct _cl_icd_dispatch** dispatch_ret) {
  const char* file = getenv("FAULT_CONTROL");
  if (!file || entries < sizeof layer / sizeof layer.clGetPlatformIDs) return CL_INVALID_VALUE;
  int control = open(file, O_RDWR);
  if (control < 0) return CL_INVALID_VALUE;
  if (ftruncate(control, COUNT * sizeof *table) == 0) {
    table = mmap(NULL, COUNT * sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, control, 0);
  }
  close(control);
  if (!table || table == MAP_FAILED) return CL_OUT_OF_HOST_MEMORY;
  driver = target;
  layer = *target;
#define X(function)                                                       \
  strncpy(table[F_##function].name, #function, sizeof table->name - 1); \
  layer.function = my_##function;
  FUNCTIONS(X)
#undef X
  strcpy(table[F_event].name, "event");
  *dispatch_ret = &layer;
  *entries_ret = sizeof layer / sizeof layer.clGetPlatformIDs;
  return CL_SUCCESS;
}
