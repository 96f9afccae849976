/* NVRTC's interface: "compiling" is gcc, on the program with on_cpu.h in front of it. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <unistd.h>

#include "fake.h"

enum { COMPILATION = 6, INVALID_OPTION = 5 };
static int version_major = 13, version_minor = 0;
API void fake_nvrtc_version(int major, int minor) {
  version_major = major;
  version_minor = minor;
}

struct Program {
  std::string source, name, log, image;
};

API const char *nvrtcGetErrorString(int code) {
  static const char *names[] = {"NVRTC_SUCCESS", "NVRTC_ERROR_OUT_OF_MEMORY",
      "NVRTC_ERROR_PROGRAM_CREATION_FAILURE", "NVRTC_ERROR_INVALID_INPUT", "NVRTC_ERROR_INVALID_PROGRAM",
      "NVRTC_ERROR_INVALID_OPTION", "NVRTC_ERROR_COMPILATION", "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE"};
  return code >= 0 && code < 8 ? names[code] : "NVRTC_ERROR unknown";
}
API int nvrtcVersion(int *major, int *minor) {
  ENTER();
  *major = version_major;
  *minor = version_minor;
  return 0;
}
static const int ARCHITECTURES[] = {80, 90, 100};
API int nvrtcGetNumSupportedArchs(int *out) {
  ENTER();
  return *out = 3, 0;
}
API int nvrtcGetSupportedArchs(int *out) {
  ENTER();
  memcpy(out, ARCHITECTURES, sizeof ARCHITECTURES);
  return 0;
}
API int nvrtcCreateProgram(Program **out, const char *source, const char *name, int, const char *const *,
    const char *const *) {
  ENTER();
  *out = new Program{source, name ? name : "program", "", ""};
  return 0;
}
API int nvrtcDestroyProgram(Program **program) {
  ENTER();
  delete *program;
  *program = nullptr;
  return 0;
}

/* The kernels that a driver could find by name. */
static std::set<std::string> kernels(const std::string &source) {
  static const std::regex kernel(
      "__global__\\s+(?:__launch_bounds__\\s*\\([^()]*\\)\\s*)?(?:static\\s+)?void\\s+"
      "(?:__launch_bounds__\\s*\\([^()]*\\)\\s*)?(\\w+)\\s*\\(");
  static const std::regex external("extern\\s*\"C\"(\\s*\\{|\\s+$)");
  std::set<std::string> names;
  for (std::sregex_iterator i(source.begin(), source.end(), kernel), end; i != end; ++i) {
    std::string before = source.substr(0, i->position());
    if (std::regex_search(before, external)) names.insert((*i)[1]);
  }
  return names;
}

static std::string quote(const std::string &text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

API int nvrtcCompileProgram(Program *program, int count, const char *const *options) {
  ENTER();
  std::string flags;
  for (int i = 0; i < count; i++) {
    std::string option = options[i];
    if (option.rfind("-D", 0) == 0 || option.rfind("-I", 0) == 0) {
      flags += " " + quote(option);
    } else if (option.rfind("-", 0) != 0) {
      program->log = "nvrtc: error: invalid value for option: " + option;
      return INVALID_OPTION;
    }
  }
  /* A size that the launch gives is the whole of the fake's dynamic shared memory. */
  static const std::regex dynamic(
      "extern\\s+__shared__\\s+(?:__align__\\s*\\(\\s*\\d+\\s*\\)\\s*)?([\\w:]+(?:\\s+[\\w:]+)*?)\\s+(\\w+)\\s*\\[\\s*\\]\\s*;");
  std::string source = std::regex_replace(
      program->source, dynamic, "$1 *$2 = reinterpret_cast<$1 *>(vauban_dynamic_shared);");
  static const std::regex synchronises("__sync|_sync\\s*\\(");
  if (std::regex_search(source, synchronises)) flags += " -DVAUBAN_SYNCHRONISES=1";

  char folder[] = "/tmp/vauban-fake-nvrtc-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  std::string base = folder, in = base + "/program.cpp", out = base + "/program.so", log = base + "/log";
  {
    std::ofstream file(in);
    file << "#line 1 \"" << program->name << "\"\n" << source << "\n";
    for (auto &name : kernels(program->source)) file << "VAUBAN_KERNEL(" << name << ")\n";
  }
  std::string command = "LC_ALL=C exec " FAKE_COMPILER " -std=c++20 -O1 -w -ffp-contract=off -fno-strict-aliasing -fwrapv"
      " -fvisibility=hidden -fno-exceptions -fno-rtti -shared -fPIC -Wl,-Bsymbolic"
      " -fsanitize=alignment -fno-sanitize-recover=alignment -nodefaultlibs -include "
      + quote(ON_CPU_H) + flags + " -o " + out + " " + in + " -lm -lc -lgcc >" + log + " 2>&1";
  int code = system(command.c_str());
  std::stringstream text, image;
  text << std::ifstream(log).rdbuf();
  image << std::ifstream(out, std::ios::binary).rdbuf();
  program->log = text.str();
  unlink(in.c_str());
  unlink(out.c_str());
  unlink(log.c_str());
  rmdir(folder);
  if (code != 0) return COMPILATION;
  uint64_t size = image.str().size();
  program->image = std::string("FAKECODE") + std::string((const char *)&size, sizeof size) + image.str();
  return 0;
}
API int nvrtcGetCUBINSize(Program *program, size_t *out) {
  ENTER();
  return *out = program->image.size(), 0;
}
API int nvrtcGetCUBIN(Program *program, char *out) {
  ENTER();
  memcpy(out, program->image.data(), program->image.size());
  return 0;
}
API int nvrtcGetProgramLogSize(Program *program, size_t *out) {
  ENTER();
  return *out = program->log.size() + 1, 0;
}
API int nvrtcGetProgramLog(Program *program, char *out) {
  ENTER();
  memcpy(out, program->log.c_str(), program->log.size() + 1);
  return 0;
}
