package dev.vauban.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;

/**
 * Where and with what something was measured.
 *
 * @param date in UTC
 * @param host processor and the number of cores the JVM may use
 * @param jdk vendor and version
 * @param commit of the sources, with {@code +} if they were changed since; {@code unknown} outside
 *     a clone
 */
public record Machine(String date, String host, String jdk, String commit) {
  /** This machine, now. */
  public static Machine here() {
    return new Machine(
        LocalDate.now(ZoneOffset.UTC).toString(),
        processor() + ", " + Runtime.getRuntime().availableProcessors() + " cores",
        System.getProperty("java.vendor") + " " + System.getProperty("java.runtime.version"),
        head());
  }

  /** All of it in one line. */
  public String line() {
    return date + "; " + host + "; " + jdk + "; commit " + commit;
  }

  private static String processor() {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.name") + " " + System.getProperty("os.arch");
    }
  }

  private static String head() {
    String head = git("rev-parse", "--short=10", "HEAD");
    if (head.isEmpty()) {
      return "unknown";
    }
    return git("status", "--porcelain", "--untracked-files=no").isEmpty() ? head : head + "+";
  }

  private static String git(String... arguments) {
    String[] command = new String[arguments.length + 1];
    command[0] = "git";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    try {
      Process git =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String out = new String(git.getInputStream().readAllBytes()).strip();
      return git.waitFor(5, TimeUnit.SECONDS) && git.exitValue() == 0 ? out : "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }
}
