package dev.vauban.natives.cuda;

import java.nio.file.Path;
import java.util.List;

/**
 * Compiled kernels on disk, by content: the source, the options, the architecture and the
 * compiler's version. Several processes may share a folder; a damaged entry is compiled again.
 */
public final class KernelCache {
  /** A cache in this folder, which is made when needed. */
  public KernelCache(Path folder, Nvrtc compiler) {
    throw new UnsupportedOperationException();
  }

  /** The folder of this user: {@code $XDG_CACHE_HOME/vauban/cuda}. */
  public static Path userFolder() {
    throw new UnsupportedOperationException();
  }

  /** As {@link Nvrtc#compile}, from the disk where it was compiled before. */
  public byte[] compile(String source, String name, String architecture, List<String> options) {
    throw new UnsupportedOperationException();
  }

  /** How many programs this object compiled, that is, did not find. */
  public int compiled() {
    throw new UnsupportedOperationException();
  }
}
