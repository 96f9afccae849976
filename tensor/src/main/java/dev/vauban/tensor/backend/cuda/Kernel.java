package dev.vauban.tensor.backend.cuda;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A generated kernel. Its name is made of its text, so equal kernels are one kernel, in one program
 * and among all programs of a device.
 *
 * @param name the name of the function
 * @param text the function and what only it calls
 */
record Kernel(String name, String text) {
  /** How the function of a kernel begins, up to its parameters. */
  static final String SIGNATURE = "extern \"C\" __global__ void $(";

  private static final int DIGITS = 16;

  /**
   * A kernel of this text, in which {@code $} stands for its name.
   *
   * @param stem what it is, the beginning of its name
   */
  static Kernel of(String stem, String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      String name = stem + "_" + HexFormat.of().formatHex(hash).substring(0, DIGITS);
      return new Kernel(name, text.replace("$", name));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JDK has it
    }
  }

  /** A kernel that is one function. */
  static Kernel of(String stem, String parameters, Source body) {
    return of(stem, SIGNATURE + parameters + ") {\n" + body + "}\n");
  }
}
