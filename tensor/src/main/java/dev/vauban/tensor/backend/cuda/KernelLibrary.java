package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.CudaContext;
import dev.vauban.natives.cuda.CudaFunction;
import dev.vauban.natives.cuda.CudaModule;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The compiled kernels of one device, by name. A kernel that several programs have is compiled
 * once; what is missing is compiled in a few files at once, on all processors.
 */
final class KernelLibrary {
  /** Kernels of one file. */
  private static final int FILE = 24;

  /** NVRTC recurses deeply: with 1 MiB, the usual, it has been seen to overflow. */
  private static final long STACK_BYTES = 16L << 20;

  private static final String PRELUDE = resource("prelude.cu");
  private static final String TENSOR_CORES = resource("tensor-cores.cu");

  /** Turns a file of CUDA C++ into code for the card. */
  interface Compiler {
    /** The code of a file, which messages call {@code name}. */
    byte[] compile(String source, String name);
  }

  private final CudaContext card;
  private final Compiler compiler;
  private final Map<String, CudaFunction> functions = new HashMap<>();

  KernelLibrary(CudaContext card, Compiler compiler) {
    this.card = card;
    this.compiler = compiler;
  }

  private static String resource(String name) {
    try (InputStream in = KernelLibrary.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file of these kernels. */
  static String source(Collection<Kernel> kernels) {
    StringBuilder s = new StringBuilder(PRELUDE);
    if (kernels.stream().anyMatch(k -> k.text().contains("v_mma"))) {
      s.append('\n').append(TENSOR_CORES);
    }
    kernels.forEach(k -> s.append('\n').append(k.text()));
    return s.toString();
  }

  /**
   * Files of kernels, those that synchronise threads apart from the others: a processor that stands
   * in for the card runs these without ado.
   */
  static List<List<Kernel>> files(Collection<Kernel> kernels) {
    List<List<Kernel>> files = new ArrayList<>();
    for (boolean synchronised : new boolean[] {false, true}) {
      List<Kernel> all = kernels.stream().filter(k -> synchronises(k) == synchronised).toList();
      for (int i = 0; i < all.size(); i += FILE) {
        files.add(all.subList(i, Math.min(all.size(), i + FILE)));
      }
    }
    return files;
  }

  private static boolean synchronises(Kernel k) {
    return k.text().contains("__syncthreads");
  }

  /** Compiles and loads those of the kernels that are not loaded yet. */
  synchronized void load(Collection<Kernel> kernels) {
    List<Kernel> missing = kernels.stream().filter(k -> !functions.containsKey(k.name())).toList();
    List<List<Kernel>> files = files(missing);
    if (files.isEmpty()) {
      return;
    }
    int threads = Math.min(files.size(), Runtime.getRuntime().availableProcessors());
    ExecutorService workers =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread t = new Thread(null, task, "vauban-nvrtc", STACK_BYTES);
              t.setDaemon(true);
              return t;
            });
    try {
      List<Callable<byte[]>> tasks = new ArrayList<>();
      files.forEach(f -> tasks.add(() -> compiler.compile(source(f), f.getFirst().name() + ".cu")));
      List<Future<byte[]>> images = workers.invokeAll(tasks);
      for (int i = 0; i < files.size(); i++) {
        CudaModule module = card.module(images.get(i).get());
        files.get(i).forEach(k -> functions.put(k.name(), module.function(k.name())));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while kernels were compiled", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException r ? r : new IllegalStateException(e);
    } finally {
      workers.shutdown();
    }
  }

  /** A kernel that was loaded. */
  synchronized CudaFunction function(Kernel k) {
    return functions.get(k.name());
  }
}
