package dev.vauban.natives.load;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where CUDA's libraries may be on a machine: toolkits, pip's nvidia packages, the driver's
 * folders.
 *
 * <p>Python is not started: its folders are recognised by their usual places beside the {@code
 * python3} on the PATH, in the environment that is active, under pyenv, and the system's.
 *
 * @param root {@code /}, or a folder that stands for it in tests
 * @param environment the process's environment variables
 * @param home the user's home folder
 */
record CudaFolders(Path root, Map<String, String> environment, Path home) {
  private static final String PYTHON = "python3*";
  private static final List<String> IN_TOOLKIT =
      List.of("lib64", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib", "lib");

  /** Packages of pip that put libraries into a folder each, and the one that took their place. */
  private static final List<String> IN_SITE_PACKAGES =
      List.of(
          "nvidia/cu[0-9]*/lib",
          "nvidia/cuda_nvrtc/lib",
          "nvidia/cublas/lib",
          "nvidia/cuda_runtime/lib");

  static CudaFolders ofThisMachine() {
    return new CudaFolders(
        Path.of("/"), System.getenv(), Path.of(System.getProperty("user.home", "/")));
  }

  /** Folders that exist and may hold toolkit libraries, the likeliest first. */
  List<Path> toolkits() {
    Set<Path> found = new LinkedHashSet<>();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      fromVariable(variable).forEach(home -> addToolkit(found, home));
    }
    for (Path packages : sitePackages()) {
      for (String pattern : IN_SITE_PACKAGES) {
        found.addAll(newestFirst(matching(packages, pattern)));
      }
    }
    addToolkit(found, at("usr/local/cuda"));
    for (Path toolkit : newestFirst(matching(at("usr/local"), "cuda-[0-9]*"))) {
      addToolkit(found, toolkit);
    }
    addToolkit(found, at("opt/cuda"));
    for (Path conda : fromVariable("CONDA_PREFIX")) {
      add(found, conda.resolve("lib"));
    }
    for (String folder : List.of("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu")) {
      add(found, at(folder));
    }
    add(found, at("usr/lib64"));
    return List.copyOf(found);
  }

  /** Folders that exist and may hold the driver's library, beyond what the linker searches. */
  List<Path> drivers() {
    Set<Path> found = new LinkedHashSet<>();
    for (String folder :
        List.of(
            "usr/lib/x86_64-linux-gnu",
            "usr/lib/aarch64-linux-gnu",
            "usr/lib64",
            "usr/lib/wsl/lib",
            "usr/local/nvidia/lib64",
            "usr/local/nvidia/lib",
            "run/opengl-driver/lib",
            "usr/lib/nvidia/current")) {
      add(found, at(folder));
    }
    return List.copyOf(found);
  }

  /** The folders that belong to one that the user names: itself, and a toolkit's in it. */
  static List<Path> under(Path folder) {
    Set<Path> found = new LinkedHashSet<>();
    add(found, folder);
    addToolkit(found, folder);
    for (String pattern : IN_SITE_PACKAGES) {
      found.addAll(newestFirst(matching(folder, pattern)));
    }
    return List.copyOf(found);
  }

  /** Where Python looks for packages, as far as that can be told from outside. */
  private List<Path> sitePackages() {
    Set<Path> found = new LinkedHashSet<>();
    fromVariable("PYTHONPATH").forEach(folder -> add(found, folder));
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      fromVariable(variable).forEach(prefix -> addPython(found, prefix));
    }
    for (Path folder : fromVariable("PATH")) {
      Path python = folder.resolve("python3");
      if (Files.exists(python) && folder.getParent() != null) {
        addPython(found, folder.getParent());
        try { // /usr/bin/python3 may be a link into the real installation
          Path bin = python.toRealPath().getParent();
          if (bin != null && bin.getParent() != null) {
            addPython(found, bin.getParent());
          }
        } catch (IOException e) {
          // A link to nothing; the folder beside it was looked at.
        }
      }
    }
    List<Path> pyenvs = new ArrayList<>(fromVariable("PYENV_ROOT"));
    pyenvs.add(home.resolve(".pyenv"));
    for (Path pyenv : pyenvs) {
      newestFirst(matching(pyenv, "versions/[0-9]*")).forEach(p -> addPython(found, p));
    }
    addPython(found, home.resolve(".local"));
    for (String prefix : List.of("usr/local", "usr", "opt/venv", "opt/conda")) {
      addPython(found, at(prefix));
    }
    add(found, at("usr/lib/python3/dist-packages"));
    return List.copyOf(found);
  }

  private static void addPython(Set<Path> found, Path prefix) {
    for (Path lib : List.of(prefix.resolve("lib"), prefix.resolve("lib64"))) {
      for (Path version : newestFirst(matching(lib, PYTHON))) {
        add(found, version.resolve("site-packages"));
        add(found, version.resolve("dist-packages")); // Debian's name of it
      }
    }
  }

  private static void addToolkit(Set<Path> found, Path toolkit) {
    for (String folder : IN_TOOLKIT) {
      add(found, toolkit.resolve(folder));
    }
  }

  private static void add(Set<Path> found, Path folder) {
    if (Files.isDirectory(folder)) {
      found.add(folder);
    }
  }

  private List<Path> fromVariable(String name) {
    List<Path> paths = new ArrayList<>();
    for (String part : environment.getOrDefault(name, "").split(":")) {
      try {
        if (!part.isBlank()) {
          paths.add(Path.of(part));
        }
      } catch (InvalidPathException e) {
        // Not a path on this system, so nothing is there.
      }
    }
    return paths;
  }

  private Path at(String folder) {
    return root.resolve(folder);
  }

  /** Folders that match a pattern with a glob in one of its names. */
  private static List<Path> matching(Path folder, String pattern) {
    List<Path> level = List.of(folder);
    for (String name : pattern.split("/")) {
      List<Path> next = new ArrayList<>();
      for (Path parent : level) {
        if (!Files.isDirectory(parent)) {
          continue;
        }
        try (DirectoryStream<Path> children = Files.newDirectoryStream(parent, name)) {
          children.forEach(child -> addDirectory(next, child));
        } catch (IOException e) {
          // A folder that may not be read holds nothing for this user.
        }
      }
      level = next;
    }
    return level;
  }

  private static void addDirectory(List<Path> found, Path child) {
    if (Files.isDirectory(child)) {
      found.add(child);
    }
  }

  /** By version: {@code cuda-13.0} before {@code cuda-12.8} before {@code cuda-9}. */
  private static List<Path> newestFirst(List<Path> folders) {
    List<Path> sorted = new ArrayList<>(folders);
    sorted.sort(Collections.reverseOrder((a, b) -> Versions.compare(a.toString(), b.toString())));
    return sorted;
  }
}
