// A driver of OpenCL that ends every process that lists the platforms, with the signal that FATAL_SIGNAL names by its
// number; without this variable, a driver without platforms. For the tests of what CellFuse does then.
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>
#include <signal.h>
#include <stdlib.h>

CL_API_ENTRY void* CL_API_CALL clGetExtensionFunctionAddress(const char* name);

static cl_int CL_API_CALL platforms(cl_uint count, cl_platform_id* ids, cl_uint* found) {
  const char* number = getenv("FATAL_SIGNAL");
  (void)count;
  (void)ids;
  if (number) {
    signal(atoi(number), SIG_DFL);
    raise(atoi(number));
  }
  if (found) *found = 0;
  return -1001;  // CL_PLATFORM_NOT_FOUND_KHR
}

CL_API_ENTRY cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint count, cl_platform_id* ids, cl_uint* found) {
  return platforms(count, ids, found);
}

CL_API_ENTRY void* CL_API_CALL clGetExtensionFunctionAddress(const char* name) {
  return name[0] == 'c' && name[5] == 'G' ? (void*)(size_t)platforms : NULL;  // clIcdGetPlatformIDsKHR
}

CL_API_ENTRY cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id id, cl_platform_info name, size_t size, void* value,
                                                  size_t* needed) {
  (void)id;
  (void)name;
  (void)size;
  (void)value;
  (void)needed;
  return CL_INVALID_PLATFORM;
}
